import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { loadMessages } from '../../src/platform/http/messages.ts'
import type { Message } from '../../src/platform/outbox.ts'
import { createNotify, PROXY_NOTICES } from '../../src/proxies/index.ts'
import { openPgliteTestDatabase } from '../support/database.ts'
import { openScene } from './support/scene.ts'

test('every notice has its words in each language, with the day as people write it, on one address or on all', async (t) => {
  const scene = await openScene(await openPgliteTestDatabase())
  t.after(() => scene.close())
  const { accountId } = await scene.addPerson()
  for (const [kind, value] of [['email', 'pessoa@example.org'], ['phone', '65999990000']]) {
    await scene.db.execute('INSERT INTO contact (id, account_id, kind, value, verified_at, created_at) VALUES ($1, $2, $3, $4, $5, $5)', [randomUUID(), accountId, kind, value, scene.clock.now()])
  }
  const sent: Message[] = []
  const outbox = { canSend: () => true, send: async (_tx: unknown, message: Message) => void sent.push(message) }
  const messages = loadMessages({ folder: new URL('../../views/messages', import.meta.url).pathname, strict: true })
  const notify = createNotify({ outbox, messages, publicUrl: 'https://login.example' })
  for (const locale of ['pt-BR', 'en', 'es']) {
    await scene.db.execute('UPDATE account SET locale = $2 WHERE id = $1', [accountId, locale])
    for (const notice of PROXY_NOTICES) {
      for (const everywhere of [false, true]) {
        sent.length = 0
        await notify(scene.db, { accountId, notice, everywhere, params: { delegate: 'Ana', represented: 'Rui', until: '2027-06-30' } })
        assert.deepEqual(sent.map(({ channel }) => channel), everywhere ? ['mail', 'sms'] : ['mail'])
        for (const { text } of sent) assert.doesNotMatch(text, /2027-06-30|\{/, `${locale} ${notice}`)
      }
    }
  }
  sent.length = 0
  await notify(scene.db, { accountId, notice: 'granted', everywhere: false, params: { delegate: 'Ana', represented: 'Rui', until: '' } })
  assert.match(sent[0]?.text ?? '', /sin fecha/)
})

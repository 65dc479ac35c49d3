import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import type { AddressInfo, Server } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { Database } from '../../src/platform/db.ts'
import type { Keyring } from '../../src/platform/keyring.ts'
import { openKeyring } from '../../src/platform/keyring.ts'
import { silentLog } from '../../src/platform/log.ts'
import type { Message } from '../../src/platform/outbox.ts'
import { createOutbox, createTransports, recentDemoMessages } from '../../src/platform/outbox.ts'
import { Sensitive } from '../../src/platform/sensitive.ts'
import { fixedClock } from '../support/clock.ts'
import { testDatabases } from '../support/database.ts'
import { until } from '../support/until.ts'

const MAIL: Message = {
  channel: 'mail',
  to: 'maria@example.org',
  purpose: 'accounts/confirm-email',
  subject: 'Confirme seu e-mail',
  text: 'Código: 123456 – ção',
  html: '<p>Código</p>',
}

interface Row {
  readonly attempts: number
  readonly sent_at: Date | null
  readonly failed_at: Date | null
  readonly sealed: Buffer | null
  readonly last_error: string | null
}

for (const { label, open } of testDatabases()) {
  describe(`outbox on ${label}`, () => {
    let db: Database
    let keyring: Keyring
    const clock = fixedClock()
    const sent: string[] = []
    let isDown = false
    const mail = {
      async deliver({ to, text }: { to: string; text: string }) {
        if (isDown) throw Object.assign(new Error(`550 <${to}> unknown`), { code: 'EENVELOPE' })
        sent.push(text)
      },
    }
    const rows = () => db.query<Row>('SELECT attempts, sent_at, failed_at, sealed, last_error FROM outbox_message ORDER BY created_at')
    const outbox = () => createOutbox({ db, keyring, clock, log: silentLog, transports: { mail } })

    before(async () => {
      db = await open()
      keyring = await openKeyring({ db, clock, masterKey: new Sensitive(randomBytes(32)), dataDir: 'memory' })
    })
    beforeEach(async () => {
      await db.execute('DELETE FROM outbox_message')
      sent.length = 0
      isDown = false
    })
    after(async () => {
      await keyring.close()
      await db.close()
    })

    test('what commits is sent at once, what rolls back never', async () => {
      const box = outbox()
      await box.start()
      await assert.rejects(
        db.transaction(async (tx) => {
          await box.send(tx, { ...MAIL, text: 'no' })
          throw new Error('rolled back')
        }),
      )
      await db.transaction((tx) => box.send(tx, { ...MAIL, text: 'yes' }))
      await until(() => sent.length === 1)
      await box.stop()
      assert.deepEqual(sent, ['yes'])
    })

    test('a message rests sealed and is erased once sent', async () => {
      const box = outbox()
      await db.transaction((tx) => box.send(tx, MAIL))
      const [resting] = await rows()
      assert.ok(resting?.sealed && !resting.sealed.includes('maria') && !resting.sealed.includes('123456'))
      assert.equal(await box.flush(), 1)
      const [done] = await rows()
      assert.equal(done?.sealed, null)
      assert.deepEqual(done?.sent_at, clock.now())
      assert.equal(await box.flush(), 0)
    })

    test('a failure is tried again with growing pauses; only its code is kept', async () => {
      const box = outbox()
      isDown = true
      await db.transaction((tx) => box.send(tx, MAIL))
      assert.equal(await box.flush(), 0)
      assert.deepEqual(
        (await rows()).map(({ attempts, last_error }) => ({ attempts, last_error })),
        [{ attempts: 1, last_error: 'EENVELOPE' }],
      )
      isDown = false
      assert.equal(await box.flush(), 0, 'not due yet')
      clock.advance(5000)
      assert.equal(await box.flush(), 1)
    })

    test('after the last try the message is given up and erased', async () => {
      const box = outbox()
      isDown = true
      await db.transaction((tx) => box.send(tx, MAIL))
      for (let attempt = 0; attempt < 10; attempt++) {
        await box.flush()
        clock.advance(30_000_000)
      }
      const [row] = await rows()
      assert.ok(row?.failed_at)
      assert.equal(row.sealed, null)
      isDown = false
      assert.equal(await box.flush(), 0)
    })

    test('two relays deliver each message once', async () => {
      const pair = [outbox(), outbox()]
      for (let index = 0; index < 25; index++) await db.transaction((tx) => outbox().send(tx, { ...MAIL, text: `m${index}` }))
      await Promise.all(pair.map((box) => box.flush()))
      assert.equal(sent.length, 25)
      assert.equal(new Set(sent).size, 25)
    })

    test('what a killed process had claimed is due again after the lease', async () => {
      const box = outbox()
      await db.transaction((tx) => box.send(tx, MAIL))
      await db.execute("UPDATE outbox_message SET attempts = 1, next_attempt_at = $1::timestamptz + interval '90 seconds'", [clock.now()])
      assert.equal(await box.flush(), 0)
      clock.advance(90_000)
      assert.equal(await box.flush(), 1)
    })

    test('SMS without a provider is refused before anything is promised', async () => {
      const box = outbox()
      assert.equal(box.canSend('sms'), false)
      await assert.rejects(
        db.transaction((tx) => box.send(tx, { ...MAIL, channel: 'sms' })),
        /channel-missing/,
      )
    })
  })
}

describe('ways out', () => {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'mt-login-outbox-'))
  after(() => rmSync(dataDir, { recursive: true }))
  const message = { id: '0b6a4b4e-6d2a-4a8c-9a51-111111111111', at: new Date('2026-11-22T12:00:00Z'), ...MAIL }

  test('the demo’s mails and SMS are files, readable by the owner only, and listed newest first', async () => {
    const { mail, sms } = createTransports({ mailFrom: 'MT Login <a@example.org>', dataDir, demo: true })
    await mail.deliver(message)
    await sms?.deliver({
      ...message,
      id: 'sms',
      channel: 'sms',
      to: '+5565999990000',
      at: new Date('2026-11-22T12:00:01Z'),
      text: 'Código 1',
    })
    const files = readdirSync(path.join(dataDir, 'outbox'))
    assert.equal(files.length, 4)
    assert.ok(files.every((name) => (statSync(path.join(dataDir, 'outbox', name)).mode & 0o077) === 0))
    const eml = readFileSync(path.join(dataDir, 'outbox', files.find((name) => name.endsWith('.eml')) ?? ''), 'utf8')
    assert.match(eml, /^To: maria@example\.org/m)
    assert.match(eml, /multipart\/alternative/)
    const listed = await recentDemoMessages(dataDir)
    assert.deepEqual(
      listed.map(({ channel, text }) => ({ channel, text })),
      [
        { channel: 'sms', text: 'Código 1' },
        { channel: 'mail', text: MAIL.text },
      ],
    )
  })

  test('without a demo there is no SMS and nothing listed', async () => {
    assert.equal(createTransports({ mailFrom: 'a@example.org', dataDir, demo: false }).sms, undefined)
    assert.deepEqual(await recentDemoMessages(path.join(dataDir, 'nowhere')), [])
  })

  test('mail goes out by SMTP', async () => {
    const { server, url, received } = await fakeSmtp()
    const { mail } = createTransports({ smtpUrl: new Sensitive(url), mailFrom: 'MT Login <a@example.org>', dataDir, demo: false })
    await mail.deliver(message)
    server.close()
    assert.match(received(), /RCPT TO:<maria@example\.org>/)
    assert.match(received(), /Message-ID: <0b6a4b4e-6d2a-4a8c-9a51-111111111111@example\.org>/i)
  })

  test('an address cannot add a second recipient or a header', async () => {
    const { server, url, received } = await fakeSmtp()
    const { mail } = createTransports({ smtpUrl: new Sensitive(url), mailFrom: 'a@example.org', dataDir, demo: false })
    for (const to of ['maria@example.org, eve@example.net', 'maria@example.org\r\nBcc: eve@example.net'])
      await mail.deliver({ ...message, to }).catch(() => {})
    server.close()
    assert.doesNotMatch(received(), /RCPT TO:<eve@example\.net>|^Bcc: eve/m)
  })
})

/** A mail server that says yes to everything and remembers what it heard. */
async function fakeSmtp(): Promise<{ server: Server; url: string; received: () => string }> {
  let heard = ''
  const server = createServer((socket) => {
    let inData = false
    socket.write('220 test\r\n')
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      heard += chunk
      if (inData) {
        if (!heard.endsWith('\r\n.\r\n')) return
        inData = false
        return void socket.write('250 kept\r\n')
      }
      const line = chunk.toString().toUpperCase()
      inData = line.startsWith('DATA')
      if (line.startsWith('QUIT')) socket.end('221 bye\r\n')
      else socket.write(inData ? '354 go on\r\n' : '250 ok\r\n')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { server, url: `smtp://127.0.0.1:${port}`, received: () => heard }
}

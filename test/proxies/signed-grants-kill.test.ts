/** `kill -9` between the grantor's signature and the mandate: both are there or neither, and the audit record says which. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { openDatabase } from '../../src/platform/db.ts'
import type { Power } from '../../src/proxies/index.ts'
import { createPostgresDatabase } from '../support/database.ts'
import { findPostgresBinaries } from '../support/postgres.ts'
import { openScene, type Person, type ProxyScene, SHARED_KEY } from './support/scene.ts'

const VICTIM = path.join(import.meta.dirname, 'support/granting-victim.ts')
const canRun = process.env['MT_TEST_POSTGRES_URL'] !== undefined || findPostgresBinaries() !== undefined

interface Story {
  readonly owner: Person
  readonly holder: Person
  readonly id: string
  readonly sale: Power
}

/** Runs until it says that it is there, and is killed there. */
async function killedAt(url: string, where: string): Promise<Story> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', VICTIM, url, where], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  let story: Story | undefined
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const said: { at: string } & Story = JSON.parse(line)
      if (said.at === 'ready') story = said
      if (said.at === where) child.kill('SIGKILL')
    }
  } finally {
    child.kill('SIGKILL')
  }
  assert.deepEqual(await ended, [null, 'SIGKILL'])
  return story ?? assert.fail('it died before its time')
}

for (const where of ['key-used', 'writing', 'given'] as const) {
  test(`killed when the process has said "${where}"`, { skip: !canRun }, async () => {
    const { url, drop } = await createPostgresDatabase()
    let scene: ProxyScene | undefined
    try {
      const { owner, holder, id, sale } = await killedAt(url.reveal(), where)
      const found = await openScene(await openDatabase({ url, dataDir: 'memory', poolSize: 4 }), { isKnown: true, masterKey: SHARED_KEY })
      scene = found
      for (const { cpf, name } of [owner, holder]) found.register.set(cpf, { cpf, name, birthDate: '1980-01-01' as never, situation: 'regular' })
      const grants = found.proxies.signedBy({ open: async () => ({ activationId: 'second', nonce: 'nonce' }), sign: async ({ pdfs }) => [...pdfs] })
      const counts = async () => {
        const [rows] = await found.db.query<{ mandates: number; files: number }>('SELECT (SELECT count(*)::int FROM mandate) AS mandates, (SELECT count(*)::int FROM mandate_instrument) AS files')
        const types = (await found.audit.ledger(owner.accountId, { limit: 50 })).map(({ type }) => type)
        const [begun, made, lost] = ['proxies/signing-begun', 'proxies/instrument-made', 'proxies/signing-lost'].map((type) => types.filter((one) => one === type).length)
        return { ...rows, begun, made, lost }
      }
      found.clock.advance(10 * 60_000 + 1)
      await grants.purge()
      await grants.purge()
      if (where === 'given') return assert.deepEqual(await counts(), { mandates: 1, files: 1, begun: 1, made: 1, lost: 0 })
      assert.deepEqual(await counts(), { mandates: 0, files: 0, begun: 1, made: 0, lost: 1 })
      // Nothing of the dead is in the way: the same text is confirmed and signed anew.
      await found.db.execute('UPDATE sign_in_session SET authenticated_at = $1', [found.clock.now()])
      await grants.begin(owner.by, id)
      await grants.finish(owner.by, id, { idToken: 'proof' })
      assert.deepEqual(await counts(), { mandates: 1, files: 1, begun: 2, made: 1, lost: 1 })
      assert.equal((await found.proxies.mandates.listReceived(holder.by))[0]?.powers[0]?.code, sale.code)
    } finally {
      await scene?.close()
      await drop()
    }
  })
}

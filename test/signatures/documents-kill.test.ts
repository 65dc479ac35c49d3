/** `kill -9` with the key in hand: the citizen finds the signed file, or nothing was signed and the audit record says so. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { openDatabase } from '../../src/platform/db.ts'
import type { Person } from '../../src/signatures/index.ts'
import { createPostgresDatabase } from '../support/database.ts'
import { openDocumentScene } from '../support/document-scene.ts'
import { findPostgresBinaries } from '../support/postgres.ts'

const VICTIM = path.join(import.meta.dirname, '../support/signing-victim.ts')
const canRun = process.env['MT_TEST_POSTGRES_URL'] !== undefined || findPostgresBinaries() !== undefined

interface Story {
  readonly person: Person
  readonly id: string
}

/** Runs until it says that it is there, and is killed there. */
async function killedAt(url: string, where: 'key-used' | 'stored'): Promise<Story> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', VICTIM, url, where], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  let story: Story | undefined
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const said: { at: string } & Partial<Story> = JSON.parse(line)
      if (said.person && said.id) story = { person: said.person, id: said.id }
      if (said.at === where) child.kill('SIGKILL')
    }
  } finally {
    child.kill('SIGKILL')
  }
  const [code, signal] = await ended
  assert.deepEqual([code, signal], [null, 'SIGKILL'])
  assert.ok(story)
  return story
}

for (const where of ['key-used', 'stored'] as const) {
  test(`killed when the process has said "${where}"`, { skip: !canRun }, async () => {
    const { url, drop } = await createPostgresDatabase()
    const { person, id } = await killedAt(url.reveal(), where)
    const scene = await openDocumentScene({ open: () => openDatabase({ url, dataDir: 'memory', poolSize: 4 }) })
    try {
      const [account] = await scene.db.query<{ person_id: string }>('SELECT person_id FROM account WHERE id = $1', [person.accountId])
      scene.adopt(person, account?.person_id ?? '')
      const begun = await scene.events('signatures/signing-begun')
      assert.equal(begun.length, 1)
      scene.clock.advance(3 * 60_000)
      await scene.documents.care.sweep()
      const envelope = await scene.documents.envelopes.get(person, id)
      const [document] = envelope.documents
      const { bytes } = await scene.documents.envelopes.open(person, id, document?.id ?? '')
      const { verdict } = await scene.signatures.verifier.verify(bytes)
      const [signed, lost] = [await scene.events('signatures/documents-signed'), await scene.events('signatures/signing-lost')]
      if (where === 'stored') {
        assert.deepEqual([envelope.state, signed.length, lost.length], ['signed', 1, 0])
        // The authority's address was the killed process's own, so its evidence is judged by what travelled along.
        assert.notEqual(verdict, 'none')
        return
      }
      assert.deepEqual([envelope.state, document?.version, verdict, signed.length, lost.length], ['waiting', 0, 'none', 0, 1])
      assert.equal(lost[0]?.data['attemptId'], begun[0]?.data['attemptId'])
      assert.equal((await scene.documents.envelopes.lastAttempt(person, id))?.state, 'lost')
      // The lease of the dead is over, and the citizen signs anew.
      scene.clock.advance(3 * 60_000)
      await scene.sign(person, id)
      assert.equal((await scene.documents.envelopes.get(person, id)).state, 'signed')
    } finally {
      await scene.close()
      await drop()
    }
  })
}

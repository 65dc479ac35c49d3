/** What the runner of these tests must not lose by what spares it work. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'

const UNWATCHED = new URL('support/unwatched.ts', import.meta.url).href
const folder = mkdtempSync(path.join(tmpdir(), 'mt-login-runner-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Exit code of a test file with this in its only test, which itself sees nothing amiss. */
function exitOf(inside: string): number | null {
  const file = path.join(folder, 'one.test.mjs')
  writeFileSync(file, `import test from 'node:test'\ntest('one', async () => {\n${inside}\nawait new Promise((resolve) => setTimeout(resolve, 20))\n})\n`)
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  return spawnSync(process.execPath, ['--import', UNWATCHED, file], { env, stdio: 'ignore' }).status
}

test('an error that nobody catches fails its file, without the record of who began what', () => {
  assert.equal(exitOf(''), 0)
  assert.notEqual(exitOf("setTimeout(() => { throw new Error('late') })"), 0)
  assert.notEqual(exitOf("Promise.reject(new Error('unheard'))"), 0)
})

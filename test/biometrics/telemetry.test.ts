/** What looks at faces reports to nobody: the runtime of the nets would keep events in the home folder, to be sent. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

const MODELS = path.join(tmpdir(), 'mt-login', 'models')
const FACES = new URL('../../src/biometrics/index.ts', import.meta.url).href

test('a process that has loaded the nets leaves nothing in its home', async () => {
  const work = await mkdtemp(path.join(tmpdir(), 'mt-home-'))
  const home = path.join(work, 'home')
  await mkdir(home)
  try {
    const program = `
      const { createFaces } = await import('${FACES}')
      const faces = createFaces({ modelsDir: ${JSON.stringify(MODELS)}, workers: 1, maxQueue: 4 })
      await faces.ready()
      await faces.close()`
    const file = path.join(work, 'faces.mjs')
    await writeFile(file, program)
    // By the shell's own environment only: what the test runner sets must not help.
    const env = { PATH: process.env['PATH'] ?? '', HOME: home }
    await promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', file], { env })
    assert.deepEqual(await readdir(home), [])
  } finally {
    await rm(work, { recursive: true, force: true })
  }
})

/** A whole base by one command, `npm run mt -- imagens importar`, killed in the middle and run again: images a second, and that nothing is lost. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { writeImportBase } from '../test/support/import-base.ts'
import { openDatabase } from '../src/platform/db.ts'
import { Sensitive } from '../src/platform/sensitive.ts'
import type { BenchOptions, Result } from './result.ts'
import { useAllCores } from './rig/processes.ts'
import { temporaryFolder } from './rig/servers.ts'
import { startPostgres } from './rig/stores.ts'

export const name = 'import'
const IMAGES = 60

interface Imported {
  readonly lines: number
  readonly looked: number
  readonly counts: { readonly stored: number; readonly known: number; readonly refused: number }
  readonly seconds: number
}

export async function run({ size = IMAGES }: BenchOptions = {}): Promise<readonly Result[]> {
  const store = await startPostgres()
  useAllCores()
  const db = await openDatabase({ url: new Sensitive(store.url), dataDir: 'memory' })
  const done = async () => {
    const [row] = await db.query<{ count: number }>("SELECT count(*)::int AS count FROM image_import_line").catch(() => [])
    return row?.count ?? 0
  }
  try {
    const base = await writeImportBase(join(temporaryFolder(), 'base'), size)
    const words = ['--manifesto', base.manifest, '--pasta', base.folder, '--origem', 'bench', '--confiar', '--json']
    const environment = { DATA_DIR: temporaryFolder(), DATABASE_URL: store.url, BASE_REGISTER_FILE: base.register }
    const killed = start(words, environment)
    while ((await done()) < size / 2 && isRunning(killed.child)) await sleep(50)
    killed.child.kill('SIGKILL')
    await killed.closed
    const before = await done()
    const resumed = await finished(start(words, environment))
    assert.equal(resumed.looked, size - before, 'what was committed before the kill is not looked at again')
    assert.deepEqual(resumed.counts, { ...base.expected, known: 0 }, 'after kill -9 and a second run the counts are those of the base')
    assert.equal((await finished(start(words, environment))).looked, 0, 'a third run has nothing to do')
    return [
      { bench: name, metric: `lines of the base, of them refused ${base.expected.refused}`, value: size, unit: 'images' },
      { bench: name, metric: 'on record when killed', value: before, unit: 'images' },
      { bench: name, metric: 'second run, start of the process included', value: resumed.looked / resumed.seconds, unit: 'images/s' },
    ]
  } finally {
    await db.close()
    await store.stop()
  }
}

interface Command {
  readonly child: ChildProcess
  readonly closed: Promise<readonly unknown[]>
  readonly startedAt: number
}

function start(words: readonly string[], environment: NodeJS.ProcessEnv): Command {
  const { DATABASE_URL: _, MASTER_KEY: __, ...outside } = process.env
  const startedAt = performance.now()
  const child = spawn(process.execPath, ['src/mt.ts', 'imagens', 'importar', ...words], { env: { ...outside, ...environment }, stdio: ['ignore', 'pipe', 'inherit'] })
  return { child, closed: once(child, 'close'), startedAt }
}

const isRunning = (child: ChildProcess) => child.exitCode === null && child.signalCode === null

async function finished({ child, closed, startedAt }: Command): Promise<Imported> {
  let out = ''
  child.stdout?.on('data', (chunk) => (out += chunk))
  const [code] = await closed
  if (code !== 0) throw new Error(`the import ended with ${code}: ${out}`)
  return { ...JSON.parse(out), seconds: (performance.now() - startedAt) / 1000 }
}

/** Runs the benchmarks, all or by name: `npm run bench [-- NAME... --json]`. */
import { globSync, mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import { canPin, pinLoad, stopAll } from './rig/processes.ts'
import { type Bench, type BenchOptions, type Result, tableOf } from './result.ts'

const RESULTS = '.data/bench/results.jsonl'
const HELP = `Usage: npm run bench [-- NAME... --json --size N]
Runs the benchmarks, prints a table and writes one JSON object a line to ${RESULTS}.
  NAME    only these (see --list)
  --list  names only
  --size  images of import: 60 unless said; mandates of decisions: a million
  --json  print the JSON lines instead of the table
The exit code is 1 when a target is missed.
`

/** Every file beside this one that exports a name and a run is a benchmark; what they stand on is in rig/. */
async function readBenches(): Promise<readonly Bench[]> {
  const benches: Bench[] = []
  for (const file of globSync('*.ts', { cwd: import.meta.dirname }).sort()) {
    const source: Partial<Bench> = file === basename(import.meta.filename) ? {} : await import(`./${file}`)
    if (source.name && source.run) benches.push({ name: source.name, run: source.run })
  }
  return benches
}

async function runAll(benches: readonly Bench[], options: BenchOptions): Promise<readonly Result[]> {
  const results: Result[] = []
  for (const bench of benches) {
    process.stderr.write(`${bench.name} ...\n`)
    results.push(...(await bench.run(options)))
  }
  return results
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'boolean' }, size: { type: 'string' }, list: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  })
  const benches = await readBenches()
  const names = benches.map(({ name }) => name)
  const unknown = positionals.find((name) => !names.includes(name))
  if (values.help || unknown) {
    process.stdout.write(`${unknown ? `No benchmark is called ${unknown}: there are ${names.join(', ')}.\n` : ''}${HELP}`)
    return unknown ? 2 : 0
  }
  if (values.list) {
    process.stdout.write(`${names.join('\n')}\n`)
    return 0
  }
  pinLoad()
  const pinned = canPin ? 'server on core 0, load and store on core 1' : 'not pinned: the figures disturb each other'
  process.stderr.write(`Node ${process.versions.node}, ${cpus().length} x ${cpus()[0]?.model.trim()}, ${pinned}\n`)
  const chosen = positionals.length > 0 ? benches.filter(({ name }) => positionals.includes(name)) : benches
  const results = await runAll(chosen, { size: values.size === undefined ? undefined : Number(values.size) })
  const lines = results.map((result) => `${JSON.stringify(result)}\n`).join('')
  mkdirSync('.data/bench', { recursive: true })
  writeFileSync(RESULTS, lines)
  process.stdout.write(values.json ? lines : tableOf(results))
  return results.some(({ pass }) => pass === false) ? 1 : 0
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stopAll().then(() => process.exit(130)))
try {
  process.exitCode = await main()
} finally {
  await stopAll()
}

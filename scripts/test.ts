/** Runs the tests after making sure of what they need: `npm test [-- PATH... --name=PATTERN]`. */
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { finished } from 'node:stream/promises'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'
import { globalSetup, globalTeardown } from '../test/support/global-setup.ts'
import { missingRequirements } from './requirements.ts'
import { scratchInMemory } from './scratch-folder.ts'

const HELP = `Usage: npm test [-- PATH... --name=PATTERN]
  PATH            run only test files whose path contains PATH, for example test/oidc or recovery
  --name=PATTERN  run only tests whose name matches this regular expression
`
/** What V8 compiled is kept here for the next test process: each of some hundred files loads much of the program. */
const COMPILED = fileURLToPath(new URL('../node_modules/.cache/mt-login/compiled', import.meta.url))
/** The longest of them, first, so that no core is left alone with one at the end. */
const LONGEST = [
  'test/flows/attacks', 'test/flows/kill', 'test/flows/headers.', 'test/biometrics/liveness-browser', 'test/helpdesk/binding-proof', 'test/flows/races',
  'test/helpdesk/cases', 'test/helpdesk/kiosk', 'test/admin/mt', 'test/signatures/corpus', 'test/accounts/sign-in', 'test/biometrics/engine', 'test/oidc/races',
  'test/demo/', 'test/browser/counter.', 'test/browser/signing', 'test/helpdesk/', 'test/flows/',
] as const
const CAMERA = /^test\/browser\/(face-check|demo-photo)/
/** A file that hangs is stopped, so that a run always ends. */
const FILE_TIMEOUT_MS = 10 * 60_000

const COUNTED = ['tests', 'suites', 'passed', 'failed', 'cancelled', 'skipped', 'todo'] as const
type Counts = Record<(typeof COUNTED)[number], number>

async function runFiles(files: readonly string[], concurrency: number, names: readonly string[]): Promise<Counts> {
  const counts: Counts = { tests: 0, suites: 0, passed: 0, failed: 0, cancelled: 0, skipped: 0, todo: 0 }
  if (files.length === 0) return counts
  const events = run({
    files: [...files],
    concurrency,
    timeout: FILE_TIMEOUT_MS,
    ...(names.length > 0 && { testNamePatterns: names.map((name) => new RegExp(name)) }),
  })
  events.on('test:summary', (summary) => {
    const counted: Partial<Counts> = summary.counts
    if (summary.file === undefined) for (const key of COUNTED) counts[key] += counted[key] ?? 0
  })
  const report = events.compose(new spec())
  report.pipe(process.stdout, { end: false })
  await finished(report)
  return counts
}

/** The lines that node's runner closes with, for the whole of the run. */
function closingLines(counts: Counts, startedAt: number): string {
  const { tests, suites, passed, failed, cancelled, skipped, todo } = counts
  const rows = { tests, suites, pass: passed, fail: failed, cancelled, skipped, todo, duration_ms: Math.round(performance.now() - startedAt) }
  return `\n${Object.entries(rows).map(([name, value]) => `# ${name} ${value}\n`).join('')}`
}

function longestFirst(files: readonly string[]): string[] {
  const place = (file: string): number => {
    const found = LONGEST.findIndex((start) => file.startsWith(start))
    return found < 0 ? LONGEST.length : found
  }
  return [...files].sort((a, b) => place(a) - place(b))
}

async function main(words: readonly string[]): Promise<number> {
  if (words.includes('--help') || words.includes('-h')) return say(HELP, 0)
  const names = words.filter((word) => word.startsWith('--name=')).map((word) => word.slice('--name='.length))
  const paths = words.filter((word) => !word.startsWith('-'))
  const unknown = words.find((word) => word.startsWith('-') && !word.startsWith('--name='))
  if (unknown) return say(`Unknown option ${unknown}\n${HELP}`, 2)
  const missing = missingRequirements()
  if (missing.length > 0) return say(`The tests need what this machine lacks:\n${missing.map((line) => `  - ${line}\n`).join('')}`, 1)

  const startedAt = performance.now()
  const files = globSync('test/**/*.test.ts').sort().filter((file) => paths.length === 0 || paths.some((path) => file.includes(path)))
  const inBrowser = files.filter((file) => file.startsWith('test/browser/'))
  // A camera that plays somebody moving needs the machine for itself; pages do not.
  const [withCamera, pages] = [inBrowser.filter((file) => CAMERA.test(file)), inBrowser.filter((file) => !CAMERA.test(file))]
  const rest = files.filter((file) => !inBrowser.includes(file))
  // Some files use the temporary folder, and what earlier runs prepared there.
  if (paths.length === 0) scratchInMemory()
  if (files.length > 0) await globalSetup()
  process.env['NODE_COMPILE_CACHE'] ??= COMPILED
  // Tests load the nets' runtime by themselves, too.
  process.env['ORT_DISABLE_TELEMETRY'] = '1'
  // One more than there are cores: each file waits now and then, for a disk, a database or a moment.
  const total = await runFiles(longestFirst(rest), Math.min(4, availableParallelism() + 1), names)
  const parts = [await runFiles(longestFirst(pages), Math.min(2, availableParallelism()), names), await runFiles(withCamera, 1, names)]
  await globalTeardown()
  for (const part of parts) for (const key of COUNTED) total[key] += part[key]
  const ran = total.passed + total.failed + total.cancelled
  say(closingLines(total, startedAt), 0)
  if (ran === 0) return say(`No test ran${paths.length > 0 ? `: no file matches ${paths.join(', ')}` : ''}.\n`, 1)
  return total.failed + total.cancelled > 0 ? 1 : 0
}

function say(text: string, exitCode: number): number {
  process.stdout.write(text)
  return exitCode
}

process.exitCode = await main(process.argv.slice(2))

/** Starts the server for someone who tries it: the demo on the embedded database, unless the environment says otherwise. */
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { downloadOnce } from '../src/biometrics/nets/first-download.ts'

const HELP = `Usage: npm start
Starts MT Login with demo data on the embedded database in .data/. Ctrl-C stops it; the next start keeps the data.
With DATABASE_URL or NODE_ENV=production set, no demo is made; DEMO=true or DEMO=false decides it outright.
The first start fetches the published face nets when it can (FACE_MODELS=builtin: never); "npm run models" does it at any time.
In production start it with "npm run serve" and the settings in .env.example.
`

/** glibc gives memory that threads have let go back to the machine: a sixth less resident. It reads these when a program begins. */
const MEMORY = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '131072', MALLOC_MMAP_THRESHOLD_: '131072' }

/** Begins this program anew, as the same process, with the memory settings; where that cannot be done, it goes on without. */
function beginWithMemorySettings(): void {
  if (process.platform !== 'linux' || process.env['MALLOC_ARENA_MAX'] !== undefined || process.execve === undefined) return
  const words = [process.execPath, '--disable-warning=ExperimentalWarning', ...process.execArgv, ...process.argv.slice(1)]
  process.execve(process.execPath, words, { ...process.env, ...MEMORY })
}

/** The bar of a first download, drawn again and again in a terminal; one line elsewhere. */
function createProgressLine(): {
  readonly onProgress: (progress: { name: string; received: number; total: number }) => void
  readonly end: () => void
} {
  const nets = new Map<string, { received: number; total: number }>()
  const { stderr } = process
  return {
    onProgress({ name, received, total }) {
      if (nets.size === 0 && !stderr.isTTY) stderr.write('Fetching the published face nets (6.6 MB) ...\n')
      nets.set(name, { received, total })
      const sum = [...nets.values()].reduce((all, net) => ({ received: all.received + net.received, total: all.total + net.total }))
      const cells = Math.round((sum.received / sum.total) * 30)
      const bar = `[${'#'.repeat(cells)}${'.'.repeat(30 - cells)}] ${(sum.received / 1e6).toFixed(1)} MB`
      if (stderr.isTTY) stderr.write(`\r\x1b[KFetching the published face nets ${bar}`)
    },
    end: () => void (nets.size > 0 && stderr.isTTY && stderr.write('\r\x1b[K')),
  }
}

/** Tries once to fetch the nets that are missing; says what going on without them means. False when Ctrl-C ended it. */
async function fetchNets(): Promise<boolean> {
  if (process.env['FACE_MODELS']?.trim() === 'builtin') return true
  const dataDir = process.env['DATA_DIR']?.trim() || '.data'
  const modelsDir = path.join(dataDir === 'memory' ? path.join(tmpdir(), 'mt-login') : dataDir, 'models')
  const stop = new AbortController()
  const onStop = (): void => stop.abort()
  process.once('SIGINT', onStop).once('SIGTERM', onStop)
  const line = createProgressLine()
  const outcome = await downloadOnce({ modelsDir, onProgress: line.onProgress, signal: stop.signal })
  line.end()
  process.off('SIGINT', onStop).off('SIGTERM', onStop)
  if (outcome.state === 'failed') {
    const command = `npm run models -- ${modelsDir}`
    process.stderr.write(
      `The published face nets are not here (${outcome.reason}).
MT Login goes on with its built-in nets: more faces are refused, and a face check is worth the class "basic" only.
To fetch them later: ${command}    Without network, from a folder: ${command} --from FOLDER
The next start tries again after a day.\n`,
    )
  }
  return outcome.state !== 'stopped'
}

if (process.argv.includes('--help') || process.argv.includes('-h')) {
  process.stdout.write(HELP)
} else if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(
    `MT Login needs Node 24 and this is ${process.versions.node}. Start it with "npm start": npm ci installed the right one.\n`,
  )
  process.exitCode = 1
} else {
  beginWithMemorySettings()
  const forReal = Boolean(process.env['DATABASE_URL']) || process.env['NODE_ENV'] === 'production'
  if (!forReal) process.env['DEMO'] ??= 'true'
  if (process.env['DEMO'] === 'true') process.env['LOG_LEVEL'] ??= 'warn'
  // Passkeys need a name: browsers refuse an IP address as a relying party's id (WebAuthn 3, 5.1.3).
  if (process.env['DEMO'] === 'true') process.env['PUBLIC_URL'] ??= `http://localhost:${process.env['PORT'] ?? '3000'}`
  if (await fetchNets()) await import('../src/main.ts')
  else process.exitCode = 130
}

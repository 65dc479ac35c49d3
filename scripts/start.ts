/** Starts the server for someone who tries it: the demo on the embedded database, unless the environment says otherwise. */
import process from 'node:process'

const HELP = `Usage: npm start
Starts MT Login with demo data on the embedded database in .data/. Ctrl-C stops it; the next start keeps the data.
With DATABASE_URL or NODE_ENV=production set, no demo is made; DEMO=true or DEMO=false decides it outright.
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

if (process.argv.includes('--help') || process.argv.includes('-h')) {
  process.stdout.write(HELP)
} else if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(`MT Login needs Node 24 and this is ${process.versions.node}. Start it with "npm start": npm ci installed the right one.\n`)
  process.exitCode = 1
} else {
  beginWithMemorySettings()
  const forReal = Boolean(process.env['DATABASE_URL']) || process.env['NODE_ENV'] === 'production'
  if (!forReal) process.env['DEMO'] ??= 'true'
  if (process.env['DEMO'] === 'true') process.env['LOG_LEVEL'] ??= 'warn'
  // Passkeys need a name: browsers refuse an IP address as a relying party's id (WebAuthn 3, 5.1.3).
  if (process.env['DEMO'] === 'true') process.env['PUBLIC_URL'] ??= `http://localhost:${process.env['PORT'] ?? '3000'}`
  await import('../src/main.ts')
}

/**
 * A real PostgreSQL for tests: temporary folder, own port, gone with the process that started it.
 *
 * `MT_TEST_POSTGRES_URL` (set by the global set-up of `npm test`, one server for all files) is used when present.
 */

import type { ChildProcess } from 'node:child_process'
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { freePort } from './free-port.ts'

export interface PostgresServer {
  readonly url: string
  /** SIGSTOP, SIGKILL … to the postmaster, for the tests of an absent database. */
  signal(name: NodeJS.Signals): void
  /** Starts the postmaster again on the same folder and port. */
  restart(): Promise<void>
  stop(): Promise<void>
}

const START_DEADLINE_MS = 20_000
const SETTINGS = [
  'fsync=off',
  'synchronous_commit=off',
  'full_page_writes=off',
  'max_connections=200',
  'shared_buffers=64MB',
  'unix_socket_directories=',
  'listen_addresses=127.0.0.1',
  'log_min_messages=fatal',
  'autovacuum=off',
]

/** Folder of initdb and postgres, or undefined where there is none. */
export function findPostgresBinaries(): string | undefined {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian)
    ? readdirSync(debian)
        .sort((a, b) => Number(b) - Number(a))
        .map((version) => `${debian}/${version}/bin`)
    : []
  const folders = [...versions, ...(process.env['PATH'] ?? '').split(path.delimiter)]
  return folders.find((folder) => existsSync(path.join(folder, 'initdb')) && existsSync(path.join(folder, 'postgres')))
}

interface Identity {
  readonly uid: number
  readonly gid: number
}

/** PostgreSQL refuses to run as root; then it runs as the package's own user, or as nobody. */
function unprivileged(): Identity | undefined {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (flag: string) => Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
      return { uid: id('-u'), gid: id('-g') }
    } catch {
      // No such user: the next one.
    }
  }
  throw new Error('PostgreSQL does not run as root and there is no user postgres or nobody')
}

/** Runs postgres under a shell that stops it as soon as this process is gone, however it ends. */
function launch(binaries: string, folder: string, port: number, identity: Identity | undefined): ChildProcess {
  const script = '"$@" & pid=$!; trap "kill -INT $pid" TERM; (cat >/dev/null; kill -INT $pid) <&3 & wait $pid'
  const settings = [...SETTINGS, `port=${port}`].flatMap((setting) => ['-c', setting])
  return spawn('sh', ['-c', script, 'sh', path.join(binaries, 'postgres'), '-D', path.join(folder, 'data'), ...settings], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    ...identity,
  })
}

async function answered(url: string, child: ChildProcess): Promise<void> {
  for (const deadline = Date.now() + START_DEADLINE_MS; ; ) {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => {})
    try {
      await client.connect()
      return await client.end()
    } catch (error) {
      if (child.exitCode !== null || Date.now() > deadline) throw error
      await sleep(50)
    }
  }
}

/** Starts a server on a new empty cluster. */
export async function startPostgres(): Promise<PostgresServer> {
  const binaries = findPostgresBinaries()
  if (!binaries) throw new Error('no PostgreSQL found; on Debian: apt-get install postgresql')
  const identity = unprivileged()
  const folder = mkdtempSync(path.join(tmpdir(), 'mt-login-postgres-'))
  if (identity) chownSync(folder, identity.uid, identity.gid)
  const password = randomBytes(16).toString('hex')
  writeFileSync(path.join(folder, 'password'), password, { mode: 0o644 })
  const initdb = [
    '-D',
    path.join(folder, 'data'),
    '-U',
    'mt',
    '-A',
    'scram-sha-256',
    `--pwfile=${path.join(folder, 'password')}`,
    '-E',
    'UTF8',
    '--locale=C.UTF-8',
    '-N',
  ]
  execFileSync(path.join(binaries, 'initdb'), initdb, { cwd: folder, stdio: 'ignore', ...identity })
  const port = await freePort()
  const url = `postgresql://mt:${password}@127.0.0.1:${port}/postgres`
  let child = launch(binaries, folder, port, identity)
  await answered(url, child)
  letGo(child)
  const postmaster = () => Number(execFileSync('head', ['-1', path.join(folder, 'data/postmaster.pid')], { encoding: 'utf8' }))
  return {
    url,
    signal: (name) => process.kill(postmaster(), name),
    async restart() {
      await ended(child)
      child = launch(binaries, folder, port, identity)
      await answered(url, child)
      letGo(child)
    },
    async stop() {
      child.kill('SIGTERM')
      await ended(child)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The server must not keep the test process alive: the closing pipe stops it. */
function letGo(child: ChildProcess): void {
  child.unref()
  const pipe = child.stdio[3]
  if (pipe && 'unref' in pipe && typeof pipe.unref === 'function') pipe.unref()
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.ref()
  await new Promise((resolve) => child.once('exit', resolve))
}

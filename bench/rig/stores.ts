/** A PostgreSQL and a Redis of our own on the second core, with the settings that a real one would have. */
import { spawnSync } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findPostgresBinaries } from '../../test/support/postgres.ts'
import { freePort, OTHER_CORE, start } from './processes.ts'

export interface Store {
  readonly url: string
  stop(): Promise<void>
}

/** PostgreSQL refuses to run as root, so root hands it to the account that Debian made for it. */
function postgresUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string) => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout)
  return { uid: id('-u'), gid: id('-g') }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.end())
  })
}

/** Starts an empty PostgreSQL: durable writes as Debian ships them, a buffer cache that holds the data. */
export async function startPostgres({ sharedBuffers = '256MB' }: { sharedBuffers?: string } = {}): Promise<Store> {
  const programs = findPostgresBinaries()
  if (!programs) throw new Error('no PostgreSQL server found; on Debian: apt-get install postgresql')
  const folder = mkdtempSync(join(tmpdir(), 'mt-bench-pg-'))
  const user = postgresUser()
  if (user) chownSync(folder, user.uid, user.gid)
  const made = spawnSync(join(programs, 'initdb'), ['-D', folder, '-U', 'bench', '-A', 'trust', '-E', 'UTF8', '--no-sync'], { encoding: 'utf8', cwd: folder, ...user })
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`)
  const port = await freePort()
  const settings = { port: String(port), listen_addresses: '127.0.0.1', unix_socket_directories: folder, shared_buffers: sharedBuffers, max_connections: '60' }
  const args = ['-D', folder, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
  const url = `postgres://bench@127.0.0.1:${port}/postgres`
  const isReady = async () => spawnSync(join(programs, 'pg_isready'), ['-q', '-h', '127.0.0.1', '-p', String(port)]).status === 0
  const server = await start({ core: OTHER_CORE, command: join(programs, 'postgres'), args, user }, isReady)
  return {
    url,
    async stop() {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Starts an empty Redis that keeps nothing on disk: it holds only what may be lost. */
export async function startRedis(): Promise<Store> {
  const port = await freePort()
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const server = await start({ core: OTHER_CORE, command: 'redis-server', args }, () => answers(port))
  return { url: `redis://127.0.0.1:${port}`, stop: server.stop }
}

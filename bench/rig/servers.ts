/** The servers under test: the bare reference, and ours on each kind of store; each is started once, when first asked for. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SAMPLE_REGISTER } from '../../src/demo/sample-register.ts'
import { standardModelsDir } from '../../test/support/face-models.ts'
import { HttpConnection } from './http-connection.ts'
import { BOTH_CORES, freePort, type Running, SERVER_CORE, start } from './processes.ts'
import { type Store, startPostgres, startRedis } from './stores.ts'

export interface Server extends Running {
  readonly origin: string
  readonly metricsOrigin: string
}

/**
 * All but the last three hash passwords at next to no cost, as the reference does; `argon2id` is `postgresql` with the real hash, `faces`
 * that on both cores, its face workers never idle, and `verifications` the same with whole face checks, and the best nets at hand.
 */
export type Kind = 'postgresql' | 'redis' | 'pglite' | 'argon2id' | 'faces' | 'verifications'

const started = new Map<string, Promise<Server>>()
const stores = new Map<string, Promise<Store>>()

function once<T>(known: Map<string, Promise<T>>, name: string, make: () => Promise<T>): Promise<T> {
  const found = known.get(name) ?? make()
  known.set(name, found)
  return found
}

/** True once the address answers 200. */
export async function answersOk(origin: string, path: string): Promise<boolean> {
  const connection = new HttpConnection(origin)
  try {
    return (await connection.send({ method: 'GET', path })).status === 200
  } finally {
    connection.close()
  }
}

/** Bare oidc-provider on its memory adapter. */
export function reference(): Promise<Server> {
  return once(started, 'reference', async () => {
    const port = await freePort()
    const origin = `http://127.0.0.1:${port}`
    const program = { core: SERVER_CORE, command: process.execPath, args: ['bench/rig/reference.ts', String(port)] }
    return { ...(await start(program, () => answersOk(origin, '/.well-known/openid-configuration'))), origin, metricsOrigin: origin }
  })
}

/** Our server with the bench's people and relying parties. */
export function ours(kind: Kind): Promise<Server> {
  return once(started, kind, async () => {
    const onBothCores = kind === 'faces' || kind === 'verifications'
    const isReal = kind === 'argon2id' || onBothCores
    const env = { ...(await environment(kind)), BENCH_HASH: isReal ? 'argon2id' : 'free', ...(kind === 'faces' && { BENCH_FACES: 'yes' }), ...(kind === 'verifications' && { BENCH_FACES: 'checks' }) }
    const seeded = spawnSync(process.execPath, ['bench/rig/seed.ts'], { env: { ...process.env, ...env, PORT: '0', METRICS_PORT: '0' }, encoding: 'utf8' })
    if (seeded.status !== 0) throw new Error(`seeding ${kind} failed: ${seeded.stderr}`)
    return startOurs('bench/rig/our-server.ts', env, onBothCores ? BOTH_CORES : SERVER_CORE)
  })
}

/** Starts our server by its entry, on free ports; `core` may be both cores. */
export async function startOurs(entry: string, env: NodeJS.ProcessEnv, core = SERVER_CORE): Promise<Server> {
  const [port, metricsPort, demoPort] = [await freePort(), await freePort(), await freePort()]
  const origin = `http://127.0.0.1:${port}`
  const ports = { PORT: String(port), METRICS_PORT: String(metricsPort), DEMO_PORT: String(demoPort), PUBLIC_URL: origin }
  const log = openSync(join(tmpdir(), `mt-bench-server-${port}.log`), 'w')
  const program = { core, command: process.execPath, args: [entry], env: { ...env, ...ports }, log }
  return { ...(await start(program, () => answersOk(origin, '/pronto'))), origin, metricsOrigin: `http://127.0.0.1:${metricsPort}` }
}

/** A folder that goes with this process. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mt-bench-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function environment(kind: Kind): Promise<NodeJS.ProcessEnv> {
  const settings = { DATA_DIR: temporaryFolder(), DEMO: 'false', BASE_REGISTER_FILE: SAMPLE_REGISTER, TRUSTED_PROXIES: '127.0.0.1', LOG_LEVEL: 'info' }
  if (kind === 'verifications') takeInstalledNets(settings.DATA_DIR)
  if (kind === 'pglite') return settings
  const { url } = await once(stores, 'postgres', startPostgres)
  const withDatabase = { ...settings, DATABASE_URL: await createDatabase(url, kind) }
  return kind === 'redis' ? { ...withDatabase, REDIS_URL: (await once(stores, 'redis', startRedis)).url } : withDatabase
}

/** The fetched nets of this machine, where it has them. */
function takeInstalledNets(dataDir: string): void {
  const modelsDir = standardModelsDir()
  if (modelsDir) cpSync(modelsDir, join(dataDir, 'models'), { recursive: true })
}

async function createDatabase(url: string, name: string): Promise<string> {
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`CREATE DATABASE ${name}`)
  await client.end()
  return url.replace(/\/postgres$/, `/${name}`)
}

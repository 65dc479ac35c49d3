import { createHash } from 'node:crypto'
import pg from 'pg'
import type { Database, DatabaseOptions, Sql, TransactionOptions } from '../db.ts'
import type { Sensitive } from '../sensitive.ts'
import { createLanes, type Lanes } from './lanes.ts'
import { createListener } from './postgres-listener.ts'
import { translating } from './sql-error.ts'
import { createTransactionGuard } from './transaction-guard.ts'

const INT8 = 20
const INT8_ARRAY = 1016
const DATE = 1082

const PARSERS = new Map<number, (text: string) => unknown>([
  [INT8, Number],
  [INT8_ARRAY, (text) => (text === '{}' ? [] : text.slice(1, -1).split(',').map(Number))],
  [DATE, (text) => text],
])

const types: pg.CustomTypesConfig = {
  getTypeParser: (id: number, format?: 'text' | 'binary') => PARSERS.get(id) ?? pg.types.getTypeParser(id, format),
}

const CONNECT_TIMEOUT_MS = 2500
const STATEMENT_TIMEOUT_MS = 10_000
const IDLE_TRANSACTION_TIMEOUT_MS = 30_000
/** The longest that a timer can wait: the client knows no "never". */
const UNHURRIED_MS = 2 ** 31 - 1
const POOL_SIZE = 10
/** More would only thin out what follows one another. */
const MOST_LANES = 3
/** More distinct texts than this are a sign of values inside the text; they run unprepared. */
const MOST_PREPARED = 2000

const names = new Map<string, string>()

function statementName(text: string): string | undefined {
  const known = names.get(text)
  if (known || names.size >= MOST_PREPARED) return known
  const name = createHash('sha256').update(text).digest('base64url').slice(0, 24)
  names.set(text, name)
  return name
}

/** Where statements run: scripts on a whole connection, single statements with values wherever they are cheapest. */
interface Runner {
  readonly script: (text: string) => Promise<pg.QueryResult>
  readonly single: Lanes['query']
}

const only = (whole: pg.Pool | pg.PoolClient): Runner => ({ script: (text) => whole.query(text), single: (statement) => whole.query(statement) })

/** The same connection, whose answers are waited for as long as they take. */
function unhurried(client: pg.PoolClient): Runner {
  const patient = { query_timeout: UNHURRIED_MS }
  return { script: (text) => client.query({ text, ...patient }), single: (statement) => client.query({ ...statement, ...patient }) }
}

async function run<Row extends object>(runner: Runner, text: string, values: readonly unknown[] | undefined): Promise<pg.QueryResult<Row>> {
  if (values === undefined) return runner.script(text)
  const name = statementName(text)
  return runner.single<Row>({ text, values: [...values], ...(name && { name }) })
}

/** A script gives a list of results, one statement a single one. */
function listed<Row extends object>(result: pg.QueryResult<Row> | pg.QueryResult<Row>[]): pg.QueryResult<Row>[] {
  return Array.isArray(result) ? result : [result]
}

function sqlOver(runner: Runner, check: () => void): Sql {
  return {
    query: <Row extends object>(text: string, values: readonly unknown[] = []) =>
      translating(async () => {
        check()
        return (await run<Row>(runner, text, values)).rows
      }),
    execute: (text, values) =>
      translating(async () => {
        check()
        return listed(await run(runner, text, values)).reduce((sum, result) => sum + (result.rowCount ?? 0), 0)
      }),
  }
}

async function inTransaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>, options?: TransactionOptions): Promise<T> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    await client.query('BEGIN')
    if (options?.unhurried) await client.query('SET LOCAL statement_timeout = 0')
    const result = await work(client)
    await client.query('COMMIT')
    return result
  } catch (error) {
    await client.query('ROLLBACK').catch((failure: Error) => {
      broken = failure
    })
    throw error
  } finally {
    client.release(broken)
  }
}

function clientConfig(url: Sensitive<string>, options: DatabaseOptions): pg.ClientConfig {
  const statementTimeout = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS
  return {
    connectionString: url.reveal(),
    application_name: 'mt-login',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: statementTimeout,
    query_timeout: statementTimeout + 1000,
    idle_in_transaction_session_timeout: IDLE_TRANSACTION_TIMEOUT_MS,
    keepAlive: true,
    types,
  }
}

function createPool(config: pg.ClientConfig, size: number): pg.Pool {
  const pool = new pg.Pool({ ...config, max: size })
  // An idle connection that breaks is dropped by the pool, one in use fails its query; unheard, either event would end the process.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

/** Opens the connections to PostgreSQL, a few for single statements and the others for transactions; the first is tried at once. */
export async function openPostgres(url: Sensitive<string>, options: DatabaseOptions): Promise<Database> {
  const size = options.poolSize ?? POOL_SIZE
  const laneCount = Math.min(MOST_LANES, Math.floor(size / 2))
  const config = clientConfig(url, options)
  const pool = createPool(config, size - laneCount)
  const lanes = laneCount > 0 ? createLanes(config, laneCount) : undefined
  const guard = createTransactionGuard()
  const listener = createListener(url)
  await translating(async () => pool.query('SELECT 1'))
  return {
    kind: 'postgres',
    ...sqlOver(lanes ? { ...only(pool), single: lanes.query } : only(pool), guard.check),
    transaction: (work, options) =>
      translating(async () => {
        guard.check()
        const runnerOf = options?.unhurried ? unhurried : only
        return inTransaction(pool, (client) => guard.run((checkOpen) => work(sqlOver(runnerOf(client), checkOpen))), options)
      }),
    listen: (channel, callback) => translating(async () => listener.listen(channel, callback)),
    async notify(channel, payload) {
      await translating(async () => run(only(pool), 'SELECT pg_notify($1, $2)', [channel, payload]))
    },
    raw: (text, values) =>
      translating(async () => {
        guard.check()
        const result = await (values && values.length > 0 ? pool.query({ text, values: [...values] }) : pool.query(text))
        return { rows: listed(result).flatMap((part) => part.rows) }
      }),
    async maintain() {},
    async close() {
      await listener.close()
      await lanes?.close()
      await pool.end()
    },
  }
}

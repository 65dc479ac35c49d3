import path from 'node:path'
import { setFlagsFromString } from 'node:v8'
import type { Transaction } from '@electric-sql/pglite'
import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import type { Database, DatabaseOptions, Sql } from '../db.ts'
import { collectGarbage } from '../garbage.ts'
import { checkedChannel } from './channel.ts'
import { lockDataDir } from './data-dir-lock.ts'
import { beginSetUp } from './set-up.ts'
import { translating } from './sql-error.ts'
import { createSyncedFs } from './synced-fs.ts'
import { copyTemplate, makeTemplate } from './template.ts'
import { createTransactionGuard } from './transaction-guard.ts'

const BYTEA = 17
const INT8 = 20
const DATE = 1082
const TIMESTAMPTZ = 1184

const parsers = {
  [BYTEA]: (text: string) => Buffer.from(text.slice(2), 'hex'),
  [INT8]: Number,
  [DATE]: (text: string) => text,
  [TIMESTAMPTZ]: (text: string) => new Date(text),
}

/** Real fsync instead of PGlite's `-F` (Emscripten's fdatasync does nothing, its fsync can be given), and buffers of a modest size. */
const START_PARAMS = [
  ...PGlite.defaultStartParams.filter((param) => param !== '-F'),
  ...['wal_sync_method=fsync', 'shared_buffers=32MB'].flatMap((setting) => ['-c', setting]),
]

const WAL_BEFORE_CHECKPOINT = 48 * 1024 * 1024
const CHECKPOINT_EVERY_MS = 60_000
const SET_UP_SETTLED_MS = 1500

type Engine = Pick<PGlite, 'query' | 'exec'> | Transaction

function sqlOver(engine: Engine, check: () => void): Sql {
  return {
    query: <Row extends object>(text: string, values: readonly unknown[] = []) =>
      translating(async () => {
        check()
        return (await engine.query<Row>(text, [...values], { parsers })).rows
      }),
    execute: (text, values) =>
      translating(async () => {
        check()
        if (values) return (await engine.query(text, [...values], { parsers })).affectedRows ?? 0
        // PGlite counts on from one statement of a script to the next.
        return Math.max(0, ...(await engine.exec(text)).map((result) => result.affectedRows ?? 0))
      }),
  }
}

/**
 * PostgreSQL's functions stay in V8's baseline code: the optimizing compiler takes 500 MB and 1.5 s of CPU for the largest of them, and
 * statements gain next to nothing by it, as they wait for the disk and for the way in and out (docs/benchmarks.md).
 */
function spareOptimizing(): void {
  for (const flag of ['--liftoff-only', '--no-wasm-tier-up', '--no-wasm-dynamic-tiering']) setFlagsFromString(flag)
}

/** An engine in memory, from a dump when given; for tests, which make one dump and start many from it. */
export function startInMemory(dump?: Blob): Promise<PGlite> {
  spareOptimizing()
  return PGlite.create({
    extensions: { vector },
    startParams: [...PGlite.defaultStartParams, '-c', 'shared_buffers=16MB'],
    ...(dump && { loadDataDir: dump }),
  })
}

async function startOnDisk(folder: string): Promise<PGlite> {
  const setUp = beginSetUp(folder)
  const isCopy = setUp !== undefined && copyTemplate(folder)
  const engine = await startIn(folder)
  await setUp?.finish()
  if (setUp && !isCopy) releaseSetUpMemory()
  return engine
}

function startIn(folder: string): Promise<PGlite> {
  spareOptimizing()
  return PGlite.create({ fs: createSyncedFs(folder), extensions: { vector }, startParams: START_PARAMS })
}

/** Sets up an empty database beside the packages for later first starts; see template.ts. */
export function prepareTemplate(): Promise<'made' | 'present'> {
  return makeTemplate(async (folder) => (await startIn(folder)).close())
}

/**
 * Gives back the memory of the set-up tool, a second WebAssembly instance that V8 does not feel as its own: 700 → 400 MB after a first run.
 */
function releaseSetUpMemory(): void {
  setTimeout(() => {
    collectGarbage()
    setTimeout(collectGarbage, SET_UP_SETTLED_MS).unref()
  }, SET_UP_SETTLED_MS).unref()
}

/** Opens the embedded database, alone on its folder; an acknowledged commit is on the disk. */
export async function openPglite(options: DatabaseOptions): Promise<Database> {
  if (options.dataDir === 'memory') return databaseOver(await startInMemory(), () => {})
  const unlock = lockDataDir(path.resolve(options.dataDir))
  try {
    return databaseOver(await startOnDisk(path.resolve(options.dataDir, 'pg')), unlock)
  } catch (error) {
    unlock()
    throw error
  }
}

/** The Database over a started engine; `afterClose` lets go what was held for it. */
export function databaseOver(engine: PGlite, afterClose: () => void): Database {
  const guard = createTransactionGuard()
  const stopCheckpoints = checkpointing(engine)
  return {
    kind: 'pglite',
    ...sqlOver(engine, guard.check),
    transaction: (work) =>
      translating(async () => {
        guard.check()
        return engine.transaction((tx) => guard.run((checkOpen) => work(sqlOver(tx, checkOpen))))
      }),
    listen: (channel, listener) => translating(async () => engine.listen(checkedChannel(channel), listener)),
    async notify(channel, payload) {
      await translating(async () => engine.query('SELECT pg_notify($1, $2)', [channel, payload]))
    },
    raw: (text, values) =>
      translating(async () => {
        guard.check()
        if (values && values.length > 0) return engine.query(text, [...values])
        return { rows: (await engine.exec(text)).flatMap((result) => result.rows) }
      }),
    async maintain() {
      await translating(async () => engine.exec('VACUUM ANALYZE'))
      await translating(async () => engine.exec('CHECKPOINT'))
    },
    async close() {
      stopCheckpoints()
      if (!engine.closed) await engine.close()
      afterClose()
    },
  }
}

/**
 * Writes a checkpoint when enough log has gathered. In single-user mode PostgreSQL never does so by itself: without this the log would
 * grow until the next start.
 */
function checkpointing(engine: PGlite): () => void {
  let last = 0
  const timer = setInterval(async () => {
    try {
      const { rows } = await engine.query<{ bytes: string }>("SELECT (pg_current_wal_lsn() - '0/0')::text AS bytes")
      const written = Number(rows[0]?.bytes ?? 0)
      if (last === 0) last = written
      if (written - last < WAL_BEFORE_CHECKPOINT) return
      last = written
      await engine.exec('CHECKPOINT')
    } catch {
      // The engine is closing; the next start recovers from the log.
    }
  }, CHECKPOINT_EVERY_MS)
  timer.unref()
  return () => clearInterval(timer)
}

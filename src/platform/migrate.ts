import { createHash, randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Database, Sql } from './db.ts'
import { Problem } from './problem.ts'
import { PLATFORM_PROBLEMS } from './problems.ts'

const FOLDER = fileURLToPath(new URL('../../prisma/migrations/', import.meta.url))
/** Any fixed number: one migration runner at a time on one database. */
const LOCK = 72_707_369
/** The table of Prisma's own command line, so that it accepts what was applied here. */
const TABLE = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id varchar(36) PRIMARY KEY NOT NULL, checksum varchar(64) NOT NULL, finished_at timestamptz, migration_name varchar(255) NOT NULL,
  logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0)`

interface Migration {
  readonly name: string
  readonly sql: string
  readonly checksum: string
}

interface AppliedRow {
  readonly migration_name: string
  readonly checksum: string
}

/**
 * Brings the schema up to date and returns the names of the migrations applied now.
 *
 * Each one commits together with its record, so a failure leaves nothing of it; servers that start at once wait for each other.
 *
 * @throws {Problem} platform/migration-changed when an applied file is not what it was; platform/migration-failed.
 */
export async function migrate(db: Database, folder: string = FOLDER): Promise<string[]> {
  const migrations = await readMigrations(folder)
  const done: string[] = []
  for (;;) {
    const name = await db.transaction((tx) => applyNext(tx, migrations), { unhurried: true })
    if (name === undefined) return done
    done.push(name)
  }
}

async function readMigrations(folder: string): Promise<Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const names = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(path.join(folder, name, 'migration.sql'), 'utf8')
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    }),
  )
}

async function applyNext(tx: Sql, migrations: readonly Migration[]): Promise<string | undefined> {
  await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK])
  await tx.execute(TABLE)
  const applied = await tx.query<AppliedRow>(
    'SELECT migration_name, checksum FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL',
  )
  checkUnchanged(migrations, applied)
  const next = migrations.find(({ name }) => !applied.some((row) => row.migration_name === name))
  if (!next) return undefined
  await apply(tx, next)
  return next.name
}

function checkUnchanged(migrations: readonly Migration[], applied: readonly AppliedRow[]): void {
  for (const row of applied) {
    const file = migrations.find(({ name }) => name === row.migration_name)
    if (file && file.checksum !== row.checksum) throw new Problem(PLATFORM_PROBLEMS.migrationChanged, { detail: row.migration_name })
  }
}

async function apply(tx: Sql, migration: Migration): Promise<void> {
  try {
    await tx.execute(migration.sql)
  } catch (cause) {
    throw new Problem(PLATFORM_PROBLEMS.migrationFailed, { detail: migration.name, cause })
  }
  await tx.execute(
    `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
     VALUES ($1, $2, $3, now(), clock_timestamp(), 1)`,
    [randomUUID(), migration.checksum, migration.name],
  )
}

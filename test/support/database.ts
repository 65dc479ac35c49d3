/** Migrated databases for tests: each `open()` gives a new one, from a template that is migrated once. */
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { databaseOver, startInMemory } from '../../src/platform/database/pglite.ts'
import type { Database } from '../../src/platform/db.ts'
import { openDatabase } from '../../src/platform/db.ts'
import { migrate } from '../../src/platform/migrate.ts'
import { isProblem } from '../../src/platform/problem.ts'
import { PLATFORM_PROBLEMS } from '../../src/platform/problems.ts'
import { Sensitive } from '../../src/platform/sensitive.ts'
import { madeOnce } from './made-once.ts'
import { findPostgresBinaries, startPostgres } from './postgres.ts'

export interface TestDatabase {
  readonly label: 'PGlite' | 'PostgreSQL'
  /** A new migrated database of its own; `close()` it. */
  open(): Promise<Database>
}

const MIGRATIONS = new URL('../../prisma/migrations/', import.meta.url)

/** Changes with any migration, so that no old template is used. */
function schemaVersion(): string {
  const hash = createHash('sha256').update(readFileSync(new URL('../../node_modules/@electric-sql/pglite/package.json', import.meta.url)))
  for (const name of readdirSync(MIGRATIONS).sort()) {
    const file = new URL(`${name}/migration.sql`, MIGRATIONS)
    if (existsSync(file)) hash.update(name).update(readFileSync(file))
  }
  return hash.digest('hex').slice(0, 16)
}

const DAY_MS = 86_400_000
const PATIENCE_MS = 60_000

let dump: Promise<Blob> | undefined

/** A migrated engine's files, kept in the temporary folder across test processes. */
async function pgliteTemplate(): Promise<Blob> {
  const file = path.join(tmpdir(), `mt-login-template-${process.getuid?.() ?? 0}-${schemaVersion()}.tar`)
  await madeOnce(file, () => buildTemplate(file))
  return new Blob([await readFile(file)])
}

async function buildTemplate(file: string): Promise<void> {
  const engine = await startInMemory()
  await migrate(databaseOver(engine, () => {}))
  const tar = await engine.dumpDataDir('none')
  await engine.close()
  const draft = `${file}.${randomUUID()}`
  writeFileSync(draft, Buffer.from(await tar.arrayBuffer()), { mode: 0o600 })
  renameSync(draft, file)
  removeOld(file)
}

/** Templates of schemas that nobody has used for a day. */
function removeOld(current: string): void {
  for (const name of readdirSync(tmpdir())) {
    const file = path.join(tmpdir(), name)
    if (!/^mt-login-template-.*\.tar/.test(name) || file === current) continue
    if (Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY) > DAY_MS)
      rmSync(file, { recursive: true, force: true })
  }
}

/** A new migrated PGlite in memory. */
export async function openPgliteTestDatabase(): Promise<Database> {
  dump ??= pgliteTemplate()
  return databaseOver(await startInMemory(await dump), () => {})
}

let server: Promise<string> | undefined

function serverUrl(): Promise<string> {
  const given = process.env['MT_TEST_POSTGRES_URL']
  server ??= given ? Promise.resolve(given) : startPostgres().then(({ url }) => url)
  return server
}

async function onServer<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: await serverUrl() })
  await client.connect()
  return work(client).finally(() => client.end())
}

async function urlOf(name: string): Promise<Sensitive<string>> {
  const url = new URL(await serverUrl())
  url.pathname = `/${name}`
  return new Sensitive(url.href)
}

/** The program gives a server two seconds and a half to answer; a test's machine may have more to do than that. */
async function openPatiently(url: Sensitive<string>, poolSize: number): Promise<Database> {
  for (const end = Date.now() + PATIENCE_MS; ; ) {
    try {
      return await openDatabase({ url, dataDir: 'memory', poolSize })
    } catch (error) {
      if (!isProblem(error, PLATFORM_PROBLEMS.databaseDown) || Date.now() > end) throw error
    }
  }
}

async function ensureTemplate(name: string): Promise<void> {
  await onServer(async (client) => {
    await client.query('SELECT pg_advisory_lock(4201)')
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name])
    if (rowCount) return
    await client.query(`DROP DATABASE IF EXISTS ${name}_draft WITH (FORCE)`)
    await client.query(`CREATE DATABASE ${name}_draft`)
    const db = await openPatiently(await urlOf(`${name}_draft`), 1)
    await migrate(db).finally(() => db.close())
    await client.query(`ALTER DATABASE ${name}_draft RENAME TO ${name}`)
  })
}

let template: Promise<void> | undefined

/** A new migrated database on the test server, for what wants a URL (a server process, for example). */
export async function createPostgresDatabase(): Promise<{ url: Sensitive<string>; drop: () => Promise<void> }> {
  const from = `template_${schemaVersion()}`
  template ??= ensureTemplate(from)
  await template
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await onServer((client) => client.query(`CREATE DATABASE ${name} TEMPLATE ${from}`))
  const drop = async () => {
    await onServer((client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))
  }
  return { url: await urlOf(name), drop }
}

/** A new migrated database on PostgreSQL. */
export async function openPostgresTestDatabase(): Promise<Database> {
  const { url, drop } = await createPostgresDatabase()
  const db = await openPatiently(url, 8)
  return {
    ...db,
    async close() {
      await db.close()
      await drop()
    },
  }
}

/** Both kinds; contract tests run on each. PostgreSQL is left out, with a warning, only where none is installed. */
export function testDatabases(): TestDatabase[] {
  const embedded: TestDatabase = { label: 'PGlite', open: openPgliteTestDatabase }
  if (!process.env['MT_TEST_POSTGRES_URL'] && !findPostgresBinaries()) {
    process.emitWarning('no PostgreSQL found: its tests are left out (Debian: apt-get install postgresql)')
    return [embedded]
  }
  return [embedded, { label: 'PostgreSQL', open: openPostgresTestDatabase }]
}

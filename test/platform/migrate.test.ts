import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { type Database, openDatabase } from '../../src/platform/db.ts'
import { migrate } from '../../src/platform/migrate.ts'
import { isProblem } from '../../src/platform/problem.ts'
import { PLATFORM_PROBLEMS } from '../../src/platform/problems.ts'
import { createPostgresDatabase, testDatabases } from '../support/database.ts'
import { findPostgresBinaries } from '../support/postgres.ts'

const ONE = 'CREATE TABLE made_one (id int); INSERT INTO made_one VALUES (1);'

for (const { label, open } of testDatabases()) {
  describe(`migrations on ${label}`, () => {
    let db: Database
    let folder: string
    const write = (name: string, sql: string) => {
      mkdirSync(path.join(folder, name), { recursive: true })
      writeFileSync(path.join(folder, name, 'migration.sql'), sql)
    }
    beforeEach(async () => {
      db = await open()
      folder = mkdtempSync(path.join(tmpdir(), 'mt-login-migrations-'))
      writeFileSync(path.join(folder, 'migration_lock.toml'), 'provider = "postgresql"\n')
    })
    afterEach(async () => {
      await db.close()
      rmSync(folder, { recursive: true })
    })

    test('each is applied once, in the order of its name, with Prisma’s record', async () => {
      write('20990102_two', 'ALTER TABLE made_one ADD COLUMN note text')
      write('20990101_one', ONE)
      assert.deepEqual(await migrate(db, folder), ['20990101_one', '20990102_two'])
      assert.deepEqual(await migrate(db, folder), [])
      const [row] = await db.query<Record<string, unknown>>("SELECT * FROM _prisma_migrations WHERE migration_name = '20990101_one'")
      assert.equal(row?.['checksum'], createHash('sha256').update(ONE).digest('hex'))
      assert.equal(row['applied_steps_count'], 1)
      assert.ok(row['finished_at'] instanceof Date && row['rolled_back_at'] === null)
      assert.match(String(row['id']), /^[0-9a-f-]{36}$/)
    })

    test('one that fails leaves nothing of itself and keeps what went before', async () => {
      write('20990101_one', ONE)
      write('20990102_two', 'CREATE TABLE made_two (id int); INSERT INTO nowhere VALUES (1);')
      await assert.rejects(
        migrate(db, folder),
        (error) => isProblem(error, PLATFORM_PROBLEMS.migrationFailed) && error.detail === '20990102_two',
      )
      assert.deepEqual(await db.query("SELECT to_regclass('made_two')::text AS two, to_regclass('made_one')::text AS one"), [
        { two: null, one: 'made_one' },
      ])
      write('20990102_two', 'CREATE TABLE made_two (id int)')
      assert.deepEqual(await migrate(db, folder), ['20990102_two'])
    })

    test('an applied file that was changed stops the start', async () => {
      write('20990101_one', ONE)
      await migrate(db, folder)
      write('20990101_one', `${ONE} -- changed`)
      await assert.rejects(migrate(db, folder), (error) => isProblem(error, PLATFORM_PROBLEMS.migrationChanged))
    })

    test('servers that start at once apply each once', async () => {
      write('20990101_one', `${ONE} SELECT pg_sleep(0.05);`)
      write('20990102_two', 'CREATE TABLE made_two (id int)')
      const applied = await Promise.all([1, 2, 3, 4].map(() => migrate(db, folder)))
      assert.deepEqual(applied.flat().sort(), ['20990101_one', '20990102_two'])
    })

    test('a migration that an older program does not know is no fault of its', async () => {
      write('20990101_one', ONE)
      await migrate(db, folder)
      rmSync(path.join(folder, '20990101_one'), { recursive: true })
      assert.deepEqual(await migrate(db, folder), [])
    })
  })
}

test('a migration, and whoever waits for it, may take longer than any other statement', { skip: !process.env['MT_TEST_POSTGRES_URL'] && !findPostgresBinaries() }, async () => {
  const { url, drop } = await createPostgresDatabase()
  const folder = mkdtempSync(path.join(tmpdir(), 'mt-login-migrations-'))
  mkdirSync(path.join(folder, '20990101_slow'))
  // A client gives up a second after the server should have.
  writeFileSync(path.join(folder, '20990101_slow', 'migration.sql'), `${ONE} SELECT pg_sleep(1.4);`)
  const servers = await Promise.all([1, 2].map(() => openDatabase({ url, dataDir: 'memory', statementTimeoutMs: 300 })))
  try {
    assert.deepEqual((await Promise.all(servers.map((db) => migrate(db, folder)))).flat(), ['20990101_slow'])
  } finally {
    await Promise.all(servers.map((db) => db.close()))
    await drop()
    rmSync(folder, { recursive: true })
  }
})

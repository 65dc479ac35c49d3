import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { after, describe, test } from 'node:test'
import { openDatabase } from '../../src/platform/db.ts'
import { isProblem } from '../../src/platform/problem.ts'
import { PLATFORM_PROBLEMS } from '../../src/platform/problems.ts'
import { Sensitive } from '../../src/platform/sensitive.ts'
import { findPostgresBinaries, startPostgres } from '../support/postgres.ts'
import { until } from '../support/until.ts'

/** Writes pairs in transactions for ever and prints each number once its commit is acknowledged. */
const WRITER = `
  import { openDatabase } from ${JSON.stringify(new URL('../../src/platform/db.ts', import.meta.url).href)}
  const db = await openDatabase({ dataDir: process.argv[1] })
  await db.execute('CREATE TABLE IF NOT EXISTS pair (id int PRIMARY KEY, half int)')
  const [{ last }] = await db.query('SELECT coalesce(max(id), 0) AS last FROM pair')
  for (let id = last + 1; ; id++) {
    await db.transaction(async (tx) => {
      await tx.execute('INSERT INTO pair VALUES ($1, $2)', [id, id])
      await tx.execute('INSERT INTO pair VALUES ($1, $2)', [-id, id])
    })
    process.stdout.write(id + '\\n')
  }`

/** Lets the writer acknowledge some commits, kills it, and returns the last acknowledged number. */
async function writeUntilKilled(dataDir: string, commits: number): Promise<number> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] })
  let last = 0
  let count = 0
  for await (const line of createInterface(child.stdout)) {
    last = Number(line)
    if (++count === commits) child.kill('SIGKILL')
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return last
}

describe('the embedded database', () => {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'mt-login-durable-'))
  after(() => rmSync(dataDir, { recursive: true, force: true }))

  test('kill -9 loses nothing acknowledged and leaves nothing half-done, again and again', async () => {
    for (const commits of [1, 7, 40]) {
      const last = await writeUntilKilled(dataDir, commits)
      const db = await openDatabase({ dataDir })
      const [row] = await db.query<{ top: number; rows: number; sum: number }>(
        'SELECT max(id) AS top, count(*) AS rows, sum(id)::int8 AS sum FROM pair',
      )
      await db.close()
      assert.ok(row && row.top >= last, `${row?.top} of ${last}`)
      assert.deepEqual([row.rows, row.sum], [row.top * 2, 0], 'each pair is whole')
    }
  })

  test('kill -9 during the very first start leaves a folder that the next start makes whole', async () => {
    const fresh = mkdtempSync(path.join(tmpdir(), 'mt-login-first-'))
    for (const ms of [200, 900, 1500, 2200]) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, fresh], { stdio: 'ignore' })
      await new Promise((resolve) => setTimeout(resolve, ms))
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    }
    assert.ok((await writeUntilKilled(fresh, 2)) >= 2)
    rmSync(fresh, { recursive: true })
  })

  test('a folder is open in one process, or once in this one', async () => {
    const db = await openDatabase({ dataDir })
    const inUse = (error: unknown) => isProblem(error, PLATFORM_PROBLEMS.databaseInUse)
    await assert.rejects(openDatabase({ dataDir }), inUse)
    const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, dataDir], { stdio: ['ignore', 'ignore', 'pipe'] })
    const said: Buffer[] = []
    child.stderr.on('data', (chunk: Buffer) => said.push(chunk))
    const [code] = await once(child, 'close')
    assert.equal(code, 1)
    assert.match(Buffer.concat(said).toString(), /database-in-use/)
    await db.close()
    await (await openDatabase({ dataDir })).close()
  })

  test('commits reach the disk by fsync', async () => {
    const db = await openDatabase({ dataDir })
    const rows = await db.query(
      "SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS sync, current_setting('wal_sync_method') AS method",
    )
    assert.deepEqual(rows, [{ fsync: 'on', sync: 'on', method: 'fsync' }])
    await db.close()
  })
})

test('a PostgreSQL that goes away gives 503 at once, and comes back without a restart of ours', {
  skip: !findPostgresBinaries(),
}, async () => {
  const server = await startPostgres()
  const db = await openDatabase({ url: new Sensitive(server.url), dataDir: 'memory', poolSize: 3, statementTimeoutMs: 1500 })
  const isDown = (error: unknown) => isProblem(error, PLATFORM_PROBLEMS.databaseDown) && error.retryAfterSeconds !== undefined
  const heard: string[] = []
  await db.listen('test_channel', (payload) => heard.push(payload))
  await db.execute('CREATE TABLE kept (id int)')

  const running = db.transaction(async (tx) => {
    await tx.execute('INSERT INTO kept VALUES (1)')
    server.signal('SIGINT')
    await tx.query('SELECT pg_sleep(5)')
  })
  await assert.rejects(running, isDown)
  const begun = performance.now()
  await assert.rejects(db.query('SELECT 1'), isDown)
  await assert.rejects(
    db.transaction(async () => 1),
    isDown,
  )
  assert.ok(performance.now() - begun < 10_000)

  await server.restart()
  await until(async () => (await db.query('SELECT 1 AS one').catch(() => [])).length === 1)
  assert.deepEqual(await db.query('SELECT * FROM kept'), [])
  await until(() => heard.includes(''), 8000)
  await db.notify('test_channel', 'again')
  await until(() => heard.includes('again'))

  await assert.rejects(db.query('SELECT pg_sleep(10)'), (error) => isProblem(error, PLATFORM_PROBLEMS.databaseTimeout))
  await db.close()
  await assert.rejects(openDatabase({ url: new Sensitive('postgresql://mt@127.0.0.1:1/none'), dataDir: 'memory' }), isDown)
  await server.stop()
})

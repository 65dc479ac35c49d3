/** The one table of what is kept of people: complete, as the page says it, and applied in batches that may stop anywhere. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { withTables } from '../scripts/retention-docs.ts'
import { KEPT_ELSEWHERE, NOT_OF_PEOPLE } from '../src/app/retention/kept-elsewhere.ts'
import { TERMS, watchRetention } from '../src/app/retention/retention.ts'
import { createRetentionCommands } from '../src/admin/index.ts'
import { runCommandLine } from '../src/admin/index.ts'
import { loadConfig } from '../src/platform/config.ts'
import type { Database, Sql } from '../src/platform/db.ts'
import { createMetrics } from '../src/platform/metrics.ts'
import { createRetention, type Swept } from '../src/platform/retention/retention.ts'
import { deleteFrom, sweepOf } from '../src/platform/retention/sweep.store.ts'
import type { Term } from '../src/platform/retention/term.ts'
import { KNOWN_BY } from '../src/helpdesk/retention/case-sweeps.store.ts'
import { fixedClock } from './support/clock.ts'
import { testDatabases } from './support/database.ts'

const NOW = '2026-11-28T12:00:00Z'
const DAY_MS = 86_400_000
const clock = fixedClock(NOW)
let db: Database

before(async () => {
  const [first = assert.fail()] = testDatabases()
  db = await first.open()
  await db.execute('CREATE TABLE kept (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), at timestamptz NOT NULL)')
})
after(() => db.close())

const term = (more: Partial<Term> = {}): Term => ({
  key: 'kept', tables: [], what: 'x', purpose: 'x', ground: 'x', from: 'x', ending: 'deleted', isHeld: false, days: 10, leastDays: 2,
  sweep: sweepOf({ from: 'kept t', since: 't.at', where: 'true', end: deleteFrom('kept') }), ...more,
})
const fill = async (rows: number, daysAgo: number) =>
  void (await db.execute('INSERT INTO kept (at) SELECT $1::timestamptz FROM generate_series(1, $2)', [new Date(clock.now().getTime() - daysAgo * DAY_MS), rows]))
const left = async () => (await db.query('SELECT 1 FROM kept')).length

test('every table with a sensitive column has its term, its job or its reason', async () => {
  const tables = await db.query<{ name: string }>(
    `SELECT DISTINCT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND col_description(c.oid, a.attnum) LIKE 'sensitive: yes%'`,
  )
  const said = new Set([...TERMS.flatMap(({ tables: names }) => names), ...KEPT_ELSEWHERE.flatMap(({ tables: names }) => names), ...Object.keys(NOT_OF_PEOPLE)])
  assert.deepEqual(tables.map(({ name }) => name).filter((name) => !said.has(name)), [])
  const all = new Set((await db.query<{ name: string }>(`SELECT relname AS name FROM pg_class WHERE relkind IN ('r', 'p')`)).map(({ name }) => name))
  assert.deepEqual([...said].filter((name) => !all.has(name)), [], 'no table is named that is not there')
})

test('whatever refers to a person keeps the person from being forgotten', async () => {
  const refers = await db.query<{ place: string }>(
    `SELECT conrelid::regclass || '.' || a.attname AS place FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
     WHERE c.contype = 'f' AND c.confrelid = 'person'::regclass ORDER BY 1`,
  )
  assert.deepEqual(refers.map(({ place }) => place), ['attendance.person_id', ...KNOWN_BY].sort())
})

test('each term can be asked and applied on an empty database, and no two have one name', async () => {
  assert.equal(new Set(TERMS.map(({ key }) => key)).size, TERMS.length)
  const retention = createRetention({ db, clock, terms: TERMS, record: async () => assert.fail('nothing ended') })
  assert.deepEqual((await retention.overdue()).filter(({ rows, seconds }) => rows !== 0 || seconds !== 0), [])
  assert.equal((await retention.apply()).length, TERMS.length)
})

test('what is past its term is found by an index: of tables that grow with the people none is read whole', async () => {
  const SMALL = new Set(['helpdesk_kiosk', 'image_hold', 'capture_point', 'metering_statement'])
  const scanned = await db.transaction(async (tx) => {
    // Where there is an index that serves, it is taken, however few rows there are.
    await tx.execute('SET LOCAL enable_seqscan = off')
    const found: string[] = []
    for (const { key, sweep } of TERMS) {
      const explained: Sql = { ...tx, query: async (sql, values) => {
        const plan = await tx.query<Record<'QUERY PLAN', string>>(`EXPLAIN ${sql}`, values)
        for (const line of plan) found.push(...[...line['QUERY PLAN'].matchAll(/Seq Scan on (\w+)/g)].map(([, table]) => `${key}: ${table}`))
        return []
      } }
      await sweep.due(explained, { before: clock.now(), now: clock.now() })
    }
    return found
  })
  assert.deepEqual(scanned.filter((line) => !SMALL.has(line.split(': ')[1] ?? '')), [])
})

test('whoever refers to a row that may be deleted is found by an index', async () => {
  const bare = await db.query<{ place: string }>(
    `SELECT c.conrelid::regclass || '.' || a.attname AS place FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
      WHERE c.contype = 'f' AND c.confrelid = ANY (ARRAY['person', 'device', 'contact', 'passkey', 'helpdesk_support_case']::regclass[])
        AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = a.attnum
          AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) = '(' || a.attname || ' IS NOT NULL)'))`,
  )
  assert.deepEqual(bare, [])
})

test('the jobs that the table names are scheduled', () => {
  const sources = ['background.ts', 'agencies.ts', 'points/imaging.ts', 'proxies/register.ts', 'rooms.ts', 'signatures/remote-signing.ts', 'signatures/document-signing.ts', 'signatures/icp.ts']
  const code = sources.map((file) => readFileSync(new URL(`../src/app/${file}`, import.meta.url), 'utf8')).join('')
  for (const { job } of KEPT_ELSEWHERE) if (job !== undefined) assert.ok(code.includes(`jobs.schedule('${job}'`), job)
})

test('the page is what the program does', () => {
  const page = readFileSync(new URL('../docs/retention.md', import.meta.url), 'utf8')
  assert.equal(page, withTables(page), 'npm run docs')
})

test('a run ends what is due in batches, each told by a count; what is not due stays, and a second run finds nothing', async () => {
  await fill(450, 11)
  await fill(3, 9)
  const told: Swept[] = []
  const retention = createRetention({ db, clock, terms: [term()], record: async (_tx, swept) => void told.push(swept) })
  const [late] = await retention.overdue()
  assert.deepEqual([late?.rows, late?.seconds], [450, 86_400])
  assert.deepEqual((await retention.apply()).map(({ rows }) => rows), [450])
  assert.deepEqual(told, [200, 200, 50].map((rows) => ({ key: 'kept', ending: 'deleted', days: 10, rows })))
  assert.equal(await left(), 3)
  assert.deepEqual((await retention.apply()).map(({ rows }) => rows), [0])
  await db.execute('DELETE FROM kept')
})

test('a run that is cut off has ended whole batches or nothing, each with its line; one term that fails keeps no other waiting', async () => {
  await fill(250, 11)
  let lines = 0
  const failing = createRetention({
    db, clock, terms: [term(), term({ key: 'second', days: 10, sweep: { due: async () => ({ rows: 0, oldest: undefined }), end: async () => 1 } })],
    record: async (_tx, { key }) => {
      lines += key === 'second' ? 100 : 1
      if (lines === 2) throw new Error('cut off')
    },
  })
  await assert.rejects(failing.apply(), AggregateError)
  assert.equal(await left(), 50, 'the second batch is as it was')
  assert.equal(lines, 102, 'the term after it had its turn')
  await db.execute('DELETE FROM kept')
})

test('the operator shortens what the table lets them, and nothing else', () => {
  const open = (shortened: Record<string, number>, terms = [term()]) => createRetention({ db, clock, terms, shortened, record: async () => {} })
  assert.equal(open({ kept: 2 }).terms[0]?.days, 2)
  for (const wrong of [{ kept: 1 }, { kept: 11 }, { other: 5 }]) assert.throws(() => open(wrong), RangeError)
  const { leastDays: _none, ...fixed } = term()
  assert.throws(() => open({ kept: 5 }, [fixed]), RangeError)
  assert.deepEqual({ ...loadConfig({ RETENTION_DAYS: 'case-ended=30, ticket=90' }).platform.retentionDays }, { 'case-ended': 30, ticket: 90 })
  assert.throws(() => loadConfig({ RETENTION_DAYS: 'case-ended' }), /RETENTION_DAYS/)
})

test('the commands say the terms, count without changing, and end', async () => {
  await fill(2, 13)
  const retention = createRetention({ db, clock, terms: [term()], record: async () => {} })
  const run = async (...words: string[]) => {
    const said: string[] = []
    const code = await runCommandLine(createRetentionCommands(async () => retention), words, { out: (text) => void said.push(text), error: (text) => void said.push(text) })
    return { code, text: said.join('') }
  }
  assert.match((await run('retencao', 'listar')).text, /kept +10/)
  const rehearsed = await run('retencao', 'ensaiar')
  assert.match(rehearsed.text, /kept +2 +3/)
  assert.equal(rehearsed.code, 1, 'more than two days late')
  assert.equal(await left(), 2)
  assert.match((await run('retencao', 'aplicar')).text, /kept +2/)
  assert.deepEqual([await left(), (await run('retencao', 'ensaiar')).code], [0, 0])
})

test('the metrics show how late the oldest row is, and look at the tables once an hour', async () => {
  await fill(1, 12)
  const metrics = createMetrics()
  watchRetention(metrics, clock, createRetention({ db, clock, terms: [term()], record: async () => {} }))
  const shown = async () => /retention_overdue_seconds\{term="kept"\} (\d+)/.exec(await metrics.text())?.[1]
  assert.equal(await shown(), '172800')
  await db.execute('DELETE FROM kept')
  assert.equal(await shown(), '172800')
  clock.advance(3_601_000)
  assert.equal(await shown(), '0')
})

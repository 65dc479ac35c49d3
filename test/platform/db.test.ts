import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Database, Sql } from '../../src/platform/db.ts'
import { isUniqueViolation, SqlError } from '../../src/platform/db.ts'
import { testDatabases } from '../support/database.ts'
import { until } from '../support/until.ts'

function put(sql: Sql, key: string, points = 1): Promise<number> {
  return sql.execute('INSERT INTO throttle (key, points, expire) VALUES ($1, $2, $3)', [key, points, null])
}

async function has(sql: Sql, key: string): Promise<boolean> {
  return (await sql.query('SELECT 1 FROM throttle WHERE key = $1', [key])).length === 1
}

for (const { label, open } of testDatabases()) {
  describe(`database on ${label}`, () => {
    let db: Database
    before(async () => {
      db = await open()
    })
    after(() => db.close())

    test('results have the same types on both kinds', async () => {
      const at = new Date('2026-11-22T10:00:00.123Z')
      const [row] = await db.query<Record<string, unknown>>(
        `SELECT $1::timestamptz AS at, date '1985-03-12' AS day, 9007199254740991::int8 AS big, 1.50::numeric AS exact, $2::bytea AS bytes,
                $3::jsonb AS json, $4::text[] AS list, NULL::text AS nothing, $5::boolean AS yes, $6::int8 AS number, $7::float8 AS real,
                ARRAY[1, 2]::int8[] AS bigs, count(*) AS rows`,
        [at, new Uint8Array([0, 1, 255]), JSON.stringify({ a: [1, { b: 'ç' }] }), ['x', 'y "z", \\'], true, 42, 1.5],
      )
      assert.deepEqual(
        { ...row },
        {
          at,
          day: '1985-03-12',
          big: 9007199254740991,
          exact: '1.50',
          bytes: Buffer.from([0, 1, 255]),
          json: { a: [1, { b: 'ç' }] },
          list: ['x', 'y "z", \\'],
          nothing: null,
          yes: true,
          number: 42,
          real: 1.5,
          bigs: [1, 2],
          rows: 1,
        },
      )
      assert.ok(Buffer.isBuffer(row?.['bytes']))
    })

    test('arrays, empty ones and null come back as they went', async () => {
      const [row] = await db.query('SELECT $1::text[] AS empty, $2::uuid[] AS ids, $3::text AS none, 5 = ANY($4::int[]) AS found', [
        [],
        ['0b6a4b4e-6d2a-4a8c-9a51-111111111111'],
        null,
        [4, 5],
      ])
      assert.deepEqual({ ...row }, { empty: [], ids: ['0b6a4b4e-6d2a-4a8c-9a51-111111111111'], none: null, found: true })
    })

    test('execute counts changed rows, in a script too', async () => {
      assert.equal(await put(db, 'count-1'), 1)
      assert.equal(await db.execute('UPDATE throttle SET points = 2 WHERE key = $1', ['nobody']), 0)
      assert.equal(await db.execute("INSERT INTO throttle VALUES ('s1', 1, 1); INSERT INTO throttle VALUES ('s2', 1, 1)"), 2)
    })

    test('a transaction commits all or nothing', async () => {
      await assert.rejects(
        db.transaction(async (tx) => {
          await put(tx, 'gone')
          throw new Error('no')
        }),
        /no/,
      )
      assert.equal(await has(db, 'gone'), false)
      assert.equal(
        await db.transaction(async (tx) => {
          await put(tx, 'kept')
          return 7
        }),
        7,
      )
      assert.equal(await has(db, 'kept'), true)
    })

    test('other queries wait outside a transaction and never fall into it', async () => {
      const running = db.transaction(async (tx) => {
        await put(tx, 'inside')
        await new Promise((resolve) => setTimeout(resolve, 50))
        throw new Error('rolled back')
      })
      await Promise.all([assert.rejects(running, /rolled back/), ...Array.from({ length: 5 }, (_, index) => put(db, `beside-${index}`))])
      assert.equal(await has(db, 'inside'), false)
      assert.equal(await has(db, 'beside-4'), true)
    })

    test('the database itself inside its transaction throws instead of waiting for ever', async () => {
      await db.transaction(async (tx) => {
        await assert.rejects(db.query('SELECT 1'), /only its own tx/)
        await assert.rejects(
          db.transaction(async () => 1),
          /only its own tx/,
        )
        await put(tx, 'after-misuse')
      })
      assert.equal(await has(db, 'after-misuse'), true)
    })

    test('a tx that outlives its transaction throws', async () => {
      const leaked = await db.transaction(async (tx) => ({ tx }))
      await assert.rejects(leaked.tx.query('SELECT 1'), /is over/)
    })

    test('a unique violation is recognised and does not quote the value', async () => {
      await put(db, '52998224725')
      await assert.rejects(put(db, '52998224725'), (error) => {
        assert.ok(isUniqueViolation(error, 'throttle_pkey'))
        assert.equal(isUniqueViolation(error, 'another'), false)
        assert.doesNotMatch(JSON.stringify(error) + String(error) + (error instanceof Error ? error.stack : ''), /52998224725/)
        return true
      })
    })

    test('a bad input error does not quote the input', async () => {
      await assert.rejects(db.query('SELECT $1::text::uuid', ['Maria da Silva']), (error) => {
        assert.ok(error instanceof SqlError)
        assert.equal(error.code, '22P02')
        assert.doesNotMatch(`${error.stack}${JSON.stringify(error)}`, /Maria/)
        return true
      })
    })

    test('notifications reach their channel, until unlistened', async () => {
      const heard: string[] = []
      const stop = await db.listen('odd_channel', (payload) => heard.push(payload))
      await db.notify('odd_channel', 'one')
      await db.notify('other', 'no')
      await until(() => heard.length > 0)
      await stop()
      await db.notify('odd_channel', 'two')
      await new Promise((resolve) => setTimeout(resolve, 30))
      assert.deepEqual(heard, ['one'])
    })

    test('a channel is a plain name', () =>
      assert.rejects(
        db.listen('x"; DROP TABLE person', () => {}),
        /channel/,
      ))

    test('parallel updates lose nothing', async () => {
      await put(db, 'counter', 0)
      await Promise.all(
        Array.from({ length: 20 }, () =>
          db.transaction((tx) => tx.execute('UPDATE throttle SET points = points + 1 WHERE key = $1', ['counter'])),
        ),
      )
      assert.deepEqual(
        (await db.query('SELECT points FROM throttle WHERE key = $1', ['counter'])).map((row) => ({ ...row })),
        [{ points: 20 }],
      )
    })

    test('raw runs scripts and single statements for libraries', async () => {
      assert.deepEqual((await db.raw('SELECT $1::int AS n', [3])).rows, [{ n: 3 }])
      assert.deepEqual((await db.raw('SELECT 1 AS n; SELECT 2 AS n')).rows, [{ n: 1 }, { n: 2 }])
    })

    test('housekeeping can run at any time', () => db.maintain())
  })
}

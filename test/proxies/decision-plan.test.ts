/** The statement behind every decision keeps its prepared plan: to plan at each call costs several times the statement. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { openDatabase } from '../../src/platform/db.ts'
import { findCandidates } from '../../src/proxies/decision/decision.store.ts'
import { createPostgresDatabase, testDatabases } from '../support/database.ts'

const isServerHere = testDatabases().some(({ label }) => label === 'PostgreSQL')

test('PostgreSQL plans a decision once, and not at each call', { skip: !isServerHere }, async () => {
  const { url, drop } = await createPostgresDatabase()
  const db = await openDatabase({ url, dataDir: 'memory', poolSize: 1 })
  const client = new pg.Client({ connectionString: url.reveal() })
  try {
    // Enough people that an index is worth its while, as in life.
    await db.execute(`INSERT INTO proxy_party (id, kind, document, name, standing, standing_at, created_at)
      SELECT gen_random_uuid(), 'person', lpad(n::text, 11, '0'), 'Pessoa', 'regular', now(), now() FROM generate_series(1, 20000) n`)
    await db.execute(`INSERT INTO mandate (id, kind, state, represented_id, grantor_id, delegate_id, root_id, path, sub_depth, valid_from, effective_at, signatures, origin, created_at)
      SELECT x.id, 'procuracao', 'active', x.r, x.r, x.d, x.id, ARRAY[x.id], 0, current_date, now(), 1, 'local', now() FROM (
        SELECT gen_random_uuid() AS id, r.id AS r, d.id AS d FROM proxy_party r JOIN proxy_party d ON d.document::bigint = r.document::bigint + 1) x`)
    await db.execute(`INSERT INTO proxy_namespace (code, title, client_id, created_at) VALUES ('sefaz', 'Fazenda', 'sefaz', now())`)
    await db.execute(`INSERT INTO proxy_role (namespace, code, version, state, definition, created_at) VALUES ('sefaz', 'ipva', 1, 'published', '{}', now())`)
    await db.execute(`INSERT INTO mandate_power (mandate_id, namespace, code, version) SELECT id, 'sefaz', 'ipva', 1 FROM mandate`)
    await db.execute('ANALYZE')
    let text = ''
    let values: readonly unknown[] = []
    const power = { namespace: 'sefaz', code: 'ipva' }
    const spy = {
      query: async (sql: string, given: readonly unknown[] = []) => {
        text = sql
        values = given
        return []
      },
      execute: async () => 0,
    }
    await findCandidates(spy, { represented: ['00000000001'], delegates: ['00000000002'], power, now: new Date() })
    await client.connect()
    for (let count = 0; count < 12; count += 1) await client.query({ name: 'decision', text, values: [...values] })
    const { rows } = await client.query(`SELECT generic_plans::int AS kept, custom_plans::int AS anew FROM pg_prepared_statements WHERE name = 'decision'`)
    assert.deepEqual(rows, [{ kept: 7, anew: 5 }])
  } finally {
    await client.end()
    await db.close()
    await drop()
  }
})

/** What must never drift: the label of every column, and the public codes of all problems. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { Database } from '../src/platform/db.ts'
import { testDatabases } from './support/database.ts'
import { PINNED_CODES } from './support/problem-codes.ts'

interface Column {
  readonly place: string
  readonly type: string
  readonly label: string | null
}

const COLUMNS = `SELECT c.relname || '.' || a.attname AS place, format_type(a.atttypid, a.atttypmod) AS type, col_description(c.oid, a.attnum) AS label
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND c.relname <> '_prisma_migrations' ORDER BY 1`
/** Names that can only be personal data or secrets; a label that says otherwise is a slip. */
const SENSITIVE_NAMES =
  /\.(cpf|name|social_name|birth_date|sealed|secret|secret_hash|wrapped|password_hash|data_key|value|code_hash|cookie_hash|public_key)$/
/** These look alike and are not: a relying party's public material, for example. */
const HARMLESS = new Set(['oidc_resource.name', 'helpdesk_unit.name'])

for (const { label, open } of testDatabases()) {
  describe(`schema on ${label}`, () => {
    let db: Database
    let columns: Column[]
    before(async () => {
      db = await open()
      columns = await db.query<Column>(COLUMNS)
    })
    after(() => db.close())

    test('every column is labelled', () => {
      assert.ok(columns.length > 100)
      assert.deepEqual(
        columns.filter(({ label: text }) => !/^sensitive: (yes|no)\b/.test(text ?? '')).map(({ place }) => place),
        [],
      )
    })

    test('what is plainly personal or secret is labelled so', () => {
      const wrong = columns.filter(
        ({ place, label: text }) => SENSITIVE_NAMES.test(place) && !HARMLESS.has(place) && !text?.startsWith('sensitive: yes'),
      )
      assert.deepEqual(
        wrong.map(({ place }) => place),
        [],
      )
    })

    test('times have a time zone', () => {
      assert.deepEqual(
        columns.filter(({ type }) => type.startsWith('timestamp without')).map(({ place }) => place),
        [],
      )
    })
  })
}

test('migrations are named by stamp and say no breaking change by accident', () => {
  for (const file of globSync('prisma/migrations/*/migration.sql')) {
    assert.match(path.basename(path.dirname(file)), /^\d{8}_\d{4}_[a-z][a-z_]*$/)
    const sql = readFileSync(file, 'utf8')
    if (/\b(DROP TABLE|DROP COLUMN|RENAME (COLUMN|TO))\b/i.test(sql)) assert.match(sql, /^--! breaking-change/)
  }
})

interface Kind {
  readonly code: string
  readonly status: number
  readonly title: string
}

function isKind(value: unknown): value is Kind {
  return typeof value === 'object' && value !== null && 'code' in value && 'status' in value && 'title' in value
}

const kinds: (Kind & { file: string })[] = []
for (const file of globSync('src/**/problems.ts').sort()) {
  const module: Record<string, unknown> = await import(pathToFileURL(path.resolve(file)).href)
  for (const list of Object.values(module)) {
    if (typeof list !== 'object' || list === null) continue
    for (const kind of Object.values(list)) if (isKind(kind)) kinds.push({ ...kind, file })
  }
}

describe('problem codes', () => {
  test('are the pinned ones: a code is public and never renamed', () => {
    assert.deepEqual(kinds.map(({ code }) => code).sort(), [...PINNED_CODES].sort())
  })
  test('are unique, named after their room or its part, and have a fitting status', () => {
    assert.equal(new Set(kinds.map(({ code }) => code)).size, kinds.length)
    for (const { code, status, title, file } of kinds) {
      assert.match(code, /^[a-z]+\/[a-z0-9]+(-[a-z0-9]+)*$/)
      assert.ok(file.split(path.sep).includes(code.split('/')[0] ?? ''), `${code} in ${file}`)
      assert.ok(status >= 400 && status < 600, code)
      assert.ok(title.length > 3, code)
    }
  })
})

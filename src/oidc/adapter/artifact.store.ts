import type { JsonObject } from 'oidc-provider'
import type { Clock } from '../../platform/clock.ts'
import { type Database, SqlError } from '../../platform/db.ts'
import { type ArtifactStore, type FoundArtifact, type GrantRecord, isVolatile, type NewArtifact, type SessionRecord } from './artifact.ts'
import { createCoalescer } from './coalescer.ts'

interface Key {
  readonly model: string
  readonly id: string
}

interface FoundRow {
  readonly n: number
  readonly payload: JsonObject
  readonly consumed_at: Date | null
  readonly grant_payload: JsonObject | null
  readonly session_payload: JsonObject | null
}

type Table = 'oidc_volatile' | 'oidc_artifact'

/** Models whose validity hangs on a grant or a session: read in one round trip, as one snapshot. */
const JOINED = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken', 'DeviceCode', 'Interaction'])
const MOST_AT_ONCE = 100
const PURGE_BATCH = 5000
const MOST_PURGE_BATCHES = 100

/** Batches arrive as one JSON text: the statement stays the same, so it stays prepared, however many items there are. */
const ITEMS = 'json_to_recordset($1::json) AS k(n int, m text, i text, p json, u text, c text, g text, a text, e double precision)'
/**
 * Leaves the planner one index to choose. A statement is planned when its table is all but empty, and then walking every live session by
 * `model` or `expires_at` looks as good as finding one by `uid`; that plan stays until the next ANALYZE, a minute of logins later.
 */
const FENCE = 'OFFSET 0'
const COLUMNS = '(model, id, payload, uid, user_code, grant_id, account_id, expires_at)'

function statementsFor(table: Table, sessions: Table) {
  const json = table === 'oidc_artifact' ? 'jsonb' : 'json'
  const values = `SELECT k.m, k.i, k.p::${json}, k.u, k.c, k.g, k.a, to_timestamp(k.e / 1000) FROM ${ITEMS}`
  return {
    upsert: `INSERT INTO ${table} ${COLUMNS} ${values} ON CONFLICT (model, id) DO UPDATE SET payload = EXCLUDED.payload, uid = EXCLUDED.uid,
      user_code = EXCLUDED.user_code, grant_id = EXCLUDED.grant_id, account_id = EXCLUDED.account_id, expires_at = EXCLUDED.expires_at`,
    insertOnce: `INSERT INTO ${table} AS kept ${COLUMNS} ${values} ON CONFLICT (model, id) DO UPDATE SET expires_at = EXCLUDED.expires_at,
      payload = EXCLUDED.payload WHERE kept.expires_at <= $2`,
    find: `SELECT k.n, a.payload, a.consumed_at, g.payload AS grant_payload, s.payload AS session_payload FROM ${ITEMS}
      CROSS JOIN LATERAL (SELECT * FROM ${table} WHERE model = k.m AND id = k.i AND (expires_at IS NULL OR expires_at > $2) LIMIT 1) a
      LEFT JOIN LATERAL (SELECT payload FROM (SELECT * FROM oidc_artifact WHERE model = 'Grant' AND id = a.grant_id ${FENCE}) x WHERE expires_at > $2 LIMIT 1) g ON true
      LEFT JOIN LATERAL (SELECT payload FROM (SELECT * FROM ${sessions} WHERE uid = coalesce(a.payload->>'sessionUid', a.payload->'session'->>'uid') ${FENCE}) x
        WHERE model = 'Session' AND expires_at > $2 LIMIT 1) s ON true`,
    // One by one: joined with a batch, a plan made while the table is small walks all of it for every code that is used up.
    consume: `UPDATE ${table} SET consumed_at = $3 WHERE model = $1 AND id = $2 AND consumed_at IS NULL AND expires_at > $3`,
    destroy: `DELETE FROM ${table} WHERE model = $1 AND id = $2`,
    revoke: `DELETE FROM ${table} WHERE grant_id = $2 AND model = $1`,
  }
}

const PURGE = {
  oidc_volatile: 'DELETE FROM oidc_volatile WHERE (model, id) IN (SELECT model, id FROM oidc_volatile WHERE expires_at <= $1 LIMIT $2)',
  oidc_artifact: 'DELETE FROM oidc_artifact WHERE (model, id) IN (SELECT model, id FROM oidc_artifact WHERE expires_at <= $1 LIMIT $2)',
}

const GRANTS = `SELECT id, payload->>'clientId' AS client_id, (payload->>'iat')::float8 AS issued_at FROM oidc_artifact
  WHERE account_id = $1 AND model = 'Grant' AND expires_at > $2 AND ($3::text IS NULL OR payload->>'clientId' = $3)`

/** Reads and writes of one table, each kind gathered into batches. */
function openTable({ db, clock }: SqlArtifactDeps, table: Table, sessions: Table) {
  const text = statementsFor(table, sessions)
  const batched = <Item, Result>(send: (items: readonly Item[]) => Promise<readonly Result[]>) =>
    createCoalescer(send, { mostAtOnce: MOST_AT_ONCE, isItemsFault: (error) => error instanceof SqlError })
  return {
    upsert: batched(async (items: readonly NewArtifact[]) => {
      await db.execute(text.upsert, [jsonOfArtifacts(lastOfEach(items))])
      return items.map(() => true)
    }),
    find: batched(async (keys: readonly Key[]) => {
      const rows = await db.query<FoundRow>(text.find, [jsonOfKeys(keys), clock.now()])
      const byNumber = new Map(rows.map((row) => [row.n, row]))
      return keys.map(({ model }, n) => found(byNumber.get(n), JOINED.has(model)))
    }),
    consume: async ({ model, id }: Key) => (await db.execute(text.consume, [model, id, clock.now()])) === 1,
    destroy: async ({ model, id }: Key) => void (await db.execute(text.destroy, [model, id])),
    insertOnce: async (artifact: NewArtifact) => (await db.execute(text.insertOnce, [jsonOfArtifacts([artifact]), clock.now()])) === 1,
    revoke: async (model: string, grantId: string) => void (await db.execute(text.revoke, [model, grantId])),
  }
}

export interface SqlArtifactDeps {
  readonly db: Database
  readonly clock: Clock
}

/** The store in PostgreSQL or PGlite. */
export function createSqlArtifactStore(deps: SqlArtifactDeps): ArtifactStore {
  const { db, clock } = deps
  const sessions: Table = db.kind === 'postgres' ? 'oidc_volatile' : 'oidc_artifact'
  const durable = openTable(deps, 'oidc_artifact', sessions)
  const volatile = sessions === 'oidc_artifact' ? durable : openTable(deps, sessions, sessions)
  const tableOf = (model: string) => (isVolatile(model) ? volatile : durable)
  const one = (column: string, model: string) =>
    `SELECT payload, consumed_at FROM (SELECT * FROM ${sessions} WHERE ${column} = $1 ${FENCE}) x WHERE model = '${model}' AND expires_at > $2`
  const [byUid, byUserCode] = [one('uid', 'Session'), one('user_code', 'DeviceCode')]
  const ofAccount = `SELECT id, payload FROM ${sessions} WHERE account_id = $1 AND model = 'Session' AND expires_at > $2`
  const findOne = async (text: string, value: string) => found((await db.query<FoundRow>(text, [value, clock.now()]))[0], false)

  return {
    upsert: async (artifact) => void (await tableOf(artifact.model).upsert(artifact)),
    insertOnce: (artifact) => tableOf(artifact.model).insertOnce(artifact),
    find: (model, id) => tableOf(model).find({ model, id }),
    findByUid: (uid) => findOne(byUid, uid),
    findByUserCode: (userCode) => findOne(byUserCode, userCode),
    consume: (model, id) => tableOf(model).consume({ model, id }),
    destroy: (model, id) => tableOf(model).destroy({ model, id }),
    revokeByGrantId: (model, grantId) => tableOf(model).revoke(model, grantId),
    sessionsOf: (accountId) => db.query<SessionRecord>(ofAccount, [accountId, clock.now()]),
    async grantsOf(accountId, clientId) {
      const rows = await db.query<{ id: string; client_id: string; issued_at: number | null }>(GRANTS, [accountId, clock.now(), clientId ?? null])
      return rows.map((row): GrantRecord => ({ id: row.id, clientId: row.client_id, issuedAt: row.issued_at ?? undefined }))
    },
    async purge() {
      return (await purgeAll(db, PURGE.oidc_volatile, clock.now())) + (await purgeAll(db, PURGE.oidc_artifact, clock.now()))
    },
  }
}

/** In batches, so that no statement holds many rows for long; the rest of a flood is left to the next run. */
async function purgeAll(db: Database, text: string, now: Date): Promise<number> {
  let removed = 0
  for (let batch = 0; batch < MOST_PURGE_BATCHES; batch += 1) {
    const count = await db.execute(text, [now, PURGE_BATCH])
    removed += count
    if (count < PURGE_BATCH) break
  }
  return removed
}

function jsonOfArtifacts(artifacts: readonly NewArtifact[]): string {
  return JSON.stringify(
    artifacts.map(({ model, id, payload, expiresAt }) => ({
      m: model,
      i: id,
      p: payload,
      u: model === 'Session' ? textOf(payload['uid']) : null,
      c: textOf(payload['userCode']),
      g: textOf(payload['grantId']),
      a: textOf(payload['accountId']),
      e: expiresAt?.getTime() ?? null,
    })),
  )
}

function jsonOfKeys(keys: readonly Key[]): string {
  return JSON.stringify(keys.map(({ model, id }, n) => ({ n, m: model, i: id })))
}

/** One statement may touch a row once: the last write of each stands. Sorted, so that two processes lock rows in the same order. */
function lastOfEach(artifacts: readonly NewArtifact[]): NewArtifact[] {
  const last = new Map(artifacts.map((artifact) => [keyText(artifact), artifact]))
  return [...last].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, artifact]) => artifact)
}

function keyText({ model, id }: Key): string {
  return `${model}:${id}`
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function found(row: FoundRow | undefined, isJoined: boolean): FoundArtifact | undefined {
  if (!row) return undefined
  const { payload, consumed_at: consumedAt, grant_payload: grant, session_payload: session } = row
  return { payload, ...(consumedAt && { consumedAt }), ...(isJoined && { grant, session }) }
}

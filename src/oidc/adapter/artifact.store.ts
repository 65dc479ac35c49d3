import type { JsonObject } from 'oidc-provider'
import type { Clock } from '../../platform/clock.ts'
import type { Database } from '../../platform/db.ts'
import { type ArtifactStore, type FoundArtifact, type GrantRecord, isVolatile, type NewArtifact, type SessionRecord } from './artifact.ts'

interface Row {
  readonly payload: JsonObject
  readonly consumed_at: Date | null
}

interface JoinedRow extends Row {
  readonly grant_payload: JsonObject | null
  readonly session_payload: JsonObject | null
}

/** Models whose validity hangs on a grant and maybe a session: read in one round trip, as one snapshot. */
const JOINED = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken', 'DeviceCode'])
const PURGE_BATCH = 5000

type Table = 'oidc_volatile' | 'oidc_artifact'

interface Statements {
  readonly upsert: string
  readonly insertOnce: string
  readonly find: string
  readonly findJoined: string
  readonly consume: string
  readonly destroy: string
  readonly revoke: string
}

function statementsFor(table: Table, sessions: Table): Statements {
  const json = table === 'oidc_artifact' ? 'jsonb' : 'json'
  const columns = '(model, id, payload, uid, user_code, grant_id, account_id, expires_at)'
  const values = `($1, $2, $3::${json}, $4, $5, $6, $7, $8)`
  return {
    upsert: `INSERT INTO ${table} ${columns} VALUES ${values} ON CONFLICT (model, id) DO UPDATE SET payload = EXCLUDED.payload,
      uid = EXCLUDED.uid, user_code = EXCLUDED.user_code, grant_id = EXCLUDED.grant_id, account_id = EXCLUDED.account_id, expires_at = EXCLUDED.expires_at`,
    insertOnce: `INSERT INTO ${table} AS kept ${columns} VALUES ${values} ON CONFLICT (model, id) DO UPDATE SET expires_at = EXCLUDED.expires_at,
      payload = EXCLUDED.payload WHERE kept.expires_at <= $9`,
    find: `SELECT payload, consumed_at FROM ${table} WHERE model = $1 AND id = $2 AND (expires_at IS NULL OR expires_at > $3)`,
    findJoined: `SELECT a.payload, a.consumed_at, g.payload AS grant_payload, s.payload AS session_payload FROM ${table} a
      LEFT JOIN oidc_artifact g ON g.model = 'Grant' AND g.id = a.grant_id AND g.expires_at > $3
      LEFT JOIN ${sessions} s ON s.uid = a.payload->>'sessionUid' AND s.model = 'Session' AND s.expires_at > $3
      WHERE a.model = $1 AND a.id = $2 AND a.expires_at > $3`,
    consume: `UPDATE ${table} SET consumed_at = $3 WHERE model = $1 AND id = $2 AND consumed_at IS NULL AND expires_at > $3`,
    destroy: `DELETE FROM ${table} WHERE model = $1 AND id = $2`,
    revoke: `DELETE FROM ${table} WHERE grant_id = $2 AND model = $1`,
  }
}

const PURGE = {
  oidc_volatile: 'DELETE FROM oidc_volatile WHERE (model, id) IN (SELECT model, id FROM oidc_volatile WHERE expires_at <= $1 LIMIT $2)',
  oidc_artifact: 'DELETE FROM oidc_artifact WHERE (model, id) IN (SELECT model, id FROM oidc_artifact WHERE expires_at <= $1 LIMIT $2)',
}

const GRANTS = `SELECT id, payload->>'clientId' AS client_id FROM oidc_artifact
  WHERE account_id = $1 AND model = 'Grant' AND expires_at > $2 AND ($3::text IS NULL OR payload->>'clientId' = $3)`

/** The store in PostgreSQL or PGlite; each operation is one prepared statement. */
export function createSqlArtifactStore({ db, clock }: { db: Database; clock: Clock }): ArtifactStore {
  const sessions: Table = db.kind === 'postgres' ? 'oidc_volatile' : 'oidc_artifact'
  const durable = statementsFor('oidc_artifact', sessions)
  const volatile = statementsFor(sessions, sessions)
  const statements = (model: string) => (isVolatile(model) ? volatile : durable)
  const byUid = `SELECT payload, consumed_at FROM ${sessions} WHERE uid = $1 AND model = 'Session' AND expires_at > $2`
  const byUserCode = `SELECT payload, consumed_at FROM ${sessions} WHERE user_code = $1 AND model = 'DeviceCode' AND expires_at > $2`
  const ofAccount = `SELECT id, payload FROM ${sessions} WHERE account_id = $1 AND model = 'Session' AND expires_at > $2`

  return {
    async upsert(artifact) {
      await db.execute(statements(artifact.model).upsert, columnValues(artifact))
    },
    async insertOnce(artifact) {
      return (await db.execute(statements(artifact.model).insertOnce, [...columnValues(artifact), clock.now()])) === 1
    },
    async find(model, id) {
      if (!JOINED.has(model)) return found((await db.query<Row>(statements(model).find, [model, id, clock.now()]))[0])
      return foundJoined((await db.query<JoinedRow>(statements(model).findJoined, [model, id, clock.now()]))[0])
    },
    findByUid: async (uid) => found((await db.query<Row>(byUid, [uid, clock.now()]))[0]),
    findByUserCode: async (userCode) => found((await db.query<Row>(byUserCode, [userCode, clock.now()]))[0]),
    async consume(model, id) {
      return (await db.execute(statements(model).consume, [model, id, clock.now()])) === 1
    },
    async destroy(model, id) {
      await db.execute(statements(model).destroy, [model, id])
    },
    async revokeByGrantId(model, grantId) {
      await db.execute(statements(model).revoke, [model, grantId])
    },
    sessionsOf: (accountId) => db.query<SessionRecord>(ofAccount, [accountId, clock.now()]),
    async grantsOf(accountId, clientId) {
      const rows = await db.query<{ id: string; client_id: string }>(GRANTS, [accountId, clock.now(), clientId ?? null])
      return rows.map((row): GrantRecord => ({ id: row.id, clientId: row.client_id }))
    },
    async purge() {
      const values = [clock.now(), PURGE_BATCH]
      return (await db.execute(PURGE.oidc_volatile, values)) + (await db.execute(PURGE.oidc_artifact, values))
    },
  }
}

function columnValues({ model, id, payload, expiresAt }: NewArtifact): unknown[] {
  const column = (name: string) => (typeof payload[name] === 'string' ? payload[name] : null)
  const uid = model === 'Session' ? column('uid') : null
  return [model, id, JSON.stringify(payload), uid, column('userCode'), column('grantId'), column('accountId'), expiresAt ?? null]
}

function found(row: Row | undefined): FoundArtifact | undefined {
  return row && { payload: row.payload, ...(row.consumed_at && { consumedAt: row.consumed_at }) }
}

function foundJoined(row: JoinedRow | undefined): FoundArtifact | undefined {
  return row && { payload: row.payload, grant: row.grant_payload, session: row.session_payload, ...(row.consumed_at && { consumedAt: row.consumed_at }) }
}

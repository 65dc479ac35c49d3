import { eventInsertion } from '../../audit/index.ts'
import type { Sql } from '../../platform/db.ts'

/** What a person agreed to give one relying party, until withdrawn. */
export interface Consent {
  readonly accountId: string
  readonly clientId: string
  readonly scopes: readonly string[]
  readonly claims: readonly string[]
  /** Optional scopes that the person left out: no token carries them, and they are not asked for again. */
  readonly declined: readonly string[]
  readonly grantedAt: Date
}

interface Row {
  readonly account_id: string
  readonly client_id: string
  readonly scopes: string[]
  readonly claims: string[]
  readonly declined: string[]
  readonly granted_at: Date
}

const COLUMNS = 'account_id, client_id, scopes, claims, declined, granted_at'

export async function findConsent(sql: Sql, accountId: string, clientId: string): Promise<Consent | undefined> {
  const text = `SELECT ${COLUMNS} FROM consent WHERE account_id = $1 AND client_id = $2 AND withdrawn_at IS NULL`
  const [row] = await sql.query<Row>(text, [accountId, clientId])
  return row && toConsent(row)
}

export async function listConsents(sql: Sql, accountId: string): Promise<Consent[]> {
  const text = `SELECT ${COLUMNS} FROM consent WHERE account_id = $1 AND withdrawn_at IS NULL ORDER BY granted_at DESC`
  return (await sql.query<Row>(text, [accountId])).map(toConsent)
}

/** What stands in a column of an agreement in force and what comes to it, without what the other column takes from it. */
const joined = (column: string, other: string) => `ARRAY(SELECT DISTINCT name FROM unnest(CASE WHEN consent.withdrawn_at IS NULL THEN consent.${column} END || EXCLUDED.${column}) name
  WHERE name <> ALL (EXCLUDED.${other}))`

/** Remembers an agreement, added to what was agreed before, and writes its audit event in the same statement. */
export async function upsertConsent(sql: Sql, consent: Consent & { readonly grantId: string }, event: readonly unknown[]): Promise<void> {
  const text = `WITH agreed AS (INSERT INTO consent (account_id, client_id, grant_id, scopes, claims, granted_at, declined) VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (account_id, client_id) DO UPDATE SET grant_id = EXCLUDED.grant_id, granted_at = EXCLUDED.granted_at, withdrawn_at = NULL,
      scopes = ${joined('scopes', 'declined')}, declined = ${joined('declined', 'scopes')},
      claims = CASE WHEN consent.withdrawn_at IS NULL THEN ARRAY(SELECT DISTINCT unnest(consent.claims || EXCLUDED.claims)) ELSE EXCLUDED.claims END RETURNING account_id)
    ${eventInsertion(8, 'agreed')}`
  const { accountId, clientId, grantId, scopes, claims, declined, grantedAt } = consent
  await sql.execute(text, [accountId, clientId, grantId, [...scopes], [...claims], grantedAt, [...declined], ...event])
}

/** False when there was none in force. */
export async function withdrawConsent(sql: Sql, accountId: string, clientId: string, now: Date): Promise<boolean> {
  const text = 'UPDATE consent SET withdrawn_at = $3 WHERE account_id = $1 AND client_id = $2 AND withdrawn_at IS NULL'
  return (await sql.execute(text, [accountId, clientId, now])) > 0
}

function toConsent(row: Row): Consent {
  const { account_id: accountId, client_id: clientId, scopes, claims, declined, granted_at: grantedAt } = row
  return { accountId, clientId, scopes, claims, declined, grantedAt }
}

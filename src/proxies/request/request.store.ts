import { z } from 'zod'
import type { Sql } from '../../platform/db.ts'
import type { Day } from '../mandate/day.ts'
import type { PartyId } from '../party/party.ts'
import { type JsonParty, partyJson, toPartyOfJson } from '../party/party.store.ts'
import type { Power } from '../role/role.ts'
import type { RepresentationRequest, RequestState } from './request.ts'

const powersSchema = z.array(z.object({ namespace: z.string(), code: z.string(), version: z.int() }))

interface RequestRow {
  id: string
  state: RequestState
  powers: unknown
  valid_through: string
  client_id: string | null
  created_at: Date
  decide_by: Date
  represented: JsonParty
  delegate: JsonParty
}

const SELECT = `SELECT q.id, q.state, q.powers, q.valid_through, q.client_id, q.created_at, q.decide_by, ${partyJson('r')} AS represented, ${partyJson('d')} AS delegate
  FROM proxy_request q JOIN proxy_party r ON r.id = q.represented_id JOIN proxy_party d ON d.id = q.delegate_id`

const toRequest = (row: RequestRow): RepresentationRequest => ({
  id: row.id, state: row.state, represented: toPartyOfJson(row.represented), delegate: toPartyOfJson(row.delegate), powers: powersSchema.parse(row.powers),
  validThrough: row.valid_through as Day, clientId: row.client_id ?? undefined, createdAt: row.created_at, decideBy: row.decide_by,
})

export async function findRequest(sql: Sql, id: string): Promise<RepresentationRequest | undefined> {
  const [row] = await sql.query<RequestRow>(`${SELECT} WHERE q.id = $1`, [id])
  return row && toRequest(row)
}

/** Open requests to these documents, or by them, newest first. */
export async function listRequests(sql: Sql, side: 'represented' | 'delegate', documents: readonly string[]): Promise<RepresentationRequest[]> {
  const alias = side === 'represented' ? 'r' : 'd'
  const rows = await sql.query<RequestRow>(
    `${SELECT} WHERE ${alias}.document = ANY($1::text[]) AND q.state = 'asked' ORDER BY q.created_at DESC, q.id LIMIT 100`,
    [[...documents]],
  )
  return rows.map(toRequest)
}

export interface RequestLimits {
  /** Of one delegate since `since`. */
  readonly mostPerDay: number
  /** Open to one represented. */
  readonly mostOpen: number
  /** To one represented since `since`, by whomever. */
  readonly mostToOnePerDay: number
  readonly since: Date
}

export interface NewRequest {
  readonly id: string
  readonly representedId: PartyId
  readonly delegateId: PartyId
  readonly powers: readonly Power[]
  readonly validThrough: Day
  readonly clientId: string | undefined
  readonly now: Date
  readonly decideBy: Date
}

/** Adds a request unless it is blocked, repeated or too much; both sides are locked, so that of many at once no more get through. */
export async function insertRequest(tx: Sql, made: NewRequest, limits: RequestLimits): Promise<'added' | 'blocked' | 'too-many'> {
  await tx.query('SELECT 1 FROM proxy_party WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE', [[made.representedId, made.delegateId]])
  const [counts] = await tx.query<{ blocked: boolean; by_delegate: number; open_to_represented: number; to_represented: number }>(
    `SELECT EXISTS (SELECT 1 FROM proxy_request_block b WHERE b.represented_id = $1 AND b.delegate_id IN ($1, $2)) AS blocked,
       (SELECT count(*)::int FROM proxy_request q WHERE q.delegate_id = $2 AND q.created_at > $3) AS by_delegate,
       (SELECT count(*)::int FROM proxy_request q WHERE q.represented_id = $1 AND q.state = 'asked') AS open_to_represented,
       (SELECT count(*)::int FROM proxy_request q WHERE q.represented_id = $1 AND q.created_at > $3) AS to_represented`,
    [made.representedId, made.delegateId, limits.since],
  )
  if (!counts || counts.by_delegate >= limits.mostPerDay) return 'too-many'
  if (counts.blocked || counts.open_to_represented >= limits.mostOpen || counts.to_represented >= limits.mostToOnePerDay) return 'blocked'
  const added = await tx.execute(
    `INSERT INTO proxy_request (id, state, represented_id, delegate_id, powers, valid_through, client_id, created_at, decide_by)
     VALUES ($1, 'asked', $2, $3, $4::jsonb, $5::date, $6, $7, $8) ON CONFLICT DO NOTHING`,
    [made.id, made.representedId, made.delegateId, JSON.stringify(made.powers), made.validThrough, made.clientId ?? null, made.now, made.decideBy],
  )
  return added === 1 ? 'added' : 'blocked'
}

/** Decides an open request once. */
export async function decideRequest(tx: Sql, id: string, state: Exclude<RequestState, 'asked'>, at: Date): Promise<boolean> {
  const changed = await tx.execute(`UPDATE proxy_request SET state = $2, decided_at = $3 WHERE id = $1 AND state = 'asked' AND decide_by > $3`, [id, state, at])
  return changed === 1
}

/** Requests that nobody answered. */
export async function lapseRequests(sql: Sql, now: Date): Promise<number> {
  return sql.execute(`UPDATE proxy_request SET state = 'lapsed', decided_at = $1 WHERE state = 'asked' AND decide_by <= $1`, [now])
}

/** No request any more from a delegate, or (the same id twice) from anybody. */
export async function insertBlock(tx: Sql, representedId: PartyId, delegateId: PartyId, at: Date): Promise<void> {
  await tx.execute('INSERT INTO proxy_request_block (represented_id, delegate_id, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [representedId, delegateId, at])
}

export async function deleteBlocks(sql: Sql, documents: readonly string[]): Promise<number> {
  return sql.execute('DELETE FROM proxy_request_block WHERE represented_id IN (SELECT id FROM proxy_party WHERE document = ANY($1::text[]))', [[...documents]])
}

/** Whom a party has blocked; `isEverybody` for all. */
export async function listBlocks(sql: Sql, documents: readonly string[]): Promise<{ name: string; isEverybody: boolean }[]> {
  const rows = await sql.query<{ name: string; everybody: boolean }>(
    `SELECT d.name, b.delegate_id = b.represented_id AS everybody FROM proxy_request_block b JOIN proxy_party r ON r.id = b.represented_id
       JOIN proxy_party d ON d.id = b.delegate_id WHERE r.document = ANY($1::text[]) ORDER BY b.at`,
    [[...documents]],
  )
  return rows.map(({ name, everybody }) => ({ name, isEverybody: everybody }))
}

/** Counts one try of a number with a name; false when a day's tries are spent. */
export async function claimAttempt(sql: Sql, accountId: string, day: Day, most: number): Promise<boolean> {
  const rows = await sql.query(
    `INSERT INTO proxy_attempt AS p (account_id, day, used) VALUES ($1, $2::date, 1)
     ON CONFLICT (account_id, day) DO UPDATE SET used = p.used + 1 WHERE p.used < $3 RETURNING used`,
    [accountId, day, most],
  )
  return rows.length === 1
}

export async function purgeAttempts(sql: Sql, before: Day): Promise<number> {
  return sql.execute('DELETE FROM proxy_attempt WHERE day < $1::date', [before])
}

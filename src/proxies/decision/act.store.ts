import type { Sql } from '../../platform/db.ts'
import type { Day } from '../mandate/day.ts'
import type { PartyId } from '../party/party.ts'

/** One act of several people. */
export interface Act {
  readonly id: string
  readonly representedId: PartyId
  /** `group:<id>` of a mandate's group, or `register:<root>` of a company. */
  readonly groupKey: string
  readonly quorum: number
  readonly namespace: string
  readonly code: string
  readonly service: string | undefined
  readonly instance: string | undefined
  readonly openedAt: Date
  readonly expiresAt: Date
  readonly usedAt: Date | undefined
}

interface ActRow {
  id: string
  represented_id: string
  group_key: string
  quorum: number
  namespace: string
  code: string
  service: string | null
  instance: string | null
  opened_at: Date
  expires_at: Date
  used_at: Date | null
}

const toAct = (row: ActRow): Act => ({
  id: row.id, representedId: row.represented_id as PartyId, groupKey: row.group_key, quorum: row.quorum, namespace: row.namespace, code: row.code,
  service: row.service ?? undefined, instance: row.instance ?? undefined, openedAt: row.opened_at, expiresAt: row.expires_at, usedAt: row.used_at ?? undefined,
})

export async function insertAct(tx: Sql, act: Act): Promise<void> {
  await tx.execute(
    `INSERT INTO proxy_act (id, represented_id, group_key, quorum, namespace, code, service, instance, opened_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [act.id, act.representedId, act.groupKey, act.quorum, act.namespace, act.code, act.service ?? null, act.instance ?? null, act.openedAt, act.expiresAt],
  )
}

export async function findAct(sql: Sql, id: string): Promise<Act | undefined> {
  const [row] = await sql.query<ActRow>('SELECT * FROM proxy_act WHERE id = $1', [id])
  return row && toAct(row)
}

/** Locks an act: approvals and its use follow one another. */
export async function lockAct(tx: Sql, id: string): Promise<Act | undefined> {
  const [row] = await tx.query<ActRow>('SELECT * FROM proxy_act WHERE id = $1 FOR UPDATE', [id])
  return row && toAct(row)
}

/** One approval a person; the number that there are now. */
export async function addApproval(tx: Sql, actId: string, partyId: string, at: Date): Promise<number> {
  await tx.execute('INSERT INTO proxy_act_approval (act_id, party_id, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [actId, partyId, at])
  const [row] = await tx.query<{ count: number }>('SELECT count(*)::int AS count FROM proxy_act_approval WHERE act_id = $1', [actId])
  return row?.count ?? 0
}

/** Approvals by people who still hold the power: of the group's mandates that count now. */
export async function countGroupApprovals(sql: Sql, actId: string, groupId: string, now: Date, today: Day): Promise<number> {
  const [row] = await sql.query<{ count: number }>(
    `SELECT count(DISTINCT v.party_id)::int AS count FROM proxy_act_approval v JOIN mandate m ON m.delegate_id = v.party_id AND m.group_id = $2
       JOIN proxy_party p ON p.id = v.party_id
     WHERE v.act_id = $1 AND m.state = 'active' AND m.effective_at <= $3 AND m.valid_from <= $4 AND (m.valid_through IS NULL OR m.valid_through >= $4)
       AND p.standing = 'regular'`,
    [actId, groupId, now, today],
  )
  return row?.count ?? 0
}

/** Approvals by people whom the company register still names. */
export async function countRegisterApprovals(sql: Sql, actId: string, root: string): Promise<number> {
  const [row] = await sql.query<{ count: number }>(
    `SELECT count(DISTINCT v.party_id)::int AS count FROM proxy_act_approval v JOIN proxy_party p ON p.id = v.party_id
       JOIN company_administrator c ON c.cpf = p.document AND c.root = $2 WHERE v.act_id = $1`,
    [actId, root],
  )
  return row?.count ?? 0
}

/** An act is done once. */
export async function useAct(tx: Sql, id: string, at: Date): Promise<boolean> {
  return (await tx.execute('UPDATE proxy_act SET used_at = $2 WHERE id = $1 AND used_at IS NULL', [id, at])) === 1
}

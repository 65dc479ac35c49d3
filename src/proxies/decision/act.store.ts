import type { Sql } from '../../platform/db.ts'
import { type Day, dayOf } from '../mandate/day.ts'
import type { PartyId } from '../party/party.ts'
import { type Act, type ActOutcome, isOpenAct, type Vote } from './act.ts'

interface ActRow {
  id: string
  represented_id: string
  group_key: string
  quorum: number
  namespace: string
  code: string
  version: number | null
  service: string | null
  instance: string | null
  about: string | null
  client_id: string | null
  opened_by: string | null
  opened_at: Date
  expires_at: Date
  used_at: Date | null
  closed_at: Date | null
  outcome: ActOutcome | null
}

const toAct = (row: ActRow): Act => ({
  id: row.id,
  representedId: row.represented_id as PartyId,
  groupKey: row.group_key,
  quorum: row.quorum,
  namespace: row.namespace,
  code: row.code,
  version: row.version ?? undefined,
  service: row.service ?? undefined,
  instance: row.instance ?? undefined,
  about: row.about ?? undefined,
  clientId: row.client_id ?? undefined,
  openedBy: (row.opened_by ?? undefined) as PartyId | undefined,
  openedAt: row.opened_at,
  expiresAt: row.expires_at,
  usedAt: row.used_at ?? undefined,
  closed: row.closed_at === null || row.outcome === null ? undefined : { at: row.closed_at, outcome: row.outcome },
})

export async function insertAct(tx: Sql, act: Act): Promise<void> {
  await tx.execute(
    `INSERT INTO proxy_act (id, represented_id, group_key, quorum, namespace, code, version, service, instance, about, client_id, opened_by, opened_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
    [
      act.id,
      act.representedId,
      act.groupKey,
      act.quorum,
      act.namespace,
      act.code,
      act.version ?? null,
      act.service ?? null,
      act.instance ?? null,
      act.about ?? null,
      act.clientId ?? null,
      act.openedBy ?? null,
      act.openedAt,
      act.expiresAt,
    ],
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

/** Acts that wait for these groups or are done in the name of these documents: what is open first, newest first. */
export async function listActs(sql: Sql, about: { groupKeys: readonly string[]; documents: readonly string[] }, most: number): Promise<Act[]> {
  const rows = await sql.query<ActRow>(
    `SELECT * FROM proxy_act WHERE group_key = ANY($1::text[]) OR represented_id IN (SELECT id FROM proxy_party WHERE document = ANY($2::text[]))
     ORDER BY used_at IS NULL AND closed_at IS NULL DESC, opened_at DESC, id LIMIT $3`,
    [[...about.groupKeys], [...about.documents], most],
  )
  return rows.map(toAct)
}

/** Open acts of a group; the represented's row is locked, so that of many at once no more get through. */
export async function listOpenActs(tx: Sql, act: Pick<Act, 'groupKey' | 'representedId'>, now: Date): Promise<Act[]> {
  await tx.query('SELECT 1 FROM proxy_party WHERE id = $1 FOR UPDATE', [act.representedId])
  const rows = await tx.query<ActRow>(
    'SELECT * FROM proxy_act WHERE group_key = $1 AND used_at IS NULL AND closed_at IS NULL AND expires_at > $2 ORDER BY opened_at',
    [act.groupKey, now],
  )
  return rows.map(toAct)
}

/** One word a person, the last one counts; the number of approvals that there are now. */
export async function addApproval(tx: Sql, actId: string, partyId: string, at: Date): Promise<number> {
  await tx.execute('DELETE FROM proxy_act_refusal WHERE act_id = $1 AND party_id = $2', [actId, partyId])
  await tx.execute('INSERT INTO proxy_act_approval (act_id, party_id, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [actId, partyId, at])
  const [row] = await tx.query<{ count: number }>('SELECT count(*)::int AS count FROM proxy_act_approval WHERE act_id = $1', [actId])
  return row?.count ?? 0
}

/** Takes back the approval of whoever refuses. */
export async function addRefusal(tx: Sql, actId: string, partyId: string, at: Date): Promise<void> {
  await tx.execute('DELETE FROM proxy_act_approval WHERE act_id = $1 AND party_id = $2', [actId, partyId])
  await tx.execute('INSERT INTO proxy_act_refusal (act_id, party_id, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [actId, partyId, at])
}

/** Who has said what, in the order in which they did. */
export async function listVotes(sql: Sql, actId: string): Promise<Vote[]> {
  const rows = await sql.query<{ id: string; name: string; document: string; word: Vote['word']; at: Date }>(
    `SELECT p.id, p.name, p.document, v.word, v.at FROM (SELECT party_id, at, 'approved' AS word FROM proxy_act_approval WHERE act_id = $1
       UNION ALL SELECT party_id, at, 'refused' FROM proxy_act_refusal WHERE act_id = $1) v JOIN proxy_party p ON p.id = v.party_id ORDER BY v.at, p.id`,
    [actId],
  )
  return rows.map(({ id, name, document, word, at }) => ({ party: { id: id as PartyId, name, document }, word, at }))
}

/** Approvals of an act by those who may still give them. */
export async function countApprovals(sql: Sql, { id, groupKey }: Pick<Act, 'id' | 'groupKey'>, now: Date): Promise<number> {
  const [kind = '', group = ''] = groupKey.split(':')
  return kind === 'group' ? countGroupApprovals(sql, id, group, now, dayOf(now)) : countRegisterApprovals(sql, id, group)
}

/** Approvals by people who still hold the power: of the group's mandates that count now. */
async function countGroupApprovals(sql: Sql, actId: string, groupId: string, now: Date, today: Day): Promise<number> {
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
async function countRegisterApprovals(sql: Sql, actId: string, root: string): Promise<number> {
  const [row] = await sql.query<{ count: number }>(
    `SELECT count(DISTINCT v.party_id)::int AS count FROM proxy_act_approval v JOIN proxy_party p ON p.id = v.party_id
       JOIN company_administrator c ON c.cpf = p.document AND c.root = $2 WHERE v.act_id = $1 AND p.standing = 'regular'`,
    [actId, root],
  )
  return row?.count ?? 0
}

/** An act is done once, by the system that asked, not once it is closed, and only while so many approve it: under its lock, so that a yes is taken back wholly before or wholly after. */
export async function useAct(tx: Sql, id: string, { quorum, clientId, at }: { quorum: number; clientId: string; at: Date }): Promise<boolean> {
  const act = await lockAct(tx, id)
  if (!act || (act.clientId ?? clientId) !== clientId || !isOpenAct(act, at) || (await countApprovals(tx, act, at)) < quorum) return false
  return (await tx.execute('UPDATE proxy_act SET used_at = $2 WHERE id = $1 AND used_at IS NULL AND closed_at IS NULL', [id, at])) === 1
}

/** Ends an act that was not done; false when it was, or has ended. */
export async function closeAct(tx: Sql, id: string, outcome: ActOutcome, at: Date): Promise<boolean> {
  return (
    (await tx.execute('UPDATE proxy_act SET closed_at = $3, outcome = $2 WHERE id = $1 AND used_at IS NULL AND closed_at IS NULL', [id, outcome, at])) === 1
  )
}

/** Acts whose week is over and that nobody has closed. */
export async function listDueActs(sql: Sql, now: Date, most: number): Promise<Act[]> {
  const rows = await sql.query<ActRow>(
    'SELECT * FROM proxy_act WHERE used_at IS NULL AND closed_at IS NULL AND expires_at <= $1 ORDER BY expires_at LIMIT $2',
    [now, most],
  )
  return rows.map(toAct)
}

/** Deletes what ended before a moment, with everybody's word on it; the audit record keeps that it was. */
export async function purgeActs(tx: Sql, before: Date): Promise<number> {
  const old = 'SELECT id FROM proxy_act WHERE coalesce(used_at, closed_at) < $1'
  await tx.execute(`DELETE FROM proxy_act_approval WHERE act_id IN (${old})`, [before])
  await tx.execute(`DELETE FROM proxy_act_refusal WHERE act_id IN (${old})`, [before])
  return tx.execute('DELETE FROM proxy_act WHERE coalesce(used_at, closed_at) < $1', [before])
}

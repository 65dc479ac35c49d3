import type { AccountId } from '../../accounts/index.ts'
import type { Sql } from '../../platform/db.ts'
import type { LookSpan, SupportAct, SupportCase, SupportReason } from './case.ts'

interface CaseRow {
  readonly id: string
  readonly unit_id: string
  readonly attendant_id: AccountId
  readonly account_id: AccountId
  readonly reason: SupportReason
  readonly opened_at: Date
  readonly expires_at: Date
}

const COLUMNS = 'c.id, c.unit_id, c.attendant_id, c.account_id, c.reason, c.opened_at, c.expires_at'

const toCase = (row: CaseRow): SupportCase => ({
  id: row.id,
  unitId: row.unit_id,
  attendantId: row.attendant_id,
  accountId: row.account_id,
  reason: row.reason,
  openedAt: row.opened_at,
  expiresAt: row.expires_at,
})

/** Counts one look; false when the span has had its number. One statement, so that parallel ones cannot slip by. */
export async function countLook(tx: Sql, attendantId: AccountId, span: LookSpan, { startsAt, most }: { startsAt: Date; most: number }): Promise<boolean> {
  const changed = await tx.execute(
    `INSERT INTO helpdesk_look_count AS l (attendant_id, span, starts_at, looks) VALUES ($1, $2, $3, 1)
     ON CONFLICT (attendant_id, span, starts_at) DO UPDATE SET looks = l.looks + 1 WHERE l.looks < $4`,
    [attendantId, span, startsAt, most],
  )
  return changed === 1
}

export async function insertCase(tx: Sql, opened: SupportCase, sealed: Buffer): Promise<void> {
  await tx.execute(
    `INSERT INTO helpdesk_support_case (id, unit_id, attendant_id, account_id, reason, sealed, opened_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [opened.id, opened.unitId, opened.attendantId, opened.accountId, opened.reason, sealed, opened.openedAt, opened.expiresAt],
  )
}

export interface CaseKey {
  readonly id: string
  readonly unitId: string
  readonly attendantId: AccountId
}

const LIVE = 'c.id = $1 AND c.unit_id = $2 AND c.attendant_id = $3 AND c.closed_at IS NULL AND c.expires_at > $4'

/** A case that is open now, of this attendant in this unit; anybody else's is none. */
export async function findLiveCase(sql: Sql, { id, unitId, attendantId }: CaseKey, now: Date): Promise<SupportCase | undefined> {
  const [row] = await sql.query<CaseRow>(`SELECT ${COLUMNS} FROM helpdesk_support_case c WHERE ${LIVE}`, [id, unitId, attendantId, now])
  return row && toCase(row)
}

export async function listLiveCases(sql: Sql, unitId: string, attendantId: AccountId, now: Date): Promise<SupportCase[]> {
  const rows = await sql.query<CaseRow>(
    `SELECT ${COLUMNS} FROM helpdesk_support_case c
     WHERE c.unit_id = $1 AND c.attendant_id = $2 AND c.closed_at IS NULL AND c.expires_at > $3 ORDER BY c.opened_at DESC`,
    [unitId, attendantId, now],
  )
  return rows.map(toCase)
}

export async function closeCase(tx: Sql, { id, unitId, attendantId }: CaseKey, now: Date): Promise<boolean> {
  return (await tx.execute(`UPDATE helpdesk_support_case c SET closed_at = $4 WHERE ${LIVE}`, [id, unitId, attendantId, now])) === 1
}

/** Serialises the acts on one account, whoever's, until the transaction ends. */
export async function lockAccountForActs(tx: Sql, accountId: AccountId): Promise<void> {
  await tx.query('SELECT 1 FROM account WHERE id = $1 FOR UPDATE', [accountId])
}

export async function countActs(tx: Sql, accountId: AccountId, act: SupportAct, since: Date): Promise<number> {
  const [row] = await tx.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM helpdesk_support_act WHERE account_id = $1 AND act = $2 AND done_at > $3',
    [accountId, act, since],
  )
  return row?.count ?? 0
}

export async function insertAct(tx: Sql, done: { id: string; caseId: string; accountId: AccountId; act: SupportAct; doneAt: Date }): Promise<void> {
  await tx.execute('INSERT INTO helpdesk_support_act (id, case_id, account_id, act, done_at) VALUES ($1, $2, $3, $4, $5)', [
    done.id, done.caseId, done.accountId, done.act, done.doneAt,
  ])
}

export async function listActs(sql: Sql, caseId: string): Promise<{ act: SupportAct; doneAt: Date }[]> {
  const rows = await sql.query<{ act: SupportAct; done_at: Date }>(
    'SELECT act, done_at FROM helpdesk_support_act WHERE case_id = $1 ORDER BY done_at, id',
    [caseId],
  )
  return rows.map(({ act, done_at: doneAt }) => ({ act, doneAt }))
}

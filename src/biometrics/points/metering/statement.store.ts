import type { Sql } from '../../../platform/db.ts'
import type { RecordFault } from './journal.store.ts'
import type { Month } from './month.ts'

export interface PlanRow {
  readonly contract: string
  readonly fromMonth: Month
  /** As it was set; its SHA-256 is in the audit record. */
  readonly plan: string
}

export async function putPlan(tx: Sql, { contract, fromMonth, plan }: PlanRow, by: string, now: Date): Promise<void> {
  await tx.execute(
    `INSERT INTO metering_plan (contract, from_month, plan, set_by, set_at) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (contract, from_month) DO UPDATE SET plan = excluded.plan, set_by = excluded.set_by, set_at = excluded.set_at`,
    [contract, fromMonth, plan, by, now],
  )
}

/** The plan in force in a month: the latest that begins no later. */
export async function findPlan(sql: Sql, contract: string, month: Month): Promise<string | undefined> {
  const [row] = await sql.query<{ plan: string }>(
    'SELECT plan FROM metering_plan WHERE contract = $1 AND from_month <= $2 ORDER BY from_month DESC LIMIT 1', [contract, month],
  )
  return row?.plan
}

/** Every contract that a point or a plan names. */
export async function selectContracts(sql: Sql): Promise<string[]> {
  const rows = await sql.query<{ contract: string }>('SELECT contract FROM capture_point UNION SELECT contract FROM metering_plan ORDER BY 1')
  return rows.map(({ contract }) => contract)
}

/** One writer of a contract's plans and statements at a time, until the transaction ends. */
export async function lockContract(tx: Sql, contract: string): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock(4630, hashtext($1))', [contract])
}

export async function insertStatement(tx: Sql, statement: { contract: string; month: Month; body: string }, by: string, now: Date): Promise<boolean> {
  const added = await tx.execute(
    'INSERT INTO metering_statement (contract, month, body, closed_by, closed_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING',
    [statement.contract, statement.month, statement.body, by, now],
  )
  return added === 1
}

export interface ClosedRow {
  readonly contract: string
  readonly month: Month
  readonly body: string
  readonly closedAt: Date
}

interface StatementRow {
  contract: string
  month: Month
  body: string
  closed_at: Date
}

const toClosed = ({ contract, month, body, closed_at: closedAt }: StatementRow): ClosedRow => ({ contract, month, body, closedAt })

export async function findStatement(sql: Sql, contract: string, month: Month): Promise<ClosedRow | undefined> {
  const [row] = await sql.query<StatementRow>('SELECT contract, month, body, closed_at FROM metering_statement WHERE contract = $1 AND month = $2', [contract, month])
  return row && toClosed(row)
}

/** Closed statements after a place, in order, for whoever checks them all. */
export async function selectStatements(sql: Sql, after: { contract: string; month: string }, limit: number): Promise<ClosedRow[]> {
  const rows = await sql.query<StatementRow>(
    'SELECT contract, month, body, closed_at FROM metering_statement WHERE (contract, month) > ($1, $2) ORDER BY contract, month LIMIT $3',
    [after.contract, after.month, limit],
  )
  return rows.map(toClosed)
}

export async function hasClosedSince(sql: Sql, contract: string, month: Month): Promise<boolean> {
  return (await sql.query('SELECT 1 FROM metering_statement WHERE contract = $1 AND month >= $2 LIMIT 1', [contract, month])).length > 0
}

/** Statements and plans whose text is not the one whose digest is in the audit record, and those that are gone or came from nowhere. */
export async function selectStatementFaults(sql: Sql): Promise<RecordFault[]> {
  const statements = await sql.query<{ which: string; what: 'statement-changed' | 'statement-missing' }>(
    `SELECT coalesce(s.contract, e.data->>'contract') || ' ' || coalesce(s.month, e.data->>'month') AS which,
       CASE WHEN s.contract IS NULL THEN 'statement-missing' ELSE 'statement-changed' END AS what
     FROM metering_statement s
     FULL JOIN (SELECT * FROM audit_event WHERE type = 'biometrics/statement-closed') e ON e.data->>'contract' = s.contract AND e.data->>'month' = s.month
     WHERE e.id IS NULL OR s.contract IS NULL OR e.data->>'sha256' <> encode(sha256(convert_to(s.body, 'UTF8')), 'hex') ORDER BY 1`,
  )
  const plans = await sql.query<{ which: string }>(
    `SELECT coalesce(p.contract, e.contract) || ' ' || coalesce(p.from_month, e.from_month) AS which
     FROM metering_plan p
     FULL JOIN (SELECT DISTINCT ON (1, 2) data->>'contract' AS contract, data->>'fromMonth' AS from_month, data->>'sha256' AS digest
                FROM audit_event WHERE type = 'biometrics/plan-set' ORDER BY 1, 2, id DESC) e ON e.contract = p.contract AND e.from_month = p.from_month
     WHERE p.contract IS NULL OR e.contract IS NULL OR e.digest <> encode(sha256(convert_to(p.plan, 'UTF8')), 'hex') ORDER BY 1`,
  )
  return [...statements, ...plans.map(({ which }) => ({ what: 'plan-changed' as const, which }))]
}

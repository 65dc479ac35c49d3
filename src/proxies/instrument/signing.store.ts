import type { Sql } from '../../platform/db.ts'

/** Instruments that were shown to their grantor and wait for a signature. */
export interface StoredSigning {
  readonly id: string
  readonly accountId: string
  readonly activationId: string | undefined
  readonly plan: Buffer
}

interface SigningRow {
  id: string
  account_id: string
  activation_id: string | null
  plan: Buffer
}

export async function insertSigning(
  sql: Sql,
  { id, accountId, plan }: Omit<StoredSigning, 'activationId'>,
  expiresAt: Date,
): Promise<void> {
  await sql.execute('INSERT INTO mandate_signing (id, account_id, plan, expires_at) VALUES ($1, $2, $3, $4)', [
    id,
    accountId,
    plan,
    expiresAt,
  ])
}

/** One that is not too old, and only to its own citizen. */
export async function findSigning(
  sql: Sql,
  { id, accountId, now }: { id: string; accountId: string; now: Date },
): Promise<StoredSigning | undefined> {
  const [row] = await sql.query<SigningRow>(
    'SELECT id, account_id, activation_id, plan FROM mandate_signing WHERE id = $1 AND account_id = $2 AND expires_at > $3',
    [id, accountId, now],
  )
  return row && { id: row.id, accountId: row.account_id, activationId: row.activation_id ?? undefined, plan: row.plan }
}

export async function countSignings(sql: Sql, accountId: string, now: Date): Promise<number> {
  const [row] = await sql.query<{ n: number }>('SELECT count(*)::int AS n FROM mandate_signing WHERE account_id = $1 AND expires_at > $2', [
    accountId,
    now,
  ])
  return row?.n ?? 0
}

/** The last confirmation that was begun is the one that counts. */
export async function setActivation(sql: Sql, id: string, activationId: string): Promise<void> {
  await sql.execute('UPDATE mandate_signing SET activation_id = $2 WHERE id = $1', [id, activationId])
}

/** False when it is gone, another confirmation was begun since, or its key is in use already. */
export async function beginSigning(tx: Sql, { id, activationId, at }: { id: string; activationId: string; at: Date }): Promise<boolean> {
  const begun = await tx.execute('UPDATE mandate_signing SET signing_at = $3 WHERE id = $1 AND activation_id = $2 AND signing_at IS NULL', [id, activationId, at])
  return begun === 1
}

/** False when it has been given, or was noted as lost before. */
export async function loseSigning(tx: Sql, { id, begunBy }: { id: string; begunBy: Date }): Promise<boolean> {
  return (await tx.execute('UPDATE mandate_signing SET signing_at = NULL, activation_id = NULL WHERE id = $1 AND signing_at <= $2', [id, begunBy])) === 1
}

/** Signings that were begun and have come to no end. */
export async function listUnderway(sql: Sql, begunBy: Date): Promise<Pick<StoredSigning, 'id' | 'accountId'>[]> {
  const rows = await sql.query<Pick<SigningRow, 'id' | 'account_id'>>('SELECT id, account_id FROM mandate_signing WHERE signing_at <= $1', [begunBy])
  return rows.map((row) => ({ id: row.id, accountId: row.account_id }))
}

/** False when it is gone, or another confirmation was begun since: of two that finish one gives. */
export async function takeSigning(tx: Sql, id: string, activationId: string): Promise<boolean> {
  return (await tx.execute('DELETE FROM mandate_signing WHERE id = $1 AND activation_id = $2', [id, activationId])) === 1
}

export function purgeSignings(sql: Sql, now: Date): Promise<number> {
  return sql.execute('DELETE FROM mandate_signing WHERE expires_at <= $1 AND signing_at IS NULL', [now])
}

import type { Sql } from '../../../platform/db.ts'

/** Which POST of which client: what its Idempotency-Key says. */
export interface CallKey {
  readonly clientId: string
  readonly operation: string
  readonly key: string
}

export interface KnownCall {
  readonly requestHash: Buffer
  readonly sealed: Buffer | undefined
  readonly createdAt: Date
}

/** False when the key is taken already. */
export async function beginCall(sql: Sql, call: CallKey, requestHash: Buffer, now: Date): Promise<boolean> {
  const added = await sql.execute(
    `INSERT INTO agency_idempotency (client_id, operation, key, request_hash, created_at) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (client_id, operation, key) DO NOTHING`,
    [call.clientId, call.operation, call.key, requestHash, now],
  )
  return added === 1
}

export async function findCall(sql: Sql, { clientId, operation, key }: CallKey): Promise<KnownCall | undefined> {
  const [row] = await sql.query<{ request_hash: Buffer; sealed: Buffer | null; created_at: Date }>(
    'SELECT request_hash, sealed, created_at FROM agency_idempotency WHERE client_id = $1 AND operation = $2 AND key = $3',
    [clientId, operation, key],
  )
  return row && { requestHash: row.request_hash, sealed: row.sealed ?? undefined, createdAt: row.created_at }
}

/** Takes over what a process that died left unanswered; false when another was quicker. */
export async function takeOverCall(sql: Sql, { clientId, operation, key }: CallKey, since: Date, now: Date): Promise<boolean> {
  const taken = await sql.execute(
    `UPDATE agency_idempotency SET created_at = $5 WHERE client_id = $1 AND operation = $2 AND key = $3 AND created_at = $4 AND sealed IS NULL`,
    [clientId, operation, key, since, now],
  )
  return taken === 1
}

export async function answerCall(sql: Sql, { clientId, operation, key }: CallKey, sealed: Buffer): Promise<void> {
  await sql.execute('UPDATE agency_idempotency SET sealed = $4 WHERE client_id = $1 AND operation = $2 AND key = $3', [
    clientId, operation, key, sealed,
  ])
}

/** A call that failed may be tried again under its key. */
export async function forgetCall(sql: Sql, { clientId, operation, key }: CallKey): Promise<void> {
  await sql.execute('DELETE FROM agency_idempotency WHERE client_id = $1 AND operation = $2 AND key = $3 AND sealed IS NULL', [
    clientId, operation, key,
  ])
}

export async function purgeCalls(sql: Sql, before: Date): Promise<number> {
  return sql.execute('DELETE FROM agency_idempotency WHERE created_at < $1', [before])
}

import type { Sql } from '../../../platform/db.ts'

export interface StoredReceiptKey {
  readonly kid: string
  readonly sealed: Buffer
}

/** The newest first. */
export function listReceiptKeys(sql: Sql): Promise<StoredReceiptKey[]> {
  return sql.query<StoredReceiptKey>('SELECT kid, sealed FROM receipt_signing_key ORDER BY created_at DESC, kid')
}

export async function insertReceiptKey(tx: Sql, { kid, sealed }: StoredReceiptKey, now: Date): Promise<void> {
  await tx.execute('INSERT INTO receipt_signing_key (kid, sealed, created_at) VALUES ($1, $2, $3)', [kid, sealed, now])
}

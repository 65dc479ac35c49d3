import type { Sql } from '../../../platform/db.ts'

export interface StoredReceipt {
  readonly id: string
  readonly imageId: string
  readonly imageDigest: Buffer
  readonly sealed: Buffer
  readonly requestHash: Buffer
  readonly createdAt: Date
}

export interface NewReceipt extends StoredReceipt {
  readonly clientId: string
  readonly personId: string
  readonly idempotencyKey: string | undefined
}

/** False when this client has a receipt under the same key. */
export async function insertReceipt(tx: Sql, receipt: NewReceipt): Promise<boolean> {
  const added = await tx.execute(
    `INSERT INTO agency_receipt (id, client_id, person_id, image_id, image_digest, sealed, idempotency_key, request_hash, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
    [
      receipt.id, receipt.clientId, receipt.personId, receipt.imageId, receipt.imageDigest, receipt.sealed, receipt.idempotencyKey ?? null,
      receipt.requestHash, receipt.createdAt,
    ],
  )
  return added === 1
}

interface ReceiptRow {
  id: string
  image_id: string
  image_digest: Buffer
  sealed: Buffer
  request_hash: Buffer
  created_at: Date
}

function toReceipt(row: ReceiptRow): StoredReceipt {
  return { id: row.id, imageId: row.image_id, imageDigest: row.image_digest, sealed: row.sealed, requestHash: row.request_hash, createdAt: row.created_at }
}

export async function findReceiptByKey(sql: Sql, clientId: string, key: string): Promise<StoredReceipt | undefined> {
  const [row] = await sql.query<ReceiptRow>(
    'SELECT id, image_id, image_digest, sealed, request_hash, created_at FROM agency_receipt WHERE client_id = $1 AND idempotency_key = $2',
    [clientId, key],
  )
  return row && toReceipt(row)
}

export async function findReceipt(sql: Sql, id: string): Promise<StoredReceipt | undefined> {
  const [row] = await sql.query<ReceiptRow>('SELECT id, image_id, image_digest, sealed, request_hash, created_at FROM agency_receipt WHERE id = $1', [id])
  return row && toReceipt(row)
}

/** The number of the audit record's line about a receipt; within the transaction that wrote both. */
export async function findReceiptEvent(tx: Sql, subject: string, receiptId: string): Promise<number | undefined> {
  const [row] = await tx.query<{ id: number }>(
    `SELECT id FROM audit_event WHERE subject_id = $1 AND type = 'biometrics/agency-reference-read' AND data->>'receiptId' = $2`,
    [subject, receiptId],
  )
  return row?.id
}

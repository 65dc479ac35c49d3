import type { Sql } from '../../platform/db.ts'

/** `stamped` = has its time · `waiting` for a time-stamp · `missing` it for good. */
export const TIME_STATES = ['stamped', 'waiting', 'missing'] as const
export type TimeState = (typeof TIME_STATES)[number]

/** A signature without a time, with the certificate that made it. */
export interface LateSignature {
  readonly id: string
  readonly envelopeId: string
  readonly documentId: string
  readonly form: 'pdf' | 'file'
  readonly accountId: string
  readonly certificate: Buffer
  readonly tries: number
}

interface Row {
  id: string
  envelope_id: string
  document_id: string
  form: 'pdf' | 'file'
  account_id: string
  der: Buffer
  time_tries: number
}

const SELECT = `SELECT s.id, s.envelope_id, s.document_id, d.form, s.account_id, p.der, s.time_tries FROM signing_signature s
  JOIN signing_document d ON d.id = s.document_id JOIN pki_certificate p ON p.serial = s.serial WHERE s.time_state = 'waiting'`

const toLate = (row: Row): LateSignature => ({
  id: row.id, envelopeId: row.envelope_id, documentId: row.document_id, form: row.form, accountId: row.account_id, certificate: row.der, tries: row.time_tries,
})

/** Documents in which a try is due, the longest due first. */
export async function listDueDocuments(sql: Sql, now: Date, limit: number): Promise<string[]> {
  const rows = await sql.query<{ document_id: string }>(
    `SELECT document_id FROM signing_signature WHERE time_state = 'waiting' AND time_due_at <= $1 AND time_until > $1 GROUP BY document_id ORDER BY min(time_due_at), document_id LIMIT ${Number(limit)}`,
    [now],
  )
  return rows.map(({ document_id: id }) => id)
}

/** Those of one document that wait, the first one first. */
export async function listLateOf(sql: Sql, documentId: string): Promise<LateSignature[]> {
  return (await sql.query<Row>(`${SELECT} AND s.document_id = $1 ORDER BY s.signed_at, s.id`, [documentId])).map(toLate)
}

/** Those whose certificate is over: a time that comes now proves nothing about them. */
export async function listOutlivedTimes(sql: Sql, now: Date, limit: number): Promise<LateSignature[]> {
  return (await sql.query<Row>(`${SELECT} AND s.time_until <= $1 ORDER BY s.envelope_id, s.id LIMIT ${Number(limit)}`, [now])).map(toLate)
}

/** False when they do not all wait any more. `sha256` is the file's that has the time, where the time is in the file. */
export async function settleTimes(tx: Sql, ids: readonly string[], { state, sha256 }: { state: 'stamped' | 'missing'; sha256?: Buffer | undefined }): Promise<boolean> {
  const changed = await tx.execute(
    `UPDATE signing_signature SET time_state = $2, time_due_at = NULL, sha256 = coalesce($3::bytea, sha256) WHERE id = ANY($1::uuid[]) AND time_state = 'waiting'`,
    [ids, state, sha256 ?? null],
  )
  return changed === ids.length
}

/** The next try of a document's signatures; not sooner for one that has waited before. */
export async function postponeTimes(sql: Sql, documentId: string, dueAt: Date): Promise<void> {
  await sql.execute(`UPDATE signing_signature SET time_tries = time_tries + 1, time_due_at = $2 WHERE document_id = $1 AND time_state = 'waiting'`, [documentId, dueAt])
}

/** One signature beside a file takes the place of what it was without a time. */
export async function replaceDetached(tx: Sql, signatureId: string, sealed: Buffer): Promise<void> {
  await tx.execute('UPDATE signing_detached SET sealed = $2 WHERE signature_id = $1', [signatureId, sealed])
}

import type { Sql } from '../../platform/db.ts'
import type { SignatureForm } from '../signing/signing.ts'

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
  /** Of the PDF with it; of a file that it stands beside, the file's. */
  readonly sha256: Buffer
  readonly tries: number
}

interface Row {
  id: string
  envelope_id: string
  document_id: string
  form: 'pdf' | 'file'
  account_id: string
  der: Buffer
  sha256: Buffer
  time_tries: number
}

const SELECT = `SELECT s.id, s.envelope_id, s.document_id, d.form, s.account_id, p.der, s.sha256, s.time_tries FROM signing_signature s
  JOIN signing_document d ON d.id = s.document_id JOIN pki_certificate p ON p.serial = s.serial WHERE s.time_state = 'waiting'`

const toLate = (row: Row): LateSignature => ({
  id: row.id, envelopeId: row.envelope_id, documentId: row.document_id, form: row.form, accountId: row.account_id, certificate: row.der, sha256: row.sha256, tries: row.time_tries,
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

/** A signature that has its time now. */
export interface TimedSignature {
  readonly id: string
  /** What the file has for it. */
  readonly level: SignatureForm
  /** SHA-256 of what bore it without a time: the PDF, or the signature beside a file. */
  readonly untimedSha256: Buffer
}

/** False when they do not all wait any more. `sha256` is the file's that has the time, where the time is in the file. */
export async function settleTimes(tx: Sql, timed: readonly TimedSignature[], sha256: Buffer | undefined): Promise<boolean> {
  const changed = await tx.execute(
    `UPDATE signing_signature s SET time_state = 'stamped', time_due_at = NULL, sha256 = coalesce($4::bytea, s.sha256), level = u.level, untimed_sha256 = u.untimed
     FROM unnest($1::uuid[], $2::text[], $3::bytea[]) AS u (id, level, untimed) WHERE s.id = u.id AND s.time_state = 'waiting'`,
    [timed.map(({ id }) => id), timed.map(({ level }) => level), timed.map(({ untimedSha256 }) => untimedSha256), sha256 ?? null],
  )
  return changed === timed.length
}

/** False when they do not all wait any more. */
export async function giveUpTimes(tx: Sql, ids: readonly string[], at: Date): Promise<boolean> {
  return (await tx.execute(`UPDATE signing_signature SET time_state = 'missing', time_due_at = NULL, time_over_at = $2 WHERE id = ANY($1::uuid[]) AND time_state = 'waiting'`, [ids, at])) === ids.length
}

/** Whose signatures in an envelope were given up since then. */
export async function listGivenUpSince(tx: Sql, envelopeId: string, since: Date): Promise<string[]> {
  const rows = await tx.query<{ account_id: string }>('SELECT DISTINCT account_id FROM signing_signature WHERE envelope_id = $1 AND time_over_at >= $2', [envelopeId, since])
  return rows.map(({ account_id: id }) => id)
}

/** The document of which this was a file, or a signature beside it, before its time-stamp; with its file of now. */
export async function findUntimed(sql: Sql, sha256: Buffer): Promise<{ form: 'pdf' | 'file'; currentSha256: Buffer } | undefined> {
  const [row] = await sql.query<{ form: 'pdf' | 'file'; current_sha256: Buffer }>(
    'SELECT d.form, d.current_sha256 FROM signing_signature s JOIN signing_document d ON d.id = s.document_id WHERE s.untimed_sha256 = $1 LIMIT 1',
    [sha256],
  )
  return row && { form: row.form, currentSha256: row.current_sha256 }
}

/** The next try of a document's signatures; not sooner for one that has waited before. */
export async function postponeTimes(sql: Sql, documentId: string, dueAt: Date): Promise<void> {
  await sql.execute(`UPDATE signing_signature SET time_tries = time_tries + 1, time_due_at = $2 WHERE document_id = $1 AND time_state = 'waiting'`, [documentId, dueAt])
}

/** One signature beside a file takes the place of what it was without a time. */
export async function replaceDetached(tx: Sql, signatureId: string, sealed: Buffer): Promise<void> {
  await tx.execute('UPDATE signing_detached SET sealed = $2 WHERE signature_id = $1', [signatureId, sealed])
}

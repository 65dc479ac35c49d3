import type { Sql } from '../../platform/db.ts'
import type { TimeState } from './late-time.store.ts'

export type AttemptState = 'open' | 'begun' | 'signed' | 'failed' | 'lost'

export interface Attempt {
  readonly id: string
  readonly envelopeId: string
  readonly signerId: string
  readonly accountId: string
  readonly activationId: string
  readonly state: AttemptState
}

/** How an attempt ended that was begun and came to no signature. */
export interface AttemptEnd {
  readonly state: AttemptState
  readonly at: Date
}

interface AttemptRow {
  id: string
  envelope_id: string
  signer_id: string
  account_id: string
  activation_id: string
  state: AttemptState
}

const toAttempt = (row: AttemptRow): Attempt => ({
  id: row.id, envelopeId: row.envelope_id, signerId: row.signer_id, accountId: row.account_id, activationId: row.activation_id, state: row.state,
})

export async function insertAttempt(tx: Sql, { id, envelopeId, signerId, accountId, activationId }: Attempt, plan: Buffer, at: Date): Promise<void> {
  await tx.execute(
    `INSERT INTO signing_attempt (id, envelope_id, signer_id, account_id, activation_id, plan, state, opened_at) VALUES ($1, $2, $3, $4, $5, $6, 'open', $7)`,
    [id, envelopeId, signerId, accountId, activationId, plan, at],
  )
}

export async function findAttempt(sql: Sql, id: string): Promise<(Attempt & { readonly plan: Buffer }) | undefined> {
  const [row] = await sql.query<AttemptRow & { plan: Buffer }>('SELECT id, envelope_id, signer_id, account_id, activation_id, plan, state FROM signing_attempt WHERE id = $1', [id])
  return row && { ...toAttempt(row), plan: row.plan }
}

/** Of one signer, those that were begun, newest first. */
export async function listAttempts(sql: Sql, signerId: string): Promise<AttemptEnd[]> {
  return sql.query<AttemptEnd>(
    `SELECT state, coalesce(ended_at, begun_at) AS at FROM signing_attempt WHERE signer_id = $1 AND state <> 'open' ORDER BY opened_at DESC LIMIT 3`,
    [signerId],
  )
}

/** False when it was begun before: an attempt uses the key once. */
export async function beginAttempt(tx: Sql, id: string, at: Date): Promise<boolean> {
  return (await tx.execute(`UPDATE signing_attempt SET state = 'begun', begun_at = $2 WHERE id = $1 AND state = 'open'`, [id, at])) === 1
}

export async function endAttempt(tx: Sql, id: string, state: 'signed' | 'failed', at: Date): Promise<boolean> {
  return (await tx.execute(`UPDATE signing_attempt SET state = $2, ended_at = $3 WHERE id = $1 AND state = 'begun'`, [id, state, at])) === 1
}

/** Back to where it was before it was begun. */
export async function reopenAttempt(tx: Sql, id: string): Promise<boolean> {
  return (await tx.execute(`UPDATE signing_attempt SET state = 'open', begun_at = NULL WHERE id = $1 AND state = 'begun'`, [id])) === 1
}

/** What was begun and never ended: its process is gone. */
export async function endLostAttempts(tx: Sql, before: Date, at: Date): Promise<Attempt[]> {
  const rows = await tx.query<AttemptRow>(
    `UPDATE signing_attempt SET state = 'lost', ended_at = $2 WHERE state = 'begun' AND begun_at <= $1
     RETURNING id, envelope_id, signer_id, account_id, activation_id, state`,
    [before, at],
  )
  return rows.map(toAttempt)
}

export async function forgetOpenAttempts(tx: Sql, before: Date): Promise<void> {
  await tx.execute(`DELETE FROM signing_attempt WHERE state = 'open' AND opened_at <= $1`, [before])
}

/** Keeps other signers of the envelope waiting until then; false while another one has it. */
export async function takeLease(sql: Sql, envelopeId: string, { signerId, now, until }: { signerId: string; now: Date; until: Date }): Promise<boolean> {
  const taken = await sql.execute(
    'UPDATE signing_envelope SET lease_by = $2, lease_until = $3 WHERE id = $1 AND (lease_by IS NULL OR lease_by = $2 OR lease_until <= $4)',
    [envelopeId, signerId, until, now],
  )
  return taken === 1
}

export async function dropLease(sql: Sql, envelopeId: string, signerId: string): Promise<void> {
  await sql.execute('UPDATE signing_envelope SET lease_by = NULL, lease_until = NULL WHERE id = $1 AND lease_by = $2', [envelopeId, signerId])
}

export interface NewSignature {
  readonly id: string
  readonly documentId: string
  /** Of the document with this signature; of a file signed beside, the file's. */
  readonly sha256: Buffer
  readonly codeHash: Buffer
  readonly code: Buffer
  readonly signerName: Buffer
  readonly represented: Buffer | undefined
}

export interface SignatureFrame {
  readonly attempt: Attempt
  readonly serial: string
  readonly level: string
  readonly mandateId: string | undefined
  readonly at: Date
  /** Absent for signatures that have their time. */
  readonly waitsUntil: Date | undefined
}

/** All documents of one attempt in one statement. */
export async function insertSignatures(tx: Sql, { attempt, serial, level, mandateId, at, waitsUntil }: SignatureFrame, made: readonly NewSignature[]): Promise<void> {
  await tx.execute(
    `INSERT INTO signing_signature (id, envelope_id, document_id, signer_id, attempt_id, account_id, serial, level, mandate_id, represented, signer_name, sha256, code_hash, code, signed_at,
       time_state, time_due_at, time_until)
     SELECT u.id, $1, u.document_id, $2, $3, $4, $5, $6, $7::uuid, u.represented, u.signer_name, u.sha256, u.code_hash, u.code, $8,
       CASE WHEN $16::timestamptz IS NULL THEN 'stamped' ELSE 'waiting' END, CASE WHEN $16::timestamptz IS NULL THEN NULL ELSE $8::timestamptz END, $16::timestamptz
     FROM unnest($9::uuid[], $10::uuid[], $11::bytea[], $12::bytea[], $13::bytea[], $14::bytea[], $15::bytea[])
       AS u (id, document_id, represented, signer_name, sha256, code_hash, code)`,
    [
      attempt.envelopeId, attempt.signerId, attempt.id, attempt.accountId, serial, level, mandateId ?? null, at,
      made.map(({ id }) => id), made.map(({ documentId }) => documentId), made.map(({ represented }) => represented ?? null),
      made.map(({ signerName }) => signerName), made.map(({ sha256 }) => sha256), made.map(({ codeHash }) => codeHash), made.map(({ code }) => code),
      waitsUntil ?? null,
    ],
  )
}

export async function insertDetached(tx: Sql, made: { signatureId: string; documentId: string; sealed: Buffer }): Promise<void> {
  await tx.execute('INSERT INTO signing_detached (signature_id, document_id, sealed) VALUES ($1, $2, $3)', [made.signatureId, made.documentId, made.sealed])
}

export async function findDetached(sql: Sql, signatureId: string): Promise<Buffer | undefined> {
  const [row] = await sql.query<{ sealed: Buffer }>('SELECT sealed FROM signing_detached WHERE signature_id = $1', [signatureId])
  return row?.sealed
}

export interface StoredSignature {
  readonly id: string
  readonly envelopeId: string
  readonly documentId: string
  readonly signerId: string
  readonly serial: string
  readonly level: string
  readonly mandateId: string | undefined
  readonly represented: Buffer | undefined
  readonly signerName: Buffer
  readonly sha256: Buffer
  readonly code: Buffer
  readonly signedAt: Date
  readonly timeState: TimeState
  /** What it was before its time-stamp, where that came later. */
  readonly untimedSha256: Buffer | undefined
}

interface SignatureRow {
  id: string
  envelope_id: string
  document_id: string
  signer_id: string
  serial: string
  level: string
  mandate_id: string | null
  represented: Buffer | null
  signer_name: Buffer
  sha256: Buffer
  code: Buffer
  signed_at: Date
  time_state: TimeState
  untimed_sha256: Buffer | null
}

const SIGNATURE = 'SELECT id, envelope_id, document_id, signer_id, serial, level, mandate_id, represented, signer_name, sha256, code, signed_at, time_state, untimed_sha256 FROM signing_signature'

const toSignature = (row: SignatureRow): StoredSignature => ({
  id: row.id, envelopeId: row.envelope_id, documentId: row.document_id, signerId: row.signer_id, serial: row.serial, level: row.level,
  mandateId: row.mandate_id ?? undefined, represented: row.represented ?? undefined, signerName: row.signer_name, sha256: row.sha256, code: row.code, signedAt: row.signed_at, timeState: row.time_state,
  untimedSha256: row.untimed_sha256 ?? undefined,
})

export async function listSignatures(sql: Sql, envelopeId: string): Promise<StoredSignature[]> {
  return (await sql.query<SignatureRow>(`${SIGNATURE} WHERE envelope_id = $1 ORDER BY signed_at, id`, [envelopeId])).map(toSignature)
}

export async function findSignatureByCode(sql: Sql, codeHash: Buffer): Promise<StoredSignature | undefined> {
  const [row] = await sql.query<SignatureRow>(`${SIGNATURE} WHERE code_hash = $1`, [codeHash])
  return row && toSignature(row)
}

/** Where a page of signatures ended: those of one confirmation bear the same moment. */
export interface SignaturePlace {
  readonly signedAt: Date
  readonly id: string
}

/** Everything that one account has signed, newest first. */
export async function listSignaturesOf(sql: Sql, accountId: string, { before, limit }: { before: SignaturePlace | undefined; limit: number }): Promise<StoredSignature[]> {
  const rows = await sql.query<SignatureRow>(
    `${SIGNATURE} WHERE account_id = $1 AND ($2::timestamptz IS NULL OR (signed_at, id) < ($2, $3::uuid)) ORDER BY signed_at DESC, id DESC LIMIT ${Number(limit)}`,
    [accountId, before?.signedAt ?? null, before?.id ?? null],
  )
  return rows.map(toSignature)
}

/** Attempts of one account since then, begun or not. */
export async function countAttempts(sql: Sql, accountId: string, since: Date): Promise<number> {
  const [row] = await sql.query<{ count: number }>('SELECT count(*)::int AS count FROM signing_attempt WHERE account_id = $1 AND opened_at > $2', [accountId, since])
  return row?.count ?? 0
}

import type { Sql } from '../../platform/db.ts'
import type { DocumentForm, PadesLevel, SigningOrder } from './envelope.ts'
import type { EnvelopeState } from './transition.ts'

/** Rows as they lie, names sealed. */
export interface StoredEnvelope {
  readonly id: string
  readonly owner_id: string | null
  readonly client_id: string | null
  readonly return_to: string | null
  readonly client_state: string | null
  readonly state: EnvelopeState
  readonly signing_order: SigningOrder
  readonly level: PadesLevel
  readonly created_at: Date
  readonly sent_at: Date | null
  readonly expires_at: Date
  readonly ended_at: Date | null
  readonly contents_until: Date
  readonly contents_gone_at: Date | null
}

export interface StoredDocument {
  readonly id: string
  readonly envelope_id: string
  readonly position: number
  readonly name: Buffer
  readonly form: DocumentForm
  readonly pages: number | null
  readonly size: number
  readonly sha256: Buffer
  readonly current_sha256: Buffer
  readonly version: number
}

export interface StoredSigner {
  readonly id: string
  readonly envelope_id: string
  readonly position: number
  readonly cpf: Buffer
  readonly name: Buffer
  readonly state: 'pending' | 'signed' | 'refused'
  readonly told_at: Date | null
  readonly reminded_at: Date | null
  readonly reminders: number
  readonly decided_at: Date | null
  readonly reason: Buffer | null
}

export const ENVELOPE = `SELECT id, owner_id, client_id, return_to, client_state, state, signing_order, level, created_at, sent_at, expires_at, ended_at,
  contents_until, contents_gone_at FROM signing_envelope`
const DOCUMENT = 'SELECT id, envelope_id, position, name, form, pages, size, sha256, current_sha256, version FROM signing_document'
const SIGNER = 'SELECT id, envelope_id, position, cpf, name, state, told_at, reminded_at, reminders, decided_at, reason FROM signing_signer'

export interface StoredWhole {
  readonly envelope: StoredEnvelope
  readonly documents: readonly StoredDocument[]
  readonly signers: readonly StoredSigner[]
}

/** Their documents and signers too. */
export async function whole(sql: Sql, envelopes: readonly StoredEnvelope[]): Promise<StoredWhole[]> {
  const ids = envelopes.map(({ id }) => id)
  if (ids.length === 0) return []
  const documents = await sql.query<StoredDocument>(`${DOCUMENT} WHERE envelope_id = ANY($1::uuid[]) ORDER BY position`, [ids])
  const signers = await sql.query<StoredSigner>(`${SIGNER} WHERE envelope_id = ANY($1::uuid[]) ORDER BY position`, [ids])
  return envelopes.map((envelope) => ({
    envelope,
    documents: documents.filter((one) => one.envelope_id === envelope.id),
    signers: signers.filter((one) => one.envelope_id === envelope.id),
  }))
}

/** `lock` keeps everybody else from changing it until the end of the transaction. */
export async function findEnvelope(sql: Sql, id: string, { lock = false } = {}): Promise<StoredWhole | undefined> {
  const rows = await sql.query<StoredEnvelope>(`${ENVELOPE} WHERE id = $1${lock ? ' FOR UPDATE' : ''}`, [id])
  return (await whole(sql, rows))[0]
}

export interface NewEnvelope {
  readonly id: string
  readonly ownerId: string | undefined
  readonly clientId: string | undefined
  readonly returnTo: string | undefined
  readonly clientState: string | undefined
  readonly order: SigningOrder
  readonly level: PadesLevel
  readonly at: Date
  readonly expiresAt: Date
  readonly contentsUntil: Date
}

export async function insertEnvelope(tx: Sql, made: NewEnvelope): Promise<void> {
  await tx.execute(
    `INSERT INTO signing_envelope (id, owner_id, client_id, return_to, client_state, state, signing_order, level, created_at, expires_at, contents_until)
     VALUES ($1, $2, $3, $4, $5, 'draft', $6, $7, $8, $9, $10)`,
    [
      made.id, made.ownerId ?? null, made.clientId ?? null, made.returnTo ?? null, made.clientState ?? null, made.order, made.level, made.at,
      made.expiresAt, made.contentsUntil,
    ],
  )
}

export async function setState(tx: Sql, id: string, { state, at, contentsUntil, expiresAt }: { state: EnvelopeState; at: Date; contentsUntil: Date; expiresAt?: Date }): Promise<void> {
  await tx.execute(
    `UPDATE signing_envelope SET state = $2, contents_until = $4, expires_at = coalesce($5::timestamptz, expires_at),
       sent_at = CASE WHEN $2 = 'waiting' THEN $3::timestamptz ELSE sent_at END, ended_at = CASE WHEN $2 = 'waiting' THEN NULL ELSE $3::timestamptz END WHERE id = $1`,
    [id, state, at, contentsUntil, expiresAt ?? null],
  )
}

export async function setTerms(tx: Sql, id: string, { order, expiresAt }: { order: SigningOrder; expiresAt: Date }): Promise<void> {
  await tx.execute('UPDATE signing_envelope SET signing_order = $2, expires_at = $3 WHERE id = $1', [id, order, expiresAt])
}

export async function setLevel(tx: Sql, id: string, level: PadesLevel): Promise<void> {
  await tx.execute('UPDATE signing_envelope SET level = $2 WHERE id = $1', [id, level])
}

/** What counts an owner's envelopes and invitations goes one at a time, until the transaction ends. */
export async function lockOwner(tx: Sql, owner: string): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock(4960, hashtext($1))', [owner])
}

/** Open envelopes of one owner, and the bytes that are kept for them. */
export async function usageOf(sql: Sql, owner: { ownerId?: string | undefined; clientId?: string | undefined }): Promise<{ open: number; bytes: number }> {
  const [row] = await sql.query<{ open: number; bytes: number }>(
    `SELECT count(DISTINCT e.id) FILTER (WHERE e.state IN ('draft', 'waiting'))::int AS open, coalesce(sum(d.size), 0)::bigint AS bytes
     FROM signing_envelope e LEFT JOIN signing_document d ON d.envelope_id = e.id
     WHERE e.contents_gone_at IS NULL AND (e.owner_id = $1 OR (e.owner_id IS NULL AND e.client_id = $2))`,
    [owner.ownerId ?? null, owner.clientId ?? null],
  )
  return row ?? { open: 0, bytes: 0 }
}

/** People that an owner has asked since then. */
export async function countInvitations(sql: Sql, ownerId: string, since: Date): Promise<number> {
  const [row] = await sql.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM signing_signer s JOIN signing_envelope e ON e.id = s.envelope_id WHERE e.owner_id = $1 AND e.sent_at > $2',
    [ownerId, since],
  )
  return row?.count ?? 0
}

export interface NewDocument {
  readonly id: string
  readonly envelopeId: string
  readonly position: number
  readonly name: Buffer
  readonly form: DocumentForm
  readonly pages: number | undefined
  readonly size: number
  readonly sha256: Buffer
  readonly dataKey: Buffer
  readonly sealed: Buffer
}

export async function insertDocument(tx: Sql, made: NewDocument): Promise<void> {
  await tx.execute(
    `INSERT INTO signing_document (id, envelope_id, position, name, form, pages, size, sha256, current_sha256) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)`,
    [made.id, made.envelopeId, made.position, made.name, made.form, made.pages ?? null, made.size, made.sha256],
  )
  await tx.execute('INSERT INTO signing_content (document_id, data_key, sealed) VALUES ($1, $2, $3)', [made.id, made.dataKey, made.sealed])
}

export async function deleteDocument(tx: Sql, envelopeId: string, id: string): Promise<boolean> {
  return (await tx.execute('DELETE FROM signing_document WHERE envelope_id = $1 AND id = $2', [envelopeId, id])) === 1
}

export async function insertSigner(tx: Sql, made: { id: string; envelopeId: string; position: number; cpfHash: Buffer; cpf: Buffer; name: Buffer }): Promise<boolean> {
  const added = await tx.execute(
    `INSERT INTO signing_signer (id, envelope_id, position, cpf_hash, cpf, name, state) VALUES ($1, $2, $3, $4, $5, $6, 'pending') ON CONFLICT (envelope_id, cpf_hash) DO NOTHING`,
    [made.id, made.envelopeId, made.position, made.cpfHash, made.cpf, made.name],
  )
  return added === 1
}

export async function deleteSigner(tx: Sql, envelopeId: string, id: string): Promise<boolean> {
  return (await tx.execute('DELETE FROM signing_signer WHERE envelope_id = $1 AND id = $2', [envelopeId, id])) === 1
}

export async function decideSigner(tx: Sql, id: string, { state, at, reason, name }: { state: 'signed' | 'refused'; at: Date; reason?: Buffer | undefined; name?: Buffer | undefined }): Promise<boolean> {
  const changed = await tx.execute(
    `UPDATE signing_signer SET state = $2, decided_at = $3, reason = $4, name = coalesce($5::bytea, name), choice = NULL WHERE id = $1 AND state = 'pending'`,
    [id, state, at, reason ?? null, name ?? null],
  )
  return changed === 1
}

/** False when somebody else has told them already. */
export async function noteTold(tx: Sql, id: string, at: Date): Promise<boolean> {
  return (await tx.execute('UPDATE signing_signer SET told_at = $2 WHERE id = $1 AND told_at IS NULL', [id, at])) === 1
}

/** False when they have heard of the end already: it is told once, and nothing else is told after it. */
export async function noteToldOfEnd(tx: Sql, id: string): Promise<boolean> {
  return (await tx.execute('UPDATE signing_signer SET told_at = NULL WHERE id = $1 AND told_at IS NOT NULL', [id])) === 1
}

export async function noteReminded(tx: Sql, id: string, at: Date, reminders: number): Promise<boolean> {
  const changed = await tx.execute('UPDATE signing_signer SET reminded_at = $2, reminders = reminders + 1 WHERE id = $1 AND reminders = $3', [id, at, reminders])
  return changed === 1
}

/** What the signer has chosen for the next attempt: place of the stamp, for whom. */
export async function setChoice(sql: Sql, signerId: string, choice: Buffer): Promise<void> {
  await sql.execute(`UPDATE signing_signer SET choice = $2 WHERE id = $1 AND state = 'pending'`, [signerId, choice])
}

export async function findChoice(sql: Sql, signerId: string): Promise<Buffer | undefined> {
  const [row] = await sql.query<{ choice: Buffer | null }>('SELECT choice FROM signing_signer WHERE id = $1', [signerId])
  return row?.choice ?? undefined
}

import type { Sql } from '../../platform/db.ts'
import { ENVELOPE, type StoredEnvelope, type StoredWhole, whole } from './envelope.store.ts'

/** Whose envelopes: what they made, and what was sent to them to be signed; what others only began is not theirs to see. */
export interface Reader {
  readonly ownerId: string
  readonly cpfHash: Buffer
}

const THEIRS = `(e.owner_id = $1 OR (e.sent_at IS NOT NULL AND EXISTS (SELECT 1 FROM signing_signer s WHERE s.envelope_id = e.id AND s.cpf_hash = $2)))`
/** As many as one owner may have open, and those of others beside them. */
const MOST_OPEN = 300

/** Those that are not over, newest first. */
export async function listOpen(sql: Sql, { ownerId, cpfHash }: Reader): Promise<StoredWhole[]> {
  const rows = await sql.query<StoredEnvelope>(`${ENVELOPE} e WHERE ${THEIRS} AND e.state IN ('draft', 'waiting') ORDER BY e.created_at DESC, e.id LIMIT ${MOST_OPEN}`, [ownerId, cpfHash])
  return whole(sql, rows)
}

/** Where a page of envelopes ended. */
export interface EnvelopePlace {
  readonly endedAt: Date
  readonly id: string
}

/** Those that are over, the last ones first. */
export async function listOver(sql: Sql, { ownerId, cpfHash }: Reader, { before, limit }: { before: EnvelopePlace | undefined; limit: number }): Promise<StoredWhole[]> {
  const rows = await sql.query<StoredEnvelope>(
    `${ENVELOPE} e WHERE ${THEIRS} AND e.state NOT IN ('draft', 'waiting') AND ($3::timestamptz IS NULL OR (e.ended_at, e.id) < ($3, $4::uuid))
     ORDER BY e.ended_at DESC, e.id DESC LIMIT ${Number(limit)}`,
    [ownerId, cpfHash, before?.endedAt ?? null, before?.id ?? null],
  )
  return whole(sql, rows)
}

export async function listByIds(sql: Sql, { ownerId, cpfHash }: Reader, ids: readonly string[]): Promise<StoredWhole[]> {
  const rows = await sql.query<StoredEnvelope>(`${ENVELOPE} e WHERE ${THEIRS} AND e.id = ANY($3::uuid[]) ORDER BY e.created_at DESC, e.id`, [ownerId, cpfHash, ids])
  return whole(sql, rows)
}

/** Names of documents, sealed, those of the newest envelopes first. */
export async function listNames(sql: Sql, { ownerId, cpfHash }: Reader, limit: number): Promise<{ id: string; envelopeId: string; name: Buffer }[]> {
  const rows = await sql.query<{ id: string; envelope_id: string; name: Buffer }>(
    `SELECT d.id, d.envelope_id, d.name FROM signing_document d JOIN signing_envelope e ON e.id = d.envelope_id WHERE ${THEIRS} ORDER BY e.created_at DESC, e.id, d.position LIMIT ${Number(limit)}`,
    [ownerId, cpfHash],
  )
  return rows.map(({ id, envelope_id: envelopeId, name }) => ({ id, envelopeId, name }))
}

/** Envelopes with a document of this SHA-256: as it came, as it is, with any signature in between, or before its time-stamp. */
export async function listWithHash(sql: Sql, { ownerId, cpfHash }: Reader, sha256: Buffer): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `SELECT DISTINCT e.id FROM signing_envelope e JOIN signing_document d ON d.envelope_id = e.id
     WHERE ${THEIRS} AND (d.sha256 = $3 OR d.current_sha256 = $3 OR EXISTS (SELECT 1 FROM signing_signature g WHERE g.document_id = d.id AND (g.sha256 = $3 OR g.untimed_sha256 = $3))) LIMIT 50`,
    [ownerId, cpfHash, sha256],
  )
  return rows.map(({ id }) => id)
}

import type { Sql } from '../../platform/db.ts'

export interface StoredContent {
  readonly dataKey: Buffer
  readonly sealed: Buffer
}

export async function findContent(sql: Sql, documentId: string): Promise<StoredContent | undefined> {
  const [row] = await sql.query<{ data_key: Buffer; sealed: Buffer }>('SELECT data_key, sealed FROM signing_content WHERE document_id = $1', [documentId])
  return row && { dataKey: row.data_key, sealed: row.sealed }
}

/** Puts the signed file in the place of the one that was signed; false when that is not the newest any more. */
export async function replaceContent(tx: Sql, { documentId, version, sha256, sealed }: { documentId: string; version: number; sha256: Buffer; sealed: Buffer }): Promise<boolean> {
  const changed = await tx.execute('UPDATE signing_document SET current_sha256 = $2, version = version + 1 WHERE id = $1 AND version = $3', [documentId, sha256, version])
  if (changed !== 1) return false
  return (await tx.execute('UPDATE signing_content SET sealed = $2 WHERE document_id = $1', [documentId, sealed])) === 1
}

/** Ids of envelopes whose documents have been kept long enough. */
export async function listOutlived(sql: Sql, now: Date, limit: number): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `SELECT id FROM signing_envelope WHERE contents_gone_at IS NULL AND contents_until <= $1 AND state <> 'waiting' ORDER BY contents_until LIMIT ${limit}`,
    [now],
  )
  return rows.map(({ id }) => id)
}

/** The keys of the documents go with the documents: no copy of the sealed bytes can be read any more. */
export async function eraseContents(tx: Sql, envelopeId: string, at: Date): Promise<number> {
  const inside = 'document_id IN (SELECT id FROM signing_document WHERE envelope_id = $1)'
  await tx.execute(`DELETE FROM signing_detached WHERE ${inside}`, [envelopeId])
  const erased = await tx.execute(`DELETE FROM signing_content WHERE ${inside}`, [envelopeId])
  await tx.execute('UPDATE signing_envelope SET contents_gone_at = $2 WHERE id = $1', [envelopeId, at])
  return erased
}

/** Open envelopes whose term is over. */
export async function listExpired(sql: Sql, now: Date, limit: number): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(`SELECT id FROM signing_envelope WHERE state IN ('draft', 'waiting') AND expires_at <= $1 ORDER BY expires_at LIMIT ${limit}`, [now])
  return rows.map(({ id }) => id)
}

/** Waiting envelopes in which somebody was not told of their turn yet, or was told long ago; `told` counts from the last word they got. */
export async function listToRemind(sql: Sql, before: Date, most: number, limit: number): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `SELECT DISTINCT e.id FROM signing_envelope e JOIN signing_signer s ON s.envelope_id = e.id
     WHERE e.state = 'waiting' AND s.state = 'pending' AND s.reminders < $2 AND s.told_at IS NOT NULL AND coalesce(s.reminded_at, s.told_at) <= $1 LIMIT ${limit}`,
    [before, most],
  )
  return rows.map(({ id }) => id)
}

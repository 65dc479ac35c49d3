import type { Sql } from '../../platform/db.ts'

export interface StoredContent {
  readonly dataKey: Buffer
  readonly sealed: Buffer
}

export async function findContent(sql: Sql, documentId: string): Promise<StoredContent | undefined> {
  const [row] = await sql.query<{ data_key: Buffer; sealed: Buffer }>('SELECT data_key, sealed FROM signing_content WHERE document_id = $1', [documentId])
  return row && { dataKey: row.data_key, sealed: row.sealed }
}

export interface NewVersion {
  readonly documentId: string
  /** The one that was signed. */
  readonly version: number
  readonly sha256: Buffer
  readonly sealed: Buffer
}

/** Puts signed files in the place of those that were signed; false when one of those is not the newest any more. */
export async function replaceContents(tx: Sql, made: readonly NewVersion[]): Promise<boolean> {
  const changed = await tx.execute(
    `UPDATE signing_document d SET current_sha256 = u.sha256, version = d.version + 1 FROM unnest($1::uuid[], $2::int[], $3::bytea[]) AS u (id, version, sha256)
     WHERE d.id = u.id AND d.version = u.version`,
    [made.map(({ documentId }) => documentId), made.map(({ version }) => version), made.map(({ sha256 }) => sha256)],
  )
  if (changed !== made.length) return false
  // One by one: a batch may be two hundred megabytes.
  for (const { documentId, sealed } of made) if ((await tx.execute('UPDATE signing_content SET sealed = $2 WHERE document_id = $1', [documentId, sealed])) !== 1) return false
  return true
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

/** Envelopes of a person's accounts whose documents are still here, or that are still open. */
export async function listOfPerson(sql: Sql, personId: string): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `SELECT e.id FROM signing_envelope e JOIN account a ON a.id = e.owner_id WHERE a.person_id = $1 AND a.status = 'closed' AND (e.contents_gone_at IS NULL OR e.state IN ('draft', 'waiting'))`,
    [personId],
  )
  return rows.map(({ id }) => id)
}

/** Envelopes whose term is over, and drafts that nobody sent. */
export async function listExpired(sql: Sql, now: Date, limit: number): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(`SELECT id FROM signing_envelope WHERE (state = 'waiting' AND expires_at <= $1) OR (state = 'draft' AND contents_until <= $1) ORDER BY expires_at LIMIT ${limit}`, [now])
  return rows.map(({ id }) => id)
}

/** Waiting envelopes in which a reminder is due, the longest first; `afterDays` has the days from the invitation for each reminder. */
export async function listToRemind(sql: Sql, now: Date, afterDays: readonly number[], limit: number): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `SELECT e.id FROM signing_envelope e JOIN signing_signer s ON s.envelope_id = e.id
     WHERE e.state = 'waiting' AND s.state = 'pending' AND s.told_at + make_interval(hours => 24 * ($2::int[])[s.reminders + 1]) <= $1
     GROUP BY e.id ORDER BY min(s.told_at), e.id LIMIT ${limit}`,
    [now, afterDays],
  )
  return rows.map(({ id }) => id)
}

import { randomUUID } from 'node:crypto'
import type { BaseRecord } from '../../../accounts/index.ts'
import type { Sql } from '../../../platform/db.ts'

export async function findPersonByCpf(sql: Sql, cpf: string): Promise<string | undefined> {
  const [row] = await sql.query<{ id: string }>('SELECT id FROM person WHERE cpf = $1', [cpf])
  return row?.id
}

/** A person without an account, as the base register knows them; registering later gives them the account. */
export async function ensurePerson(tx: Sql, record: BaseRecord, now: Date): Promise<string> {
  const [row] = await tx.query<{ id: string }>(
    `INSERT INTO person (id, cpf, name, social_name, birth_date, created_at) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (cpf) DO UPDATE SET cpf = excluded.cpf RETURNING id`,
    [randomUUID(), record.cpf, record.name, record.socialName ?? null, record.birthDate, now],
  )
  if (row === undefined) throw new Error('a person was not added')
  return row.id
}

interface Known {
  readonly personId: string
  readonly kind: string
  readonly slot: string
  readonly sha256: Buffer
  readonly source: string
  readonly sourceId: string | null
}

/** A first look, without a lock, that saves looking at the pixels; the store looks again. */
export async function findKnownImage(sql: Sql, { personId, kind, slot, sha256, source, sourceId }: Known): Promise<string | undefined> {
  const [row] = await sql.query<{ id: string }>(
    `SELECT i.id FROM stored_image i LEFT JOIN image_original o ON o.image_id = i.id
      WHERE i.person_id = $1 AND i.kind = $2 AND i.slot = $3 AND i.erased_at IS NULL AND (o.sha256 = $4 OR (i.source = $5 AND i.source_id = $6)) LIMIT 1`,
    [personId, kind, slot, sha256, source, sourceId],
  )
  return row?.id
}

export interface ImportRow {
  readonly id: string
  readonly finished_at: Date | null
}

/** The import of this manifest: a new one, or the one that was begun before. */
export async function beginImport(tx: Sql, manifest: Buffer, lines: number, by: string, now: Date): Promise<ImportRow & { isNew: boolean }> {
  const id = randomUUID()
  const added = await tx.execute(
    'INSERT INTO image_import (id, manifest, lines, started_by, started_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (manifest) DO NOTHING',
    [id, manifest, lines, by, now],
  )
  const [row] = await tx.query<ImportRow>('SELECT id, finished_at FROM image_import WHERE manifest = $1', [manifest])
  if (row === undefined) throw new Error('an import was not begun')
  return { ...row, isNew: added > 0 }
}

export async function finishImport(tx: Sql, importId: string, now: Date): Promise<void> {
  await tx.execute('UPDATE image_import SET finished_at = $2 WHERE id = $1', [importId, now])
}

/** Refused lines count as not yet looked at again. */
export async function forgetRefused(tx: Sql, importId: string): Promise<void> {
  await tx.execute(`DELETE FROM image_import_line WHERE import_id = $1 AND outcome = 'refused'`, [importId])
}

export type LineOutcome = 'stored' | 'known' | 'refused'

/** Lines of a stretch that have an outcome. */
export async function selectDoneLines(sql: Sql, importId: string, from: number, to: number): Promise<Set<number>> {
  const rows = await sql.query<{ line: number }>('SELECT line FROM image_import_line WHERE import_id = $1 AND line BETWEEN $2 AND $3', [importId, from, to])
  return new Set(rows.map(({ line }) => line))
}

export async function insertLine(tx: Sql, importId: string, line: number, outcome: { outcome: LineOutcome; reason?: string; imageId?: string }): Promise<void> {
  await tx.execute(
    'INSERT INTO image_import_line (import_id, line, outcome, reason, image_id) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (import_id, line) DO NOTHING',
    [importId, line, outcome.outcome, outcome.reason ?? null, outcome.imageId ?? null],
  )
}

export async function countLines(sql: Sql, importId: string): Promise<Record<LineOutcome, number>> {
  const rows = await sql.query<{ outcome: LineOutcome; count: number }>(
    'SELECT outcome, count(*)::int AS count FROM image_import_line WHERE import_id = $1 GROUP BY outcome',
    [importId],
  )
  return { stored: 0, known: 0, refused: 0, ...Object.fromEntries(rows.map(({ outcome, count }) => [outcome, count])) }
}

export function selectRefused(sql: Sql, importId: string, after: number, limit: number): Promise<{ line: number; reason: string }[]> {
  return sql.query(
    `SELECT line, reason FROM image_import_line WHERE import_id = $1 AND outcome = 'refused' AND line > $2 ORDER BY line LIMIT $3`,
    [importId, after, limit],
  )
}

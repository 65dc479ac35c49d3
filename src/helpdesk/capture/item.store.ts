import { randomUUID } from 'node:crypto'
import type { AccountId } from '../../accounts/index.ts'
import type { Sql } from '../../platform/db.ts'
import type { Keyring } from '../../platform/keyring.ts'
import { Sensitive } from '../../platform/sensitive.ts'

/** Kinds of what a case holds; a document without pictures is a kind too: what was read on it. */
export type ItemKind = 'face' | 'document' | 'document-front' | 'document-back' | 'signature' | 'fingerprint'

export interface NewItem {
  readonly kind: ItemKind
  /** Which shot, which finger. */
  readonly slot?: string
  readonly bytes?: Uint8Array | undefined
  readonly contentType: string
  readonly width: number
  readonly height: number
  /** A shot's descriptor, a document's number, why a finger is missing. */
  readonly facts?: unknown
  /** 0–100, of a face. */
  readonly quality?: number | undefined
}

/** One thing that was captured, without its picture. */
export interface Item {
  readonly id: string
  readonly kind: ItemKind
  readonly slot: string
  readonly hasBytes: boolean
  readonly contentType: string
  readonly width: number
  readonly height: number
  readonly facts: Sensitive<unknown>
  readonly quality: number | undefined
  readonly capturedBy: AccountId
  readonly capturedAt: Date
}

interface ItemRow {
  readonly id: string
  readonly kind: ItemKind
  readonly slot: string
  readonly has_bytes: boolean
  readonly content_type: string
  readonly width: number
  readonly height: number
  readonly facts: Buffer | null
  readonly quality: number | null
  readonly captured_by: AccountId
  readonly captured_at: Date
}

const bytesContext = (attendanceId: string, id: string) => `attendance-item:${attendanceId}:${id}`
const factsContext = (attendanceId: string, id: string) => `attendance-facts:${attendanceId}:${id}`

/** Puts an item in the place of the one of its kind and slot. */
export async function putItem(tx: Sql, keyring: Keyring, attendanceId: string, item: NewItem, by: { id: AccountId; at: Date }): Promise<string> {
  const { kind, slot = '', bytes, contentType, width, height, facts, quality } = item
  await removeItems(tx, attendanceId, { kind, slot }, by.at)
  const id = randomUUID()
  await tx.execute(
    `INSERT INTO attendance_item (id, attendance_id, kind, slot, sealed, content_type, width, height, facts, quality, captured_by, captured_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [
      id,
      attendanceId,
      kind,
      slot,
      bytes === undefined ? null : keyring.seal(bytes, bytesContext(attendanceId, id)),
      contentType,
      width,
      height,
      facts === undefined ? null : keyring.seal(JSON.stringify(facts), factsContext(attendanceId, id)),
      quality ?? null,
      by.id,
      by.at,
    ],
  )
  return id
}

/** Takes items of a kind out, of one slot or of all; what they showed is forgotten. */
export async function removeItems(tx: Sql, attendanceId: string, { kind, slot }: { kind: ItemKind; slot?: string }, now: Date): Promise<void> {
  await tx.execute(
    `UPDATE attendance_item SET removed_at = $4, sealed = NULL, facts = NULL
     WHERE attendance_id = $1 AND kind = $2 AND ($3::text IS NULL OR slot = $3) AND removed_at IS NULL`,
    [attendanceId, kind, slot ?? null, now],
  )
}

/** Forgets every picture and every fact of a case; what kinds there were, when and by whom stays. */
export async function forgetItems(tx: Sql, attendanceId: string): Promise<void> {
  await tx.execute('UPDATE attendance_item SET sealed = NULL, facts = NULL WHERE attendance_id = $1', [attendanceId])
}

/** Everything a case holds now. */
export async function listItems(sql: Sql, keyring: Keyring, attendanceId: string): Promise<Item[]> {
  const rows = await sql.query<ItemRow>(
    `SELECT id, kind, slot, sealed IS NOT NULL AS has_bytes, content_type, width, height, facts, quality, captured_by, captured_at
     FROM attendance_item WHERE attendance_id = $1 AND removed_at IS NULL ORDER BY captured_at, id`,
    [attendanceId],
  )
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    slot: row.slot,
    hasBytes: row.has_bytes,
    contentType: row.content_type,
    width: row.width,
    height: row.height,
    facts: new Sensitive<unknown>(row.facts === null ? undefined : JSON.parse(keyring.open(row.facts, factsContext(attendanceId, row.id)).toString())),
    quality: row.quality ?? undefined,
    capturedBy: row.captured_by,
    capturedAt: row.captured_at,
  }))
}

/** The picture of one item of the case. */
export async function openItem(sql: Sql, keyring: Keyring, attendanceId: string, itemId: string): Promise<{ bytes: Buffer; contentType: string } | undefined> {
  const [row] = await sql.query<{ sealed: Buffer; content_type: string }>(
    'SELECT sealed, content_type FROM attendance_item WHERE id = $1 AND attendance_id = $2 AND removed_at IS NULL AND sealed IS NOT NULL',
    [itemId, attendanceId],
  )
  return row && { bytes: keyring.open(row.sealed, bytesContext(attendanceId, itemId)), contentType: row.content_type }
}

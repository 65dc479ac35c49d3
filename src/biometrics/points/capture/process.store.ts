import type { Sql } from '../../../platform/db.ts'
import type { ClockMark } from './clock-rule.ts'
import { type CaptureItem, type CaptureProcess, type ItemKind, type ItemState, type NewItem, PROCESS_MOVES, type ProcessMove, type ProcessState } from './process.ts'

interface ProcessRow {
  id: string
  point_id: string
  client_id: string
  person_id: string
  batch_id: string | null
  request_key: string
  request_hash: Buffer
  purpose: string
  legal_basis: string
  operator: string
  device: string
  clock: ClockMark
  state: ProcessState
  captured_at: Date
  received_at: Date
  expires_at: Date
  finished_at: Date | null
}

function toProcess(row: ProcessRow): CaptureProcess {
  return {
    id: row.id, pointId: row.point_id, clientId: row.client_id, personId: row.person_id, batchId: row.batch_id ?? undefined,
    requestKey: row.request_key, requestHash: row.request_hash, purpose: row.purpose, legalBasis: row.legal_basis, operator: row.operator,
    device: row.device, clock: row.clock, state: row.state, capturedAt: row.captured_at, receivedAt: row.received_at,
    expiresAt: row.expires_at, finishedAt: row.finished_at ?? undefined,
  }
}

/** False when the point has a process of this key already. */
export async function insertProcess(tx: Sql, process: CaptureProcess): Promise<boolean> {
  const added = await tx.execute(
    `INSERT INTO capture_process (id, point_id, client_id, person_id, batch_id, request_key, request_hash, purpose, legal_basis, operator, device,
       clock, state, captured_at, received_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT (point_id, request_key) DO NOTHING`,
    [
      process.id, process.pointId, process.clientId, process.personId, process.batchId ?? null, process.requestKey, process.requestHash,
      process.purpose, process.legalBasis, process.operator, process.device, process.clock, process.state, process.capturedAt,
      process.receivedAt, process.expiresAt,
    ],
  )
  return added === 1
}

const PROCESSES = `SELECT id, point_id, client_id, person_id, batch_id, request_key, request_hash, purpose, legal_basis, operator, device, clock,
  state, captured_at, received_at, expires_at, finished_at FROM capture_process`

export async function findProcessByKey(sql: Sql, pointId: string, key: string): Promise<CaptureProcess | undefined> {
  const [row] = await sql.query<ProcessRow>(`${PROCESSES} WHERE point_id = $1 AND request_key = $2`, [pointId, key])
  return row && toProcess(row)
}

/** A process of this client, and of no other. */
export async function findProcess(sql: Sql, clientId: string, id: string): Promise<CaptureProcess | undefined> {
  const [row] = await sql.query<ProcessRow>(`${PROCESSES} WHERE id = $1 AND client_id = $2`, [id, clientId])
  return row && toProcess(row)
}

export async function lockProcess(tx: Sql, id: string): Promise<CaptureProcess | undefined> {
  const [row] = await tx.query<ProcessRow>(`${PROCESSES} WHERE id = $1 FOR UPDATE`, [id])
  return row && toProcess(row)
}

export async function selectBatchProcesses(sql: Sql, batchId: string): Promise<CaptureProcess[]> {
  return (await sql.query<ProcessRow>(`${PROCESSES} WHERE batch_id = $1 ORDER BY request_key`, [batchId])).map(toProcess)
}

export async function countOpen(sql: Sql, pointId: string): Promise<number> {
  const [row] = await sql.query<{ open: number }>(`SELECT count(*)::int AS open FROM capture_process WHERE point_id = $1 AND state = 'open'`, [pointId])
  return row?.open ?? 0
}

/** False when the process is not in the state that the move starts from. */
export async function moveProcess(tx: Sql, id: string, move: ProcessMove, now: Date): Promise<boolean> {
  const { from, to } = PROCESS_MOVES[move]
  return (await tx.execute('UPDATE capture_process SET state = $3, finished_at = $4 WHERE id = $1 AND state = $2', [id, from, to, now])) === 1
}

export async function selectOverdue(sql: Sql, now: Date, limit: number): Promise<CaptureProcess[]> {
  return (await sql.query<ProcessRow>(`${PROCESSES} WHERE state = 'open' AND expires_at <= $1 ORDER BY expires_at LIMIT $2`, [now, limit])).map(toProcess)
}

interface ItemRow {
  id: string
  process_id: string
  position: number
  kind: ItemKind
  finger: number | null
  content_type: NewItem['contentType']
  size: number
  sha256: Buffer
  received: number
  state: ItemState
  reasons: string[]
  image_id: string | null
}

const ITEMS = 'SELECT id, process_id, position, kind, finger, content_type, size, sha256, received, state, reasons, image_id FROM capture_item'

function toItem(row: ItemRow): CaptureItem {
  return {
    id: row.id, processId: row.process_id, position: row.position, kind: row.kind, finger: row.finger ?? undefined, contentType: row.content_type,
    size: row.size, sha256: row.sha256, received: row.received, state: row.state, reasons: row.reasons, imageId: row.image_id ?? undefined,
  }
}

export async function insertItem(tx: Sql, { id, processId, position, kind, finger, contentType, size, sha256 }: Omit<CaptureItem, 'received' | 'state' | 'reasons' | 'imageId'>): Promise<void> {
  await tx.execute(
    `INSERT INTO capture_item (id, process_id, position, kind, finger, content_type, size, sha256, received, state, reasons)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 'receiving', '{}')`,
    [id, processId, position, kind, finger ?? null, contentType, size, sha256],
  )
}

export async function selectItems(sql: Sql, processIds: readonly string[]): Promise<CaptureItem[]> {
  return (await sql.query<ItemRow>(`${ITEMS} WHERE process_id = ANY($1::uuid[]) ORDER BY process_id, position`, [[...processIds]])).map(toItem)
}

export async function findItem(sql: Sql, id: string): Promise<CaptureItem | undefined> {
  const [row] = await sql.query<ItemRow>(`${ITEMS} WHERE id = $1`, [id])
  return row && toItem(row)
}

/** Ends an item's way in; false when another request was quicker. */
export async function settleItem(tx: Sql, id: string, end: { state: 'stored' | 'refused'; reasons: readonly string[] }): Promise<boolean> {
  const settled = await tx.execute(`UPDATE capture_item SET state = $2, reasons = $3 WHERE id = $1 AND state = 'receiving'`, [id, end.state, [...end.reasons]])
  if (settled === 1) await deleteParts(tx, id)
  return settled === 1
}

export async function setImage(tx: Sql, itemId: string, imageId: string): Promise<void> {
  await tx.execute('UPDATE capture_item SET image_id = $2 WHERE id = $1', [itemId, imageId])
}

/** Adds bytes where the upload stands; false when it stands elsewhere by now. */
export async function appendPart(tx: Sql, itemId: string, starts: number, length: number, sealed: Buffer): Promise<boolean> {
  const moved = await tx.execute(
    `UPDATE capture_item SET received = received + $3 WHERE id = $1 AND received = $2 AND received + $3 <= size AND state = 'receiving'`,
    [itemId, starts, length],
  )
  if (moved === 1) await tx.execute('INSERT INTO capture_part (item_id, starts, sealed) VALUES ($1, $2, $3)', [itemId, starts, sealed])
  return moved === 1
}

export async function selectParts(sql: Sql, itemId: string): Promise<{ starts: number; sealed: Buffer }[]> {
  return sql.query('SELECT starts, sealed FROM capture_part WHERE item_id = $1 ORDER BY starts', [itemId])
}

/** Back to the beginning: what came was not what was announced. */
export async function restartItem(tx: Sql, itemId: string): Promise<void> {
  await tx.execute(`UPDATE capture_item SET received = 0 WHERE id = $1 AND state = 'receiving'`, [itemId])
  await deleteParts(tx, itemId)
}

async function deleteParts(tx: Sql, itemId: string): Promise<void> {
  await tx.execute('DELETE FROM capture_part WHERE item_id = $1', [itemId])
}

/** Forgets what was on its way of a process that is over. */
export async function deletePartsOf(tx: Sql, processId: string): Promise<void> {
  await tx.execute('DELETE FROM capture_part WHERE item_id IN (SELECT id FROM capture_item WHERE process_id = $1)', [processId])
}

import type { AccountId } from '../../accounts/index.ts'
import type { Sql } from '../../platform/db.ts'

/** A device for citizens at one unit. */
export interface Kiosk {
  readonly id: string
  readonly unitId: string
  readonly name: string
  readonly registeredAt: Date
  /** Until when its code can be typed; over once it is paired. */
  readonly pairUntil: Date
  readonly pairedAt: Date | undefined
}

interface KioskRow {
  readonly id: string
  readonly unit_id: string
  readonly name: string
  readonly registered_at: Date
  readonly pair_until: Date
  readonly paired_at: Date | null
}

const COLUMNS = 'id, unit_id, name, registered_at, pair_until, paired_at'

const toKiosk = (row: KioskRow): Kiosk => ({
  id: row.id,
  unitId: row.unit_id,
  name: row.name,
  registeredAt: row.registered_at,
  pairUntil: row.pair_until,
  pairedAt: row.paired_at ?? undefined,
})

export interface NewKiosk {
  readonly id: string
  readonly unitId: string
  readonly name: string
  readonly by: AccountId
  readonly pairHash: Buffer
  readonly pairUntil: Date
  readonly now: Date
}

export async function insertKiosk(tx: Sql, { id, unitId, name, by, pairHash, pairUntil, now }: NewKiosk): Promise<void> {
  await tx.execute(
    `INSERT INTO helpdesk_kiosk (id, unit_id, name, registered_by, registered_at, pair_hash, pair_until, tries_since) VALUES ($1, $2, $3, $4, $5, $6, $7, $5)`,
    [id, unitId, name, by, now, pairHash, pairUntil],
  )
}

/** Devices of a unit that were not taken out of use, the newest first. */
export async function listKiosks(sql: Sql, unitId: string): Promise<Kiosk[]> {
  const rows = await sql.query<KioskRow>(`SELECT ${COLUMNS} FROM helpdesk_kiosk WHERE unit_id = $1 AND ended_at IS NULL ORDER BY registered_at DESC, id`, [unitId])
  return rows.map(toKiosk)
}

/** Ties a device by its code; of two at once one gets it. */
export async function pairKiosk(tx: Sql, pairHash: Buffer, keyHash: Buffer, now: Date): Promise<Kiosk | undefined> {
  const [row] = await tx.query<KioskRow>(
    `UPDATE helpdesk_kiosk SET key_hash = $2, paired_at = $3 WHERE pair_hash = $1 AND paired_at IS NULL AND ended_at IS NULL AND pair_until > $3 RETURNING ${COLUMNS}`,
    [pairHash, keyHash, now],
  )
  return row && toKiosk(row)
}

/** The device of a secret, of a unit that is open. */
export async function findKiosk(sql: Sql, keyHash: Buffer): Promise<Kiosk | undefined> {
  const [row] = await sql.query<KioskRow>(
    `SELECT ${COLUMNS} FROM helpdesk_kiosk k WHERE key_hash = $1 AND ended_at IS NULL
       AND EXISTS (SELECT 1 FROM helpdesk_unit u WHERE u.id = k.unit_id AND u.closed_at IS NULL)`,
    [keyHash],
  )
  return row && toKiosk(row)
}

/** False when it was taken out of use before, or is another unit's. */
export async function endKiosk(tx: Sql, id: string, unitId: string, by: AccountId, now: Date): Promise<boolean> {
  const changed = await tx.execute('UPDATE helpdesk_kiosk SET ended_at = $3, ended_by = $4 WHERE id = $1 AND unit_id = $2 AND ended_at IS NULL', [id, unitId, now, by])
  return changed === 1
}

/** Counts one try at a device; false beyond `most` in an hour. */
export async function countKioskTry(sql: Sql, id: string, most: number, now: Date): Promise<boolean> {
  const changed = await sql.execute(
    `UPDATE helpdesk_kiosk SET tries = CASE WHEN tries_since > $3 THEN tries + 1 ELSE 1 END, tries_since = CASE WHEN tries_since > $3 THEN tries_since ELSE $2 END
     WHERE id = $1 AND (tries < $4 OR tries_since <= $3)`,
    [id, now, new Date(now.getTime() - 3_600_000), most],
  )
  return changed === 1
}

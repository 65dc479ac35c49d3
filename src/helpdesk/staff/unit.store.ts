import type { Sql } from '../../platform/db.ts'

/** A place of the counter. */
export interface Unit {
  readonly id: string
  /** Short and readable, e.g. `ganha-tempo-cuiaba`; also in protocol numbers and addresses. */
  readonly code: string
  readonly name: string
  readonly municipality: string
  /** The unit whose managers stand above this one's. */
  readonly parentId: string | undefined
  readonly openedAt: Date
  readonly closedAt: Date | undefined
  readonly rules: UnitRules
}

/** What a unit takes and how strictly it compares. */
export interface UnitRules {
  /** Quality that a photograph must have: ISO/IEC 19794-5's, or that of any reference where the counter has a web camera only. */
  readonly faceProfile: 'capture-point' | 'reference'
  /** False match rate of 1:1. */
  readonly matchPoint: 'fmr1e-4' | 'fmr1e-5'
}

interface UnitRow {
  readonly id: string
  readonly code: string
  readonly name: string
  readonly municipality: string
  readonly parent_id: string | null
  readonly opened_at: Date
  readonly closed_at: Date | null
  readonly face_profile: UnitRules['faceProfile']
  readonly match_point: UnitRules['matchPoint']
}

const COLUMNS = 'u.id, u.code, u.name, u.municipality, u.parent_id, u.opened_at, u.closed_at, u.face_profile, u.match_point'

const toUnit = ({ parent_id, opened_at, closed_at, face_profile, match_point, ...row }: UnitRow): Unit => ({
  ...row,
  rules: { faceProfile: face_profile, matchPoint: match_point },
  parentId: parent_id ?? undefined,
  openedAt: opened_at,
  closedAt: closed_at ?? undefined,
})

/** Adds a unit. @throws {SqlError} a unique violation when the code is taken. */
export async function insertUnit(tx: Sql, unit: Omit<Unit, 'closedAt' | 'rules'>): Promise<void> {
  await tx.execute('INSERT INTO helpdesk_unit (id, code, name, municipality, parent_id, opened_at) VALUES ($1, $2, $3, $4, $5, $6)', [
    unit.id,
    unit.code,
    unit.name,
    unit.municipality,
    unit.parentId ?? null,
    unit.openedAt,
  ])
}

/** A unit by its id; closed ones included. */
export async function findUnit(sql: Sql, id: string): Promise<Unit | undefined> {
  const [row] = await sql.query<UnitRow>(`SELECT ${COLUMNS} FROM helpdesk_unit u WHERE u.id = $1`, [id])
  return row && toUnit(row)
}

/** A unit by its code; closed ones included. */
export async function findUnitByCode(sql: Sql, code: string): Promise<Unit | undefined> {
  const [row] = await sql.query<UnitRow>(`SELECT ${COLUMNS} FROM helpdesk_unit u WHERE u.code = $1`, [code])
  return row && toUnit(row)
}

/** Every unit that is open. */
export async function listUnits(sql: Sql): Promise<Unit[]> {
  const rows = await sql.query<UnitRow>(`SELECT ${COLUMNS} FROM helpdesk_unit u WHERE u.closed_at IS NULL ORDER BY u.municipality, u.name`)
  return rows.map(toUnit)
}

/** Units below one, for its managers. */
export async function listUnitsBelow(sql: Sql, parentId: string): Promise<Unit[]> {
  const rows = await sql.query<UnitRow>(
    `SELECT ${COLUMNS} FROM helpdesk_unit u WHERE u.parent_id = $1 AND u.closed_at IS NULL ORDER BY u.name`,
    [parentId],
  )
  return rows.map(toUnit)
}

/** Sets a unit's rules. */
export async function setRules(tx: Sql, id: string, { faceProfile, matchPoint }: UnitRules): Promise<void> {
  await tx.execute('UPDATE helpdesk_unit SET face_profile = $2, match_point = $3 WHERE id = $1', [id, faceProfile, matchPoint])
}

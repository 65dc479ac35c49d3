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
  /** Approvals in a hundred that are drawn for a second look. */
  readonly sampleShare: number
}

/** Who asks for a rule: the operator's command line, the unit above, the unit itself. The strictest of all counts. */
export const RULE_LAYERS = ['operator', 'above', 'own'] as const
export type RuleLayer = (typeof RULE_LAYERS)[number]

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
  readonly sample_share: number
}

const strictest = (column: string, strict: string) =>
  `CASE WHEN EXISTS (SELECT 1 FROM helpdesk_unit_rule l WHERE l.unit_id = u.id AND l.${column} = '${strict}') THEN '${strict}' ELSE u.${column} END AS ${column}`
/** Rules are the strictest of the unit's layers. */
const COLUMNS = `u.id, u.code, u.name, u.municipality, u.parent_id, u.opened_at, u.closed_at, ${strictest('face_profile', 'capture-point')},
  ${strictest('match_point', 'fmr1e-5')}, greatest(u.sample_share, (SELECT max(l.sample_share) FROM helpdesk_unit_rule l WHERE l.unit_id = u.id)) AS sample_share`

const toUnit = ({ parent_id, opened_at, closed_at, face_profile, match_point, sample_share, ...row }: UnitRow): Unit => ({
  ...row,
  rules: { faceProfile: face_profile, matchPoint: match_point, sampleShare: sample_share },
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

/** Rules as the operator sets them; the share stays where none is given. */
export type OperatorRules = Omit<UnitRules, 'sampleShare'> & Partial<Pick<UnitRules, 'sampleShare'>>

/** Sets what the operator asks of a unit. */
export async function setRules(tx: Sql, id: string, { faceProfile, matchPoint, sampleShare }: OperatorRules): Promise<void> {
  const values = [id, faceProfile, matchPoint, sampleShare ?? null]
  await tx.execute('UPDATE helpdesk_unit SET face_profile = $2, match_point = $3, sample_share = coalesce($4, sample_share) WHERE id = $1', values)
}

/** Sets what a manager asks of a unit beyond the operator. */
export async function setLayer(tx: Sql, unitId: string, layer: Exclude<RuleLayer, 'operator'>, rules: UnitRules, { by, at }: { by: string; at: Date }): Promise<void> {
  await tx.execute(
    `INSERT INTO helpdesk_unit_rule (unit_id, layer, face_profile, match_point, sample_share, changed_by, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (unit_id, layer) DO UPDATE SET face_profile = $3, match_point = $4, sample_share = $5, changed_by = $6, changed_at = $7`,
    [unitId, layer, rules.faceProfile, rules.matchPoint, rules.sampleShare, by, at],
  )
}

/** What each layer asks of a unit; a layer that never said anything is absent. */
export async function listLayers(sql: Sql, unitId: string): Promise<Partial<Record<RuleLayer, UnitRules>>> {
  const rows = await sql.query<Pick<UnitRow, 'face_profile' | 'match_point' | 'sample_share'> & { layer: RuleLayer }>(
    `SELECT 'operator' AS layer, face_profile, match_point, sample_share FROM helpdesk_unit WHERE id = $1
     UNION ALL SELECT layer, face_profile, match_point, sample_share FROM helpdesk_unit_rule WHERE unit_id = $1`,
    [unitId],
  )
  const layers: Partial<Record<RuleLayer, UnitRules>> = {}
  for (const { layer, face_profile: faceProfile, match_point: matchPoint, sample_share: sampleShare } of rows) layers[layer] = { faceProfile, matchPoint, sampleShare }
  return layers
}

import { LIVENESS_CLASSES } from '../biometrics/index.ts'
import type { Sql } from '../platform/db.ts'
import { type Evidence, METHODS } from './evidence.ts'
import { LEVELS } from './level.ts'

interface EvidenceRow {
  id: string
  person_id: string
  method: string
  source: string
  grants: string
  obtained_at: Date
  expires_at: Date | null
  withdrawn_at: Date | null
  liveness_class: string | null
  image_id: string | null
  operator_id: string | null
  location: string | null
}

const COLUMNS =
  'e.id, e.person_id, e.method, e.source, e.grants, e.obtained_at, e.expires_at, e.withdrawn_at, e.liveness_class, e.image_id, e.operator_id, e.location'

/** All evidence of one person, oldest first, expired and withdrawn ones included. */
export async function listEvidence(sql: Sql, personId: string): Promise<Evidence[]> {
  const rows = await sql.query<EvidenceRow>(`SELECT ${COLUMNS} FROM evidence e WHERE e.person_id = $1 ORDER BY e.obtained_at, e.id`, [personId])
  return rows.map(toEvidence)
}

/** All evidence of the person behind one account, oldest first. */
export async function listEvidenceOfAccount(sql: Sql, accountId: string): Promise<Evidence[]> {
  const rows = await sql.query<EvidenceRow>(
    `SELECT ${COLUMNS} FROM evidence e JOIN account a ON a.person_id = e.person_id WHERE a.id = $1 ORDER BY e.obtained_at, e.id`,
    [accountId],
  )
  return rows.map(toEvidence)
}

/** Stores one piece of evidence with the scores and versions behind it (never images). */
export async function insertEvidence(sql: Sql, item: Evidence, details: Readonly<Record<string, unknown>>): Promise<void> {
  await sql.execute(
    `INSERT INTO evidence (id, person_id, method, source, grants, obtained_at, expires_at, liveness_class, image_id, operator_id, location, details)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::jsonb)`,
    [
      item.id, item.personId, item.method, item.source, item.grants, item.obtainedAt, item.expiresAt ?? null, item.livenessClass ?? null,
      item.imageId ?? null, item.operatorId ?? null, item.location ?? null, JSON.stringify(details),
    ],
  )
}

/** Withdraws one live piece; false when it was already withdrawn or does not exist. */
export async function withdrawEvidence(sql: Sql, id: string, reason: string, at: Date): Promise<boolean> {
  const changed = await sql.execute(
    'UPDATE evidence SET withdrawn_at = $2, withdrawn_reason = $3 WHERE id = $1 AND withdrawn_at IS NULL',
    [id, at, reason],
  )
  return changed === 1
}

function toEvidence(row: EvidenceRow): Evidence {
  return {
    id: row.id,
    personId: row.person_id,
    method: parseName(METHODS, row.method),
    source: row.source,
    grants: parseName(LEVELS, row.grants),
    obtainedAt: row.obtained_at,
    expiresAt: row.expires_at ?? undefined,
    withdrawnAt: row.withdrawn_at ?? undefined,
    livenessClass: row.liveness_class === null ? undefined : parseName(LIVENESS_CLASSES, row.liveness_class),
    imageId: row.image_id ?? undefined,
    operatorId: row.operator_id ?? undefined,
    location: row.location ?? undefined,
  }
}

function parseName<Name extends string>(names: readonly Name[], value: string): Name {
  const found = names.find((name) => name === value)
  if (found === undefined) throw new Error(`unknown name in the evidence table: ${value}`)
  return found
}

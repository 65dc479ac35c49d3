import { randomUUID } from 'node:crypto'
import { type AccountId, type BaseRecord, type Cpf, parsePersonId, type PersonId } from '../../accounts/index.ts'
import type { Sql } from '../../platform/db.ts'
import type { Keyring } from '../../platform/keyring.ts'
import { Sensitive } from '../../platform/sensitive.ts'
import type { StaffRole } from '../staff/role.ts'
import { type Attendance, type AttendanceState, type Checks, checksSchema, type Facts, factsSchema, type Reason } from './attendance.ts'
import { DRAFTS, LIVE } from './states.store.ts'

interface AttendanceRow {
  readonly id: string
  readonly protocol: string
  readonly unit_id: string
  readonly person_id: PersonId
  readonly reason: Reason
  readonly state: AttendanceState
  readonly holder_id: AccountId
  readonly holder_role: StaffRole
  readonly sealed: Buffer
  readonly checks: unknown
  readonly halted_at: Date | null
  readonly opened_at: Date
  readonly changed_at: Date
  readonly expires_at: Date
  readonly decided_by: AccountId | null
  readonly decided_at: Date | null
  readonly decision: string | null
}

/** What a correction may change. */
export const RECORD_FIELDS = ['name', 'socialName', 'birthDate'] as const

const COLUMNS = `c.id, c.protocol, c.unit_id, c.person_id, c.reason, c.state, c.holder_id, c.holder_role, c.sealed, c.checks, c.halted_at,
  c.opened_at, c.changed_at, c.expires_at, c.decided_by, c.decided_at, c.decision`

/** A case whose term of retention is over is a number in the reports and nothing else. */
const REMEMBERED = 'c.sealed IS NOT NULL'

const contextOf = (id: string) => `attendance:${id}`

function toAttendance(keyring: Keyring, row: AttendanceRow): Attendance {
  return {
    id: row.id,
    protocol: row.protocol,
    unitId: row.unit_id,
    personId: row.person_id,
    reason: row.reason,
    state: row.state,
    holderId: row.holder_id,
    holderRole: row.holder_role,
    facts: new Sensitive(factsSchema.parse(JSON.parse(keyring.open(row.sealed, contextOf(row.id)).toString('utf8')))),
    checks: checksSchema.parse(row.checks),
    haltedAt: row.halted_at ?? undefined,
    openedAt: row.opened_at,
    changedAt: row.changed_at,
    expiresAt: row.expires_at,
    decidedBy: row.decided_by ?? undefined,
    decidedAt: row.decided_at ?? undefined,
    decision: row.decision ?? undefined,
  }
}

export interface NewAttendance {
  readonly protocol: string
  readonly unitId: string
  readonly personId: PersonId
  readonly reason: Reason
  readonly holder: { readonly id: AccountId; readonly role: StaffRole }
  readonly facts: Facts
  readonly now: Date
  readonly expiresAt: Date
}

/** The next running number of protocols. */
export async function nextNumber(tx: Sql): Promise<number> {
  const [row] = await tx.query<{ number: number }>("SELECT nextval('attendance_number') AS number")
  return row?.number ?? 0
}

/** Adds a case. @throws {SqlError} a unique violation while the person has another one. */
export async function insertAttendance(tx: Sql, keyring: Keyring, created: NewAttendance): Promise<string> {
  const id = randomUUID()
  const { protocol, unitId, personId, reason, holder, facts, now, expiresAt } = created
  await tx.execute(
    `INSERT INTO attendance (id, protocol, unit_id, person_id, reason, state, holder_id, holder_role, sealed, opened_at, changed_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, 'open', $6, $7, $8, $9, $9, $10)`,
    [id, protocol, unitId, personId, reason, holder.id, holder.role, keyring.seal(JSON.stringify(facts), contextOf(id)), now, expiresAt],
  )
  return id
}

/** The person of a CPF, made from the base register when nobody here has it yet. */
export async function ensurePerson(tx: Sql, { cpf, name, socialName, birthDate }: Pick<BaseRecord, 'cpf' | 'name' | 'socialName' | 'birthDate'>, now: Date): Promise<PersonId> {
  await tx.execute(
    'INSERT INTO person (id, cpf, name, social_name, birth_date, created_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (cpf) DO NOTHING',
    [randomUUID(), cpf, name, socialName ?? null, birthDate, now],
  )
  const [row] = await tx.query<{ id: string }>('SELECT id FROM person WHERE cpf = $1 FOR KEY SHARE', [cpf])
  const id = row && parsePersonId(row.id)
  // Retention forgot the person between the two: nothing referred to the row yet.
  return id ?? ensurePerson(tx, { cpf, name, socialName, birthDate }, now)
}

/** The person of a CPF, when somebody here has it. */
export async function findPersonId(sql: Sql, cpf: Cpf): Promise<PersonId | undefined> {
  const [row] = await sql.query<{ id: string }>('SELECT id FROM person WHERE cpf = $1', [cpf])
  return row && parsePersonId(row.id)
}

/** Whoever has an account: its id, and what is known of the person here. */
export interface KnownHere {
  readonly accountId: AccountId | undefined
  readonly status: string | undefined
  readonly statusReason: string | undefined
  readonly cpf: Cpf
  readonly name: string
  readonly socialName: string | undefined
  readonly birthDate: string
  /** By the counter; the base register is asked elsewhere. */
  readonly isDeathNoted: boolean
  /** Images that stand. */
  readonly hasImages: boolean
}

export async function findKnown(sql: Sql, personId: PersonId): Promise<KnownHere | undefined> {
  const [row] = await sql.query<{
    account_id: AccountId | null
    status: string | null
    status_reason: string | null
    death_noted: boolean
    has_images: boolean
    cpf: Cpf
    name: string
    social_name: string | null
    birth_date: string
  }>(
    `SELECT a.id AS account_id, a.status, a.status_reason, p.cpf, p.name, p.social_name, p.birth_date, p.death_noted_at IS NOT NULL AS death_noted,
       EXISTS (SELECT 1 FROM stored_image i WHERE i.person_id = p.id AND i.withdrawn_at IS NULL AND i.erased_at IS NULL) AS has_images
     FROM person p LEFT JOIN account a ON a.person_id = p.id
     WHERE p.id = $1`,
    [personId],
  )
  return (
    row && {
      accountId: row.account_id ?? undefined,
      status: row.status ?? undefined,
      statusReason: row.status_reason ?? undefined,
      isDeathNoted: row.death_noted,
      hasImages: row.has_images,
      cpf: row.cpf,
      name: row.name,
      socialName: row.social_name ?? undefined,
      birthDate: row.birth_date,
    }
  )
}

/** Replaces what a case knows. */
export async function setFacts(tx: Sql, keyring: Keyring, id: string, facts: Facts, now: Date): Promise<void> {
  await tx.execute('UPDATE attendance SET sealed = $2, changed_at = $3 WHERE id = $1', [id, keyring.seal(JSON.stringify(facts), contextOf(id)), now])
}

/** Who approved the last case of a person's death: somebody else takes it back. */
export async function findDeathDecider(sql: Sql, personId: PersonId): Promise<AccountId | undefined> {
  const [row] = await sql.query<{ decided_by: AccountId | null }>(
    "SELECT decided_by FROM attendance WHERE person_id = $1 AND reason = 'death' AND state = 'approved' ORDER BY decided_at DESC LIMIT 1",
    [personId],
  )
  return row?.decided_by ?? undefined
}

/** Fields in which the base register, as it was when the case was opened, is not what is on record here. */
export function differencesOf(facts: Pick<Facts, (typeof RECORD_FIELDS)[number]>, known: KnownHere | undefined): { name: (typeof RECORD_FIELDS)[number]; before: string; now: string }[] {
  if (known === undefined) return []
  return RECORD_FIELDS.filter((name) => (facts[name] ?? '') !== (known[name] ?? '')).map((name) => ({
    name,
    before: known[name] ?? '',
    now: facts[name] ?? '',
  }))
}

export async function findAttendance(sql: Sql, keyring: Keyring, id: string): Promise<Attendance | undefined> {
  const [row] = await sql.query<AttendanceRow>(`SELECT ${COLUMNS} FROM attendance c WHERE c.id = $1 AND ${REMEMBERED}`, [id])
  return row && toAttendance(keyring, row)
}

/** Of the keys of other locks in this database none is the same. */
const ENROLMENTS = 72_707_409

/** Lets one enrolment of the whole state follow the other: whoever is next sees the faces of whoever was before. Held until the transaction ends. */
export async function lockEnrolments(tx: Sql): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock($1)', [ENROLMENTS])
}

/** The case, locked until the transaction ends. */
export async function lockAttendance(tx: Sql, keyring: Keyring, id: string): Promise<Attendance | undefined> {
  const [row] = await tx.query<AttendanceRow>(`SELECT ${COLUMNS} FROM attendance c WHERE c.id = $1 AND ${REMEMBERED} FOR UPDATE`, [id])
  return row && toAttendance(keyring, row)
}

/** Cases of a unit in these states, the last changed first. */
export async function listAttendances(sql: Sql, keyring: Keyring, unitId: string, states: readonly AttendanceState[]): Promise<Attendance[]> {
  const rows = await sql.query<AttendanceRow>(
    `SELECT ${COLUMNS} FROM attendance c WHERE c.unit_id = $1 AND c.state = ANY ($2) AND ${REMEMBERED} ORDER BY c.changed_at DESC LIMIT 100`,
    [unitId, [...states]],
  )
  return rows.map((row) => toAttendance(keyring, row))
}

/** How many drafts somebody holds now. */
export async function countHeld(tx: Sql, accountId: AccountId): Promise<number> {
  const [row] = await tx.query<{ count: number }>(`SELECT count(*) AS count FROM attendance WHERE holder_id = $1 AND state IN ${DRAFTS}`, [
    accountId,
  ])
  return row?.count ?? 0
}

export interface Move {
  readonly id: string
  readonly from: AttendanceState
  readonly to: AttendanceState
  readonly now: Date
  readonly expiresAt?: Date | undefined
  readonly checks?: Checks | undefined
  readonly decided?: { readonly by: AccountId | undefined; readonly decision: string } | undefined
}

/** Moves a case from one state to another; false when it was not in the first: of two at once, one wins. */
export async function moveAttendance(tx: Sql, { id, from, to, now, expiresAt, checks, decided }: Move): Promise<boolean> {
  const changed = await tx.execute(
    `UPDATE attendance SET state = $3, changed_at = $4, expires_at = coalesce($5, expires_at), checks = coalesce($6::jsonb, checks),
       decided_at = CASE WHEN $7::text IS NULL THEN NULL ELSE $4::timestamptz END, decision = $7, decided_by = $8
     WHERE id = $1 AND state = $2`,
    [
      id,
      from,
      to,
      now,
      expiresAt ?? null,
      checks === undefined ? null : JSON.stringify(checks),
      decided?.decision ?? null,
      decided?.by ?? null,
    ],
  )
  return changed === 1
}

/** Gives a draft to somebody else of the unit; false when it was no longer the one's it was thought to be. */
export async function moveHolder(tx: Sql, id: string, from: AccountId, to: { id: AccountId; role: StaffRole }, now: Date): Promise<boolean> {
  const changed = await tx.execute(
    `UPDATE attendance SET holder_id = $3, holder_role = $4, changed_at = $5 WHERE id = $1 AND holder_id = $2 AND state IN ${DRAFTS}`,
    [id, from, to.id, to.role, now],
  )
  return changed === 1
}

/** Notes that the draft was worked on. */
export async function touchAttendance(tx: Sql, id: string, now: Date, expiresAt: Date): Promise<void> {
  await tx.execute('UPDATE attendance SET changed_at = $2, expires_at = $3 WHERE id = $1', [id, now, expiresAt])
}

/** Stops a case until a reviewer has decided, or lets it go on. */
export async function setHalted(tx: Sql, id: string, at: Date | undefined): Promise<void> {
  await tx.execute('UPDATE attendance SET halted_at = $2 WHERE id = $1', [id, at ?? null])
}

/** Writes down that somebody had a hand in the case; the first role stays. */
export async function insertHand(tx: Sql, id: string, hand: { id: AccountId; role: StaffRole }, now: Date): Promise<void> {
  await tx.execute('INSERT INTO attendance_hand (attendance_id, account_id, role, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING', [
    id,
    hand.id,
    hand.role,
    now,
  ])
}

/** Whether somebody had a hand in the case, or did support for its citizen lately: then others judge it. SQL's own triggers say the same. */
export async function hadPart(sql: Sql, id: string, accountId: AccountId): Promise<boolean> {
  const rows = await sql.query(
    'SELECT 1 WHERE EXISTS (SELECT 1 FROM attendance_hand WHERE attendance_id = $1 AND account_id = $2) OR attendance_is_supporter($1, $2)',
    [id, accountId],
  )
  return rows.length > 0
}

/** Live cases whose time is over; for the job that ends them. */
export async function listOverdue(sql: Sql, now: Date): Promise<{ id: string; state: AttendanceState }[]> {
  return sql.query(`SELECT id, state FROM attendance WHERE expires_at <= $1 AND halted_at IS NULL AND state IN ${LIVE} ORDER BY expires_at LIMIT 200`, [now])
}

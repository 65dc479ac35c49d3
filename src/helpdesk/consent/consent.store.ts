import { randomUUID } from 'node:crypto'
import type { AccountId } from '../../accounts/index.ts'
import type { Sql } from '../../platform/db.ts'
import { DRAFTS } from '../attendance/states.store.ts'
import { type Agreement, agreementOf, type Answer, type ScreenAnswer, type ScreenState } from './consent.ts'

export interface NewScreen {
  readonly attendanceId: string
  readonly offeredBy: AccountId
  readonly linkHash: Buffer
  readonly codeHash: Buffer
  readonly now: Date
  readonly pairUntil: Date
}

/** Offers a case to one more screen; the former one shows nothing from now on. */
export async function insertScreen(tx: Sql, { attendanceId, offeredBy, linkHash, codeHash, now, pairUntil }: NewScreen): Promise<void> {
  await endScreen(tx, attendanceId, now)
  await tx.execute(
    `INSERT INTO attendance_consent (id, attendance_id, offered_by, offered_at, pair_until, link_hash, code_hash) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [randomUUID(), attendanceId, offeredBy, now, pairUntil, linkHash, codeHash],
  )
}

export async function endScreen(tx: Sql, attendanceId: string, now: Date): Promise<void> {
  await tx.execute('UPDATE attendance_consent SET ended_at = $2 WHERE attendance_id = $1 AND ended_at IS NULL', [attendanceId, now])
}

/** Whether a link leads to a screen that nobody tied yet. */
export async function isOffered(sql: Sql, linkHash: Buffer, now: Date): Promise<boolean> {
  const rows = await sql.query(
    `SELECT 1 FROM attendance_consent s JOIN attendance c ON c.id = s.attendance_id AND c.state IN ${DRAFTS} AND c.expires_at > $2
     WHERE s.link_hash = $1 AND s.paired_at IS NULL AND s.ended_at IS NULL AND s.pair_until > $2`,
    [linkHash, now],
  )
  return rows.length > 0
}

/** Ties a screen by its link or its code; false when that is used, over or unknown: of two at once one gets it. */
export async function pairScreen(tx: Sql, by: { link?: Buffer; code?: Buffer }, screenHash: Buffer, now: Date): Promise<boolean> {
  const changed = await tx.execute(
    `UPDATE attendance_consent s SET paired_at = $4, screen_hash = $3 FROM attendance c
     WHERE (s.link_hash = $1 OR s.code_hash = $2) AND s.paired_at IS NULL AND s.ended_at IS NULL AND s.pair_until > $4
       AND c.id = s.attendance_id AND c.state IN ${DRAFTS} AND c.expires_at > $4`,
    [by.link ?? null, by.code ?? null, screenHash, now],
  )
  return changed === 1
}

/** A tied screen of a case that is still being captured. */
export interface PairedScreen {
  readonly id: string
  readonly attendanceId: string
  readonly answer: Answer | undefined
  readonly answeredAt: Date | undefined
}

export async function findPaired(sql: Sql, screenHash: Buffer, now: Date): Promise<PairedScreen | undefined> {
  const [row] = await sql.query<{ id: string; attendance_id: string; answer: Answer | null; answered_at: Date | null }>(
    `SELECT s.id, s.attendance_id, s.answer, s.answered_at FROM attendance_consent s
     JOIN attendance c ON c.id = s.attendance_id AND c.state IN ${DRAFTS} AND c.expires_at > $2
     WHERE s.screen_hash = $1 AND s.ended_at IS NULL`,
    [screenHash, now],
  )
  return row && { id: row.id, attendanceId: row.attendance_id, answer: row.answer ?? undefined, answeredAt: row.answered_at ?? undefined }
}

export interface NewAnswer extends ScreenAnswer {
  readonly locale: string
  readonly textDigest: Buffer
}

/** Writes an answer over the former one of this screen; false when the screen was taken from the case meanwhile. */
export async function setAnswer(tx: Sql, id: string, { answer, at, locale, textDigest }: NewAnswer): Promise<boolean> {
  const changed = await tx.execute(
    'UPDATE attendance_consent SET answer = $2, answered_at = $3, locale = $4, text_digest = $5 WHERE id = $1 AND ended_at IS NULL',
    [id, answer, at, locale, textDigest],
  )
  return changed === 1
}

export async function setChosen(tx: Sql, id: string, at: Date): Promise<void> {
  await tx.execute('UPDATE attendance_consent SET chosen_at = $2 WHERE id = $1', [id, at])
}

/** The last answer of a case, on whichever screen. */
export async function findAnswer(sql: Sql, attendanceId: string): Promise<ScreenAnswer | undefined> {
  const [row] = await sql.query<{ answer: Answer; answered_at: Date }>(
    'SELECT answer, answered_at FROM attendance_consent WHERE attendance_id = $1 AND answer IS NOT NULL ORDER BY answered_at DESC LIMIT 1',
    [attendanceId],
  )
  return row && { answer: row.answer, at: row.answered_at }
}

/** How far the screen is that the case was offered to last. */
export async function findScreenState(sql: Sql, attendanceId: string, now: Date): Promise<ScreenState> {
  const [row] = await sql.query<{ paired_at: Date | null; answer: Answer | null; chosen_at: Date | null; pair_until: Date }>(
    'SELECT paired_at, answer, chosen_at, pair_until FROM attendance_consent WHERE attendance_id = $1 AND ended_at IS NULL',
    [attendanceId],
  )
  if (row === undefined) return 'none'
  if (row.chosen_at !== null && row.answer !== 'refused') return 'chosen'
  if (row.answer !== null) return row.answer
  if (row.paired_at !== null) return 'paired'
  return row.pair_until > now ? 'offered' : 'none'
}

/** How the citizen of a case agreed, with what the case holds now. */
export async function findAgreement(sql: Sql, attendanceId: string, items: Parameters<typeof agreementOf>[1]): Promise<Agreement | undefined> {
  return agreementOf(await findAnswer(sql, attendanceId), items)
}

import type { Sql } from '../../platform/db.ts'
import type { Keyring } from '../../platform/keyring.ts'
import type { FrameObservation } from '../observation.ts'
import type { Plan } from './plan.ts'
import type { LivenessFrame, LivenessSession, LivenessSessionId, LivenessState, SessionChange } from './protocol.ts'
import { LIMITS } from './protocol.ts'
import type { LivenessVerdict } from './verdict.ts'

/** Seals what the frames showed, so that the database alone does not hold a template. */
export type FrameSealer = Pick<Keyring, 'seal' | 'open'>

interface SessionRow {
  id: string
  account_id: string
  door: string
  purpose: string
  binding_hash: string
  nonce: Buffer
  state: LivenessState
  plan: Plan
  step: number
  revealed_at: Date | null
  last_sequence: number
  last_captured_ms: number
  frame_count: number
  wrong_turns: number
  extended: boolean
  fallback: boolean
  created_at: Date
  expires_at: Date
}

interface FrameRow {
  sequence: number
  step: number
  captured_ms: number
  arrived_at: Date
  sealed: Buffer
}

const OPEN = "('created', 'revealed', 'complete')"

function toSession(row: SessionRow): LivenessSession {
  return {
    id: row.id as LivenessSessionId,
    accountId: row.account_id,
    door: row.door === '' ? undefined : row.door,
    purpose: row.purpose,
    bindingHash: row.binding_hash,
    nonce: row.nonce,
    state: row.state,
    plan: row.plan,
    step: row.step,
    revealedAt: row.revealed_at ?? undefined,
    lastSequence: row.last_sequence,
    lastCapturedMs: row.last_captured_ms,
    frameCount: row.frame_count,
    wrongTurns: row.wrong_turns,
    extended: row.extended,
    fallback: row.fallback,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  }
}

export async function addSession(sql: Sql, session: LivenessSession): Promise<void> {
  await sql.execute(
    `INSERT INTO liveness_session (id, account_id, purpose, binding_hash, nonce, state, plan, created_at, expires_at, door)
     VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9, $10)`,
    [
      session.id,
      session.accountId,
      session.purpose,
      session.bindingHash,
      session.nonce,
      session.state,
      JSON.stringify(session.plan),
      session.createdAt,
      session.expiresAt,
      session.door ?? '',
    ],
  )
}

export async function findSession(sql: Sql, id: LivenessSessionId): Promise<LivenessSession | undefined> {
  const [row] = await sql.query<SessionRow>('SELECT * FROM liveness_session WHERE id = $1', [id])
  return row && toSession(row)
}

/** What was decided about a session; undefined while nothing was. */
export async function findVerdict(sql: Sql, id: LivenessSessionId): Promise<LivenessVerdict | undefined> {
  const [row] = await sql.query<{ verdict: LivenessVerdict | null }>('SELECT verdict FROM liveness_session WHERE id = $1', [id])
  return row?.verdict ?? undefined
}

/** Ends what the account had begun at this door: one challenge at a time, so nobody draws many and answers the easiest. */
export async function abandonOpenSessions(sql: Sql, { accountId, door = '' }: { accountId: string; door?: string | undefined }, now: Date): Promise<void> {
  await sql.execute(
    `DELETE FROM liveness_frame USING liveness_session s WHERE s.id = session_id AND s.account_id = $1 AND s.door = $2 AND s.consumed_at IS NULL`,
    [accountId, door],
  )
  await sql.execute(
    `UPDATE liveness_session SET state = 'abandoned', consumed_at = $2, nonce = '' WHERE account_id = $1 AND door = $3 AND consumed_at IS NULL AND state IN ${OPEN}`,
    [accountId, now, door],
  )
}

/** Takes the frame's place in the order; false when another request took it or a later one, or there is no room. */
export async function claimSequence(sql: Sql, id: LivenessSessionId, frame: { sequence: number; capturedMs: number }): Promise<boolean> {
  const claimed = await sql.execute(
    `UPDATE liveness_session SET last_sequence = $2, last_captured_ms = $3, frame_count = frame_count + 1
     WHERE id = $1 AND state = 'revealed' AND last_sequence < $2 AND last_captured_ms < $3 AND frame_count < $4`,
    [id, frame.sequence, Math.round(frame.capturedMs), LIMITS.maxFrames],
  )
  return claimed === 1
}

/** Writes a transition if state, step and reveal are still those that it was decided on; false when another request was quicker. */
export async function applyChange(sql: Sql, before: LivenessSession, change: SessionChange): Promise<boolean> {
  const after = { ...before, ...change }
  const changed = await sql.execute(
    `UPDATE liveness_session SET state = $5, plan = $6::jsonb, step = $7, revealed_at = $8, wrong_turns = $9, extended = $10, fallback = $11, expires_at = $12
     WHERE id = $1 AND state = $2 AND step = $3 AND revealed_at IS NOT DISTINCT FROM $4 AND consumed_at IS NULL`,
    [
      before.id,
      before.state,
      before.step,
      before.revealedAt ?? null,
      after.state,
      JSON.stringify(after.plan),
      after.step,
      after.revealedAt ?? null,
      after.wrongTurns,
      after.extended,
      after.fallback,
      after.expiresAt,
    ],
  )
  return changed === 1
}

/**
 * Ends the session with its verdict, once: false for everybody but the first, however many ask at the same time.
 *
 * The nonce goes with it, so no frame can be signed for it any more.
 */
export async function consumeSession(
  sql: Sql,
  before: LivenessSession,
  end: { state: LivenessState; verdict: LivenessVerdict | undefined; now: Date },
): Promise<boolean> {
  const consumed = await sql.execute(
    `UPDATE liveness_session SET state = $3, consumed_at = $4, verdict = $5::jsonb, nonce = '' WHERE id = $1 AND state = $2 AND consumed_at IS NULL`,
    [before.id, before.state, end.state, end.now, end.verdict ? JSON.stringify(end.verdict) : null],
  )
  return consumed === 1
}

const contextOf = (id: LivenessSessionId, sequence: number) => `liveness-frame/${id}/${sequence}`

/** Keeps what a frame showed, unless the session has ended meanwhile. Landmarks are left out: pose and colours are already taken from them. */
export async function addFrame(sql: Sql, sealer: FrameSealer, id: LivenessSessionId, frame: LivenessFrame): Promise<void> {
  const faces = frame.observation.faces.map((face) => ({ ...face, landmarks: [] }))
  const sealed = sealer.seal(JSON.stringify({ ...frame.observation, faces }), contextOf(id, frame.sequence))
  await sql.execute(
    `INSERT INTO liveness_frame (session_id, sequence, step, captured_ms, arrived_at, sealed)
     SELECT id, $2, $3, $4, $5, $6 FROM liveness_session WHERE id = $1 AND consumed_at IS NULL`,
    [id, frame.sequence, frame.step, Math.round(frame.capturedMs), frame.arrivedAt, sealed],
  )
}

/** Frames in order, all of them or of one step. */
export async function findFrames(sql: Sql, sealer: FrameSealer, id: LivenessSessionId, step?: number): Promise<LivenessFrame[]> {
  const rows = await sql.query<FrameRow>(
    `SELECT sequence, step, captured_ms, arrived_at, sealed FROM liveness_frame
     WHERE session_id = $1 AND ($2::int IS NULL OR step = $2) ORDER BY sequence`,
    [id, step ?? null],
  )
  return rows.map((row) => ({
    sequence: row.sequence,
    step: row.step,
    capturedMs: row.captured_ms,
    arrivedAt: row.arrived_at,
    observation: JSON.parse(sealer.open(row.sealed, contextOf(id, row.sequence)).toString()) as FrameObservation,
  }))
}

export async function deleteFrames(sql: Sql, id: LivenessSessionId): Promise<void> {
  await sql.execute('DELETE FROM liveness_frame WHERE session_id = $1', [id])
}

/** Ends what nobody finished, with its frames, and forgets sessions of more than `keepDays`; returns how many it ended. */
export async function sweepSessions(sql: Sql, now: Date, keepDays: number): Promise<number> {
  const over = new Date(now.getTime() - LIMITS.graceMs)
  const ended = await sql.execute(
    `UPDATE liveness_session SET state = 'expired', consumed_at = $2, nonce = '' WHERE consumed_at IS NULL AND expires_at < $1 AND state IN ${OPEN}`,
    [over, now],
  )
  await sql.execute('DELETE FROM liveness_frame USING liveness_session s WHERE s.id = session_id AND s.consumed_at IS NOT NULL')
  await sql.execute('DELETE FROM liveness_session WHERE consumed_at IS NOT NULL AND created_at < $1', [
    new Date(now.getTime() - keepDays * 86_400_000),
  ])
  return ended
}

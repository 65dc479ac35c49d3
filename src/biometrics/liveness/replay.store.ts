import type { Sql } from '../../platform/db.ts'
import type { LivenessSessionId } from './protocol.ts'
import type { EarlierPrint, FramePrint } from './signals/replay-signal.ts'
import { REPLAY_LIMITS } from './signals/replay-signal.ts'

const DAY_MS = 86_400_000

interface PrintRow {
  session_id: string
  pixel_digest: string
  perceptual_hash: string
  sketch: string
  stance: string
}

/** Prints of the person's sessions of the last 90 days, and any print of anybody with one of these pixel digests. */
export async function findPrints(sql: Sql, subjectId: string, pixelDigests: readonly string[], now: Date): Promise<EarlierPrint[]> {
  const rows = await sql.query<PrintRow>(
    `SELECT session_id, pixel_digest, perceptual_hash, sketch, stance FROM liveness_replay
     WHERE created_at > $3 AND (subject_id = $1 OR pixel_digest = ANY($2::text[])) ORDER BY created_at DESC LIMIT 2000`,
    [subjectId, pixelDigests, new Date(now.getTime() - REPLAY_LIMITS.days * DAY_MS)],
  )
  return rows.map((row) => ({
    sessionId: row.session_id,
    pixelDigest: row.pixel_digest,
    perceptualHash: row.perceptual_hash,
    sketch: row.sketch,
    stance: row.stance,
  }))
}

export async function addPrints(
  sql: Sql,
  session: { id: LivenessSessionId; accountId: string; subjectId: string },
  prints: readonly FramePrint[],
  now: Date,
): Promise<void> {
  for (const [place, print] of prints.entries()) {
    await sql.execute(
      `INSERT INTO liveness_replay (session_id, place, account_id, subject_id, pixel_digest, perceptual_hash, sketch, stance, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [session.id, place, session.accountId, session.subjectId, print.pixelDigest, print.perceptualHash, print.sketch, print.stance, now],
    )
  }
}

/** Forgets prints of more than 90 days. */
export async function sweepPrints(sql: Sql, now: Date): Promise<void> {
  await sql.execute('DELETE FROM liveness_replay WHERE created_at < $1', [new Date(now.getTime() - REPLAY_LIMITS.days * DAY_MS)])
}

import type { Clock } from '../../platform/clock.ts'
import type { Sql } from '../../platform/db.ts'
import { findSequence, selectGaps } from './capture/batch.store.ts'
import { countByPoint } from './metering/journal.store.ts'
import { monthOf } from './metering/month.ts'
import { findLastBeats } from './metering/signs.store.ts'
import type { CapturePoint, PointSpell } from './registry/point.ts'
import { selectPoints, selectSpells } from './registry/point.store.ts'

/** How a point is doing. */
export interface PointStatus {
  readonly point: CapturePoint
  /** The last five minutes in which it said anything. */
  readonly lastBeat: { readonly slot: Date; readonly ready: boolean } | undefined
  readonly lastBatch: number
  /** Batches below the last that never came. */
  readonly missingBatches: number
  /** Processes counted this month. */
  readonly processes: number
}

/** For operators: every point at a glance, and one with its history. */
export interface PointOverview {
  list(): Promise<PointStatus[]>
  history(pointId: string): Promise<{ spells: readonly PointSpell[]; missing: readonly number[] }>
}

export function createPointOverview({ db, clock }: { db: Sql; clock: Clock }): PointOverview {
  return {
    async list() {
      const points = await selectPoints(db)
      const [beats, gaps, counts] = [await findLastBeats(db), await selectGaps(db), await countByPoint(db, monthOf(clock.now()))]
      return points.map((point) => {
        const { last = 0, missing = 0 } = gaps.get(point.id) ?? {}
        return { point, lastBeat: beats.get(point.id), lastBatch: last, missingBatches: missing, processes: counts.get(point.id) ?? 0 }
      })
    },
    async history(pointId) {
      return { spells: await selectSpells(db, [pointId]), missing: (await findSequence(db, pointId)).missing }
    },
  }
}

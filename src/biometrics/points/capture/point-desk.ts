import type { Sql } from '../../../platform/db.ts'
import { findPoint } from '../registry/point.store.ts'
import { findSequence, findSequenceOf, type Sequence } from './batch.store.ts'
import type { CaptureProcess } from './process.ts'

/** What is told of a process's point and batch beside the process itself. */
export interface PointDesk {
  namesOf(process: CaptureProcess): Promise<{ point: string; sequence: number | undefined }>
  sequenceOf(pointId: string): Promise<Sequence>
}

export function createPointDesk(db: Sql): PointDesk {
  return {
    async namesOf({ pointId, batchId }) {
      const [point, sequence] = [await findPoint(db, pointId), batchId === undefined ? undefined : await findSequenceOf(db, batchId)]
      return { point: point?.code ?? '', sequence }
    },
    sequenceOf: (pointId) => findSequence(db, pointId),
  }
}

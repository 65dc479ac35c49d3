import type { Clock } from '../../../platform/clock.ts'
import type { Sql } from '../../../platform/db.ts'
import { noteBeat, noteProbe } from './signs.store.ts'

/** What availability is counted in. */
export const SLOT_MS = 5 * 60_000

export const slotOf = (at: Date): Date => new Date(Math.floor(at.getTime() / SLOT_MS) * SLOT_MS)

/** Signs of life: of points, by their own word, and of the service, by trying itself out. */
export interface Signs {
  /** Returns when the next one is due. */
  beat(pointId: string, ready: boolean): Promise<Date>
  /** Tries the service out and notes whether it works; a process that is down notes nothing, which counts the same. */
  probe(): Promise<boolean>
}

export interface SignsDependencies {
  readonly db: Sql
  readonly clock: Clock
  /** Does what a capture needs of the service: seals, opens, and asks the face threads. Rejects when it does not work. */
  readonly tryOut: () => Promise<void>
}

export function createSigns({ db, clock, tryOut }: SignsDependencies): Signs {
  return {
    async beat(pointId, ready) {
      const slot = slotOf(clock.now())
      await noteBeat(db, pointId, slot, ready)
      return new Date(slot.getTime() + SLOT_MS)
    },
    async probe() {
      const slot = slotOf(clock.now())
      const works = await tryOut().then(() => true, () => false)
      await noteProbe(db, slot, works)
      return works
    },
  }
}

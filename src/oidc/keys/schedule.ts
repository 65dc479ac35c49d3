import type { KeyAlgorithm } from './key.store.ts'

/** How long before its first use a key is published: longer than relying parties cache a key set. */
export const PUBLISH_AHEAD_SECONDS = 86_400
/** How long a replaced key still verifies: longer than any token that it signed lives, and an `id_token_hint` at logout may be old. */
export const VERIFY_AFTER_SECONDS = 7 * 86_400

export interface ScheduledKey {
  readonly kid: string
  readonly algorithm: KeyAlgorithm
  readonly activeFrom: Date
  readonly retireAt: Date | undefined
}

export interface RotationPlan {
  /** When a new key of this algorithm shall begin to sign; absent when none is due. */
  readonly addFrom: Date | undefined
  readonly retire: readonly { readonly kid: string; readonly at: Date }[]
  readonly remove: readonly string[]
}

/**
 * What rotation has to do now for the keys of one algorithm; pure, so that a test can walk through years of it.
 *
 * Each key is published a day before it signs and kept a week after. `urgent` (a key may be known to others) replaces at once and
 * removes what signed until now: tokens signed by it stop verifying, which is the point.
 */
export function planRotation(
  keys: readonly ScheduledKey[],
  now: Date,
  options: { rotationSeconds: number; urgent: boolean },
): RotationPlan {
  const sorted = [...keys].sort((a, b) => b.activeFrom.getTime() - a.activeFrom.getTime())
  if (options.urgent) return { addFrom: now, retire: [], remove: sorted.map(({ kid }) => kid) }
  const newest = sorted[0]
  const due = newest === undefined ? now : nextActivation(newest, now, options.rotationSeconds)
  const current = sorted.find(({ activeFrom }) => activeFrom <= now)
  const older = sorted.filter(({ activeFrom }) => current !== undefined && activeFrom < current.activeFrom)
  return {
    addFrom: due,
    retire: older
      .filter(({ retireAt }) => retireAt === undefined)
      .map(({ kid }) => ({ kid, at: later(current?.activeFrom ?? now, VERIFY_AFTER_SECONDS) })),
    remove: older.filter(({ retireAt }) => retireAt !== undefined && retireAt <= now).map(({ kid }) => kid),
  }
}

function nextActivation(newest: ScheduledKey, now: Date, rotationSeconds: number): Date | undefined {
  if (newest.activeFrom > now) return undefined
  const planned = later(newest.activeFrom, rotationSeconds)
  const earliest = later(now, PUBLISH_AHEAD_SECONDS)
  if (planned > earliest) return undefined
  return earliest
}

/** Keys in the order in which they are published: what signs now first (some verifiers only look at the first), then next, then old. */
export function publicationOrder<Key extends ScheduledKey>(keys: readonly Key[], algorithms: readonly KeyAlgorithm[], now: Date): Key[] {
  const live = keys.filter(({ retireAt }) => retireAt === undefined || retireAt > now)
  const signing = algorithms.flatMap((algorithm) => {
    const own = live.filter((key) => key.algorithm === algorithm && key.activeFrom <= now)
    return own.sort((a, b) => b.activeFrom.getTime() - a.activeFrom.getTime()).slice(0, 1)
  })
  const rest = live.filter((key) => !signing.includes(key) && algorithms.includes(key.algorithm))
  return [...signing, ...rest.sort((a, b) => b.activeFrom.getTime() - a.activeFrom.getTime())]
}

function later(date: Date, seconds: number): Date {
  return new Date(date.getTime() + seconds * 1000)
}

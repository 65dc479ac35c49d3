/** Comparing how long two ways take, on a machine that may have other work. */

/**
 * The lower quartile: other work of the machine only ever makes a run longer, so the shorter ones say what the code costs. A way that is
 * longer by design is longer in these too.
 */
export function typicalTime(milliseconds: readonly number[]): number {
  return milliseconds.toSorted((left, right) => left - right)[milliseconds.length >> 2] ?? Number.NaN
}

/** The checklist's limit (line 7): 5 ms or a quarter of the time, whichever is more. */
export function isAsLong(one: number, other: number): boolean {
  return Math.abs(one - other) < Math.max(5, Math.min(one, other) * 0.25)
}

/** Comparing how long two ways take, on a machine that may have other work. */

/**
 * The shortest but one: other work of the machine only ever makes a run longer, so the shortest ones say what the code costs, and a way
 * that is longer by design is longer in these too. Not the very shortest, which one lucky run would decide.
 */
export function typicalTime(milliseconds: readonly number[]): number {
  return milliseconds.toSorted((left, right) => left - right)[1] ?? Number.NaN
}

/** The checklist's limit (line 7): 5 ms or a quarter of the time, whichever is more. */
export function isAsLong(one: number, other: number): boolean {
  return Math.abs(one - other) < Math.max(5, Math.min(one, other) * 0.25)
}

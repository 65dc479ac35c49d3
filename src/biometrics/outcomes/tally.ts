/** What came of a check: `not-acquired` = its course was not completed (ISO/IEC 19795-1: failure to acquire); `given-up` = nobody waited for a verdict. */
export const OUTCOME_RESULTS = ['passed', 'passed-after-refusal', 'refused', 'not-acquired', 'given-up'] as const
export type OutcomeResult = (typeof OUTCOME_RESULTS)[number]

/** Checks by what came of them. */
export interface Tally {
  readonly passed: number
  /** Passed within an hour after a refusal of the same person: that refusal was most likely wrong. */
  readonly passedAfterRefusal: number
  readonly refused: number
  readonly notAcquired: number
  readonly givenUp: number
}

export const EMPTY_TALLY: Tally = { passed: 0, passedAfterRefusal: 0, refused: 0, notAcquired: 0, givenUp: 0 }

const MEMBER: Readonly<Record<OutcomeResult, keyof Tally>> = {
  passed: 'passed',
  'passed-after-refusal': 'passedAfterRefusal',
  refused: 'refused',
  'not-acquired': 'notAcquired',
  'given-up': 'givenUp',
}

export function tallyOf(counts: readonly { readonly result: OutcomeResult; readonly checks: number }[]): Tally {
  const tally = { ...EMPTY_TALLY }
  for (const { result, checks } of counts) tally[MEMBER[result]] += checks
  return tally
}

const MEMBERS = Object.values(MEMBER)

export function addTallies(tallies: readonly Tally[]): Tally {
  const sum = { ...EMPTY_TALLY }
  for (const tally of tallies) for (const member of MEMBERS) sum[member] += tally[member]
  return sum
}

/** All of `whole` that is not in `part`. */
export function restOf(whole: Tally, part: Tally): Tally {
  const rest = { ...whole }
  for (const member of MEMBERS) rest[member] -= part[member]
  return rest
}

export function checksOf(tally: Tally): number {
  return MEMBERS.reduce((sum, member) => sum + tally[member], 0)
}

/** So many of so many. */
export interface Share {
  readonly count: number
  readonly total: number
}

/**
 * What is watched. `refusal`: verdicts that were not a pass, of all verdicts · `false-refusal`: people refused and let in within the hour, of
 * all who were let in and those refusals: from production no better estimate of wrong refusals (BPCER and FNMR) can be had, and it is a
 * lower one, since some who are refused wrongly give up.
 */
export const MEASURES = ['refusal', 'false-refusal'] as const
export type Measure = (typeof MEASURES)[number]

export function shareOf(measure: Measure, tally: Tally): Share {
  const passed = tally.passed + tally.passedAfterRefusal
  if (measure === 'false-refusal') return { count: tally.passedAfterRefusal, total: passed + tally.passedAfterRefusal }
  const refused = tally.refused + tally.notAcquired
  return { count: refused, total: passed + refused }
}

/** Undefined of nothing. */
export function rateOf({ count, total }: Share): number | undefined {
  return total === 0 ? undefined : count / total
}

/**
 * What stands out in the work of one attendant. Each rule is a question for the manager to look into, never a verdict: a quick case may be
 * a simple one, and a person who came three times may have had three reasons.
 */

/** What is counted of one attendant in a period. */
export interface AttendantTally {
  readonly attendantId: string
  readonly attendances: number
  /** From the opening to the last capture in less than `QUICK_SECONDS`. */
  readonly quick: number
  /** Opened outside of `USUAL_HOURS`. */
  readonly oddHours: number
  /** People with three or more attendances by this attendant. */
  readonly repeatedPeople: number
  /** Cases that the face search stopped and that went on after a review. */
  readonly overridden: number
  /** Decided by a supervisor, and how many of them were refused. */
  readonly decided: number
  readonly refused: number
  readonly looks: number
  /** Looks at accounts of people at home after which nothing was done. */
  readonly idleLooks: number
}

export const QUICK_SECONDS = 180
/** Local hours in which counters work. */
export const USUAL_HOURS = { from: 6, until: 20 } as const

type Counted = Exclude<keyof AttendantTally, 'attendantId'>

export interface QuestionRule {
  readonly name: 'speed' | 'hours' | 'repeated' | 'overrides' | 'refusals' | 'looks'
  readonly count: Counted
  /** What the count is a share of; without it the count itself is compared. */
  readonly of?: Counted
  /** Beyond this the question is asked: a share, or a count. */
  readonly beyond: number
  /** With fewer of `of` nothing is said. */
  readonly least: number
}

export const QUESTION_RULES: readonly QuestionRule[] = [
  { name: 'speed', count: 'quick', of: 'attendances', beyond: 0.2, least: 10 },
  { name: 'hours', count: 'oddHours', beyond: 2, least: 0 },
  { name: 'repeated', count: 'repeatedPeople', beyond: 0, least: 0 },
  { name: 'overrides', count: 'overridden', of: 'attendances', beyond: 0.1, least: 10 },
  { name: 'refusals', count: 'refused', of: 'decided', beyond: 0.3, least: 10 },
  { name: 'looks', count: 'idleLooks', of: 'looks', beyond: 0.8, least: 15 },
]

export interface Question {
  readonly attendantId: string
  readonly rule: QuestionRule['name']
  readonly count: number
  /** What it is a share of. */
  readonly of: number | undefined
  readonly beyond: number
}

/** The questions that the rules ask, those of one attendant together. */
export function questionsOf(tallies: readonly AttendantTally[], rules: readonly QuestionRule[] = QUESTION_RULES): Question[] {
  return tallies.flatMap((tally) =>
    rules.flatMap((rule) => {
      const count = tally[rule.count]
      const of = rule.of && tally[rule.of]
      const isAsked = of === undefined ? count > rule.beyond : of >= rule.least && count > rule.beyond * of
      return isAsked ? [{ attendantId: tally.attendantId, rule: rule.name, count, of, beyond: rule.beyond }] : []
    }),
  )
}

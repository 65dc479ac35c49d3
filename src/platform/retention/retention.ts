import type { Clock } from '../clock.ts'
import type { Database, Sql } from '../db.ts'
import type { Due, Ending, Term } from './term.ts'

/** Rows that one transaction ends: a request that wants one of them waits for that long at most. */
export const BATCH = 200
/** Batches of one term in one run; the rest waits for the next one. */
const MOST_BATCHES = 250
const DAY_MS = 86_400_000

/** What one run did, or would do, to the rows of one term. */
export interface Swept {
  readonly key: string
  readonly ending: Ending
  readonly days: number
  readonly rows: number
}

/** Rows that are past their term: how many, and for how long the oldest one has been. */
export interface Overdue {
  readonly key: string
  readonly rows: number
  readonly seconds: number
}

/** Ends what is past its term, by the one table of terms. */
export interface Retention {
  /** As they apply here, after what the operator shortened. */
  readonly terms: readonly Term[]
  /**
   * Ends everything that is due, batch by batch; each batch with its line in the audit record, so that a run may stop anywhere, begin again, or
   * meet another process. One term that fails keeps no other waiting.
   *
   * @throws {AggregateError} after all terms had their turn
   */
  apply(): Promise<readonly Swept[]>
  /** What a run at this moment would end, and how late it is. */
  overdue(): Promise<readonly Overdue[]>
}

export interface RetentionDependencies {
  readonly db: Database
  readonly clock: Clock
  readonly terms: readonly Term[]
  /** Days by key that the operator set. */
  readonly shortened?: Readonly<Record<string, number>>
  /** Writes what a batch ended into the audit record: counts only. */
  readonly record: (tx: Sql, swept: Swept) => Promise<unknown>
}

/** @throws {RangeError} where a term is set that does not exist or may not be shortened so far. */
export function createRetention({ db, clock, terms, shortened = {}, record }: RetentionDependencies): Retention {
  const applied = shorten(terms, shortened)
  const dueOf = ({ days }: Term): Due => ({ before: new Date(clock.now().getTime() - days * DAY_MS), now: clock.now() })

  async function applyTerm(term: Term): Promise<Swept> {
    const { key, ending, days, sweep } = term
    let rows = 0
    for (let batch = 0; batch < MOST_BATCHES; batch++) {
      const ended = await db.transaction(async (tx) => {
        const count = await sweep.end(tx, dueOf(term), BATCH)
        if (count > 0) await record(tx, { key, ending, days, rows: count })
        return count
      })
      rows += ended
      if (ended < BATCH) break
    }
    return { key, ending, days, rows }
  }

  return {
    terms: applied,
    async apply() {
      const done: Swept[] = []
      const failed: unknown[] = []
      for (const term of applied) await applyTerm(term).then((swept) => done.push(swept), (error: unknown) => failed.push(error))
      if (failed.length > 0) throw new AggregateError(failed, 'terms of retention were not applied')
      return done
    },
    async overdue() {
      const found: Overdue[] = []
      for (const term of applied) {
        const due = dueOf(term)
        const { rows, oldest } = await term.sweep.due(db, due)
        found.push({ key: term.key, rows, seconds: oldest === undefined ? 0 : Math.max(0, (due.before.getTime() - oldest.getTime()) / 1000) })
      }
      return found
    },
  }
}

/** The terms as the operator shortened them. */
function shorten(terms: readonly Term[], shortened: Readonly<Record<string, number>>): Term[] {
  for (const [key, days] of Object.entries(shortened)) {
    const term = terms.find((one) => one.key === key)
    if (term === undefined) throw new RangeError(`RETENTION_DAYS: there is no term ${key}`)
    if (term.leastDays === undefined) throw new RangeError(`RETENTION_DAYS: ${key} is not the operator's to change`)
    if (days < term.leastDays || days > term.days) throw new RangeError(`RETENTION_DAYS: ${key} is between ${term.leastDays} and ${term.days} days`)
  }
  return terms.map((term) => ({ ...term, days: shortened[term.key] ?? term.days }))
}

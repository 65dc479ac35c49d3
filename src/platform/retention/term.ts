/** How long rows about people are kept: what a room declares, one term for each kind of row. Texts are Portuguese: operators and citizens read them. */
import type { Sql } from '../db.ts'

/** What becomes of a row: gone · its sealed facts gone, the row stays for the record · the link to its person gone, the number stays. */
export type Ending = 'deleted' | 'blanked' | 'anonymised'

/** Days before which a row's time must have begun, and the moment at which a legal hold counts. */
export interface Due {
  readonly before: Date
  readonly now: Date
}

/** Finds and ends rows whose time is over; what it ended it does not find again. */
export interface Sweep {
  /** How many there are, and when the oldest one's time began. */
  due(sql: Sql, due: Due): Promise<{ readonly rows: number; readonly oldest: Date | undefined }>
  /** Ends at most `limit`, leaving out what another process has in hand; how many. */
  end(tx: Sql, due: Due, limit: number): Promise<number>
}

/** One line of the table: a kind of row, why it is there, and when and how it goes. */
export interface Term {
  /** Never renamed: in the audit record, the metrics and the configuration. */
  readonly key: string
  /** Tables whose sensitive columns it answers for. */
  readonly tables: readonly string[]
  readonly what: string
  readonly purpose: string
  /** Legal ground of the treatment and of the term. */
  readonly ground: string
  /** From when the time counts. */
  readonly from: string
  readonly ending: Ending
  /** Whether a legal hold on the person keeps the row beyond its term. */
  readonly isHeld: boolean
  readonly days: number
  /** The operator may shorten the term down to this, and never lengthen it; absent where the record needs the whole of it. */
  readonly leastDays?: number
  readonly sweep: Sweep
}

/** Rows that another job ends, or that live as long as what they belong to; in the same table, so that nothing is left unsaid. */
export interface KeptElsewhere {
  readonly tables: readonly string[]
  readonly what: string
  readonly purpose: string
  /** Until when, in words. */
  readonly until: string
  /** The job that ends them; absent where they end with what they belong to. */
  readonly job?: string
}

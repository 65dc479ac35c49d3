/** What the franchise and its compensations come to; whole numbers only, and no order of anything matters (docs/image-service.md). */

export interface PointUse {
  readonly code: string
  readonly processes: number
  /** Processes that the month's fixed price of this point covers; 0 for a point that was not active in the month. */
  readonly franchise: number
}

/** A point's month after the points of the contract have helped each other out. */
export interface PointShare extends PointUse {
  /** Beyond its own franchise. */
  readonly excess: number
  /** Of its own franchise. */
  readonly unused: number
  /** Part of the excess that other points' unused franchise covers. */
  readonly received: number
  /** Part of the unused franchise that covers other points' excess. */
  readonly given: number
  /** Excess that is paid for. */
  readonly payable: number
}

/**
 * Compensation between the points of a contract in one month: all excess is covered as far as the unused franchise goes.
 *
 * How much is covered depends on the sums alone; which point is named for it goes by the points' codes.
 */
export function compensate(points: readonly PointUse[]): PointShare[] {
  const sorted = [...points].sort((a, b) => (a.code < b.code ? -1 : 1))
  const excesses = sorted.map(({ processes, franchise }) => Math.max(0, processes - franchise))
  const unused = sorted.map(({ processes, franchise }) => Math.max(0, franchise - processes))
  const covered = Math.min(sum(excesses), sum(unused))
  const received = spread(excesses, covered)
  const given = spread(unused, covered)
  return sorted.map((point, index) => {
    const excess = excesses[index] ?? 0
    return { ...point, excess, unused: unused[index] ?? 0, received: received[index] ?? 0, given: given[index] ?? 0, payable: excess - (received[index] ?? 0) }
  })
}

export interface MonthRest {
  readonly month: string
  /** Processes that were paid for beyond the franchise, after the month's own compensation. */
  readonly payable: number
  /** Franchise that nobody used, after the month's own compensation. */
  readonly unused: number
  /** Price of one of those processes. */
  readonly excessCents: number
}

export interface MonthCredit extends MonthRest {
  /** Of the processes that were paid for: given back. */
  readonly credited: number
  readonly creditCents: number
}

/** Compensation in the semester: what one month paid beyond its franchise is given back as far as other months left theirs unused, the earliest first. */
export function settleSemester(months: readonly MonthRest[]): MonthCredit[] {
  const sorted = [...months].sort((a, b) => (a.month < b.month ? -1 : 1))
  const payable = sorted.map((month) => month.payable)
  const credited = spread(payable, Math.min(sum(payable), sum(sorted.map(({ unused }) => unused))))
  return sorted.map((month, index) => ({ ...month, credited: credited[index] ?? 0, creditCents: (credited[index] ?? 0) * month.excessCents }))
}

export const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

/** An amount poured over places that hold so much each, the first ones first. */
function spread(places: readonly number[], amount: number): number[] {
  let left = amount
  return places.map((most) => {
    const part = Math.min(most, left)
    left -= part
    return part
  })
}

import type { MatchRule } from '../../src/biometrics/liveness/match-rule.ts'
import { distanceOf, galleryOf } from './cross-match.ts'
import type { Enrolled } from './enrolment.ts'

/** One search of a gallery. */
export interface Search {
  /** Distance of the person's own entry; undefined when they are not in the gallery. */
  readonly own: number | undefined
  /** How many entries are nearer than their own. */
  readonly rank: number
  /** Distance of the nearest entry of somebody else. */
  readonly nearestOther: number
}

export interface Searches {
  readonly gallery: number
  readonly mated: readonly Search[]
  readonly nonMated: readonly Search[]
}

/**
 * Open-set identification: everybody with two pictures or more is enrolled with the first and searched with the second;
 * everybody with one is searched without being enrolled.
 */
export function searchAll(metric: MatchRule['metric'], enrolled: readonly Enrolled[]): Searches {
  const people = [...Map.groupBy(enrolled, ({ identity }) => identity).values()]
  const known = people.filter(({ length }) => length >= 2)
  const strangers = people.filter(({ length }) => length === 1).flat()
  const gallery = galleryOf(
    metric,
    known.flatMap(([first]) => (first ? [first] : [])),
  )
  const search = (probe: Enrolled): Search => {
    const asked = galleryOf(metric, [probe])
    const distances = Array.from({ length: gallery.rows }, (_, row) => distanceOf(asked, 0, gallery, row))
    const ownRow = gallery.identities.indexOf(probe.identity)
    const own = ownRow === -1 ? undefined : distances[ownRow]
    const others = distances.filter((_, row) => row !== ownRow)
    return { own, rank: own === undefined ? 0 : others.filter((each) => each < own).length, nearestOther: Math.min(...others) }
  }
  return {
    gallery: gallery.rows,
    mated: known.flatMap(([, second]) => (second ? [search(second)] : [])),
    nonMated: strangers.map(search),
  }
}

/**
 * False positive and false negative identification at a threshold, for candidate lists of at most `candidates` entries.
 *
 * FPIR: searches of people who are not in the gallery that return anybody at all. FNIR: searches of people who are in it that do not
 * return them. Both after ISO/IEC 19795-1.
 */
export function identificationErrors(
  { mated, nonMated }: Searches,
  threshold: number,
  candidates: number,
): { falsePositives: number; falseNegatives: number } {
  return {
    falsePositives: nonMated.filter(({ nearestOther }) => nearestOther <= threshold).length,
    falseNegatives: mated.filter(({ own, rank }) => own === undefined || own > threshold || rank >= candidates).length,
  }
}

/** The greatest threshold at which the share of false positive searches does not exceed `rate`. */
export function thresholdAtFalsePositives({ nonMated }: Searches, rate: number): number | undefined {
  const nearest = nonMated.map(({ nearestOther }) => nearestOther).sort((a, b) => a - b)
  const allowed = Math.floor(rate * nearest.length)
  return allowed === 0 ? undefined : nearest[allowed - 1]
}

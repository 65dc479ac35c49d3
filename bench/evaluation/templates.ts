import { meanTemplate } from '../../src/biometrics/descriptor.ts'
import type { MatchRule } from '../../src/biometrics/liveness/match-rule.ts'
import { distanceOf, galleryOf, room, type Scores } from './cross-match.ts'
import type { Enrolled } from './enrolment.ts'
import { drawn, repeatable } from './random.ts'

/** Comparisons of a mean of k pictures with one reference picture: what a face check compares. */
export interface TemplateMatch {
  readonly k: number
  readonly mated: Scores
  readonly nonMated: Scores
  /** Pairs of different people behind the non-mated comparisons; more drawings of the same people add no people. */
  readonly pairsOfPeople: number
  readonly people: number
}

/** Each drawing takes other pictures of the same people. */
const DRAWINGS = 10

/**
 * Balanced by identity: in each drawing everybody has one reference picture and, with enough pictures, one mean of k others.
 *
 * Somebody with a hundred news photographs counts as much as somebody with six.
 */
export function templateMatch(metric: MatchRule['metric'], enrolled: readonly Enrolled[], k: number): TemplateMatch {
  const everyone = [...Map.groupBy(enrolled, ({ identity }) => identity).values()]
  const probes = everyone.flatMap((pictures, person) => (pictures.length > k ? [person] : []))
  const random = repeatable(k)
  const perDrawing = probes.length * (everyone.length - 1)
  const isProbe = new Set(probes)
  const mated = room(DRAWINGS * probes.length, (weights) => DRAWINGS * probes.reduce((sum, person) => sum + (weights[person] ?? 0), 0))
  const nonMated = room(DRAWINGS * perDrawing, (weights) => {
    const all = weights.reduce((sum, weight) => sum + weight, 0)
    return DRAWINGS * weights.reduce((sum, weight, person) => sum + (isProbe.has(person) ? weight * (all - weight) : 0), 0)
  })
  let [atMated, atOther] = [0, 0]
  for (let drawing = 0; drawing < DRAWINGS; drawing++) {
    const dealt = everyone.map((pictures) => drawn(pictures, Math.min(pictures.length, k + 1), random))
    const references = galleryOf(
      metric,
      dealt.flatMap(([first]) => (first ? [first] : [])),
    )
    const templates = galleryOf(
      metric,
      probes.map((person) => templateOf(dealt[person] ?? [], k)),
    )
    for (const [row, person] of probes.entries()) {
      for (let other = 0; other < everyone.length; other++) {
        const scores = other === person ? mated : nonMated
        const at = other === person ? atMated++ : atOther++
        scores.distances[at] = distanceOf(templates, row, references, other)
        scores.left[at] = person
        scores.right[at] = other
      }
    }
  }
  return { k, mated, nonMated, pairsOfPeople: perDrawing, people: everyone.length }
}

function templateOf(pictures: readonly Enrolled[], k: number): Pick<Enrolled, 'identity' | 'descriptor'> {
  const own = pictures.slice(1, k + 1)
  return { identity: own[0]?.identity ?? '', descriptor: meanTemplate(own.map(({ descriptor }) => descriptor)) }
}

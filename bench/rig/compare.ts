/** Our server against the reference in one run: the same work in turns, so that a busy moment of the machine hits both. */
import { median, relativeTo, type Result } from '../result.ts'
import { discover, type Endpoints } from './flows.ts'
import { type Load, measure, type Work } from './load.ts'
import { type Kind, ours, reference } from './servers.ts'

const ROUNDS = 3
const LOAD: Load = { people: 8, seconds: 4, warmUpSeconds: 1 }

export interface Comparison {
  readonly bench: string
  readonly metric: string
  readonly work: (at: Endpoints) => (person: number) => Work
  readonly seconds?: number
  /** Least ratio by kind of store; a kind that is absent is measured and told only. */
  readonly least: Partial<Readonly<Record<Kind, number>>>
}

/** Measures the reference and ours on these kinds of store, in turns. */
export async function compare(comparison: Comparison, kinds: readonly Kind[]): Promise<Result[]> {
  const { bench, metric, work, least } = comparison
  const load = { ...LOAD, ...(comparison.seconds !== undefined && { seconds: comparison.seconds }) }
  const places = [await discover((await reference()).origin)]
  for (const kind of kinds) places.push(await discover((await ours(kind)).origin))
  const rates = places.map((): number[] => [])
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, place] of places.entries()) rates[index]?.push((await measure(load, work(place))).perSecond)
  }
  const [base = Number.NaN, ...others] = rates.map(median)
  return kinds.map((kind, index) => relativeTo(base, { bench, metric: `${metric}, ${kind}`, value: others[index] ?? Number.NaN, unit: '/s' }, least[kind]))
}

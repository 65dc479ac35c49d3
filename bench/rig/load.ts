/** A closed-loop load: so many people at once, each starting anew as soon as done, for a while. */
import { percentile } from '../result.ts'

export interface Load {
  readonly people: number
  readonly seconds: number
  /** Not counted: fills caches, opens connections, lets the compiler settle. */
  readonly warmUpSeconds?: number
}

export interface Measurement {
  readonly perSecond: number
  readonly count: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** One person's work, done again and again; `person` numbers the people from 0. */
export type Work = (round: number) => Promise<void>

/**
 * Runs the work of all people at once and measures what they got done.
 *
 * @throws the first error of any of them: a figure with failures in it says nothing
 */
export async function measure(load: Load, personWork: (person: number) => Work): Promise<Measurement> {
  const begin = performance.now() + (load.warmUpSeconds ?? 1) * 1000
  const end = begin + load.seconds * 1000
  const tookMs: number[] = []
  let failure: unknown
  async function person(number: number) {
    const work = personWork(number)
    for (let round = 0; failure === undefined; round += 1) {
      const startedAt = performance.now()
      if (startedAt >= end) return
      await work(round)
      const doneAt = performance.now()
      if (doneAt >= begin && doneAt < end) tookMs.push(doneAt - startedAt)
    }
  }
  await Promise.all(Array.from({ length: load.people }, (_, number) => person(number).catch((error: unknown) => (failure ??= error))))
  if (failure !== undefined) throw failure
  return { perSecond: tookMs.length / load.seconds, count: tookMs.length, p50Ms: percentile(tookMs, 0.5), p99Ms: percentile(tookMs, 0.99) }
}

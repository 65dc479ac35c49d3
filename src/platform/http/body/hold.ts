import { Problem } from '../../problem.ts'
import { PLATFORM_PROBLEMS } from '../../problems.ts'
import type { HttpContext } from '../request-facts.ts'

/** What bodies on their way, and the work on them, may hold together and for one sender. */
export interface BodyBounds {
  readonly bytes: number
  readonly bytesEach: number
  readonly bodiesEach: number
  /** Of one: what is counted for a body that does not say how long it is, and refused as too large before it is read. */
  readonly longest: number
}

export type HoldBody = <T>(ctx: HttpContext, owner: string, work: () => Promise<T>) => Promise<T>

/**
 * Counts what senders hold in memory, before a byte of it is read: large bodies take minutes on slow lines.
 *
 * The first body of a sender is held to the common bound alone. @throws {Problem} platform/busy
 */
export function createBodyHold({ bytes: most, bytesEach, bodiesEach, longest }: BodyBounds): HoldBody {
  let held = 0
  const owners = new Map<string, { bodies: number; bytes: number }>()
  return async (ctx, owner, work) => {
    const said = Number(ctx.get('Content-Length') || Number.NaN)
    const bytes = Number.isFinite(said) ? Math.min(said, longest) : longest
    const own = owners.get(owner) ?? { bodies: 0, bytes: 0 }
    const isTooMuch = own.bodies >= bodiesEach || (own.bodies > 0 && own.bytes + bytes > bytesEach) || held + bytes > most
    if (isTooMuch) throw new Problem(PLATFORM_PROBLEMS.busy, { retryAfterSeconds: 10 })
    held += bytes
    owners.set(owner, own)
    own.bodies += 1
    own.bytes += bytes
    try {
      return await work()
    } finally {
      held -= bytes
      own.bodies -= 1
      own.bytes -= bytes
      if (own.bodies === 0) owners.delete(owner)
    }
  }
}

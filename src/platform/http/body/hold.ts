import type { IncomingMessage } from 'node:http'
import { Problem } from '../../problem.ts'
import { PLATFORM_PROBLEMS } from '../../problems.ts'
import type { HttpContext } from '../request-facts.ts'

/** What bodies on their way, and the work on them, may hold together and for one sender. */
export interface BodyBounds {
  /** Of all that has come: what is only announced takes no place. */
  readonly bytes: number
  /** What one sender may have announced at once. */
  readonly bytesEach: number
  readonly bodiesEach: number
  /** Of one: what is counted for a body that does not say how long it is, and refused as too large before it is read. */
  readonly longest: number
}

export type HoldBody = <T>(ctx: HttpContext, owner: string, work: () => Promise<T>) => Promise<T>

/** A body that is held: told of each piece that comes, it says when it must be given up. */
interface Held {
  size: number
  readonly since: number
  /** Where it stood one and two windows ago, to tell how fast it comes now. */
  marks: readonly [Mark, Mark]
  isRead: boolean
  cut: (() => void) | undefined
}
interface Mark {
  readonly at: number
  readonly size: number
}

const WINDOW_MS = 5_000
/** Nobody is judged by their first seconds, unless there is nobody else. */
const GRACE_MS = 10_000

/** By request, for whoever reads its body. */
const counted = new WeakMap<IncomingMessage, { add: (bytes: number) => void; whole: () => void; onCut: (cut: () => void) => void }>()
export const countOf = (request: IncomingMessage) => counted.get(request)

export const busy = () => new Problem(PLATFORM_PROBLEMS.busy, { retryAfterSeconds: 10 })

/**
 * Bounds what senders hold in memory: large bodies take minutes on slow lines.
 *
 * One sender is bounded by what they announce, before a byte is read. All together are bounded by what has come: where there is no more
 * place, the body that is cut is the one that holds most for how fast it comes, so that hoarding is what keeps nobody else out. The first
 * body of a sender is held to the common bound alone. @throws {Problem} platform/busy, also out of reading a body that is cut
 */
export function createBodyHold({ bytes: most, bytesEach, bodiesEach, longest }: BodyBounds, now: () => number = () => performance.now()): HoldBody {
  let total = 0
  const bodies = new Set<Held>()
  const owners = new Map<string, { bodies: number; bytes: number }>()

  function giveUp(body: Held): void {
    total -= body.size
    body.size = 0
    bodies.delete(body)
  }

  function add(body: Held, bytes: number): void {
    // What is cut already counts no more.
    if (!bodies.has(body)) return
    const at = now()
    body.size += bytes
    total += bytes
    if (at - body.marks[1].at >= WINDOW_MS) body.marks = [body.marks[1], { at, size: body.size }]
    while (total > most) {
      const worst = worstOf(bodies, at) ?? body
      giveUp(worst)
      worst.cut?.()
    }
  }

  return async (ctx, owner, work) => {
    const said = Number(ctx.get('Content-Length') || Number.NaN)
    const bytes = Number.isFinite(said) ? Math.min(said, longest) : longest
    const own = owners.get(owner) ?? { bodies: 0, bytes: 0 }
    if (own.bodies >= bodiesEach || (own.bodies > 0 && own.bytes + bytes > bytesEach)) throw busy()
    const start = { at: now(), size: 0 }
    const body: Held = { size: 0, since: start.at, marks: [start, start], isRead: false, cut: undefined }
    bodies.add(body)
    owners.set(owner, own)
    own.bodies += 1
    own.bytes += bytes
    counted.set(ctx.req, {
      add: (more) => add(body, more),
      whole: () => {
        body.isRead = true
      },
      onCut: (cut) => {
        body.cut = cut
      },
    })
    try {
      return await work()
    } finally {
      giveUp(body)
      counted.delete(ctx.req)
      own.bodies -= 1
      own.bytes -= bytes
      if (own.bodies === 0) owners.delete(owner)
    }
  }
}

/** Of those that are still coming, the one that holds most for how fast it comes: at an even speed, the one that takes longest. */
function worstOf(bodies: ReadonlySet<Held>, at: number): Held | undefined {
  const coming = [...bodies].filter(({ isRead }) => !isRead)
  const judged = coming.filter(({ since }) => at - since >= GRACE_MS)
  const burden = ({ size, marks: [before] }: Held) => size / Math.max(1, (size - before.size) / Math.max(1, at - before.at))
  return (judged.length > 0 ? judged : coming).reduce<Held | undefined>((worst, body) => (worst === undefined || burden(body) > burden(worst) ? body : worst), undefined)
}

import { Problem } from '../../platform/problem.ts'
import { PLATFORM_PROBLEMS } from '../../platform/problems.ts'

/** Lets a few at a time through for each key; the others wait in line, in this process. */
export interface Gate {
  /** @throws {Problem} platform/busy when the line is full. */
  run<T>(key: string, work: () => Promise<T>): Promise<T>
}

interface Line {
  inside: number
  readonly waiting: (() => void)[]
}

/**
 * A gate for attempts that are counted before they are evaluated: without it, right ones that arrive together would refuse each other.
 *
 * The limits themselves are the database's, whatever happens here.
 */
export function createGate({ width, maxWaiting }: { width: number; maxWaiting: number }): Gate {
  const lines = new Map<string, Line>()

  function leave(key: string, line: Line): void {
    const next = line.waiting.shift()
    if (next === undefined) line.inside -= 1
    else next()
    if (line.inside === 0) lines.delete(key)
  }

  return {
    async run(key, work) {
      const line = lines.get(key) ?? { inside: 0, waiting: [] }
      lines.set(key, line)
      if (line.inside < width) line.inside += 1
      else if (line.waiting.length < maxWaiting) await new Promise<void>((resolve) => line.waiting.push(resolve))
      else throw new Problem(PLATFORM_PROBLEMS.busy, { retryAfterSeconds: 2 })
      try {
        return await work()
      } finally {
        leave(key, line)
      }
    },
  }
}

import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { seededInt } from './reactive-camera/simulated-person.ts'

const SEED = 11
const { randomInt } = crypto

/**
 * Has the servers of this process draw the challenge of a face check, an integer of [min, max), from a seed while `work` runs.
 *
 * A drawing of a head does not do every turn under every colour well: what was asked would decide a test by chance.
 */
export async function withDrawnChallenge<T>(work: () => Promise<T>): Promise<T> {
  const drawn = seededInt(SEED)
  // Codes and shards are drawn with one bound, and stay unpredictable.
  use((first: number, second?: number) => (second === undefined ? randomInt(first) : drawn(first, second)))
  try {
    return await work()
  } finally {
    use(randomInt)
  }
}

function use(source: (first: number, second?: number) => number): void {
  Object.assign(crypto, { randomInt: source })
  syncBuiltinESMExports()
}

import type { LivenessFrame } from '../protocol.ts'
import type { Signal } from './signal.ts'

export const REPEAT_LIMITS = {
  /** A head that turned and came back shows at least one other view to the coarse hash. */
  minDistinctHashes: 2,
  /** A hash within this many bits of another is the same view. */
  sameViewBits: 1,
} as const

/** Bits in which two hashes of equal length in hex differ. */
export function hammingDistance(a: string, b: string): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY
  let bits = 0
  for (let i = 0; i < a.length; i += 1) {
    let difference = Number.parseInt(a[i] ?? '0', 16) ^ Number.parseInt(b[i] ?? '0', 16)
    for (; difference > 0; difference &= difference - 1) bits += 1
  }
  return bits
}

/**
 * No frame comes twice and the picture changes as the head does.
 *
 * A sensor's noise never repeats: two frames with equal pixels at 64×48 are one frame sent twice. A frozen picture with noise put over it
 * escapes that, and shows itself by a coarse hash that stays the same while turns were asked for.
 */
export function repeatSignal(frames: readonly LivenessFrame[]): Signal {
  const digests = new Set(frames.map(({ observation }) => observation.pixelDigest))
  const repeats = frames.length - digests.size
  const views: string[] = []
  for (const { observation } of frames) {
    const { perceptualHash } = observation
    if (!views.some((view) => hammingDistance(view, perceptualHash) <= REPEAT_LIMITS.sameViewBits)) views.push(perceptualHash)
  }
  const passed = repeats === 0 && views.length >= REPEAT_LIMITS.minDistinctHashes
  return { outcome: passed ? 'passed' : 'failed', reasons: passed ? [] : ['face/not-live'], scores: { repeats, views: views.length } }
}

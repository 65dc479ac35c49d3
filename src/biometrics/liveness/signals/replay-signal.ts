import type { LivenessFrame } from '../protocol.ts'
import { hammingDistance } from './repeat-signal.ts'
import type { Signal } from './signal.ts'
import { isFrontal, singleFaces } from './signal.ts'

export const REPLAY_LIMITS = {
  days: 90,
  printsPerSession: 8,
  /** Same view and same descriptor, nearly to the bit: no two moments of a living face do both. */
  viewBits: 3,
  sketchBits: 4,
  /** So many frames of this session have to be found again; one may be chance. */
  minMatches: 2,
} as const

/** What is kept of a frame for 90 days: enough to know it again, not enough to know the person by. */
export interface FramePrint {
  readonly pixelDigest: string
  readonly perceptualHash: string
  /** 256 signs of random projections of the descriptor; near descriptors differ in few. Empty without a descriptor. */
  readonly sketch: string
}

/** Where prints of judged sessions are looked up; the implementation forgets them after 90 days. */
export interface ReplayStore {
  /** Prints of earlier sessions of the same account, and any print anywhere with one of these pixel digests. */
  find(accountId: string, pixelDigests: readonly string[], since: Date): Promise<FramePrint[]>
}

/** Prints of this session's frames, frontal ones first in number; equal input gives equal prints for ever. */
export function framePrints(frames: readonly LivenessFrame[]): FramePrint[] {
  const frontal = singleFaces(frames).filter(({ face }) => isFrontal(face))
  const stride = Math.max(1, Math.ceil(frontal.length / REPLAY_LIMITS.printsPerSession))
  return frontal
    .filter((_, i) => i % stride === 0)
    .map(({ frame: { observation }, face }) => ({
      pixelDigest: observation.pixelDigest,
      perceptualHash: observation.perceptualHash,
      sketch: sketchOf(face.descriptor),
    }))
}

/**
 * Whether frames of an earlier session came again: a pixel-equal one, or several that are equal in view and descriptor.
 *
 * Every frontal frame of this session is compared, not only those that will be kept.
 */
export function replaySignal(frames: readonly LivenessFrame[], earlier: readonly FramePrint[]): Signal {
  const digests = new Set(earlier.map(({ pixelDigest }) => pixelDigest))
  const equal = frames.filter(({ observation }) => digests.has(observation.pixelDigest)).length
  const near = singleFaces(frames).filter(({ frame: { observation }, face }) => {
    if (!isFrontal(face) || !face.descriptor) return false
    const sketch = sketchOf(face.descriptor)
    return earlier.some((print) => isNear(print, observation.perceptualHash, sketch))
  }).length
  const passed = equal === 0 && near < REPLAY_LIMITS.minMatches
  return {
    outcome: passed ? 'passed' : 'failed',
    reasons: passed ? [] : ['face/not-live'],
    scores: { earlier: earlier.length, equal, near },
  }
}

function isNear(print: FramePrint, view: string, sketch: string): boolean {
  if (print.sketch === '' || hammingDistance(print.perceptualHash, view) > REPLAY_LIMITS.viewBits) return false
  return hammingDistance(print.sketch, sketch) <= REPLAY_LIMITS.sketchBits
}

/** Locality-sensitive hash: the signs of 256 fixed random ±1 projections. It cannot be turned back into the descriptor. */
export function sketchOf(descriptor: readonly number[] | undefined): string {
  if (!descriptor || descriptor.length === 0) return ''
  let hex = ''
  for (let nibble = 0; nibble < 64; nibble += 1) {
    let value = 0
    for (let bit = 0; bit < 4; bit += 1) value = value * 2 + (projection(descriptor, nibble * 4 + bit) > 0 ? 1 : 0)
    hex += value.toString(16)
  }
  return hex
}

function projection(descriptor: readonly number[], seed: number): number {
  return descriptor.reduce((sum, value, i) => sum + (signAt(seed, i) ? value : -value), 0)
}

/** A fixed pseudo-random bit for a place (the finaliser of MurmurHash3, whose bits are even). */
function signAt(seed: number, index: number): boolean {
  let mixed = (seed * 0x9e3779b1 + index * 0x85ebca6b) | 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return ((mixed ^ (mixed >>> 16)) & 1) === 1
}

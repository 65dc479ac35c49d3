import type { LivenessFrame } from '../protocol.ts'
import { hammingDistance } from './repeat-signal.ts'
import type { Signal, SingleFace } from './signal.ts'
import { isFrontal, singleFaces } from './signal.ts'

export const REPLAY_LIMITS = {
  days: 90,
  /** A session has 60 frames at most, 10 to 25 of them frontal: all of those are kept, and of a longer one an even choice. */
  printsPerSession: 32,
  /**
   * A frame encoded anew keeps its view, its template and its place nearly; another moment of even one and the same photograph seldom all
   * four. Found again within these limits, of 20 frames, standard and built-in nets: encoded anew at quality 80: 18–20 and 17–19, at 60:
   * 14–16 and 12–14; another moment of the same photograph: at most 8 and 9 (of 10 frames: 4 and 4), moved by six pixels: 0 and 0. The
   * template alone would not do: encoding anew changes it by up to 23 of these bits, half of other moments by less than 18.
   */
  viewBits: 1,
  sketchBits: 10,
  stancePixels: 1.5,
  stanceDegrees: 1,
  /** So much of the shorter of the two, this session's frontal frames or an earlier session's prints, has to be found again in the other. */
  minShare: 0.6,
  minMatches: 3,
} as const

const STANCE_WIDTH = 640

/** What is kept of a frame for 90 days: enough to know it again, not enough to know the person by. */
export interface FramePrint {
  readonly pixelDigest: string
  readonly perceptualHash: string
  /** 256 signs of random projections of the descriptor; near descriptors differ in few. Empty without a descriptor. */
  readonly sketch: string
  /** `x,y,yaw` of the face: pixels of a frame 640 wide, so that a smaller copy stands in the same place, and degrees. */
  readonly stance: string
}

export interface EarlierPrint extends FramePrint {
  readonly sessionId: string
}

/** Prints of this session's frontal frames; equal input gives equal prints for ever. */
export function framePrints(frames: readonly LivenessFrame[]): FramePrint[] {
  const frontal = singleFaces(frames).filter(({ face }) => isFrontal(face))
  const count = Math.min(frontal.length, REPLAY_LIMITS.printsPerSession)
  return Array.from({ length: count }, (_, i) => frontal[Math.floor((i * frontal.length) / count)]).flatMap((each) => (each ? [printOf(each)] : []))
}

function printOf({ frame: { observation }, face }: SingleFace): FramePrint {
  const scale = STANCE_WIDTH / observation.width
  return {
    pixelDigest: observation.pixelDigest,
    perceptualHash: observation.perceptualHash,
    sketch: sketchOf(face.descriptor),
    stance: [face.box.x * scale, face.box.y * scale, face.pose.yawDegrees].map((value) => value.toFixed(1)).join(),
  }
}

/**
 * Whether frames of an earlier session came again: one that is equal to the pixel, or most of them encoded anew.
 *
 * Stops a recording that is played again, not one that was altered on purpose: against that stand the challenge and the PAD nets.
 */
export function replaySignal(frames: readonly LivenessFrame[], earlier: readonly EarlierPrint[]): Signal {
  const digests = new Set(earlier.map(({ pixelDigest }) => pixelDigest))
  const equal = frames.filter(({ observation }) => digests.has(observation.pixelDigest)).length
  const prints = singleFaces(frames)
    .filter(({ face }) => isFrontal(face))
    .map(printOf)
  const sessions = [...Map.groupBy(earlier, ({ sessionId }) => sessionId).values()].map((session) => {
    const { minMatches, minShare } = REPLAY_LIMITS
    return { near: countAgain(prints, session), needed: Math.max(minMatches, minShare * Math.min(prints.length, session.length)) }
  })
  const passed = equal === 0 && sessions.every(({ near, needed }) => near < needed)
  return {
    outcome: passed ? 'passed' : 'failed',
    reasons: passed ? [] : ['face/not-live'],
    scores: { earlier: earlier.length, equal, near: Math.max(0, ...sessions.map(({ near }) => near)) },
  }
}

/** How many prints are found again in a session, each of its prints standing for one at most. */
function countAgain(prints: readonly FramePrint[], session: readonly FramePrint[]): number {
  const left = new Set(session)
  let found = 0
  for (const print of prints) {
    const again = [...left].find((each) => isAgain(each, print))
    if (!again) continue
    left.delete(again)
    found += 1
  }
  return found
}

function isAgain(a: FramePrint, b: FramePrint): boolean {
  const { viewBits, sketchBits, stancePixels, stanceDegrees } = REPLAY_LIMITS
  if (a.sketch === '' || b.sketch === '' || hammingDistance(a.perceptualHash, b.perceptualHash) > viewBits) return false
  if (hammingDistance(a.sketch, b.sketch) > sketchBits) return false
  const [[ax = 0, ay = 0, aYaw = 0], [bx = 0, by = 0, bYaw = 0]] = [a.stance.split(',').map(Number), b.stance.split(',').map(Number)]
  return Math.hypot(ax - bx, ay - by) <= stancePixels && Math.abs(aYaw - bYaw) <= stanceDegrees
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

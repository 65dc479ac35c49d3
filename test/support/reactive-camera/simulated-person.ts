import { createHash } from 'node:crypto'
import type { MatchRule } from '../../../src/biometrics/liveness/match-rule.ts'
import type { Step } from '../../../src/biometrics/liveness/plan.ts'
import type { LivenessFrame } from '../../../src/biometrics/liveness/protocol.ts'
import type { Colour, FaceObservation, FrameObservation } from '../../../src/biometrics/observation.ts'

/** What an engine would report of a person before the camera, without pictures: for tests of the rules alone. */
export interface Persona {
  readonly seed: number
  /** Share of the light on the skin that comes from the screen; 0 = daylight. */
  readonly screenLight?: number
  /** The same for the room behind. */
  readonly roomLight?: number
  readonly padScore?: number
  /** Another day: other light, other hair, and the face a little elsewhere in the picture. */
  readonly day?: number
  /** Noise of the pose in degrees. */
  readonly restless?: number
}

export const SIMULATED_RULE: MatchRule = {
  modelId: 'simulated',
  metric: 'euclidean',
  thresholds: { 1: 0.467, 3: 0.42, 5: 0.42 },
  strict: { 1: 0.413, 3: 0.366, 5: 0.366 },
  consecutive: 0.5,
}

/** A repeatable stream of numbers in [0, 1) (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export function seededInt(seed: number): (min: number, max: number) => number {
  const random = seededRandom(seed)
  return (min, max) => min + Math.floor(random() * (max - min))
}

/** A face of 128 numbers; two seeds are about .8 apart, as two people are. */
export function faceOf(seed: number): number[] {
  const random = seededRandom(seed * 7919)
  return Array.from({ length: 128 }, () => (random() - 0.5) * 0.173)
}

export interface View {
  readonly yaw?: number
  readonly pitch?: number
  readonly colour?: Colour | undefined
}

/** A camera on a simulated person: each call is another moment, so nothing repeats. */
export function createSimulatedCamera(persona: Persona): (view: View) => FrameObservation {
  const random = seededRandom(persona.seed + 1000 + (persona.day ?? 0) * 7_000)
  const noise = (size: number) => (random() + random() + random() - 1.5) * size
  const day = faceOf(persona.seed * 31 + (persona.day ?? 0))
  const face = faceOf(persona.seed).map((value, i) => value + (day[i] ?? 0) * 0.3)
  const restless = persona.restless ?? 1
  let moment = 0
  return ({ yaw = 0, pitch = 0, colour }) => {
    moment += 1
    const lit = (base: Colour, share: number): Colour => ({
      red: light(base.red, colour?.red, share) + noise(0.4),
      green: light(base.green, colour?.green, share) + noise(0.4),
      blue: light(base.blue, colour?.blue, share) + noise(0.4),
    })
    const width = 190 + noise(4)
    const seen: FaceObservation = {
      box: { x: 225 + yaw * 0.8 + noise(6), y: 130 + noise(6), width, height: width * 1.2 },
      score: 0.9,
      landmarks: Array.from({ length: 68 }, () => ({ x: 320 + noise(3), y: 240 + noise(3) })),
      pose: { yawDegrees: yaw + noise(restless), pitchDegrees: pitch + noise(restless), rollDegrees: noise(restless) },
      skin: lit({ red: 180, green: 130, blue: 110 }, persona.screenLight ?? 0.15),
      brightness: 130 + noise(3),
      unevenness: 0.1,
      sharpness: 80 + noise(5),
      descriptor: face.map((value) => value + noise(0.012 + Math.abs(yaw) * 0.0006)),
      ...(persona.padScore !== undefined && { padScore: persona.padScore + noise(0.05) }),
    }
    return {
      modelId: SIMULATED_RULE.modelId,
      width: 640,
      height: 480,
      faces: [seen],
      background: lit({ red: 120, green: 120, blue: 115 }, persona.roomLight ?? (persona.screenLight ?? 0.15) * 0.2),
      perceptualHash: viewHash(`${persona.seed}/${persona.day ?? 0}`, yaw, noise(1)),
      pixelDigest: createHash('sha256').update(`${persona.seed}/${moment}/${random()}`).digest('hex'),
    }
  }
}

function light(base: number, screen: number | undefined, share: number): number {
  return screen === undefined ? base : base * (1 - share) + base * share * (screen / 128)
}

/** The view of a head at some yaw: 5 degrees flip two bits, rest flips one at times. */
function viewHash(seed: string, yaw: number, jitter: number): string {
  const bits = BigInt(`0x${createHash('sha256').update(`view/${seed}`).digest('hex').slice(0, 16)}`)
  let mask = jitter > 0 ? 1n : 0n
  for (let i = 0; i < Math.abs(Math.round(yaw / 5)) * 2; i += 1) mask |= 1n << BigInt(yaw > 0 ? 2 + i : 40 + i)
  return (bits ^ mask).toString(16).padStart(16, '0')
}

/** The yaw that a willing person shows for a step. */
export function askedYaw(step: Step): number {
  if (step.kind === 'turn-left') return 22
  return step.kind === 'turn-right' ? -22 : 0
}

/** Frames of a whole session, one after the other: for each step the motion towards it and as many frames as it needs. */
export function playPlan(
  steps: readonly Step[],
  camera: (view: View, step: Step, index: number) => FrameObservation,
  options: { everyMs?: number; startMs?: number; start?: Date; frontalFrames?: number } = {},
): LivenessFrame[] {
  const everyMs = options.everyMs ?? 400
  const start = options.start ?? new Date('2026-11-22T12:00:00Z')
  const frames: LivenessFrame[] = []
  let capturedMs = options.startMs ?? 1000
  let yaw = 0
  const shoot = (step: Step, index: number) => {
    capturedMs += everyMs
    const observation = camera({ yaw, colour: step.colour }, step, index)
    frames.push({
      sequence: frames.length + 1,
      step: index,
      capturedMs,
      arrivedAt: new Date(start.getTime() + capturedMs + 80),
      observation,
    })
  }
  for (const [index, step] of steps.entries()) {
    const goal = askedYaw(step)
    while (Math.abs(goal - yaw) > 15) {
      yaw += Math.sign(goal - yaw) * 11
      shoot(step, index)
    }
    yaw = goal
    for (let i = 0; i < step.frames; i += 1) shoot(step, index)
  }
  const isAhead = ({ observation }: LivenessFrame) => Math.abs(observation.faces[0]?.pose.yawDegrees ?? 90) < 10
  const last = steps.at(-1)
  while (last && frames.length < 60 && yaw === 0 && frames.filter(isAhead).length < (options.frontalFrames ?? 10))
    shoot(last, steps.length - 1)
  return frames
}

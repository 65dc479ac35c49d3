import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as runtime from 'onnxruntime-node'
import sharp from 'sharp'
import type { FaceEngine } from '../../src/biometrics/engine/engine.ts'
import { createFaceEngine } from '../../src/biometrics/engine/engine.ts'
import type { FaceObservation } from '../../src/biometrics/observation.ts'
import { SAMPLES } from './face-api-reference.ts'
import { kept } from './kept.ts'

/** Built once for all test files: each checks the sums anew. */
export const TEST_MODELS = path.join(tmpdir(), 'mt-login-test-models')

export const openTestEngine = (): Promise<FaceEngine> => createFaceEngine({ runtime, modelsDir: TEST_MODELS })

/** Part of a sample photograph (1920 px wide, MIT licence, in the npm package): a square round one person's head. */
interface Head {
  readonly sample: number
  readonly x: number
  readonly y: number
  readonly side: number
}

/** One person appears twice: `first` and `again` are the same woman, the others are other people. */
export const HEADS = {
  first: { sample: 3, x: 1110, y: 340, side: 140 },
  again: { sample: 1, x: 1580, y: 330, side: 150 },
  other: { sample: 6, x: 1235, y: 440, side: 150 },
  third: { sample: 5, x: 1150, y: 350, side: 150 },
} as const satisfies Record<string, { sample: number; x: number; y: number; side: number }>

export interface FrameLook {
  readonly rotateDegrees?: number
  readonly mirrored?: boolean
  readonly blur?: number
  readonly brightness?: number
  readonly tint?: { r: number; g: number; b: number }
  /** Head's square as a part of the frame's height. */
  readonly zoom?: number
  readonly quality?: number
}

/** A camera frame of 640 × 480 with this head in the middle. */
export function frameOf(head: Head, look: FrameLook = {}): Promise<Buffer> {
  return kept(import.meta.filename, [head, look], () => drawFrame(head, look))
}

async function drawFrame({ sample, x, y, side }: Head, look: FrameLook): Promise<Buffer> {
  const source = SAMPLES[sample - 1]
  const height = Math.round((side * 2) / (look.zoom ?? 0.6))
  const width = Math.round((height * 4) / 3)
  let image = sharp(await sharp(source).extend({ top: 900, bottom: 900, left: 900, right: 900, extendWith: 'mirror' }).toBuffer())
  if (look.rotateDegrees) {
    const round = Math.round(Math.hypot(width, height))
    const part = { left: x + 900 - (round >> 1), top: y + 900 - (round >> 1), width: round, height: round }
    const turned = await image.extract(part).rotate(look.rotateDegrees).toBuffer({ resolveWithObject: true })
    const corner = { left: (turned.info.width - width) >> 1, top: (turned.info.height - height) >> 1, width, height }
    image = sharp(turned.data).extract(corner)
  } else {
    image = image.extract({ left: x + 900 - (width >> 1), top: y + 900 - (height >> 1), width, height })
  }
  image = sharp(await image.resize(640, 480).toBuffer())
  if (look.mirrored) image = image.flop()
  if (look.blur) image = image.blur(look.blur)
  if (look.brightness) image = image.linear(look.brightness, 0)
  if (look.tint) image = image.linear([look.tint.r, look.tint.g, look.tint.b], [0, 0, 0])
  return image.jpeg({ quality: look.quality ?? 90 }).toBuffer()
}

/** A photograph as a capture point takes it, upright 3 : 4, of a head that the real nets and the profile `capture-point` accept. */
export function capturePhoto(): Promise<Buffer> {
  return kept(import.meta.filename, 'capture', drawPhoto)
}

async function drawPhoto(): Promise<Buffer> {
  const { sample, x, y, side } = HEADS.third
  const height = side * 4
  const width = Math.round(height * 0.75)
  const source = sharp(await sharp(SAMPLES[sample - 1]).extend({ top: 900, bottom: 900, left: 900, right: 900, extendWith: 'mirror' }).toBuffer())
  const part = { left: x + 900 - (width >> 1), top: y + 900 - (height >> 1), width, height }
  return source.extract(part).resize(900, 1200).jpeg({ quality: 95 }).toBuffer()
}

/** The face of a head's frame: the one nearest to the middle, as neighbours on the photograph may show at its edge. */
export async function observeHead(engine: FaceEngine, head: keyof typeof HEADS, look: FrameLook = {}): Promise<FaceObservation> {
  const { faces } = await engine.observe(await frameOf(HEADS[head], look), { descriptor: 'always', describeFaces: 4 })
  const offCentre = ({ box }: FaceObservation) => Math.abs(box.x + box.width / 2 - 320)
  const [face] = faces.toSorted((left, right) => offCentre(left) - offCentre(right))
  return face ?? assert.fail(`no face in the frame of ${head}`)
}

/** Everybody found on the six sample photographs, compared with everybody else: how many, and which photographs have two of one person. */
export async function compareSamplePeople(
  engine: FaceEngine,
  isSame: (left: readonly number[], right: readonly number[]) => boolean,
): Promise<{ count: number; same: string[] }> {
  const people: { sample: number; descriptor: readonly number[] }[] = []
  for (const [index, file] of SAMPLES.entries()) {
    const { faces } = await engine.describe(readFileSync(file), { describeFaces: 8 })
    for (const { descriptor } of faces) if (descriptor) people.push({ sample: index + 1, descriptor })
  }
  const same = people.flatMap((left, at) =>
    people.slice(at + 1).flatMap((right) => (isSame(left.descriptor, right.descriptor) ? [`${left.sample}-${right.sample}`] : [])),
  )
  return { count: people.length, same }
}

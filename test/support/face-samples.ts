import { tmpdir } from 'node:os'
import path from 'node:path'
import * as runtime from 'onnxruntime-node'
import sharp from 'sharp'
import type { FaceEngine } from '../../src/biometrics/engine/engine.ts'
import { createFaceEngine } from '../../src/biometrics/engine/engine.ts'
import { SAMPLES } from './face-api-reference.ts'

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
export async function frameOf({ sample, x, y, side }: Head, look: FrameLook = {}): Promise<Buffer> {
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

import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import type { Colour, Point } from '../../../src/biometrics/observation.ts'
import { kept } from '../kept.ts'

/**
 * Views of one head from one photograph: turned about its vertical axis in 2.5-D, lit by the screen, with a camera's noise.
 *
 * A test double of a person, and at the same time the injection attack that specs/biometrics.md 1.8 warns of: what passes with it is why
 * a web camera alone lifts nobody to ouro.
 */
export const VIEW_WIDTH = 640
export const VIEW_HEIGHT = 480

/** Where a face is in a sample photograph of the npm package `@vladmandic/face-api`, in pixels of the file. */
export interface SampleFace {
  readonly file: string
  /** Between the eyes and the nose's base. */
  readonly centre: Point
  /** From one end of the jaw to the other. */
  readonly width: number
  /** How the head is turned and tilted in the photograph; views are put right by it. */
  readonly yawDegrees: number
  readonly rollDegrees: number
}

/** Two people of the samples who look into the camera. */
export const SAMPLE_FACES = {
  one: { file: 'sample6.jpg', centre: { x: 1566, y: 430 }, width: 223, yawDegrees: -6, rollDegrees: 13.4 },
  two: { file: 'sample6.jpg', centre: { x: 1279, y: 474 }, width: 211, yawDegrees: 6, rollDegrees: 0 },
} as const satisfies Record<string, SampleFace>

const SAMPLES = new URL('../../../node_modules/@vladmandic/face-api/demo/', import.meta.url)

export interface ViewOptions {
  readonly yawDegrees: number
  /** Colour of the screen before the person. */
  readonly colour?: Colour | undefined
  /** Share of the light on the skin that comes from the screen. */
  readonly screenLight?: number
  /** Moment: shifts the head by a pixel or two and seeds the noise. */
  readonly moment?: number
  /** Without movement and noise: for whoever adds their own. */
  readonly still?: boolean
}

export interface FaceViews {
  /** Raw RGB, 640×480. */
  render(options: ViewOptions): Buffer
  jpeg(options: ViewOptions): Promise<Buffer>
}

/** Width of the face in the views, from one end of the jaw to the other. */
export const FACE_WIDTH = 165
/** The head as half an ellipsoid in units of the face's width, with a nose; the turn fades out towards the hair and the shoulders. */
const HEAD = { halfWidth: 0.78, halfHeight: 1.05, depth: 0.9, noseDepth: 0.4, noseAt: 0.1, noseRadius: 0.17 }
/** Beyond this ellipse the photograph is blurred away, and with it whoever stands beside. */
const KEPT = { halfWidth: 0.72, halfHeight: 1.0 }

export async function loadFaceViews(sample: SampleFace): Promise<FaceViews> {
  const base = await kept(import.meta.filename, sample, () => portrait(sample))
  const turns = new Map<number, Buffer>()
  const turn = (degrees: number) => {
    const known = turns.get(degrees) ?? turned(base, degrees)
    turns.set(degrees, known)
    return known
  }
  const render = (options: ViewOptions) => lit(turn(Math.round(options.yawDegrees - sample.yawDegrees)), options)
  return {
    render,
    jpeg: (options) =>
      sharp(render(options), { raw: { width: VIEW_WIDTH, height: VIEW_HEIGHT, channels: 3 } })
        .jpeg({ quality: 70 })
        .toBuffer(),
  }
}

/** The photograph, upright and with the face in the middle, before a blurred background. */
async function portrait({ file, centre, width, rollDegrees }: SampleFace): Promise<Buffer> {
  const reach = Math.ceil((width / FACE_WIDTH) * Math.hypot(VIEW_WIDTH, VIEW_HEIGHT) * 0.5)
  const wide = await sharp(fileURLToPath(new URL(file, SAMPLES)))
    .extend({ top: reach, bottom: reach, left: reach, right: reach, extendWith: 'mirror' })
    .png({ compressionLevel: 1 })
    .toBuffer()
  const square = await sharp(wide)
    .extract({ left: centre.x, top: centre.y, width: 2 * reach, height: 2 * reach })
    .rotate(-rollDegrees)
    .png()
    .toBuffer()
  const side = (await sharp(square).metadata()).width
  const [cropWidth, cropHeight] = [Math.round((VIEW_WIDTH * width) / FACE_WIDTH), Math.round((VIEW_HEIGHT * width) / FACE_WIDTH)]
  const crop = { left: Math.round((side - cropWidth) / 2), top: Math.round((side - cropHeight) / 2), width: cropWidth, height: cropHeight }
  const sharpPixels = sharp(square).extract(crop).resize(VIEW_WIDTH, VIEW_HEIGHT, { fit: 'fill' }).removeAlpha()
  const [near, far] = await Promise.all([sharpPixels.clone().raw().toBuffer(), sharpPixels.clone().blur(40).raw().toBuffer()])
  return blend(near, far)
}

function blend(near: Buffer, far: Buffer): Buffer {
  return Buffer.from(
    near.map((value, at) => {
      const [u, v] = placeOf(at)
      const r = Math.sqrt((u / KEPT.halfWidth) ** 2 + (v / KEPT.halfHeight) ** 2)
      const kept = Math.min(1, Math.max(0, (1.15 - r) / 0.3))
      return value * kept + (far[at] ?? 0) * (1 - kept)
    }),
  )
}

/** Of a byte of a view: how far from the face's centre, in the face's widths. */
function placeOf(at: number): [number, number] {
  const place = Math.floor(at / 3)
  return [((place % VIEW_WIDTH) - VIEW_WIDTH / 2) / FACE_WIDTH, (Math.floor(place / VIEW_WIDTH) - VIEW_HEIGHT / 2) / FACE_WIDTH]
}

/** How far in front of the ears a place of the head is, in pixels; `x`, `y` from the face's centre in its widths. */
function depthAt(x: number, y: number): number {
  const r = (x / HEAD.halfWidth) ** 2 + (y / HEAD.halfHeight) ** 2
  if (r >= 1) return 0
  const nose = HEAD.noseDepth * Math.exp(-((x / HEAD.noseRadius) ** 2) - ((y - HEAD.noseAt) / (HEAD.noseRadius * 1.1)) ** 2)
  return FACE_WIDTH * ((HEAD.depth + nose) * (1 - r) ** 0.8)
}

/** The view with the head in the middle turned about its vertical axis; what is beside and behind it stays. */
export function turned(base: Buffer, degrees: number): Buffer {
  const out = Buffer.alloc(base.length)
  const [sine, cosine] = [Math.sin((degrees * Math.PI) / 180), Math.cos((degrees * Math.PI) / 180)]
  for (let row = 0; row < VIEW_HEIGHT; row += 1) {
    const dy = row - VIEW_HEIGHT / 2
    for (let column = 0; column < VIEW_WIDTH; column += 1) {
      const x = sourceX(column - VIEW_WIDTH / 2, dy, sine, cosine)
      copyPixel(base, out, x + VIEW_WIDTH / 2, row, (row * VIEW_WIDTH + column) * 3)
    }
  }
  return out
}

/** The place of the photograph that a turn takes to `to`: fixed point of x = to − displacement(x). */
function sourceX(to: number, dy: number, sine: number, cosine: number): number {
  let x = to
  for (let i = 0; i < 6; i += 1) {
    const [u, v] = [x / FACE_WIDTH, dy / FACE_WIDTH]
    const r = Math.min(1, (u / HEAD.halfWidth) ** 2 + (v / HEAD.halfHeight) ** 2)
    // Turning to one's own left moves the nose to the right of an unmirrored picture.
    x = to - (x * (cosine - 1) * (1 - r) + depthAt(u, v) * sine)
  }
  return x
}

function copyPixel(from: Buffer, to: Buffer, x: number, row: number, at: number): void {
  const left = Math.min(VIEW_WIDTH - 2, Math.max(0, Math.floor(x)))
  const share = Math.min(1, Math.max(0, x - left))
  const index = (row * VIEW_WIDTH + left) * 3
  for (let channel = 0; channel < 3; channel += 1) {
    to[at + channel] = (from[index + channel] ?? 0) * (1 - share) + (from[index + channel + 3] ?? 0) * share
  }
}

/** Which bytes of a view are the head's. */
const HEAD_BYTES = Uint8Array.from({ length: VIEW_WIDTH * VIEW_HEIGHT * 3 }, (_, at) => {
  const [u, v] = placeOf(at)
  return (u / 0.6) ** 2 + (v / 0.85) ** 2 < 1 ? 1 : 0
})

/** The screen's light on the head (and a fifth of it on the room), the noise of a camera, and a hand that is never quite still. */
export function lit(pixels: Buffer, { colour, screenLight = 0.15, moment = 0, still = false }: ViewOptions): Buffer {
  if (still) return pixels
  const out = Buffer.alloc(pixels.length)
  const gain = (channel: 0 | 1 | 2, share: number) =>
    colour ? 1 - share + (share * ([colour.red, colour.green, colour.blue][channel] ?? 0)) / 128 : 1
  const gains = [screenLight * 0.2, screenLight].map((share) => [gain(0, share), gain(1, share), gain(2, share)])
  const shift = (Math.round(Math.sin(moment * 1.7) * 2) + VIEW_WIDTH * Math.round(Math.cos(moment * 2.3) * 2)) * 3
  let state = (moment * 2654435761 + 12345) | 0
  for (let at = 0; at < out.length; at += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    const noise = ((state >>> 24) + ((state >>> 16) & 255) - 255) / 64
    const from = pixels[at + shift] ?? pixels[at] ?? 0
    out[at] = Math.min(255, Math.max(0, from * (gains[HEAD_BYTES[at] ?? 0]?.[at % 3] ?? 1) + noise))
  }
  return out
}

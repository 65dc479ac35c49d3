import sharp from 'sharp'
import type { FaceObservation, Point } from '../../../src/biometrics/observation.ts'
import { FACE_WIDTH, lit, turned, VIEW_HEIGHT, VIEW_WIDTH } from '../../../test/support/reactive-camera/face-views.ts'
import type { View } from '../../../test/support/reactive-camera/simulated-person.ts'

/**
 * How a picture stands before the camera: `reacting`: its head turns as asked, as a person's or a puppet's · `rigid`: a flat thing, of which
 * the most that a hand can do is to turn it.
 */
export type Manner = 'reacting' | 'rigid'

export interface Presentation {
  /** The frame of one moment, as the camera page sends it. */
  frame(view: View, moment: number): Promise<Buffer>
}

/** Where the head is in a picture. */
export interface Head {
  readonly centre: Point
  readonly jawWidth: number
  readonly yawDegrees: number
  readonly rollDegrees: number
}

export function headOf({ landmarks, pose }: Pick<FaceObservation, 'landmarks' | 'pose'>): Head {
  const [first, last] = [landmarks[0], landmarks[16]]
  const inner = [...landmarks.slice(36, 48), ...landmarks.slice(31, 36)]
  if (!first || !last || inner.length === 0) throw new Error('a face without landmarks')
  return {
    centre: { x: mean(inner.map(({ x }) => x)), y: mean(inner.map(({ y }) => y)) },
    jawWidth: Math.hypot(last.x - first.x, last.y - first.y),
    yawDegrees: pose.yawDegrees,
    rollDegrees: pose.rollDegrees,
  }
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

/**
 * Plays a photograph as a session before the camera, near enough that the face fills the oval as the page asks.
 *
 * The camera's own noise, a hand's small motion and the screen's colour on what is in front of it are laid over every frame. All of it is the
 * same for people and for attacks, so that only the picture differs.
 */
export async function present(picture: Uint8Array, head: Head, manner: Manner): Promise<Presentation> {
  const scene = await sceneOf(picture, head)
  const views = new Map<number, Buffer>()
  const viewAt = (yaw: number) => {
    const degrees = Math.round(manner === 'reacting' ? yaw - head.yawDegrees : Math.max(-45, Math.min(45, yaw * HAND)))
    const view = views.get(degrees) ?? (manner === 'reacting' ? turned(scene, degrees) : tilted(scene, degrees))
    views.set(degrees, view)
    return view
  }
  return {
    frame: ({ yaw = 0, colour }, moment) =>
      sharp(lit(viewAt(yaw), { yawDegrees: yaw, colour, moment }), { raw: { width: VIEW_WIDTH, height: VIEW_HEIGHT, channels: 3 } })
        .jpeg({ quality: 70 })
        .toBuffer(),
  }
}

/** Whoever holds a photograph turns it further than a head, to make the nets see a turned face. */
const HAND = 1.6
/** Distance from the camera, in pixels of the view: a web camera's field of some 60°. */
const FOCUS = 600

/** The picture upright and enlarged around the head; beyond its edge the last pixels go on, because any frame would look like a sheet's. */
async function sceneOf(picture: Uint8Array, { centre, jawWidth, rollDegrees }: Head): Promise<Buffer> {
  const scale = FACE_WIDTH / jawWidth
  const reach = Math.ceil(Math.hypot(VIEW_WIDTH, VIEW_HEIGHT) / 2 / scale) + 2
  const wide = await sharp(picture)
    .removeAlpha()
    .extend({ top: reach, bottom: reach, left: reach, right: reach, extendWith: 'copy' })
    .png({ compressionLevel: 1 })
    .toBuffer()
  // The picture was extended by `reach`, so the head's own place is the corner of the square that has it in the middle.
  const square = { left: Math.round(centre.x), top: Math.round(centre.y), width: 2 * reach, height: 2 * reach }
  const upright = await sharp(wide).extract(square).rotate(-rollDegrees).png({ compressionLevel: 1 }).toBuffer({ resolveWithObject: true })
  const [width, height] = [Math.round(VIEW_WIDTH / scale), Math.round(VIEW_HEIGHT / scale)]
  const [left, top] = [Math.round((upright.info.width - width) / 2), Math.round((upright.info.height - height) / 2)]
  return sharp(upright.data).extract({ left, top, width, height }).resize(VIEW_WIDTH, VIEW_HEIGHT, { fit: 'fill' }).raw().toBuffer()
}

/** A flat picture turned about its vertical axis, seen in perspective. */
export function tilted(scene: Buffer, degrees: number): Buffer {
  if (degrees === 0) return scene
  const out = Buffer.alloc(scene.length)
  const [sine, cosine] = [Math.sin((degrees * Math.PI) / 180), Math.cos((degrees * Math.PI) / 180)]
  for (let row = 0; row < VIEW_HEIGHT; row++) {
    for (let column = 0; column < VIEW_WIDTH; column++) {
      const x = column - VIEW_WIDTH / 2
      const along = (x * FOCUS) / (FOCUS * cosine - x * sine)
      const down = ((row - VIEW_HEIGHT / 2) * (FOCUS + along * sine)) / FOCUS
      const from = placeOf(along, down)
      const to = (row * VIEW_WIDTH + column) * 3
      for (let channel = 0; channel < 3; channel++) out[to + channel] = scene[from + channel] ?? 0
    }
  }
  return out
}

function placeOf(x: number, y: number): number {
  const column = Math.min(VIEW_WIDTH - 1, Math.max(0, Math.round(x + VIEW_WIDTH / 2)))
  const row = Math.min(VIEW_HEIGHT - 1, Math.max(0, Math.round(y + VIEW_HEIGHT / 2)))
  return (row * VIEW_WIDTH + column) * 3
}

import type { Point } from '../observation.ts'
import type { Normalisation, Raster } from './raster.ts'
import { planeOrder } from './raster.ts'

/** Where the recogniser wants the face: a square that turns with the head. */
export interface AlignedSquare {
  readonly centre: Point
  readonly side: number
  readonly rollRadians: number
}

/** Distance from eyes to mouth as a part of the square's side, and where the middle of eyes and mouth lies in it. */
const EYE_TO_MOUTH = 0.45
const ANCHOR = { x: 0.5, y: 0.43 }

export function centreOf(points: readonly Point[]): Point {
  const sum = points.reduce((total, point) => ({ x: total.x + point.x, y: total.y + point.y }), { x: 0, y: 0 })
  return { x: sum.x / points.length, y: sum.y / points.length }
}

/** Centres of the eye at the picture's left, the eye at its right, and the mouth. */
export function eyesAndMouth(landmarks: readonly Point[]): readonly [Point, Point, Point] {
  return [centreOf(landmarks.slice(36, 42)), centreOf(landmarks.slice(42, 48)), centreOf(landmarks.slice(48, 68))]
}

/** Turn of the line between the eyes; positive is clockwise in the picture. */
export function rollOf(landmarks: readonly Point[]): number {
  const [left, right] = eyesAndMouth(landmarks)
  return Math.atan2(right.y - left.y, right.x - left.x)
}

/** The recogniser's square for a face. Without the roll, the reference library's own square before it is cut at the picture's edge. */
export function alignedSquare(landmarks: readonly Point[], { upright = true } = {}): AlignedSquare {
  const centres = eyesAndMouth(landmarks)
  const [left, right, mouth] = centres
  const distance = (point: Point) => Math.hypot(mouth.x - point.x, mouth.y - point.y)
  const side = Math.floor((distance(left) + distance(right)) / 2 / EYE_TO_MOUTH)
  const rollRadians = upright ? rollOf(landmarks) : 0
  const anchor = centreOf(centres)
  const across = (0.5 - ANCHOR.x) * side
  const down = (0.5 - ANCHOR.y) * side
  const [sine, cosine] = [Math.sin(rollRadians), Math.cos(rollRadians)]
  return {
    centre: { x: anchor.x + across * cosine - down * sine, y: anchor.y + across * sine + down * cosine },
    side,
    rollRadians,
  }
}

/**
 * Cuts the square out of the picture, turned upright, as bytes channel by channel; beyond the picture's edge its last pixel goes on.
 *
 * A square much larger than `size` is averaged over several samples a pixel, so that fine texture does not turn into noise.
 */
export function cutSquare(raster: Raster, square: AlignedSquare, size: number): Float32Array {
  const planes = new Float32Array(3 * size * size)
  const step = square.side / size
  const samples = Math.max(1, Math.min(4, Math.floor(step)))
  const spread = step / samples
  const [sine, cosine] = [Math.sin(square.rollRadians), Math.cos(square.rollRadians)]
  const first = -square.side / 2
  for (let sample = 0; sample < samples * samples; sample++) {
    const right = first + (sample % samples) * spread
    const below = first + Math.floor(sample / samples) * spread
    const origin = { x: square.centre.x + right * cosine - below * sine, y: square.centre.y + right * sine + below * cosine }
    addSamples(raster, planes, { origin, across: { x: step * cosine, y: step * sine }, size, weight: 1 / (samples * samples) })
  }
  return planes
}

interface SampleGrid {
  readonly origin: Point
  /** Step from one output column to the next; the step between rows is at a right angle to it. */
  readonly across: Point
  readonly size: number
  readonly weight: number
}

function addSamples({ pixels, width, height }: Raster, planes: Float32Array, { origin, across, size, weight }: SampleGrid): void {
  const area = size * size
  const stepX = across.x
  const stepY = across.y
  const lastX = width - 1
  const lastY = height - 1
  for (let row = 0; row < size; row++) {
    let x = origin.x - row * stepY
    let y = origin.y + row * stepX
    for (let at = row * size; at < (row + 1) * size; at++, x += stepX, y += stepY) {
      const inX = x < 0 ? 0 : x > lastX ? lastX : x
      const inY = y < 0 ? 0 : y > lastY ? lastY : y
      const left = inX | 0
      const top = inY | 0
      const toRight = inX - left
      const toBottom = inY - top
      const i = (top * width + left) * 3
      const j = left < lastX ? 3 : 0
      const k = top < lastY ? i + width * 3 : i
      for (let channel = 0; channel < 3; channel++) {
        // The indices are inside by the clamps above; `as` because a check for each byte would double the time.
        const a = pixels[i + channel] as number
        const c = pixels[k + channel] as number
        const high = a + ((pixels[i + j + channel] as number) - a) * toRight
        const low = c + ((pixels[k + j + channel] as number) - c) * toRight
        const to = at + channel * area
        planes[to] = (planes[to] as number) + (high + (low - high) * toBottom) * weight
      }
    }
  }
}

/** Planes of bytes (red, green, blue) as a net wants them, followed by their mirror image when `mirrored`. */
export function normalisedPlanes(planes: Float32Array, size: number, normalisation: Normalisation, mirrored: boolean): Float32Array {
  const { mean, divisor } = normalisation
  const out = new Float32Array(planes.length * (mirrored ? 2 : 1))
  const scale = 1 / divisor
  const order = planeOrder(normalisation)
  for (let line = 0; line < 3 * size; line++) {
    const plane = Math.floor(line / size)
    const channel = order[plane] as number // line < 3 * size
    const shift = mean[channel] as number
    const from = (line + (channel - plane) * size) * size
    const first = line * size
    const last = planes.length + first + size - 1
    for (let column = 0; column < size; column++) {
      const value = ((planes[from + column] as number) - shift) * scale
      out[first + column] = value
      if (mirrored) out[last - column] = value
    }
  }
  return out
}

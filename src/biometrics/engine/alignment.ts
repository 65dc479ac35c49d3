import type { Point } from '../observation.ts'
import type { Normalisation, Raster } from './raster.ts'

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
  const samples = Math.max(1, Math.min(4, Math.round(step)))
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

function addSamples(raster: Raster, planes: Float32Array, { origin, across, size, weight }: SampleGrid): void {
  const { pixels, width, height } = raster
  const area = size * size
  const [stepX, stepY] = [across.x, across.y]
  for (let row = 0; row < size; row++) {
    let x = origin.x - row * stepY
    let y = origin.y + row * stepX
    for (let at = row * size; at < (row + 1) * size; at++, x += stepX, y += stepY) {
      const inX = x < 0 ? 0 : x > width - 1 ? width - 1 : x
      const inY = y < 0 ? 0 : y > height - 1 ? height - 1 : y
      const left = inX | 0
      const top = inY | 0
      const toRight = inX - left
      const toBottom = (inY - top) * weight
      const toTop = weight - toBottom
      const i = (top * width + left) * 3
      const j = left + 1 < width ? i + 3 : i
      const k = top + 1 < height ? i + width * 3 : i
      const l = k + j - i
      const [a, b, c, d] = [toTop * (1 - toRight), toTop * toRight, toBottom * (1 - toRight), toBottom * toRight]
      // The indices are inside by the clamps above; `as` because a check for each byte would double the time.
      planes[at] = (planes[at] as number) + a * (pixels[i] as number) + b * (pixels[j] as number) + c * (pixels[k] as number) + d * (pixels[l] as number)
      planes[at + area] = (planes[at + area] as number) + a * (pixels[i + 1] as number) + b * (pixels[j + 1] as number) + c * (pixels[k + 1] as number) + d * (pixels[l + 1] as number)
      planes[at + 2 * area] = (planes[at + 2 * area] as number) + a * (pixels[i + 2] as number) + b * (pixels[j + 2] as number) + c * (pixels[k + 2] as number) + d * (pixels[l + 2] as number)
    }
  }
}

/** Planes of bytes as a net wants them, followed by their mirror image when `mirrored`. */
export function normalisedPlanes(planes: Float32Array, size: number, { mean, divisor }: Normalisation, mirrored: boolean): Float32Array {
  const area = size * size
  const out = new Float32Array(planes.length * (mirrored ? 2 : 1))
  for (let channel = 0; channel < 3; channel++) {
    const shift = mean[channel] ?? 0
    for (let at = channel * area; at < (channel + 1) * area; at++) out[at] = ((planes[at] as number) - shift) / divisor
  }
  if (!mirrored) return out
  for (let start = 0; start < planes.length; start += size) {
    for (let column = 0; column < size; column++) out[planes.length + start + column] = out[start + size - 1 - column] as number
  }
  return out
}

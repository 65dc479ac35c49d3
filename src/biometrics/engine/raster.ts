import type { FaceBox } from '../observation.ts'

/** A decoded picture: three bytes a pixel, red first, row by row. */
export interface Raster {
  readonly width: number
  readonly height: number
  readonly pixels: Uint8Array
}

/** What a net wants done to a 0–255 value of each channel: `(value - mean) / divisor`. */
export interface Normalisation {
  readonly mean: readonly [number, number, number]
  readonly divisor: number
}

export interface Letterbox extends Normalisation {
  readonly size: number
  /** Black on both sides, or at the bottom and the right only. */
  readonly centred: boolean
}

/** The same box in whole pixels inside the picture, rounded as the reference library does. */
export function clippedBox(box: FaceBox, picture: { width: number; height: number }): FaceBox {
  const x = Math.max(box.x, 0)
  const y = Math.max(box.y, 0)
  return {
    x: Math.floor(x),
    y: Math.floor(y),
    width: Math.floor(Math.min(box.x + box.width - x, picture.width - x)),
    height: Math.floor(Math.min(box.y + box.height - y, picture.height - y)),
  }
}

interface Axis {
  readonly first: Int32Array
  readonly second: Int32Array
  readonly weight: Float64Array
  /** Output positions from here to there have both their source pixels in the picture. */
  readonly from: number
  readonly to: number
}

/**
 * Source positions of one axis: TensorFlow's first bilinear rule (corners at corners, no half pixel), on the padded square.
 *
 * Positions in the black margin are -1.
 */
function axisOf(length: number, before: number, side: number, size: number): Axis {
  const first = new Int32Array(size)
  const second = new Int32Array(size)
  const weight = new Float64Array(size)
  let from = size
  let to = 0
  for (let out = 0; out < size; out++) {
    const exact = Math.fround(Math.fround(side / size) * out)
    const low = Math.floor(exact)
    const inside = (position: number) => (position >= before && position < before + length ? position - before : -1)
    first[out] = inside(low)
    second[out] = inside(Math.min(side - 1, Math.ceil(exact)))
    weight[out] = exact - low
    if (first[out] !== -1 && second[out] !== -1) {
      from = Math.min(from, out)
      to = out + 1
    }
  }
  return { first, second, weight, from: Math.min(from, to), to }
}

/**
 * Cuts `box` (whole pixels, inside the picture), pads it to a square with black and resizes it into planes for a net.
 *
 * Equal to the reference library's padding and resizing; one pass, no intermediate picture.
 */
export function letterboxed(raster: Raster, box: FaceBox, letterbox: Letterbox, planes?: Float32Array): Float32Array {
  const { size, centred, mean, divisor } = letterbox
  const side = Math.max(box.width, box.height)
  const before = (length: number) => (centred ? side - length - Math.round((side - length) * 0.5) : 0)
  const across = axisOf(box.width, before(box.width), side, size)
  const down = axisOf(box.height, before(box.height), side, size)
  const area = size * size
  const out = planes ?? new Float32Array(3 * area)
  for (let channel = 0; channel < 3; channel++) out.fill(-(mean[channel] ?? 0) / divisor, channel * area, (channel + 1) * area)
  const source = { raster, start: (box.y * raster.width + box.x) * 3, across }
  for (let row = 0; row < size; row++) {
    const top = down.first[row] ?? -1
    const bottom = down.second[row] ?? -1
    if (top === -1 && bottom === -1) continue
    resizeRow(source, { top, bottom, weight: down.weight[row] ?? 0 }, out, row * size, letterbox)
  }
  return out
}

interface RowSource {
  readonly raster: Raster
  readonly start: number
  readonly across: Axis
}

function resizeRow(
  { raster, start, across }: RowSource,
  { top, bottom, weight }: { top: number; bottom: number; weight: number },
  out: Float32Array,
  offset: number,
  { size, mean, divisor }: Letterbox,
): void {
  const { pixels, width } = raster
  const upper = top === -1 ? 0 : 1 - weight
  const lower = bottom === -1 ? 0 : weight
  const topRow = start + Math.max(top, 0) * width * 3
  const bottomRow = start + Math.max(bottom, 0) * width * 3
  const area = size * size
  const scale = 1 / divisor
  const [red, green, blue] = mean
  for (let column = 0; column < size; column++) {
    const left = across.first[column] as number
    const right = across.second[column] as number
    if (left === -1 && right === -1) continue
    const share = across.weight[column] as number
    const toLeft = left === -1 ? 0 : 1 - share
    const toRight = right === -1 ? 0 : share
    const a = upper * toLeft
    const b = upper * toRight
    const c = lower * toLeft
    const d = lower * toRight
    const i = topRow + Math.max(left, 0) * 3
    const j = topRow + Math.max(right, 0) * 3
    const k = bottomRow + Math.max(left, 0) * 3
    const l = bottomRow + Math.max(right, 0) * 3
    const at = offset + column
    out[at] = (a * px(pixels, i) + b * px(pixels, j) + c * px(pixels, k) + d * px(pixels, l) - red) * scale
    out[at + area] = (a * px(pixels, i + 1) + b * px(pixels, j + 1) + c * px(pixels, k + 1) + d * px(pixels, l + 1) - green) * scale
    out[at + 2 * area] = (a * px(pixels, i + 2) + b * px(pixels, j + 2) + c * px(pixels, k + 2) + d * px(pixels, l + 2) - blue) * scale
  }
}

/** A byte of the picture. `as`: the callers' indices are inside by construction, and a check here would cost half the frame's time. */
function px(pixels: Uint8Array, index: number): number {
  return pixels[index] as number
}

/** The picture with a margin of its mean colour on every side; boxes found in it are `margin` to the right and below. */
export function withMargin(raster: Raster, margin: number): Raster {
  const width = raster.width + 2 * margin
  const height = raster.height + 2 * margin
  const pixels = new Uint8Array(width * height * 3)
  for (let row = 0; row < raster.height; row++) {
    const line = raster.pixels.subarray(row * raster.width * 3, (row + 1) * raster.width * 3)
    pixels.set(line, ((row + margin) * width + margin) * 3)
  }
  return { width, height, pixels }
}

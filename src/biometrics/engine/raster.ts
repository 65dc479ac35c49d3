import type { FaceBox } from '../observation.ts'

/** A decoded picture: three bytes a pixel, red first, row by row. */
export interface Raster {
  readonly width: number
  readonly height: number
  readonly pixels: Uint8Array
}

/** What a net wants done to a 0–255 value of each channel: `(value - mean) / divisor`. */
export interface Normalisation {
  /** Red, green and blue, whatever the order of the planes. */
  readonly mean: readonly [number, number, number]
  readonly divisor: number
  /** Order of the planes; red first unless said. */
  readonly colour?: 'RGB' | 'BGR'
}

/** For each plane, which byte of a pixel goes there. */
export function planeOrder({ colour }: Pick<Normalisation, 'colour'>): readonly [number, number, number] {
  return colour === 'BGR' ? [2, 1, 0] : [0, 1, 2]
}

export interface Letterbox extends Normalisation {
  readonly size: number
  /** Black on both sides, or at the bottom and the right only. */
  readonly centred: boolean
  /** Leave out the black beyond the next multiple of 32; not with `centred`. */
  readonly trim?: boolean
}

const TRIM_STEP = 32

/** Columns and rows of the planes that `letterboxed` makes of a box of this size. */
export function letterboxShape(box: { width: number; height: number }, { size, trim }: Letterbox): { columns: number; rows: number } {
  const longest = Math.max(box.width, box.height)
  const trimmed = (length: number) => Math.max(TRIM_STEP, Math.ceil((length * size) / longest / TRIM_STEP) * TRIM_STEP)
  return trim ? { columns: Math.min(size, trimmed(box.width)), rows: Math.min(size, trimmed(box.height)) } : { columns: size, rows: size }
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
  /** Source pixels on both sides of each output position; -1 in the black margin. */
  readonly first: Int32Array
  readonly second: Int32Array
  readonly weight: Float32Array
  /** Output positions from here to there have both their source pixels in the picture. */
  readonly from: number
  readonly to: number
  /** Every output position falls on a pixel. */
  readonly exact: boolean
}

/** Source positions of one axis by TensorFlow's first bilinear rule (no half pixel), on the padded square. */
function axisOf({ length, before, side }: { length: number; before: number; side: number }, size: number, count: number): Axis {
  const first = new Int32Array(count)
  const second = new Int32Array(count)
  const weight = new Float32Array(count)
  const inside = (position: number) => (position >= before && position < before + length ? position - before : -1)
  let from = count
  let to = 0
  for (let out = 0; out < count; out++) {
    const place = Math.fround(Math.fround(side / size) * out)
    const low = Math.floor(place)
    first[out] = inside(low)
    second[out] = inside(Math.min(side - 1, Math.ceil(place)))
    weight[out] = place - low
    if (first[out] !== -1 && second[out] !== -1) {
      from = Math.min(from, out)
      to = out + 1
    }
  }
  return { first, second, weight, from: Math.min(from, to), to, exact: weight.every((share) => share === 0) }
}

interface Resizing {
  readonly raster: Raster
  /** Byte where the box begins. */
  readonly start: number
  readonly across: Axis
  readonly down: Axis
  readonly letterbox: Letterbox
  readonly columns: number
  readonly area: number
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
  const { columns, rows } = letterboxShape(box, letterbox)
  const across = axisOf({ length: box.width, before: before(box.width), side }, size, columns)
  const down = axisOf({ length: box.height, before: before(box.height), side }, size, rows)
  const area = columns * rows
  const out = planes ?? new Float32Array(3 * area)
  const covered = across.to - across.from === columns && down.to - down.from === rows
  for (const [plane, channel] of covered ? [] : planeOrder(letterbox).entries()) {
    out.fill(-(mean[channel] ?? 0) / divisor, plane * area, (plane + 1) * area)
  }
  const resizing = { raster, start: (box.y * raster.width + box.x) * 3, across, down, letterbox, columns, area }
  for (let row = 0; row < rows; row++) {
    if (down.first[row] === -1 && down.second[row] === -1) continue
    if (row < down.from || row >= down.to) mixEdge(resizing, row, 0, columns, out)
    else {
      if (across.exact && down.exact) copyRow(resizing, row, out)
      else mixRow(resizing, row, out)
      mixEdge(resizing, row, 0, across.from, out)
      mixEdge(resizing, row, across.to, columns, out)
    }
  }
  return out
}

// The three loops below touch every pixel of every frame. Their indices are inside by construction (axisOf); `as number` stands in
// for checks that would double the frame's time.

function copyRow(
  { raster: { pixels, width }, start, across, down, letterbox, columns, area }: Resizing,
  row: number,
  out: Float32Array,
): void {
  const { mean, divisor } = letterbox
  const [red, green, blue] = mean
  const [toRed, , toBlue] = planeOrder(letterbox).map((plane) => plane * area) as [number, number, number] // three planes
  const first = across.first
  const scale = 1 / divisor
  const line = start + (down.first[row] as number) * width * 3
  for (let column = across.from, at = row * columns + column; column < across.to; column++, at++) {
    const i = line + (first[column] as number) * 3
    out[at + toRed] = ((pixels[i] as number) - red) * scale
    out[at + area] = ((pixels[i + 1] as number) - green) * scale
    out[at + toBlue] = ((pixels[i + 2] as number) - blue) * scale
  }
}

function mixRow(
  { raster: { pixels, width }, start, across, down, letterbox, columns, area }: Resizing,
  row: number,
  out: Float32Array,
): void {
  const { mean, divisor } = letterbox
  const { first, second, weight } = across
  const scale = 1 / divisor
  const top = start + (down.first[row] as number) * width * 3
  const bottom = start + (down.second[row] as number) * width * 3
  const below = down.weight[row] as number
  const order = planeOrder(letterbox)
  for (let plane = 0; plane < 3; plane++) {
    const channel = order[plane] as number
    const shift = mean[channel] as number
    const upper = top + channel
    const lower = bottom + channel
    for (let column = across.from, at = plane * area + row * columns + column; column < across.to; column++, at++) {
      const left = (first[column] as number) * 3
      const right = (second[column] as number) * 3
      const share = weight[column] as number
      const i = pixels[upper + left] as number
      const k = pixels[lower + left] as number
      const high = i + ((pixels[upper + right] as number) - i) * share
      const low = k + ((pixels[lower + right] as number) - k) * share
      out[at] = (high + (low - high) * below - shift) * scale
    }
  }
}

/** The same where some of the four source pixels are in the black margin. */
function mixEdge(resizing: Resizing, row: number, from: number, to: number, out: Float32Array): void {
  const { raster, start, across, down, letterbox, columns, area } = resizing
  const { mean, divisor } = letterbox
  const byteAt = (y: number, x: number, channel: number) =>
    y === -1 || x === -1 ? 0 : (raster.pixels[start + (y * raster.width + x) * 3 + channel] ?? 0)
  const [top = -1, bottom = -1, below = 0] = [down.first[row], down.second[row], down.weight[row]]
  const order = planeOrder(letterbox)
  for (let column = from; column < to; column++) {
    const [left = -1, right = -1, share = 0] = [across.first[column], across.second[column], across.weight[column]]
    for (let channel = 0; channel < 3; channel++) {
      const high = byteAt(top, left, channel) * (1 - share) + byteAt(top, right, channel) * share
      const low = byteAt(bottom, left, channel) * (1 - share) + byteAt(bottom, right, channel) * share
      const plane = order[channel] as number // red and blue change places, both ways alike
      out[plane * area + row * columns + column] = (high + (low - high) * below - (mean[channel] ?? 0)) / divisor
    }
  }
}

/** The picture with a black margin on every side; boxes found in it are `margin` to the right and below. */
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

import { centreOf } from '../../engine/alignment.ts'
import type { Point } from '../../observation.ts'
import type { FaceSquare } from './face-square.ts'
import { SQUARE } from './face-square.ts'

/** A colour of skin, with the logarithms of its ratios: what stays when the light gets weaker. */
export interface SkinTone {
  readonly red: number
  readonly green: number
  readonly blue: number
  readonly shade: number
  readonly redness: number
  readonly blueness: number
}

/** Added to every channel before ratios are taken, so that the noise of the dark does not count as colour. */
const DARK = 12

/** Logarithms of the bytes, so that a pixel costs no logarithm. */
const LOGARITHMS = Float64Array.from({ length: 256 }, (_, byte) => Math.log(byte + DARK))
const logOf = (byte: number) => LOGARITHMS[byte | 0] ?? 0

export const rednessOf = (red: number, green: number) => logOf(red) - logOf(green)
export const bluenessOf = (blue: number, green: number) => logOf(blue) - logOf(green)
/** Logarithm of the luma (ITU-R BT.601). */
export const shadeOf = (red: number, green: number, blue: number) => logOf(0.299 * red + 0.587 * green + 0.114 * blue)

/** Half the side of a patch in distances between the eyes. */
const PATCH = 0.1

/** The person's own skin, from places that different things cover. */
export interface Skin {
  /** Between the brows and at the nose's root: above any mask. */
  readonly upper: SkinTone
  /** Under the eyes and on the nose: below dark glasses. */
  readonly lower: SkinTone
  readonly whole: SkinTone
}

/** Medians of patches' means, so that one patch in a shadow does not count. */
export function skinOf(square: FaceSquare): Skin {
  const { landmarks, centres, eyeDistance } = square
  const [left, right] = centres
  const at = (index: number) => landmarks[index] ?? { x: SQUARE / 2, y: SQUARE / 2 }
  const tone = (points: readonly Point[]) => medianTone(points.map((point) => meanColour(square, point, Math.max(1, PATCH * eyeDistance))))
  const under = ({ x, y }: Point) => ({ x, y: y + 0.45 * eyeDistance })
  const upper = [centreOf([at(21), at(22), at(27)]), centreOf([at(21), at(22)]), at(27)]
  const lower = [under(left), under(right), at(29)]
  return { upper: tone(upper), lower: tone(lower), whole: tone([...upper, ...lower]) }
}

function medianTone(means: readonly (readonly number[])[]): SkinTone {
  const [red = 0, green = 0, blue = 0] = [0, 1, 2].map((channel) => median(means.map((mean) => mean[channel] ?? 0)))
  return toneOf(red, green, blue)
}

function toneOf(red: number, green: number, blue: number): SkinTone {
  return { red, green, blue, shade: shadeOf(red, green, blue), redness: rednessOf(red, green), blueness: bluenessOf(blue, green) }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length >> 1
  return ((sorted[half] ?? 0) + (sorted[sorted.length - 1 - half] ?? 0)) / 2
}

function meanColour({ planes }: FaceSquare, { x, y }: Point, reach: number): [number, number, number] {
  const area = SQUARE * SQUARE
  const [left, right] = [Math.max(0, Math.floor(x - reach)), Math.min(SQUARE - 1, Math.ceil(x + reach))]
  const [top, bottom] = [Math.max(0, Math.floor(y - reach)), Math.min(SQUARE - 1, Math.ceil(y + reach))]
  let [red, green, blue, count] = [0, 0, 0, 0]
  for (let row = top; row <= bottom; row++) {
    for (let column = left; column <= right; column++) {
      const at = row * SQUARE + column
      red += planes[at] ?? 0
      green += planes[at + area] ?? 0
      blue += planes[at + 2 * area] ?? 0
      count++
    }
  }
  return count === 0 ? [0, 0, 0] : [red / count, green / count, blue / count]
}

/** Skin under white light: a* and b* of CIELAB between these, for every shade of skin. */
const NATURAL = { a: [3, 26], b: [3, 36] } as const

/** How far the skin's colour is outside what white light makes of skin, in CIELAB units. */
export function colourCast({ red, green, blue }: SkinTone): number {
  const [x, y, z] = whitePart([linear(red), linear(green), linear(blue)])
  const [a, b] = [500 * (cube(x) - cube(y)), 200 * (cube(y) - cube(z))]
  return Math.hypot(outside(a, NATURAL.a), outside(b, NATURAL.b))
}

const outside = (value: number, [least, most]: readonly [number, number]) => Math.max(0, least - value, value - most)

/** sRGB to linear light. */
function linear(byte: number): number {
  const value = byte / 255
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
}

/** Linear sRGB to XYZ as parts of the white point D65. */
function whitePart([r, g, b]: readonly [number, number, number]): [number, number, number] {
  return [
    (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505,
    0.2126 * r + 0.7152 * g + 0.0722 * b,
    (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089,
  ]
}

const cube = (value: number) => (value > 0.008856 ? Math.cbrt(value) : 7.787 * value + 16 / 116)

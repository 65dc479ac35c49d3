import type { Colour, FaceBox, Point } from '../observation.ts'
import { centreOf } from './alignment.ts'
import type { Raster } from './raster.ts'

/** How the face looks in the recogniser's upright square. */
export interface Appearance {
  readonly brightness: number
  readonly unevenness: number
  readonly sharpness: number
}

/** Landmarks around each patch of skin: left cheek, right cheek, ridge of the nose. */
const SKIN_PATCHES = [
  [2, 3, 31, 41],
  [14, 13, 35, 46],
  [28, 29, 30],
]
/** Half the side of a patch, as a part of the distance between the eyes' outer corners. */
const PATCH = 0.08

/** Mean colour of cheeks and nose: what the light of the screen changes. */
export function skinColour(raster: Raster, landmarks: readonly Point[]): Colour {
  const [left, right] = [landmarks[36], landmarks[45]]
  const reach = left && right ? Math.max(1, Math.hypot(right.x - left.x, right.y - left.y) * PATCH) : 1
  const sum = emptySum()
  for (const patch of SKIN_PATCHES) {
    const { x, y } = centreOf(patch.flatMap((index) => landmarks[index] ?? []))
    addPixels(raster, { x: x - reach, y: y - reach, width: 2 * reach, height: 2 * reach }, 1, sum)
  }
  return meanOf(sum)
}

/** Mean colour of the frame beside and above the head: hair, neck and shoulders are left out. */
export function backgroundColour(raster: Raster, face: FaceBox | undefined): Colour {
  const sum = emptySum()
  const { width, height } = raster
  const everything = { x: 0, y: 0, width, height }
  if (face) {
    const left = face.x - face.width * 0.6
    const right = face.x + face.width * 1.6
    const top = face.y - face.height * 0.6
    addPixels(raster, { x: 0, y: 0, width, height: top }, 4, sum)
    addPixels(raster, { x: 0, y: Math.max(0, top), width: left, height }, 4, sum)
    addPixels(raster, { x: right, y: Math.max(0, top), width, height }, 4, sum)
  }
  if (sum.count < (width * height) / 16 / 50) addPixels(raster, everything, 4, sum)
  return meanOf(sum)
}

interface ColourSum {
  red: number
  green: number
  blue: number
  count: number
}

const emptySum = (): ColourSum => ({ red: 0, green: 0, blue: 0, count: 0 })

const meanOf = ({ red, green, blue, count }: ColourSum): Colour =>
  count === 0 ? { red: 0, green: 0, blue: 0 } : { red: red / count, green: green / count, blue: blue / count }

/** Adds every `step`th pixel of the part of the box that is in the picture. */
function addPixels({ pixels, width, height }: Raster, box: FaceBox, step: number, sum: ColourSum): void {
  const left = Math.max(0, Math.floor(box.x))
  const right = Math.min(width, Math.ceil(box.x + box.width))
  const bottom = Math.min(height, Math.ceil(box.y + box.height))
  for (let y = Math.max(0, Math.floor(box.y)); y < bottom; y += step) {
    for (let x = left; x < right; x += step) {
      const at = (y * width + x) * 3
      sum.red += pixels[at] ?? 0
      sum.green += pixels[at + 1] ?? 0
      sum.blue += pixels[at + 2] ?? 0
      sum.count++
    }
  }
}

/** Luma of each pixel of planes of bytes (ITU-R BT.601). `as`: the index is inside by the loop. */
export function lumaOf(planes: Float32Array): Float32Array {
  const area = planes.length / 3
  const luma = new Float32Array(area)
  for (let at = 0; at < area; at++) {
    luma[at] = 0.299 * (planes[at] as number) + 0.587 * (planes[at + area] as number) + 0.114 * (planes[at + 2 * area] as number)
  }
  return luma
}

/** Measures light and focus inside an ellipse, so that hair and background do not count. */
export function appearanceOf(square: Float32Array, size: number): Appearance {
  const luma = lumaOf(square)
  const half = (size - 1) / 2
  const light = { left: 0, right: 0, leftCount: 0, rightCount: 0 }
  let [sum, squares, count] = [0, 0, 0]
  for (let row = 1; row < size - 1; row++) {
    const reach = Math.floor(half * 0.7 * Math.sqrt(Math.max(0, 1 - ((row - half) / (half * 0.85)) ** 2)))
    for (let column = Math.ceil(half) - reach; column < half + reach; column++) {
      const at = row * size + column
      const value = luma[at] as number
      const edge =
        (luma[at - 1] as number) + (luma[at + 1] as number) + (luma[at - size] as number) + (luma[at + size] as number) - 4 * value
      sum += edge
      squares += edge * edge
      count++
      if (column < half) {
        light.left += value
        light.leftCount++
      } else {
        light.right += value
        light.rightCount++
      }
    }
  }
  const [left, right] = [light.left / light.leftCount, light.right / light.rightCount]
  return {
    brightness: (light.left + light.right) / (light.leftCount + light.rightCount),
    unevenness: Math.abs(left - right) / Math.max(left, right, 1),
    sharpness: squares / count - (sum / count) ** 2,
  }
}

import type { FaceMeasures } from '../measures.ts'
import type { FaceSquare } from './face-square.ts'
import { SQUARE } from './face-square.ts'

type Light = Pick<
  FaceMeasures,
  'luminanceMean' | 'illuminationUniformity' | 'underExposure' | 'overExposure' | 'dynamicRange' | 'sharpness'
>

/** Luma below and above which a pixel has lost what was there. */
const BLACK = 25
const WHITE = 247
/** Ellipse of the face in the square, as parts of its half side: hair and background stay outside. */
const REACH = { across: 0.7, down: 0.85 }

/** Light and focus inside the face: one pass over every pixel, as the Laplacian needs its neighbours. */
export function lightOf({ luma }: FaceSquare): Light {
  const half = (SQUARE - 1) / 2
  const levels = new Uint32Array(256)
  let [left, right, leftCount, rightCount, edges, squares] = [0, 0, 0, 0, 0, 0]
  for (let row = 1; row < SQUARE - 1; row++) {
    const reach = Math.floor(half * REACH.across * Math.sqrt(Math.max(0, 1 - ((row - half) / (half * REACH.down)) ** 2)))
    for (let column = Math.ceil(half) - reach; column < half + reach; column++) {
      // `as`: the ellipse is inside the square.
      const at = row * SQUARE + column
      const value = luma[at] as number
      const edge =
        (luma[at - 1] as number) + (luma[at + 1] as number) + (luma[at - SQUARE] as number) + (luma[at + SQUARE] as number) - 4 * value
      edges += edge
      squares += edge * edge
      levels[value | 0] = (levels[value | 0] as number) + 1
      if (column < half) {
        left += value
        leftCount++
      } else {
        right += value
        rightCount++
      }
    }
  }
  const count = Math.max(1, leftCount + rightCount)
  const halves = [left / Math.max(1, leftCount), right / Math.max(1, rightCount)] as const
  return {
    luminanceMean: (left + right) / count,
    illuminationUniformity: Math.max(1, Math.min(...halves)) / Math.max(1, ...halves),
    underExposure: levels.subarray(0, BLACK).reduce((sum, each) => sum + each, 0) / count,
    overExposure: levels.subarray(WHITE).reduce((sum, each) => sum + each, 0) / count,
    dynamicRange: levelAt(levels, 0.95 * count) - levelAt(levels, 0.05 * count),
    sharpness: squares / count - (edges / count) ** 2,
  }
}

/** The level that this many pixels do not exceed. */
function levelAt(levels: Uint32Array, wanted: number): number {
  let sum = 0
  return levels.findIndex((count) => {
    sum += count
    return sum >= wanted
  })
}

import type { Raster } from '../../engine/raster.ts'
import type { FaceBox } from '../../observation.ts'

const BLOCK = 8
/** Every fourth line is enough. */
const STEP = 4
/** Steps of a flat picture, so that its noise is not divided by nothing. */
const FLOOR = 0.5

/**
 * How much larger the steps of luma at the borders of JPEG's 8 × 8 blocks are than the steps beside them: 1 when nothing shows.
 *
 * Sees a picture as it was compressed: one that was turned or resized afterwards keeps its faults and loses the grid.
 */
export function blockiness(raster: Raster, box: FaceBox): number {
  const { width, height, pixels } = raster
  const [left, right] = [firstBorder(box.x), Math.min(width, box.x + box.width) - 2]
  const [top, bottom] = [firstBorder(box.y), Math.min(height, box.y + box.height) - 2]
  const line = width * 3
  let [border, beside, count] = [0, 0, 0]
  // Green stands for luma. `as`: the indices are inside by the limits above.
  const add = (at: number, stride: number) => {
    const [b, c] = [pixels[at - stride] as number, pixels[at] as number]
    const [a, d] = [pixels[at - 2 * stride] as number, pixels[at + stride] as number]
    border += Math.abs(c - b)
    beside += (Math.abs(b - a) + Math.abs(d - c)) / 2
    count++
  }
  for (let y = top; y < bottom; y += STEP) for (let x = left; x < right; x += BLOCK) add((y * width + x) * 3 + 1, 3)
  for (let y = top; y < bottom; y += BLOCK) for (let x = left; x < right; x += STEP) add((y * width + x) * 3 + 1, line)
  return count === 0 ? 1 : (border / count + FLOOR) / (beside / count + FLOOR)
}

const firstBorder = (start: number) => Math.max(BLOCK, Math.ceil(start / BLOCK) * BLOCK)

import { createHash } from 'node:crypto'
import type { Raster } from './raster.ts'

const WIDE = 64
const HIGH = 48

/** What tells one frame from another: the same pixels give the same prints, noise changes the digest, a new camera frame hardly the hash. */
export interface FramePrint {
  readonly perceptualHash: string
  readonly pixelDigest: string
}

/** Mean luma (in thousandths) of each cell of a 64 × 48 grid, from every fourth row: all columns, so that the camera's noise shows. */
function greyGrid({ pixels, width, height }: Raster): Float64Array {
  const sums = new Float64Array(WIDE * HIGH)
  const counts = new Float64Array(WIDE * HIGH)
  const edges = Int32Array.from({ length: WIDE + 1 }, (_, column) => Math.ceil((column * width) / WIDE))
  const step = Math.max(1, Math.min(4, Math.floor(height / HIGH / 2)))
  for (let y = 0; y < height; y += step) {
    const row = Math.floor((y * HIGH) / height) * WIDE
    for (let column = 0; column < WIDE; column++) {
      const from = (y * width + (edges[column] as number)) * 3
      const to = (y * width + (edges[column + 1] as number)) * 3
      let sum = 0
      for (let at = from; at < to; at += 3) {
        sum += 299 * (pixels[at] as number) + 587 * (pixels[at + 1] as number) + 114 * (pixels[at + 2] as number)
      }
      sums[row + column] = (sums[row + column] as number) + sum
      counts[row + column] = (counts[row + column] as number) + (to - from) / 3
    }
  }
  return sums.map((sum, cell) => sum / Math.max(1, counts[cell] as number))
}

export function framePrint(raster: Raster): FramePrint {
  const grid = greyGrid(raster)
  return {
    perceptualHash: differenceHash(grid),
    pixelDigest: createHash('sha256').update(Float64Array.from(grid, Math.round)).digest('hex'),
  }
}

/** One bit for each of 8 × 8 places: is it lighter than the next to its right? Over a 9 × 8 average of the grid. */
function differenceHash(grid: Float64Array): string {
  const small = Array.from({ length: 72 }, (_, index) => {
    const [column, row] = [index % 9, Math.floor(index / 9)]
    const [left, right] = [Math.floor((column * WIDE) / 9), Math.floor(((column + 1) * WIDE) / 9)]
    let sum = 0
    for (let y = row * 6; y < row * 6 + 6; y++) for (let x = left; x < right; x++) sum += grid[y * WIDE + x] ?? 0
    return sum / (6 * (right - left))
  })
  let bits = 0n
  for (let row = 0; row < 8; row++) {
    for (let column = 0; column < 8; column++) {
      bits = (bits << 1n) | ((small[row * 9 + column] ?? 0) > (small[row * 9 + column + 1] ?? 0) ? 1n : 0n)
    }
  }
  return bits.toString(16).padStart(16, '0')
}

import { createHash } from 'node:crypto'
import type { Raster } from './raster.ts'

const WIDE = 64
const HIGH = 48

/** What tells one frame from another: the same pixels give the same prints, noise changes the digest, a new camera frame hardly the hash. */
export interface FramePrint {
  readonly perceptualHash: string
  readonly pixelDigest: string
}

/** Mean luma of each cell of a 64 × 48 grid, from every second row: all columns, so that the camera's noise shows. */
function greyGrid({ pixels, width, height }: Raster): Float64Array {
  const sums = new Float64Array(WIDE * HIGH)
  const counts = new Float64Array(WIDE * HIGH)
  const cellOf = Uint8Array.from({ length: width }, (_, x) => Math.floor((x * WIDE) / width))
  for (let y = 0; y < height; y += 2) {
    const row = Math.floor((y * HIGH) / height) * WIDE
    let at = y * width * 3
    for (let x = 0; x < width; x++, at += 3) {
      const cell = row + (cellOf[x] as number)
      sums[cell] = (sums[cell] as number) + 299 * (pixels[at] as number) + 587 * (pixels[at + 1] as number) + 114 * (pixels[at + 2] as number)
      counts[cell] = (counts[cell] as number) + 1
    }
  }
  return sums.map((sum, cell) => sum / Math.max(1, counts[cell] as number))
}

export function framePrint(raster: Raster): FramePrint {
  const grid = greyGrid(raster)
  return { perceptualHash: differenceHash(grid), pixelDigest: createHash('sha256').update(Float64Array.from(grid, Math.round)).digest('hex') }
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

import type { Raster } from '../../engine/raster.ts'
import type { FaceBox } from '../../observation.ts'

/** A step of luma from one looked-at place to the next that counts as an edge. */
const EDGE = 14
/** Places along the shorter side. */
const PLACES = 80
/** The head with its hair, round the detector's box, as parts of it; below the box are the shoulders. */
const HEAD = { aside: 0.35, above: 0.5 }
/** With fewer places than this nothing can be said. */
const LEAST = 150

/**
 * Share of the places beside and above the head where the luma changes abruptly: 0 for a plain wall, however it is lit.
 *
 * Absent when the head fills the picture.
 */
export function backgroundUniformity({ pixels, width, height }: Raster, box: FaceBox): number | undefined {
  const step = Math.max(1, Math.floor(Math.min(width, height) / PLACES))
  const left = box.x - box.width * HEAD.aside
  const right = box.x + box.width * (1 + HEAD.aside)
  const top = box.y - box.height * HEAD.above
  const bottom = Math.min(height - step, box.y + box.height * 0.9)
  const green = (x: number, y: number) => pixels[(y * width + x) * 3 + 1] ?? 0
  let [edges, count] = [0, 0]
  for (let y = 0; y < bottom; y += step) {
    for (let x = 0; x < width - step; x += step) {
      if (y + step > top && x + step > left && x < right) {
        x = Math.max(x, Math.floor(right))
        continue
      }
      const here = green(x, y)
      if (Math.abs(green(x + step, y) - here) > EDGE || Math.abs(green(x, y + step) - here) > EDGE) edges++
      count++
    }
  }
  return count < LEAST ? undefined : edges / count
}

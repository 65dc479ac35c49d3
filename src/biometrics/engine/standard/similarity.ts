import type { Point } from '../../observation.ts'
import type { AlignedSquare } from '../alignment.ts'
import { centreOf } from '../alignment.ts'

/**
 * The square of the picture whose `template` points (parts of its side) fall on `points`: turn, one scale and shift, never a shear.
 *
 * Procrustes fit with the scale from the spreads of both sets, as the recogniser's publisher aligns.
 */
export function squareThrough(points: readonly Point[], template: readonly Point[]): AlignedSquare {
  const [middle, anchor] = [centreOf(points), centreOf(template)]
  let [along, across, spread, extent] = [0, 0, 0, 0]
  for (const [index, { x, y }] of points.entries()) {
    const target = template[index] ?? anchor
    const [px, py, qx, qy] = [x - middle.x, y - middle.y, target.x - anchor.x, target.y - anchor.y]
    along += px * qx + py * qy
    across += py * qx - px * qy
    spread += px * px + py * py
    extent += qx * qx + qy * qy
  }
  const rollRadians = Math.atan2(across, along)
  const side = Math.sqrt(spread / extent)
  const [sine, cosine] = [Math.sin(rollRadians), Math.cos(rollRadians)]
  const [right, down] = [(0.5 - anchor.x) * side, (0.5 - anchor.y) * side]
  return { centre: { x: middle.x + right * cosine - down * sine, y: middle.y + right * sine + down * cosine }, side, rollRadians }
}

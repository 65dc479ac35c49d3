import type { FaceBox, Point } from '../observation.ts'
import type { FaceModelSet } from './model-set.ts'
import type { Raster } from './raster.ts'

/** A detector this sure is believed; the others' finds are looked at twice. */
const SURE = 0.8
/** Mean shift of the landmarks between the two looks, as a part of their extent: 400 faces of LFW at most 0.040, blinds and knitwear from 0.058. */
const GREATEST_SHIFT = 0.055
/** The detector's box around landmarks of that extent. */
const BOX = { scale: 1.27, right: 0.06, down: -0.03 }

/**
 * Whether what the detector found is a face: landmarks found again in a box drawn round them must fall on themselves.
 *
 * The detectors' low limit lets folds and window blinds through; there the second look lands somewhere else.
 */
export async function isFace(set: FaceModelSet, raster: Raster, landmarks: readonly Point[], score: number): Promise<boolean> {
  if (score >= SURE) return true
  const { box, extent } = boxRound(landmarks)
  const again = await set.landmarks(raster, box)
  if (!again) return false
  const shifts = again.map(({ x, y }, index) => Math.hypot(x - (landmarks[index]?.x ?? 0), y - (landmarks[index]?.y ?? 0)))
  return shifts.reduce((sum, shift) => sum + shift, 0) / shifts.length <= GREATEST_SHIFT * extent
}

function boxRound(landmarks: readonly Point[]): { box: FaceBox; extent: number } {
  const [xs, ys] = [landmarks.map(({ x }) => x), landmarks.map(({ y }) => y)]
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]
  const extent = Math.max(right - left, bottom - top)
  const side = extent * BOX.scale
  const x = (left + right) / 2 - side * (0.5 - BOX.right)
  const y = (top + bottom) / 2 - side * (0.5 - BOX.down)
  return { box: { x, y, width: side, height: side }, extent }
}

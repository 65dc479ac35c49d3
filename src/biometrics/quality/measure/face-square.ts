import { alignedSquare, cutSquare, eyesAndMouth } from '../../engine/alignment.ts'
import { lumaOf } from '../../engine/appearance.ts'
import type { Raster } from '../../engine/raster.ts'
import type { Point } from '../../observation.ts'

/** Side of the square that faces are measured in: upright, eyes a third down, chin near the lower edge, whatever the picture's size. */
export const SQUARE = 128

/** One face, upright and of a fixed size, so that the measures mean the same in every picture. */
export interface FaceSquare {
  /** Bytes channel by channel: red, green, blue. */
  readonly planes: Float32Array
  readonly luma: Float32Array
  /** The 68 landmarks in the square. */
  readonly landmarks: readonly Point[]
  /** Centres of the eyes at the picture's left and right, and of the mouth, in the square. */
  readonly centres: readonly [Point, Point, Point]
  /** Between the centres of the eyes, in the square. */
  readonly eyeDistance: number
}

/** Cuts the face out upright, with its landmarks. */
export function faceSquare(raster: Raster, landmarks: readonly Point[]): FaceSquare {
  const square = alignedSquare(landmarks)
  const side = Math.max(1, square.side)
  const planes = cutSquare(raster, { ...square, side }, SQUARE)
  const [sine, cosine] = [Math.sin(square.rollRadians), Math.cos(square.rollRadians)]
  const scale = SQUARE / side
  const placed = landmarks.map(({ x, y }) => {
    const [right, below] = [x - square.centre.x, y - square.centre.y]
    return { x: (right * cosine + below * sine) * scale + SQUARE / 2, y: (below * cosine - right * sine) * scale + SQUARE / 2 }
  })
  const centres = eyesAndMouth(placed)
  const eyeDistance = Math.hypot(centres[1].x - centres[0].x, centres[1].y - centres[0].y)
  return { planes, luma: lumaOf(planes), landmarks: placed, centres, eyeDistance }
}

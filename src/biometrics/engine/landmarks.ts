import type { FaceBox, Point } from '../observation.ts'
import { LANDMARK_SIZE } from '../onnx/nets.ts'
import type { Raster } from './raster.ts'
import { clippedBox, letterboxed } from './raster.ts'
import type { Net } from './runtime.ts'

export type LandmarkFinder = (raster: Raster, box: FaceBox) => Promise<Point[] | undefined>

const LETTERBOX = { size: LANDMARK_SIZE, centred: true, mean: [122.782, 117.001, 104.298], divisor: 255 } as const

/** The 68 landmarks of the face in a box, in pixels of the picture; undefined when no part of the box is in the picture. */
export function createLandmarkFinder(net: Net): LandmarkFinder {
  const planes = new Float32Array(3 * LANDMARK_SIZE * LANDMARK_SIZE)
  return async (raster, box) => {
    const clipped = clippedBox(box, raster)
    if (clipped.width <= 0 || clipped.height <= 0) return undefined
    const output = await net.run(letterboxed(raster, clipped, LETTERBOX, planes), LANDMARK_SIZE)
    const points = output('points')
    const side = Math.max(clipped.width, clipped.height)
    const marginX = (side - clipped.width) / 2
    const marginY = (side - clipped.height) / 2
    // Shifted by the box as detected, not as cut: so the reference library does.
    return Array.from({ length: 68 }, (_, index) => ({
      x: (points[index * 2] as number) * side - marginX + box.x,
      y: (points[index * 2 + 1] as number) * side - marginY + box.y,
    }))
  }
}

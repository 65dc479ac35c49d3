import type { Raster } from '../engine/raster.ts'
import type { FaceBox, Point, Pose } from '../observation.ts'
import { backgroundUniformity } from './measure/background.ts'
import { blockiness } from './measure/compression.ts'
import { faceSquare } from './measure/face-square.ts'
import { geometryOf } from './measure/geometry.ts'
import { lightOf } from './measure/light.ts'
import { occlusionOf } from './measure/occlusion.ts'
import { colourCast, skinOf } from './measure/skin.ts'
import type { FaceMeasures } from './measures.ts'

/** A face as the engine has found it, in pixels of the picture. */
export interface FoundFace {
  readonly box: FaceBox
  readonly landmarks: readonly Point[]
  readonly pose: Pose
}

/**
 * Measures one face where the pixels are: nothing is judged here, and nothing of the picture is kept.
 *
 * Pure, for the face worker; the cost hardly grows with the picture, because the face is first brought to one size.
 */
export function measureQuality(raster: Raster, face: FoundFace): FaceMeasures {
  const square = faceSquare(raster, face.landmarks)
  const skin = skinOf(square)
  const background = backgroundUniformity(raster, face.box)
  return {
    ...geometryOf(raster, face),
    ...lightOf(square),
    ...occlusionOf(square, skin),
    naturalColour: colourCast(skin.whole),
    ...(background !== undefined && { backgroundUniformity: background }),
    compressionArtifacts: blockiness(raster, face.box),
  }
}

import type { Faces } from '../faces.ts'
import { MIN_FACE_PIXELS } from '../quality/profiles.ts'
import type { ReasonCode } from '../reason.ts'
import type { NewTemplate } from './image.ts'

export type PortraitRefusal = Extract<ReasonCode, 'face/none' | 'face/two-faces' | 'face/too-far'>

/** A second face this large beside the first leaves open who is meant. */
const SECOND_FACE = 0.5

/**
 * The template of the one face in a photograph of an existing base, or why there is none.
 *
 * An old portrait is taken as it is: light and pose are not refused here, as nobody can take it again.
 */
export async function describeFace(
  faces: Pick<Faces, 'describe'>, photo: Uint8Array,
): Promise<{ refusal: PortraitRefusal; template?: undefined } | { refusal?: undefined; template: NewTemplate }> {
  const { modelId, faces: found } = await faces.describe(photo)
  const [face, second] = found
  if (face?.descriptor === undefined) return { refusal: 'face/none' }
  if (second !== undefined && second.box.width > face.box.width * SECOND_FACE) return { refusal: 'face/two-faces' }
  if (face.box.width < MIN_FACE_PIXELS) return { refusal: 'face/too-far' }
  return { template: { modelId, k: 1, descriptor: face.descriptor } }
}

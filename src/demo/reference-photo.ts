import { type Faces, type ImageStore, jpegQualityOf, qualityOf, type ReasonCode } from '../biometrics/index.ts'
import type { Clock } from '../platform/clock.ts'
import type { Database } from '../platform/db.ts'

/** Source of references that were taken without a counter; nothing outside the demonstration trusts it. */
export const DEMO_SOURCE = 'demo'

export interface ReferencePhotoDependencies {
  readonly db: Database
  readonly faces: Faces
  readonly images: ImageStore
  readonly clock: Clock
}

/**
 * Makes a photograph the reference image of a person, in the place of the counter that a later version brings.
 *
 * Returns what is wrong with the photograph, or nothing once it is stored; an earlier one from here is withdrawn.
 * @throws {ImageRefused} for what is not a usable picture at all.
 */
export async function takeReferencePhoto(deps: ReferencePhotoDependencies, personId: string, photo: Uint8Array): Promise<ReasonCode[]> {
  const { db, faces, images, clock } = deps
  const seen = await faces.describe(photo)
  const { reasons } = qualityOf('reference', seen, { jpegQuality: jpegQualityOf(photo) })
  const descriptor = seen.faces[0]?.descriptor
  if (reasons.length > 0) return [...reasons]
  if (descriptor === undefined) return ['face/none']
  const bytes = await faces.normalise(photo)
  await db.transaction(async (tx) => {
    await images.withdrawFaces(tx, personId, DEMO_SOURCE)
    const provenance = { source: DEMO_SOURCE, method: 'camera', trusted: true, inPerson: false, capturedAt: clock.now() } as const
    const image = { personId, kind: 'face', bytes, contentType: 'image/jpeg', width: seen.width, height: seen.height, provenance } as const
    await images.put(tx, image, { modelId: seen.modelId, k: 1, descriptor })
  })
  return []
}

import type { FaceObservation, FrameObservation } from '../observation.ts'

/** Detectors find faces in sleeves and curtains too: another face counts when the detector is as sure as this and it is not far behind. */
const OTHER_FACE = { minScore: 0.5, minWidth: 0.35 }

/**
 * The faces that count, the person's own first: the surest of the large ones, and whoever else is plainly there.
 *
 * Everything that judges a frame goes through here, so that all of it speaks of the same face.
 */
export function facesOf({ faces }: FrameObservation): FaceObservation[] {
  const [own, ...others] = faces.toSorted((a, b) => weight(b) - weight(a))
  if (!own) return []
  return [own, ...others.filter(({ box, score }) => score >= OTHER_FACE.minScore && box.width >= OTHER_FACE.minWidth * own.box.width)]
}

function weight({ box, score }: FaceObservation): number {
  return box.width * score
}

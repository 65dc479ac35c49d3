import type { FrameObservation } from '../../biometrics/index.ts'

/**
 * A small frame as the shot would be that the same camera takes: pixels count as many as the shot will have.
 *
 * Frames are sent small, so that one costs little; judged as they are, a norm that asks for pixels between the eyes would refuse them all.
 */
export function asShotOf(seen: FrameObservation, shotWidth: number | undefined): FrameObservation {
  const scale = Math.max(1, (shotWidth ?? seen.width) / seen.width)
  const faces = seen.faces.map((face) =>
    face.measures === undefined
      ? face
      : { ...face, measures: { ...face.measures, faceWidth: face.measures.faceWidth * scale, interEyeDistance: face.measures.interEyeDistance * scale } },
  )
  return { ...seen, faces }
}

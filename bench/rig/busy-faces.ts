import type { Faces } from '../../src/biometrics/index.ts'
import { frameOf, HEADS } from '../../test/support/face-samples.ts'

/** Two people in front of their cameras for ever: a frame is sent as soon as the last one is judged. Stops with the server. */
export async function keepFacesBusy(faces: Faces): Promise<void> {
  const frames = await Promise.all([frameOf(HEADS.first), frameOf(HEADS.other)])
  const camera = async (frame: Buffer) => {
    for (;;) await faces.observe(frame)
  }
  await Promise.all(frames.map(camera)).catch(() => {})
}

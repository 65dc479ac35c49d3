import { randomBytes, randomUUID } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLiveness, type Faces, type Liveness } from '../../src/biometrics/index.ts'
import { signFrame } from '../../src/biometrics/liveness/frame-proof.ts'
import { FLASH_COLOURS } from '../../src/biometrics/liveness/plan.ts'
import { systemClock } from '../../src/platform/clock.ts'
import type { Database } from '../../src/platform/db.ts'
import { isProblem, Problem } from '../../src/platform/problem.ts'
import { PLATFORM_PROBLEMS } from '../../src/platform/problems.ts'
import { loadFaceViews, SAMPLE_FACES } from '../../test/support/reactive-camera/face-views.ts'

/** So many people verify at once; as soon as one is done the next begins. */
export const IN_FLIGHT = 25
/** The first ones as a browser does it; the others shorter, so that a thousand fit in a minute. */
export const LONG_SESSIONS = 80
export const FRAMES = { long: 12, short: 2 } as const
/** A browser's pace; the server takes nothing sooner after a step was told. */
const EVERY_MS = 260
const PICTURES = 24

export interface VerifyingServer {
  readonly db: Database
  readonly keyring: Parameters<typeof createLiveness>[0]['keyring']
  readonly faces: Faces
}

/** Writes what the cameras see into a folder: one head, lit by each colour, with a camera's noise. Not in the server, whose memory is measured. */
export async function writePictures(folder: string): Promise<void> {
  const views = await loadFaceViews(SAMPLE_FACES.one)
  for (let moment = 0; moment < PICTURES; moment++) {
    const colour = FLASH_COLOURS[moment % FLASH_COLOURS.length]
    writeFileSync(join(folder, `${moment}.jpg`), await views.jpeg({ yawDegrees: (moment % 5) - 2, colour, moment }))
  }
}

/**
 * People before their cameras for ever, inside the server: all of a face check but HTTP and the sign-in before it.
 *
 * Each frame is a JPEG of a photographed head, decoded, looked at by every net, sealed, stored and judged. The heads do not turn, so the
 * checks end refused: they cost what others do.
 */
export async function keepVerifying({ db, keyring, faces }: VerifyingServer, folder: string): Promise<void> {
  const pictures = readdirSync(folder).map((file) => readFileSync(join(folder, file)))
  const template = randomBytes(faces.models.dimension)
  const liveness = createLiveness({
    db,
    clock: systemClock,
    keyring,
    engine: faces,
    people: {
      findReference: async (_, modelId) => ({ modelId, template: [...template], inPerson: false }),
      claimAttempt: async () => {},
      attemptsLeft: async () => 3,
    },
  })
  let begun = 0
  const person = async () => {
    for (;;) {
      begun += 1
      await verify(liveness, pictures, begun <= LONG_SESSIONS ? FRAMES.long : FRAMES.short)
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, person)).catch((error: unknown) => {
    // The server stops under them; anything else makes the figures worthless.
    if (!(error instanceof Problem)) console.error(error)
  })
}

async function verify(liveness: Liveness, pictures: readonly Buffer[], frames: number): Promise<void> {
  const caller = { accountId: randomUUID(), bindingHash: 'bench', purpose: 'bench' }
  const { id, nonce } = await liveness.start(caller, { flashes: true, slowLink: false })
  const startedAt = performance.now()
  let step = (await liveness.next(caller, id, -1)).step?.index ?? 0
  for (let sequence = 1; sequence <= frames; sequence++) {
    await sleep(EVERY_MS)
    const jpeg = pictures[(sequence * 7) % pictures.length] ?? Buffer.alloc(0)
    const signature = signFrame(Buffer.from(nonce, 'hex'), sequence, jpeg)
    try {
      const answer = await liveness.addFrame(caller, id, { step, sequence, capturedMs: performance.now() - startedAt, signature, jpeg })
      step = answer.step?.index ?? step
    } catch (error) {
      // A full queue is an answer too: a browser tries again with its next picture.
      if (!isProblem(error, PLATFORM_PROBLEMS.busy)) throw error
    }
  }
  await liveness.finish(caller, id, { boundDevice: false, attended: false })
}

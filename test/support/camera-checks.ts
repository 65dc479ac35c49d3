/** Whole face checks with real nets and no browser: heads warped from a photograph, the protocol, and the verdict as it is stored. */
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as runtime from 'onnxruntime-node'
import { calibrationOf } from '../../src/biometrics/calibration.ts'
import { createFaceEngine, type FaceSetName } from '../../src/biometrics/engine/engine.ts'
import { PAD_MODEL_ID } from '../../src/biometrics/engine/standard/pad-nets.ts'
import type { PlanOptions } from '../../src/biometrics/liveness/plan.ts'
import { createLiveness, type LivenessCaller, type LivenessOutcome } from '../../src/biometrics/liveness/session.ts'
import type { LivenessVerdict, Occasion } from '../../src/biometrics/liveness/verdict.ts'
import type { FaceObservation, FrameObservation } from '../../src/biometrics/observation.ts'
import { openWith, sealWith } from '../../src/platform/keyring.ts'
import { fixedClock } from './clock.ts'
import { openPgliteTestDatabase } from './database.ts'
import { standardModelsDir } from './face-models.ts'
import { type Capture, type Drive, driveCheck } from './reactive-camera/browser-driver.ts'
import { seededInt } from './reactive-camera/simulated-person.ts'
import { type FaceViews, loadFaceViews, SAMPLE_FACES, type ViewOptions } from './reactive-camera/face-views.ts'

export interface CheckOptions {
  readonly plan?: PlanOptions
  readonly occasion?: Occasion
  /** The reference was taken in person under dual control. */
  readonly inPerson?: boolean
  /** Several checks of one account share it. */
  readonly accountId?: string
}

export type CheckResult = Awaited<ReturnType<typeof driveCheck>> & LivenessOutcome & { readonly verdict: LivenessVerdict | undefined }

export interface CameraChecks {
  readonly one: FaceViews
  readonly two: FaceViews
  /** A camera before a head of the photograph, doing as it is told; each call is another moment. */
  camera(views: FaceViews, screenLight?: number): Capture
  look(jpeg: Uint8Array): Promise<{ readonly frame: FrameObservation; readonly face: FaceObservation | undefined }>
  /** A number that no picture had before. */
  moment(): number
  check(capture: Capture, drive?: Partial<Drive>, options?: CheckOptions): Promise<CheckResult>
  close(): Promise<void>
}

const NO_OCCASION: Occasion = { boundDevice: false, attended: false }
const PLAN: PlanOptions = { flashes: true, slowLink: false }

/** Opens them with one set of nets, and challenges that are the same in every run; `standard` with the presentation-attack nets, and only where this machine has them. */
export async function openCameraChecks(set: FaceSetName): Promise<CameraChecks> {
  const folder = mkdtempSync(path.join(tmpdir(), 'mt-liveness-'))
  const modelsDir = (set === 'standard' ? standardModelsDir() : undefined) ?? folder
  const pad = set === 'standard'
  const [engine, one, two, db] = await Promise.all([
    createFaceEngine({ runtime, modelsDir, set, pad }),
    loadFaceViews(SAMPLE_FACES.one),
    loadFaceViews(SAMPLE_FACES.two),
    openPgliteTestDatabase(),
  ])
  const observe = (jpeg: Uint8Array) => engine.observe(jpeg, { descriptor: 'always', pad })
  async function look(jpeg: Uint8Array) {
    const frame = await observe(jpeg)
    return { frame, face: frame.faces[0] }
  }
  const template = (await look(await one.jpeg({ yawDegrees: 0, moment: 9999 }))).face?.descriptor ?? []
  const key = randomBytes(32)
  const random = seededInt(11)
  let moments = 0
  const moment = () => (moments += 1)

  return {
    one,
    two,
    moment,
    look,
    camera:
      (views, screenLight = 0.15) =>
      (view) =>
        views.jpeg(viewOptions(view, screenLight, moment())),
    async check(capture, drive = {}, { plan = PLAN, occasion = NO_OCCASION, inPerson = false, accountId = randomUUID() } = {}) {
      const clock = fixedClock()
      const caller: LivenessCaller = { accountId, bindingHash: 'browser', purpose: 'test' }
      const liveness = createLiveness({
        db,
        clock,
        random,
        keyring: { seal: (plain, context) => sealWith(key, plain, context), open: (sealed, context) => openWith(key, sealed, context) },
        engine: { rule: calibrationOf(engine.modelId), padModel: pad ? PAD_MODEL_ID : undefined, observe },
        people: {
          findReference: async (_, modelId) => ({ modelId, template, inPerson }),
          claimAttempt: async () => {},
          attemptsLeft: async () => 2,
        },
      })
      const run = await driveCheck({ liveness, clock, caller, capture, ...drive }, plan)
      const { id } = run.started
      const outcome = run.last.state === 'over' ? await liveness.result(caller, id) : await liveness.finish(caller, id, occasion)
      const [row] = await db.query<{ verdict: LivenessVerdict }>('SELECT verdict FROM liveness_session WHERE id = $1', [id])
      return { ...run, ...outcome, verdict: row?.verdict }
    },
    async close() {
      await Promise.all([engine.close(), db.close()])
      rmSync(folder, { recursive: true })
    },
  }
}

const viewOptions = ({ yaw = 0, colour }: Parameters<Capture>[0], screenLight: number, moment: number): ViewOptions => ({
  yawDegrees: yaw,
  colour,
  screenLight,
  moment,
})

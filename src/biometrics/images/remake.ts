import { setTimeout as sleep } from 'node:timers/promises'
import { isProblem, Problem } from '../../platform/problem.ts'
import { PLATFORM_PROBLEMS } from '../../platform/problems.ts'
import type { Faces } from '../faces.ts'
import { checkImage, ImageRefused } from '../image.ts'
import { countLacking, type FaceRow, noteCopyFault, noteTemplateFault, selectFaces, selectLacking, selectOutdatedPeople, selectUncopied } from './face-jobs.store.ts'
import { deleteTemplates } from './image.store.ts'
import type { ImageStore, ImageStoreDependencies } from './image-store.ts'
import { openDraft, saveHead } from './person-images.ts'
import { describeFace } from './portrait.ts'
import { IMAGE_PROBLEMS } from './problems.ts'

export interface RemakeOptions {
  /** Ends after the image in work when so much time has passed; the next run goes on. */
  readonly budgetMs?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: RemakeProgress) => void
}

export interface RemakeProgress {
  readonly made: number
  readonly refused: number
  readonly left: number
}

/** Work on faces that are stored already, beside the public's. */
export interface FaceJobs {
  /** Standing faces that the model in use has not described. */
  missing(): Promise<number>
  /** Makes their templates; resumable at any image, as what is there is skipped. The old model's stay for a week. */
  remake(options?: RemakeOptions): Promise<RemakeProgress>
  /** Drops templates of other models where the one in use has had its own for a week; how many. */
  dropOutdated(): Promise<number>
  /** The normalised copy of one original, or of all that wait; a face gets its template too. How many were made. */
  makeCopies(imageId?: string): Promise<number>
  /** Standing faces by id, for whoever keeps an index of them. */
  forEachFace(after: string | undefined, limit: number): Promise<FaceRow[]>
}

export interface FaceJobsDependencies {
  readonly images: ImageStoreDependencies
  readonly store: ImageStore
  readonly faces: Pick<Faces, 'describe' | 'normalise' | 'stats'>
  readonly modelId: string
}

const BATCH = 100
const KEPT_MS = 7 * 86_400_000
const WAIT_MS = 200
const DEFAULT_BUDGET_MS = Number.POSITIVE_INFINITY

/** The work in the background on faces that are stored; it takes a worker only when nobody waits for one, and half of its time. */
export function createFaceJobs(deps: FaceJobsDependencies): FaceJobs {
  const { images, store, faces, modelId } = deps
  const { db, clock, keyring } = images
  return {
    missing: () => countLacking(db, modelId),
    forEachFace: (after, limit) => selectFaces(db, after ?? null, limit),
    async remake({ budgetMs = DEFAULT_BUDGET_MS, signal, onProgress } = {}) {
      const until = performance.now() + budgetMs
      const progress = { made: 0, refused: 0, left: await countLacking(db, modelId) }
      while (progress.left > 0) {
        const batch = await selectLacking(db, modelId, BATCH)
        if (batch.length === 0) return { ...progress, left: 0 }
        for (const imageId of batch) {
          if (signal?.aborted || performance.now() > until) return progress
          await untilIdle(faces, signal)
          const begun = performance.now()
          progress[(await remakeOne(deps, imageId)) ? 'made' : 'refused']++
          progress.left = Math.max(0, progress.left - 1)
          onProgress?.({ ...progress })
          await sleep(performance.now() - begun)
        }
        progress.left = await countLacking(db, modelId)
      }
      return progress
    },
    async dropOutdated() {
      const before = new Date(clock.now().getTime() - KEPT_MS)
      let dropped = 0
      for (const personId of await selectOutdatedPeople(db, modelId, before, BATCH)) {
        dropped += await db.transaction(async (tx) => {
          const draft = await openDraft(tx, keyring, personId)
          const fresh = new Set(draft.templates.filter((template) => template.modelId === modelId && template.createdAt < before).map(({ imageId }) => imageId))
          const old = draft.templates.filter((template) => template.modelId !== modelId && fresh.has(template.imageId))
          await deleteTemplates(tx, old.map(({ id }) => id))
          draft.templates.splice(0, draft.templates.length, ...draft.templates.filter((template) => !old.includes(template)))
          await saveHead(tx, draft)
          return old.length
        })
      }
      return dropped
    },
    async makeCopies(imageId) {
      let made = 0
      for (const id of imageId === undefined ? await selectUncopied(db, BATCH) : [imageId]) if (await copyOne(deps, store, id)) made++
      return made
    },
  }
}

/** The public comes first. */
async function untilIdle(faces: Pick<Faces, 'stats'>, signal: AbortSignal | undefined): Promise<void> {
  for (let stats = faces.stats(); (stats.queued > 0 || stats.busy >= stats.size) && !signal?.aborted; stats = faces.stats()) await sleep(WAIT_MS)
}

async function remakeOne({ images: { db, clock }, store, faces, modelId }: FaceJobsDependencies, imageId: string): Promise<boolean> {
  try {
    const { bytes } = await store.open(imageId)
    const found = await describeFace(faces, bytes)
    if (found.template !== undefined && found.template.modelId === modelId) {
      const { template } = found
      await db.transaction((tx) => store.putTemplate(tx, imageId, template))
      return true
    }
    await noteTemplateFault(db, imageId, modelId, found.refusal ?? 'other-model', clock.now())
  } catch (error) {
    const reason = lastingReason(error)
    if (reason === undefined) throw error
    await noteTemplateFault(db, imageId, modelId, reason, clock.now())
  }
  return false
}

/** What trying again will not change; anything else ends the run, and the next one goes on. */
function lastingReason(error: unknown): string | undefined {
  if (error instanceof ImageRefused) return `image-${error.code}`
  if (!(error instanceof Problem)) return undefined
  if (isProblem(error, IMAGE_PROBLEMS.imageNotFound)) return 'image-gone'
  return isProblem(error, PLATFORM_PROBLEMS.sealBroken) ? 'person-unsound' : undefined
}

async function copyOne({ images: { db }, faces }: FaceJobsDependencies, store: ImageStore, imageId: string): Promise<boolean> {
  try {
    const source = await store.openOriginal(imageId)
    if (source.hasCopy) return false
    const bytes = await faces.normalise(source.bytes)
    const check = checkImage(bytes)
    if (!check.ok) throw new ImageRefused(check.refusal)
    const { width, height } = check
    const face = source.kind === 'face' ? await describeFace(faces, source.bytes) : undefined
    await db.transaction(async (tx) => {
      await store.putCopy(tx, imageId, { bytes, contentType: 'image/jpeg', width, height })
      if (face?.template) await store.putTemplate(tx, imageId, face.template)
    })
    return true
  } catch (error) {
    const reason = lastingReason(error)
    if (reason === undefined) throw error
    await noteCopyFault(db, imageId, reason)
    return false
  }
}

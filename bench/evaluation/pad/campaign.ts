import { randomUUID } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import type { FaceEngine } from '../../../src/biometrics/engine/engine.ts'
import { willingYaw } from '../../../test/support/reactive-camera/browser-driver.ts'
import { subjectOf } from '../enrolment.ts'
import { type Head, headOf, type Manner, type Presentation, present } from './presentation.ts'
import type { SessionOutcome, Stage } from './sessions.ts'
import type { Species } from './species.ts'

/** One session of one picture. */
export interface Trial {
  readonly species: string
  readonly file: string
  /** How the picture was shown; or which rule of the protocol was broken. */
  readonly way: Manner | Misuse
  /** Undefined when no face was found to present. */
  readonly outcome: SessionOutcome | undefined
}

/** What may never pass, shown with a real picture of the person: no net is needed to refuse it. */
export const MISUSES = ['still image', 'frozen frame', 'wrong order', 'old session'] as const
export type Misuse = (typeof MISUSES)[number]

export interface Campaign {
  readonly folder: string
  readonly species: readonly Species[]
  readonly engine: FaceEngine
  readonly stage: Stage
  /** Keeps outcomes between runs; only scores and decisions, no pictures and no descriptors. */
  readonly cache?: string | undefined
  readonly onProgress?: (trial: Trial) => void
}

/** Plays every picture as a session; bona fide ones also misused in each way. */
export async function runCampaign(campaign: Campaign): Promise<Trial[]> {
  const record = recordOf(campaign)
  const trials: Trial[] = []
  const { folder } = campaign
  for (const { name, files, manners, kind } of campaign.species) {
    for (const file of files) {
      const ways = [...manners, ...(kind === 'bona fide' ? MISUSES : [])]
      const actor = lazily(() => actorOf(campaign, path.join(folder, file), path.join(folder, 'bonafide', path.basename(file))))
      for (const way of ways)
        trials.push(await record({ species: name, file, way }, async () => outcomeOf(campaign.stage, await actor(), way)))
    }
  }
  return trials
}

interface Actor {
  readonly picture: Uint8Array
  readonly head: Head
  /** Template of the person whom the picture shows. */
  readonly reference: readonly number[]
  readonly presentations: Map<Manner, Promise<Presentation>>
}

/** The picture with its head, and the reference that it is to match: the genuine photograph of the same name, or itself. */
async function actorOf({ engine }: Campaign, file: string, genuine: string): Promise<Actor | undefined> {
  const picture = readFileSync(file)
  const face = await faceIn(engine, picture)
  if (!face) return undefined
  const reference = existsSync(genuine) ? await faceIn(engine, readFileSync(genuine)) : face
  return { picture, head: headOf(face), reference: reference?.descriptor ?? [], presentations: new Map() }
}

async function faceIn(engine: FaceEngine, picture: Uint8Array) {
  const { faces, width, height } = await engine.describe(picture, { describeFaces: 8 })
  return subjectOf(faces, width, height)
}

async function outcomeOf(stage: Stage, actor: Actor | undefined, way: Trial['way']): Promise<SessionOutcome | undefined> {
  if (!actor) return undefined
  const { reference, picture, head } = actor
  const manner: Manner = way === 'rigid' ? 'rigid' : 'reacting'
  const prepared = actor.presentations.get(manner) ?? present(picture, head, manner)
  actor.presentations.set(manner, prepared)
  const presentation = await prepared
  let moment = 0
  const live = (view: Parameters<Presentation['frame']>[0]) => presentation.frame(view, ++moment)
  if (way === 'still image') return stage.check(live, { reference, yawFor: () => 0 })
  if (way === 'wrong order') return stage.check(live, { reference, yawFor: (step) => -willingYaw(step) })
  if (way === 'frozen frame') return stage.check(frozen(presentation), { reference })
  if (way === 'old session') return oldSession(stage, presentation, reference)
  return stage.check(live, { reference })
}

/** One and the same frame for each turn of the head, to the bit. */
function frozen(presentation: Presentation) {
  const kept = new Map<number, Promise<Buffer>>()
  return (view: Parameters<Presentation['frame']>[0]) => {
    const yaw = Math.round(view.yaw ?? 0)
    const frame = kept.get(yaw) ?? presentation.frame(view, 1)
    kept.set(yaw, frame)
    return frame
  }
}

/** The frames of a session that was finished, shown again where they fit the new challenge best. */
async function oldSession(stage: Stage, presentation: Presentation, reference: readonly number[]): Promise<SessionOutcome> {
  const accountId = randomUUID()
  const recorded: { yaw: number; jpeg: Buffer }[] = []
  let moment = 0
  await stage.check(
    async (view) => {
      const jpeg = await presentation.frame(view, ++moment)
      recorded.push({ yaw: view.yaw ?? 0, jpeg })
      return jpeg
    },
    { reference, accountId },
  )
  const left = [...recorded]
  return stage.check(
    ({ yaw = 0 }) => {
      const [nearest] = (left.length > 0 ? left : recorded).toSorted((a, b) => Math.abs(a.yaw - yaw) - Math.abs(b.yaw - yaw))
      if (!nearest) throw new Error('nothing was recorded')
      if (left.includes(nearest)) left.splice(left.indexOf(nearest), 1)
      return nearest.jpeg
    },
    { reference, accountId },
  )
}

function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => (made ??= make())
}

const outcomeSchema = z.object({
  complete: z.boolean(),
  passed: z.boolean(),
  live: z.boolean(),
  passedWithoutNets: z.boolean(),
  liveWithoutNets: z.boolean(),
  padScores: z.array(z.number()),
  failed: z.array(z.string()),
})
const recordSchema = z.object({ species: z.string(), file: z.string(), way: z.string(), outcome: outcomeSchema.optional() })

/** Answers what an earlier run noted, or plays the session and notes it. */
function recordOf({ cache, engine, onProgress }: Campaign) {
  const file = cache && path.join(cache, `sessions-${engine.modelId}-${engine.pad ? 'pad' : 'bare'}.jsonl`)
  const known = new Map<string, SessionOutcome | undefined>()
  if (file && existsSync(file)) {
    for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
      const { species, file: picture, way, outcome } = recordSchema.parse(JSON.parse(line))
      known.set(`${species}/${picture}/${way}`, outcome)
    }
  }
  return async (trial: Omit<Trial, 'outcome'>, play: () => Promise<SessionOutcome | undefined>): Promise<Trial> => {
    const name = `${trial.species}/${trial.file}/${trial.way}`
    if (known.has(name)) return { ...trial, outcome: known.get(name) }
    const done: Trial = { ...trial, outcome: await play() }
    if (file) {
      mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
      appendFileSync(file, `${JSON.stringify(done)}\n`, { mode: 0o600 })
    }
    onProgress?.(done)
    return done
  }
}

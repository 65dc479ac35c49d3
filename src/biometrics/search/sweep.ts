import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Audit, AuditActor } from '../../audit/index.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Database, Sql } from '../../platform/db.ts'
import { isProblem } from '../../platform/problem.ts'
import { PLATFORM_PROBLEMS } from '../../platform/problems.ts'
import type { FaceCandidate } from './candidate.ts'
import { upsertCandidate } from './candidate.store.ts'
import { deleteModel, type Entry, entriesAfter, insertMissing, lockUnsearched, markSearched, selectPeople } from './entry.store.ts'
import type { FindReference, IndexedFace } from './face-search.ts'
import { findLedgers } from './ledger.store.ts'
import { pairOf, type SearchModel } from './search-model.ts'
import { advanceSweep, finishSweep, insertSweep, lockRunningSweep, readFilling, setFilling } from './sweep.store.ts'
import { createIndex, dropIndex, insertVectors } from './vector.store.ts'

/** What one call of `work` got done. */
export interface SweepOutcome {
  readonly filled: number
  readonly searched: number
  /** New pairs to judge. */
  readonly found: number
}

export interface SweeperDependencies {
  readonly db: Database
  readonly clock: Clock
  readonly audit: Pick<Audit, 'record'>
  readonly findReference: FindReference
  readonly models: readonly SearchModel[]
}

export interface Sweeper {
  work(): Promise<SweepOutcome>
  start(model: SearchModel, actor: AuditActor): Promise<boolean>
  rebuild(model: SearchModel, actor: AuditActor): Promise<number>
  close(): Promise<void>
}

/** Faces of one transaction: short, because the embedded database does nothing else meanwhile. */
const BATCH = 5
/** So many searches a second leave most of a core to the people who wait. */
const PER_SECOND = 25
/** Below the minute after which the schedule comes again. */
const WORK_MS = 45_000
const FILL_BATCH = 200
const MOST_PAIRS = 20
const INDEX_MEGABYTES = 512

const NOTHING: SweepOutcome = { filled: 0, searched: 0, found: 0 }

/** Works in small committed steps, so that whoever kills it loses at most one of them. */
export function createSweeper(deps: SweeperDependencies): Sweeper {
  const { db, clock, models } = deps
  let isClosed = false
  let working: Promise<SweepOutcome> | undefined

  async function steps(): Promise<SweepOutcome> {
    const until = Date.now() + WORK_MS
    let done = NOTHING
    for (const model of models) {
      for (const step of [fillStep, searchNewStep, sweepStep]) {
        for (let more = true; more && !isClosed && Date.now() < until; ) {
          const part = await step(deps, model)
          done = sum(done, part ?? NOTHING)
          more = part !== undefined
          if (part) await sleep((part.searched * 1000) / PER_SECOND, undefined, { ref: false })
        }
      }
    }
    return done
  }

  return {
    work: () => (working ??= steps().finally(() => (working = undefined))),
    start: (model, actor) =>
      db.transaction(async (tx) => {
        const sweepId = randomUUID()
        if (!(await insertSweep(tx, sweepId, model.modelId, clock.now()))) return false
        await setFilling(tx, model.modelId, {})
        await deps.audit.record(tx, { type: 'biometrics/sweep-started', actor, data: { sweepId, modelId: model.modelId } })
        return true
      }),
    rebuild: (model, actor) => rebuild(deps, model, actor),
    async close() {
      isClosed = true
      await working?.catch(() => {})
    },
  }
}

const sum = (a: SweepOutcome, b: SweepOutcome): SweepOutcome => ({ filled: a.filled + b.filled, searched: a.searched + b.searched, found: a.found + b.found })

/** Takes in faces that the store has and the search has not: from before it was there, or whose adding failed. */
async function fillStep(deps: SweeperDependencies, model: SearchModel): Promise<SweepOutcome | undefined> {
  const { db, clock } = deps
  const { modelId } = model
  const filling = await readFilling(db, modelId)
  if (!filling) return undefined
  const people = await selectPeople(db, modelId, filling.after, FILL_BATCH)
  const faces = await readFaces(deps, modelId, people)
  const last = people.at(-1)
  const vectors = new Map(faces.map(({ imageId, template }) => [imageId, model.vectorOf(template.descriptor)]))
  return db.transaction(async (tx) => {
    const missing = faces.map(({ personId, imageId, template }) => ({ modelId, personId, imageId, k: template.k }))
    const added = missing.length > 0 ? await insertMissing(tx, missing, clock.now()) : new Map<string, number>()
    const rows = [...added].flatMap(([imageId, id]) => {
      const vector = vectors.get(imageId)
      return vector ? [[id, vector] as const] : []
    })
    if (rows.length > 0) await insertVectors(tx, model.table, rows)
    await setFilling(tx, modelId, last === undefined ? { filledAt: clock.now() } : { after: last })
    return { ...NOTHING, filled: rows.length }
  })
}

/** The people's references; of someone whose rows are not as the store wrote them, none. */
async function readFaces({ findReference }: SweeperDependencies, modelId: string, people: readonly string[]): Promise<IndexedFace[]> {
  const faces: IndexedFace[] = []
  for (const personId of people) {
    try {
      const found = await findReference(personId, modelId)
      if (found) faces.push({ personId, imageId: found.imageId, template: { modelId, k: found.k, descriptor: found.descriptor } })
    } catch (error) {
      if (!isProblem(error, PLATFORM_PROBLEMS.sealBroken)) throw error
    }
  }
  return faces
}

/** Searches faces that never were: 1:N at enrolment. */
async function searchNewStep(deps: SweeperDependencies, model: SearchModel): Promise<SweepOutcome | undefined> {
  return deps.db.transaction(async (tx) => {
    const entries = await lockUnsearched(tx, model.modelId, BATCH)
    if (entries.length === 0) return undefined
    return { filled: 0, searched: entries.length, found: await searchAll(deps, tx, model, entries, 'enrolment') }
  })
}

/** The next faces of the running sweep; its place moves in the same transaction. */
async function sweepStep(deps: SweeperDependencies, model: SearchModel): Promise<SweepOutcome | undefined> {
  const now = deps.clock.now()
  return deps.db.transaction(async (tx) => {
    const sweep = await lockRunningSweep(tx, model.modelId)
    if (!sweep) return undefined
    const entries = await entriesAfter(tx, model.modelId, sweep.afterEntry, BATCH)
    const last = entries.at(-1)
    if (!last) {
      await finishSweep(tx, sweep.id, now)
      return undefined
    }
    const found = await searchAll(deps, tx, model, entries, 'sweep')
    await advanceSweep(tx, sweep.id, { afterEntry: last.id, searched: entries.length, found })
    return { filled: 0, searched: entries.length, found }
  })
}

/** Notes the pairs of these faces; the number of new ones. */
async function searchAll(
  { clock, audit }: SweeperDependencies, tx: Sql, model: SearchModel, entries: readonly Entry[], origin: FaceCandidate['origin'],
): Promise<number> {
  const now = clock.now()
  const actor = { kind: 'system' } as const
  const { modelId } = model
  let found = 0
  for (const entry of entries) {
    const near = await model.near(tx, { entryId: entry.id, k: entry.k }, { limit: MOST_PAIRS, exceptPersonId: entry.personId })
    const ledgers = await findLedgers(tx, [entry.personId, ...near.map(({ personId }) => personId)])
    await audit.record(tx, { type: 'biometrics/face-searched', actor, subject: ledgers.get(entry.personId), data: { modelId, origin, found: near.length } })
    for (const face of near) {
      const threshold = await model.reachIn(tx, Math.max(entry.k, face.k))
      const pair = { ...pairOf(entry, face), id: randomUUID(), modelId, threshold, origin }
      if (!(await upsertCandidate(tx, pair, now))) continue
      found += 1
      await audit.record(tx, { type: 'biometrics/candidate-found', actor, data: { candidateId: pair.id, modelId, origin } })
      for (const personId of [entry.personId, face.personId]) {
        await audit.record(tx, { type: 'biometrics/face-matched', actor, subject: ledgers.get(personId), data: { candidateId: pair.id } })
      }
    }
  }
  await markSearched(tx, entries.map(({ id }) => id), now)
  return found
}

/** Everything of the model anew; the index is built at the end, which takes a fraction of the time. */
async function rebuild(deps: SweeperDependencies, model: SearchModel, actor: AuditActor): Promise<number> {
  const { db, audit } = deps
  await db.transaction(async (tx) => {
    await dropIndex(tx, model.table)
    await deleteModel(tx, model.modelId)
    await setFilling(tx, model.modelId, {})
  })
  let faces = 0
  for (let part = await fillStep(deps, model); part; part = await fillStep(deps, model)) faces += part.filled
  await db.transaction(async (tx) => {
    await tx.execute('SET LOCAL statement_timeout = 0')
    await createIndex(tx, model.table, INDEX_MEGABYTES)
    await audit.record(tx, { type: 'biometrics/index-rebuilt', actor, data: { modelId: model.modelId, faces } })
  })
  return faces
}

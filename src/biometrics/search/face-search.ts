import type { Audit, AuditActor } from '../../audit/index.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Database, Sql } from '../../platform/db.ts'
import type { Keyring } from '../../platform/keyring.ts'
import type { Log } from '../../platform/log.ts'
import { Problem } from '../../platform/problem.ts'
import type { NewTemplate, Reference } from '../images/image.ts'
import type { NearFace } from './candidate.ts'
import { deleteUnconfirmed } from './candidate.store.ts'
import { countEntries, deleteImage, deletePerson, insertEntry } from './entry.store.ts'
import { findLedgers } from './ledger.store.ts'
import { findCurve } from './operating-point.ts'
import { SEARCH_PROBLEMS } from './problems.ts'
import { openSearchModel, type SearchModel } from './search-model.ts'
import { createSweeper, type Sweeper, type SweepOutcome } from './sweep.ts'
import { newestSweep, type SweepProgress } from './sweep.store.ts'
import { insertVector, openExtension, type SearchFault } from './vector.store.ts'

/** A face of the image store with its opened template. */
export interface IndexedFace {
  readonly personId: string
  readonly imageId: string
  readonly template: NewTemplate
}

/** The face that a person is compared with; see ImageStore. */
export type FindReference = (personId: string, modelId: string) => Promise<Reference | undefined>

export interface FaceSearchDependencies {
  readonly db: Database
  readonly platform: { readonly clock: Clock; readonly keyring: Pick<Keyring, 'hash'>; readonly log: Log }
  readonly audit: Pick<Audit, 'record'>
  readonly findReference: FindReference
  /** Recognisers to search with; those without a measured false match curve are left out. */
  readonly modelIds: readonly string[]
}

export type SearchState = { readonly on: true } | { readonly on: false; readonly fault: SearchFault }

export interface FindOptions {
  readonly modelId: string
  /** Frames behind the descriptor; 1 when not said. */
  readonly k?: number
  readonly limit?: number
  /** A person's own images are no hit. */
  readonly exceptPersonId?: string | undefined
  /** Euclidean, in the place of the threshold that the base's size asks for. */
  readonly withinDistance?: number | undefined
  /** Who searches; the ledger of everybody whose face comes up says it. */
  readonly actor?: AuditActor
  /** The transaction to search in, where what is found decides what it does; one of its own when not said. */
  readonly tx?: Sql | undefined
}

export interface SearchStatus {
  readonly modelId: string
  readonly faces: number
  /** Greatest distance of a candidate now, for templates of one frame. */
  readonly distance: number
  readonly sweep: SweepProgress | undefined
}

/**
 * The search of one face among all (1:N). It only ever finds pairs for people to judge.
 *
 * Everything else works without it: where the database has no pgvector it is off, says so, and each call but `find` does nothing.
 */
export interface FaceSearch {
  readonly state: SearchState
  /** Takes a stored face into the search, in the transaction that stores it. Its failure is logged and never the caller's. */
  add(tx: Sql, face: IndexedFace): Promise<void>
  /** Takes an image out, in the transaction that withdraws it. */
  remove(tx: Sql, imageId: string): Promise<void>
  /** Takes a person out with all pairs that were not confirmed, in the transaction of the erasure. */
  removePerson(tx: Sql, personId: string): Promise<void>
  /**
   * The nearest faces within the threshold, exactly measured.
   *
   * @throws {Problem} biometrics/search-off
   */
  find(descriptor: readonly number[], options: FindOptions): Promise<NearFace[]>
  /** Does what is due for a while: fills in missing faces, searches new ones, goes on with a sweep. */
  sweep(): Promise<SweepOutcome>
  /** Starts a pass of everybody against everybody for each model that has none running; `sweep` works them off. Returns how many. */
  startSweeps(actor: AuditActor): Promise<number>
  /** Makes a model's index anew from the image store; returns the number of faces. Long: an operator's command. */
  rebuild(modelId: string, actor: AuditActor): Promise<number>
  status(): Promise<SearchStatus[]>
  /** Work in hand ends after its present batch. */
  close(): Promise<void>
}

/** Told inside the adding transaction, so that a listening server searches the new face as soon as it is there. */
export const SEARCH_CHANNEL = 'face_search'
const MOST_FOUND = 20

/** Opens the search over the tables of `db`, and makes what is missing there. */
export async function openFaceSearch(deps: FaceSearchDependencies): Promise<FaceSearch> {
  const { db } = deps
  const { clock, keyring, log } = deps.platform
  const index = await openExtension(db)
  const models = new Map<string, SearchModel>()
  const isOn = index === 'vector' || index === 'halfvec' || index === 'signs'
  if (isOn) {
    for (const modelId of deps.modelIds) {
      const curve = findCurve(modelId)
      if (curve) models.set(modelId, await openSearchModel({ db, clock, keyring }, curve, index))
      else log.warn('face search: a model without a false match curve is not searched with', { name: modelId })
    }
  }
  const state: SearchState = isOn ? { on: true } : { on: false, fault: index }
  const modelOf = (modelId: string) => {
    const model = models.get(modelId)
    if (!model) throw new Problem(SEARCH_PROBLEMS.searchOff, { detail: state.on ? `no model ${modelId}` : state.fault })
    return model
  }
  const sweeper: Sweeper = createSweeper({ db, clock, audit: deps.audit, findReference: deps.findReference, models: [...models.values()] })
  return {
    state,
    async add(tx, { personId, imageId, template }) {
      const model = models.get(template.modelId)
      if (model) await apart(tx, log, () => addFace(tx, model, { personId, imageId, template }, clock.now()))
    },
    remove: async (tx, imageId) => void (await deleteImage(tx, imageId)),
    async removePerson(tx, personId) {
      await deletePerson(tx, personId)
      await deleteUnconfirmed(tx, personId)
    },
    async find(descriptor, { modelId, k = 1, limit = MOST_FOUND, actor = { kind: 'system' }, tx: given, ...within }) {
      const model = modelOf(modelId)
      const vector = model.vectorOf(descriptor)
      const search = async (tx: Sql): Promise<NearFace[]> => {
        const near = await model.near(tx, { vector, k }, { limit, ...within })
        const ledgers = await findLedgers(tx, near.map(({ personId }) => personId))
        for (const subject of ledgers.values()) await deps.audit.record(tx, { type: 'biometrics/face-found', actor, subject, data: { modelId } })
        return near
      }
      return given ? search(given) : db.transaction(search)
    },
    sweep: sweeper.work,
    async startSweeps(actor) {
      let started = 0
      for (const model of models.values()) if (await sweeper.start(model, actor)) started += 1
      return started
    },
    rebuild: (modelId, actor) => sweeper.rebuild(modelOf(modelId), actor),
    status: () => Promise.all([...models.values()].map((model) => statusOf(db, model))),
    close: sweeper.close,
  }
}

async function statusOf(db: Database, model: SearchModel): Promise<SearchStatus> {
  const { modelId } = model
  return { modelId, faces: await countEntries(db, modelId), distance: await model.reach(1), sweep: await newestSweep(db, modelId) }
}

async function addFace(tx: Sql, model: SearchModel, { personId, imageId, template }: IndexedFace, now: Date): Promise<void> {
  const vector = model.vectorOf(template.descriptor)
  const entryId = await insertEntry(tx, { modelId: model.modelId, personId, imageId, k: template.k }, now)
  await insertVector(tx, model.table, entryId, vector)
  await tx.query('SELECT pg_notify($1, $2)', [SEARCH_CHANNEL, ''])
}

/** A failure inside undoes only this work; the sweep's filling makes up for it. */
async function apart(tx: Sql, log: Log, work: () => Promise<void>): Promise<void> {
  await tx.execute('SAVEPOINT face_search')
  try {
    await work()
    await tx.execute('RELEASE SAVEPOINT face_search')
  } catch (error) {
    await tx.execute('ROLLBACK TO SAVEPOINT face_search')
    log.warn('face search: a face was not taken in', { error })
  }
}

import type { Clock } from '../../platform/clock.ts'
import type { Database, Sql } from '../../platform/db.ts'
import type { Keyring } from '../../platform/keyring.ts'
import type { FaceCandidate, NearFace } from './candidate.ts'
import { countEntries, deleteModel } from './entry.store.ts'
import { candidateDistance, type FalseMatchCurve } from './operating-point.ts'
import { createRotation } from './rotation.ts'
import { setFilling, setRotation } from './sweep.store.ts'
import { findNear, findNearEntry, type NearQuery, setUpTable, type VectorTable, vectorTable } from './vector.store.ts'

/** One recogniser's faces, ready to be searched. */
export interface SearchModel {
  readonly modelId: string
  readonly curve: FalseMatchCurve
  readonly table: VectorTable
  /** The numbers that are stored and searched for a template. */
  vectorOf(descriptor: readonly number[]): Float32Array
  /** Greatest distance of a candidate in the base as large as it is now. */
  reach(k: number): Promise<number>
  /** The same inside a transaction. */
  reachIn(tx: Sql, k: number): Promise<number>
  near(tx: Sql, probe: Probe, query: NearOptions): Promise<NearFace[]>
}

/** A face that is asked about: from outside, or an entry of the base. */
export type Probe = { readonly k: number } & ({ readonly vector: Float32Array } | { readonly entryId: number })

export interface NearOptions {
  readonly limit: number
  readonly exceptPersonId?: string | undefined
  /** In the place of the model's own reach. */
  readonly withinDistance?: number | undefined
}

/** A base grows slowly, counting millions of rows is not free, and the threshold moves with powers of ten only. */
const COUNT_AGAIN_MS = 10 * 60_000

export interface SearchModelDependencies {
  readonly db: Database
  readonly clock: Clock
  readonly keyring: Pick<Keyring, 'hash'>
}

/** Makes the model's table when it is missing; rows that another keyring turned are useless and are let go, to be filled in again. */
export async function openSearchModel(deps: SearchModelDependencies, curve: FalseMatchCurve, best: VectorTable['index']): Promise<SearchModel> {
  const { db, clock } = deps
  const { modelId, dimension, metric } = curve
  // Signs tell directions apart, and only where these lie all around: the templates of a model with another metric have one side in common.
  const table = vectorTable(modelId, dimension, best === 'signs' && metric !== 'cosine' ? 'vector' : best)
  const rotation = createRotation(deps.keyring, modelId, dimension)
  const stored = await setUpTable(db, table, rotation.mark, clock.now())
  if (stored !== rotation.mark) await db.transaction((tx) => forgetRows(tx, modelId, rotation.mark))
  let counted: { at: number; entries: number } | undefined
  const entries = async (sql: Sql) => {
    const now = clock.now().getTime()
    if (!counted || now - counted.at > COUNT_AGAIN_MS) counted = { at: now, entries: await countEntries(sql, modelId) }
    return counted.entries
  }
  return {
    modelId,
    curve,
    table,
    vectorOf: (descriptor) => rotation.turn(metric === 'cosine' ? unitOf(descriptor) : descriptor),
    reach: async (k) => candidateDistance(curve, await entries(db), k),
    reachIn: async (tx, k) => candidateDistance(curve, await entries(tx), k),
    async near(tx, probe, { limit, exceptPersonId, withinDistance }) {
      const size = await entries(tx)
      const reach = (k: number) => withinDistance ?? candidateDistance(curve, size, k)
      const query: NearQuery = { limit, exceptPersonId, withinDistance: reach(1) }
      const found = 'vector' in probe ? await findNear(tx, table, probe.vector, query) : await findNearEntry(tx, table, probe.entryId, query)
      return found.filter((face) => face.distance <= reach(Math.max(probe.k, face.k)))
    },
  }
}

async function forgetRows(tx: Sql, modelId: string, mark: string): Promise<void> {
  await deleteModel(tx, modelId)
  await setFilling(tx, modelId, {})
  await setRotation(tx, modelId, mark)
}

/** What stands in a pair's row for two faces, always in the same order. */
export function pairOf(
  entry: { readonly personId: string; readonly imageId: string },
  near: NearFace,
): Pick<FaceCandidate, 'leftPersonId' | 'rightPersonId' | 'leftImageId' | 'rightImageId' | 'distance'> {
  const [left, right] = entry.personId < near.personId ? [entry, near] : [near, entry]
  return { leftPersonId: left.personId, leftImageId: left.imageId, rightPersonId: right.personId, rightImageId: right.imageId, distance: near.distance }
}

function unitOf(descriptor: readonly number[]): number[] {
  const length = Math.hypot(...descriptor)
  if (!(length > 0)) throw new RangeError('a template without a direction')
  return descriptor.map((value) => value / length)
}

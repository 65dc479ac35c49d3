/**
 * One face among all: recall against an exact search and time of an answer, on both databases.
 *
 * Templates are synthetic, fitted to a real recogniser's rates (rig/synthetic-faces.ts). `BENCH_SEARCH_SIZES=10000,100000,1000000` sets the
 * bases (10,000 when not said; the embedded database takes minutes for 100,000), `BENCH_SEARCH_URL` a PostgreSQL that has pgvector.
 */
import { tmpdir } from 'node:os'
import { randomUUID } from 'node:crypto'
import type { Reference } from '../src/biometrics/images/image.ts'
import { type FaceSearch, openFaceSearch } from '../src/biometrics/search/face-search.ts'
import { candidateDistance, findCurve } from '../src/biometrics/search/operating-point.ts'
import { systemClock } from '../src/platform/clock.ts'
import { type Database, openDatabase } from '../src/platform/db.ts'
import { openKeyring } from '../src/platform/keyring.ts'
import { migrate } from '../src/platform/migrate.ts'
import { Sensitive } from '../src/platform/sensitive.ts'
import { mkdtempSync, rmSync } from 'node:fs'
import { atMost, percentile, type Result } from './result.ts'
import { addPeople, type Person } from './rig/people.ts'
import { startPostgres } from './rig/stores.ts'
import { createFaceCloud, type FaceCloud, STANDARD_SHAPE } from './rig/synthetic-faces.ts'

export const name = 'search'

const MODEL = 'standard-256-v1'
const PROBES = 400
const WARM_UP = 50
const MOST_MS = 50
const NO_STATEMENT_LIMIT_MS = 3_600_000
const SEED = 7
const OPERATOR = { kind: 'operator', id: 'bench' } as const

const sizes = () => (process.env['BENCH_SEARCH_SIZES'] ?? '10000').split(',').map(Number)

export async function run(): Promise<readonly Result[]> {
  const results: Result[] = []
  for (const size of sizes()) {
    const folder = mkdtempSync(`${tmpdir()}/mt-bench-search-`)
    results.push(...(await measure(await openDatabase({ dataDir: folder }), `PGlite ${size}`, { size, recall: 0.99 })))
    rmSync(folder, { recursive: true, force: true })
    const given = process.env['BENCH_SEARCH_URL']
    const server = given ? { url: given, stop: async () => {} } : await startPostgres()
    const db = await openDatabase({ url: new Sensitive(server.url), dataDir: 'memory', statementTimeoutMs: NO_STATEMENT_LIMIT_MS })
    results.push(...(await measure(db, `PostgreSQL ${size}`, { size, recall: 0.999 })))
    await server.stop()
  }
  return results
}

async function measure(db: Database, label: string, { size, recall }: { size: number; recall: number }): Promise<Result[]> {
  await migrate(db)
  const keyring = await openKeyring({ db, clock: systemClock, dataDir: 'memory' })
  const cloud = createFaceCloud(STANDARD_SHAPE, SEED)
  const people = Array.from({ length: size }, () => ({ id: randomUUID(), imageId: randomUUID(), face: cloud.identity() }))
  const references = new Map<string, Reference>(
    people.map(({ id, imageId, face }) => [id, { imageId, modelId: MODEL, k: 1, descriptor: Array.from(face), inPerson: true }]),
  )
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  const search = await openFaceSearch({
    db, platform: { clock: systemClock, keyring, log }, audit: { record: async () => {} }, findReference: async (id) => references.get(id), modelIds: [MODEL],
  })
  try {
    if (!search.state.on) {
      process.stderr.write(`${label}: left out, ${search.state.fault}\n`)
      return []
    }
    await addPeople(db, people, MODEL)
    const started = performance.now()
    await search.rebuild(MODEL, OPERATOR)
    const buildSeconds = (performance.now() - started) / 1000
    await db.execute('ANALYZE')
    const [index] = await db.query<{ bytes: number }>("SELECT pg_relation_size('face_vector_standard_256_v1_near') AS bytes")
    return [
      { bench: name, metric: `${label}: filling and building`, value: buildSeconds, unit: 's' },
      { bench: name, metric: `${label}: index`, value: (index?.bytes ?? 0) / 1e6, unit: 'MB' },
      ...(await probe(search, cloud, people, { label, recall })),
    ]
  } finally {
    await search.close()
    await keyring.close()
    await db.close()
  }
}

/** Other pictures of people in the base, and strangers; what an exact search finds within the threshold is what must be found. */
async function probe(search: FaceSearch, cloud: FaceCloud, people: readonly Person[], { label, recall }: { label: string; recall: number }): Promise<Result[]> {
  const curve = findCurve(MODEL)
  if (!curve) throw new Error('no curve')
  const reach = candidateDistance(curve, people.length)
  const probes = Array.from({ length: WARM_UP + PROBES }, (_, index) => {
    const person = people[(index * 7919) % people.length]
    return person && index % 4 !== 3 ? cloud.picture(person.face) : cloud.identity()
  })
  const exact = probes.map((face) => people.filter((person) => distanceOf(face, person.face) <= reach).map(({ imageId }) => imageId))
  const times: number[] = []
  let [wanted, found] = [0, 0]
  for (const [index, face] of probes.entries()) {
    const descriptor = Array.from(face)
    const started = performance.now()
    const near = await search.find(descriptor, { modelId: MODEL, limit: 100 })
    if (index < WARM_UP) continue
    times.push(performance.now() - started)
    const hits = new Set(near.map(({ imageId }) => imageId))
    wanted += exact[index]?.length ?? 0
    found += exact[index]?.filter((id) => hits.has(id)).length ?? 0
  }
  const value = found / wanted
  return [
    { bench: name, metric: `${label}: recall at the threshold, ${wanted} pairs`, value, unit: 'share', target: `>= ${recall}`, pass: value >= recall },
    { bench: name, metric: `${label}: one search, p50`, value: percentile(times, 0.5), unit: 'ms' },
    atMost({ bench: name, metric: `${label}: one search, p99`, value: percentile(times, 0.99), unit: 'ms' }, MOST_MS),
  ]
}

function distanceOf(left: Float32Array, right: Float32Array): number {
  let sum = 0
  for (let index = 0; index < left.length; index++) sum += ((left[index] ?? 0) - (right[index] ?? 0)) ** 2
  return Math.sqrt(sum)
}

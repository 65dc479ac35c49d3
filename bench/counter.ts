/**
 * The counter over loopback, everything of it on one core: guidance while the camera looks, and from the last shot to the verdict with 1:N
 * among `BENCH_COUNTER_TEMPLATES` faces (100,000 unless said; about a minute of CPU), the real ones of the sample photographs among them.
 */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Reference } from '../src/biometrics/images/image.ts'
import { type FaceSearch, openFaceSearch } from '../src/biometrics/search/face-search.ts'
import { findCurve } from '../src/biometrics/search/operating-point.ts'
import { openCase, openStaffedDesk, shotsOf, tokenOf, upload } from '../test/helpdesk/support/attendance-scene.ts'
import { enterDesk } from '../test/helpdesk/support/counter.ts'
import { openArea, type TestArea } from '../test/portal/support/area.ts'
import type { BrowserClient } from '../test/support/browser-client.ts'
import { SAMPLES } from '../test/support/face-api-reference.ts'
import { openTestEngine } from '../test/support/face-samples.ts'
import { atLeast, atMost, percentile, type Result } from './result.ts'
import { addPeople, type Person } from './rig/people.ts'
import { createFaceCloud, type FaceCloud, STANDARD_SHAPE } from './rig/synthetic-faces.ts'

export const name = 'counter'

/** Together below what one attendant may send at once. */
const FRAMES = 30
const WARM_UP = 8
const CASES = 5
const PROBES = 1000
const LEAST_A_SECOND = 5
const MOST_VERDICT_MS = 2000
const MOST_SEARCH_MS = 50
const LEAST_RECALL = 0.999
const SEED = 11
const OPERATOR = { kind: 'operator', id: 'bench' } as const
/** Pictures of one person near enough to lie within a large base's strict threshold; the built-in model's metric is a distance. */
const NEAR_SHAPE = { ...STANDARD_SHAPE, genuineMean: 0.93, genuineDeviation: 0.05, mostSimilar: 0.99 }

export async function run(): Promise<readonly Result[]> {
  const size = Number(process.env['BENCH_COUNTER_TEMPLATES'] ?? 100_000)
  const area = await openArea()
  try {
    const browser = area.browser()
    await enterDesk(area, browser, (await openStaffedDesk(area)).attendant)
    const guidance = await guide(area, browser)
    const base = await fill(area, size)
    try {
      const search = await probe(base, size)
      return [...guidance, ...(await decide(area, browser, size)), ...search]
    } finally {
      await base.search.close()
    }
  } finally {
    await area.close()
  }
}

/** Frames of 640 × 480 as the page sends them, one after the other. */
async function guide(area: TestArea, browser: BrowserClient): Promise<Result[]> {
  const citizen = await area.citizen()
  const path = (await openCase(area, browser, citizen.cpf)).url.pathname
  const [headers, frames] = [{ 'Content-Type': 'image/jpeg', 'X-CSRF-Token': await tokenOf(area, browser), Accept: 'application/json' }, await shotsOf('third')]
  const ask = async (index: number) => {
    const answer = await browser.fetch(`${area.url}${path}/rosto/quadro`, { method: 'POST', headers, body: new Uint8Array(frames[index % frames.length] ?? Buffer.alloc(0)) })
    if (answer.status !== 200) throw new Error(`guidance answered ${answer.status}`)
    await answer.arrayBuffer()
  }
  for (let index = 0; index < WARM_UP; index += 1) await ask(index)
  const [begun, cpu] = [performance.now(), process.cpuUsage()]
  for (let index = 0; index < FRAMES; index += 1) await ask(index)
  const seconds = (performance.now() - begun) / 1000
  const spent = process.cpuUsage(cpu)
  return [
    atLeast({ bench: name, metric: 'guidance over loopback, server and load on one core', value: FRAMES / seconds, unit: 'evaluations/s' }, LEAST_A_SECOND),
    { bench: name, metric: 'the same, CPU of one evaluation', value: (spent.user + spent.system) / 1000 / FRAMES, unit: 'ms' },
  ]
}

interface FilledBase {
  readonly search: FaceSearch
  readonly people: readonly Person[]
  readonly cloud: FaceCloud
  readonly modelId: string
  /** Templates of the sample photographs, scaled as the recogniser gives them. */
  readonly real: readonly Float32Array[]
}

/** Everybody on the sample photographs, and synthetic people up to the size, put into the running server's own index. */
async function fill({ app }: TestArea, size: number): Promise<FilledBase> {
  const { modelId } = app.rooms.faces.rule
  const { dimension } = findCurve(modelId) ?? { dimension: 128 }
  const cloud = createFaceCloud({ ...NEAR_SHAPE, dimension }, SEED)
  const engine = await openTestEngine()
  const real: Float32Array[] = []
  for (const file of SAMPLES) {
    const { faces } = await engine.describe(readFileSync(file), { describeFaces: 8 })
    for (const { descriptor } of faces) if (descriptor) real.push(Float32Array.from(descriptor))
  }
  const faces = [...real, ...Array.from({ length: size - real.length }, () => cloud.identity())]
  const people = faces.map((face) => ({ id: randomUUID(), imageId: randomUUID(), face }))
  const references = new Map<string, Reference>(people.map(({ id, imageId, face }) => [id, { imageId, modelId, k: 1, descriptor: Array.from(face), inPerson: true }]))
  const { db, clock, keyring, log } = app.foundation
  await addPeople(db, people, modelId)
  const search = await openFaceSearch({ db, platform: { clock, keyring, log }, audit: { record: async () => {} }, findReference: async (id) => references.get(id), modelIds: [modelId] })
  await search.rebuild(modelId, OPERATOR)
  await db.execute('ANALYZE')
  return { search, people, cloud, modelId, real }
}

/** The last shot, its presentation-attack nets, and 1:1 with 1:N, as the attendant waits for them. */
async function decide(area: TestArea, browser: BrowserClient, size: number): Promise<Result[]> {
  const { faces } = area.app.rooms
  const tookMs: number[] = []
  for (let index = 0; index < CASES; index += 1) {
    const path = (await openCase(area, browser, (await area.citizen()).cpf)).url.pathname
    const shots = await shotsOf('third')
    const last = shots.pop() ?? Buffer.alloc(0)
    const values = { type: 'rg', number: '1', issuer: 'SESP/MT', issuedOn: '2020-05-04' }
    await browser.submit(await area.open(browser, `${path}/documento`), values, { action: '/documento' })
    for (const kind of ['document-front', 'signature']) await upload(area, browser, `${path}/arquivo`, { kind }, last)
    for (const shot of shots) await upload(area, browser, `${path}/rosto`, {}, shot)
    const token = new URLSearchParams({ _csrf: await tokenOf(area, browser) })
    const begun = performance.now()
    const kept = await upload(area, browser, `${path}/rosto`, {}, last)
    await faces.observe(last)
    const verdict = await browser.post(`${area.url}${path}/conferir`, token, new URL(area.url))
    tookMs.push(performance.now() - begun)
    if (kept.status !== 303 || !/Ninguém mais com este rosto|Parado para análise/.test(verdict.text)) throw new Error(`no verdict: ${verdict.text.slice(0, 200)}`)
  }
  const liveness = faces.padModel === undefined ? 'no presentation-attack nets installed' : 'presentation-attack nets'
  return [
    atMost({ bench: name, metric: `last shot to verdict: quality, ${liveness}, 1:1, 1:N among ${size}; worst of ${CASES}`, value: Math.max(...tookMs), unit: 'ms' }, MOST_VERDICT_MS),
    { bench: name, metric: 'the same, median', value: percentile(tookMs, 0.5), unit: 'ms' },
  ]
}

/** Other pictures of people in the base, real and synthetic, and strangers: what brute force finds within the threshold is what must be found. */
async function probe({ search, people, cloud, modelId, real }: FilledBase, size: number): Promise<Result[]> {
  const reach = (await search.status()).find((status) => status.modelId === modelId)?.distance
  if (reach === undefined) throw new Error(`${modelId} is not searched with`)
  const [times, cpu]: [number[], number[]] = [[], []]
  let [wanted, found, more] = [0, 0, 0]
  for (let index = 0; index < PROBES; index += 1) {
    const person = people[(index * 7919) % people.length]
    const face = index < real.length ? moved(real[index] ?? new Float32Array()) : person && index % 4 !== 3 ? cloud.picture(person.face) : cloud.identity()
    const exact = people.filter((other) => distanceOf(face, other.face) <= reach).map(({ imageId }) => imageId)
    const [begun, spent] = [performance.now(), process.cpuUsage()]
    const near = new Set((await search.find(Array.from(face), { modelId, limit: 100 })).map(({ imageId }) => imageId))
    times.push(performance.now() - begun)
    const { user, system } = process.cpuUsage(spent)
    cpu.push((user + system) / 1000)
    wanted += exact.length
    found += exact.filter((id) => near.has(id)).length
    more += [...near].filter((id) => !exact.includes(id)).length
  }
  const at = `1:N among ${size}, ${real.length} of them real`
  return [
    atLeast({ bench: name, metric: `${at}: found of the ${wanted} that brute force finds`, value: found / wanted, unit: 'share' }, LEAST_RECALL),
    atMost({ bench: name, metric: `${at}: found beyond them`, value: more, unit: 'faces' }, 0),
    { bench: name, metric: `${at}: p50`, value: percentile(times, 0.5), unit: 'ms' },
    atMost({ bench: name, metric: `${at}: p99`, value: percentile(times, 0.99), unit: 'ms' }, MOST_SEARCH_MS),
    { bench: name, metric: `${at}: CPU p50`, value: percentile(cpu, 0.5), unit: 'ms' },
    { bench: name, metric: `${at}: CPU p99`, value: percentile(cpu, 0.99), unit: 'ms' },
  ]
}

/** The same face a hair's breadth away, as another frame of it. */
const moved = (face: Float32Array): Float32Array => face.map((value, index) => value + (index % 2 === 0 ? 0.004 : -0.004))

function distanceOf(left: Float32Array, right: Float32Array): number {
  let sum = 0
  for (let index = 0; index < left.length; index += 1) sum += ((left[index] ?? 0) - (right[index] ?? 0)) ** 2
  return Math.sqrt(sum)
}

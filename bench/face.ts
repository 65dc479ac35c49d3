/** What one camera frame costs, from JPEG bytes to descriptor, and a whole session of them: the speed promise of the face engine. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as runtime from 'onnxruntime-node'
import { loadBuiltinSet } from '../src/biometrics/engine/builtin-set.ts'
import { createFaceEngine, type FaceEngine, type FaceSetName, type ObserveOptions } from '../src/biometrics/engine/engine.ts'
import { decodeImage } from '../src/biometrics/engine/decode.ts'
import { loadStandardSet } from '../src/biometrics/engine/standard/standard-set.ts'
import { FRAME_LIMITS } from '../src/biometrics/image.ts'
import { loadFaceApi } from '../test/support/face-api-reference.ts'
import { standardModelsDir } from '../test/support/face-models.ts'
import { frameOf, HEADS } from '../test/support/face-samples.ts'
import { atMost, median, type Result } from './result.ts'
import { cpuOf, type NetShape, netsAlone, stagesOf } from './rig/face-stages.ts'
import { loadWasmReference } from './rig/wasm-reference.ts'

export const name = 'face'

const RUNS = 15
/** Frames before the first that counts: a worker in service has long been compiled. */
const WARM_UP = 60
/** A session as the challenge makes it: mostly frontal, some turned. */
const SESSION = [
  HEADS.other,
  HEADS.third,
  HEADS.other,
  HEADS.first,
  HEADS.first,
  HEADS.other,
  HEADS.third,
  HEADS.first,
  HEADS.other,
  HEADS.third,
  HEADS.other,
  HEADS.third,
]

/** One set of nets as it is measured: what a frame of 640 × 480 asks of each net, and what the frame may cost. */
interface Measured {
  readonly set: FaceSetName
  readonly modelsDir: string
  readonly floor: (views: number) => readonly NetShape[]
  readonly targetMs: number
}

const LANDMARKS: NetShape = { net: 'landmarks-68', width: 112, height: 112 }
const BUILTIN: Omit<Measured, 'modelsDir'> = {
  set: 'builtin',
  floor: (views) => [
    { net: 'tiny-face', width: 256, height: 192 },
    LANDMARKS,
    ...(views > 0 ? [{ net: 'descriptor-128', batch: views, width: 150, height: 150 }] : []),
  ],
  targetMs: 15,
}
const STANDARD: Omit<Measured, 'modelsDir'> = {
  set: 'standard',
  floor: (views) => [
    { net: 'yunet', input: 'input', width: 256, height: 192 },
    LANDMARKS,
    ...(views > 0 ? [{ net: 'reidentification-0095', batch: views, width: 128, height: 128 }] : []),
  ],
  targetMs: 14,
}
const PAD_TARGET_MS = 19
const PAD_FLOOR: readonly NetShape[] = ['minifasnet-v2', 'minifasnet-v1se'].map((net) => ({ net, width: 80, height: 80 }))

async function frames(engine: FaceEngine, { set, modelsDir, floor, targetMs }: Measured): Promise<Result[]> {
  const frontal = await frameOf(HEADS.other, { quality: 80 })
  for (let frame = 0; frame < WARM_UP; frame++) await engine.observe(frontal, { descriptor: 'always', pad: engine.pad })
  const figure = async (what: string, options: ObserveOptions, nets: readonly NetShape[], target?: number): Promise<Result> => {
    const value = await cpuOf(RUNS, () => engine.observe(frontal, options))
    const reference = await netsAlone(modelsDir, nets, RUNS)
    return { ...atMost({ bench: name, metric: `${set}: ${what}`, value, unit: 'ms' }, target), reference, ratio: value / reference }
  }
  const pad = { descriptor: 'always', pad: true } as const
  return [
    await figure('frame to descriptor, one view', { descriptor: 'always', mirror: false }, floor(1)),
    await figure('frame to descriptor, one mirror pass', { descriptor: 'always' }, floor(2), targetMs),
    await figure('frame without descriptor', { descriptor: 'never' }, floor(0)),
    ...(engine.pad ? [await figure('frame to descriptor, with PAD nets', pad, [...floor(2), ...PAD_FLOOR], PAD_TARGET_MS)] : []),
  ]
}

async function stages({ set, modelsDir }: Measured): Promise<Result[]> {
  const nets = set === 'standard' ? await loadStandardSet(runtime, modelsDir, { pad: true }) : await loadBuiltinSet(runtime, modelsDir)
  const costs = await stagesOf(nets, await frameOf(HEADS.other, { quality: 80 }), RUNS)
  await nets.close()
  return [...costs].map(([stage, value]) => ({ bench: name, metric: `${set}, stage: ${stage}`, value, unit: 'ms' }))
}

async function session(engine: FaceEngine, set: FaceSetName): Promise<Result> {
  const pictures = await Promise.all(SESSION.map((head, at) => frameOf(head, { quality: 70 + (at % 3) })))
  const value = await cpuOf(1, async () => {
    for (const picture of pictures) await engine.observe(picture, { descriptor: 'always', pad: engine.pad })
  })
  return atMost({ bench: name, metric: `${set}: session of 12 frames, CPU`, value: value / 1000, unit: 's' }, 0.4)
}

/** The reference library on its TensorFlow.js, whose WebAssembly part is not in its package: the plain one, once. */
async function reference(ours: number): Promise<Result> {
  const faceApi = await loadFaceApi()
  const raster = await decodeImage(await frameOf(HEADS.other, { quality: 80 }), FRAME_LIMITS)
  await faceApi.detectAll(raster)
  const before = process.cpuUsage()
  await faceApi.detectAll(raster)
  const { user, system } = process.cpuUsage(before)
  const value = (user + system) / 1000
  return {
    bench: name,
    metric: 'face-api on plain tfjs, without decoding and mirror image',
    value,
    unit: 'ms',
    reference: ours,
    ratio: value / ours,
  }
}

/** The same on TensorFlow.js's WebAssembly part, where it is installed; of several runs, as it is quick enough. */
async function wasmReference(ours: number): Promise<Result[]> {
  const detect = await loadWasmReference()
  if (!detect) return []
  const raster = await decodeImage(await frameOf(HEADS.other, { quality: 80 }), FRAME_LIMITS)
  const value = await cpuOf(RUNS, () => detect(raster))
  const metric = 'face-api on tfjs-wasm, without decoding and mirror image'
  return [{ bench: name, metric, value, unit: 'ms', reference: ours, ratio: value / ours }]
}

async function loading({ set, modelsDir }: Measured): Promise<Result> {
  const rounds: number[] = []
  for (let round = 0; round < 3; round++) {
    const started = performance.now()
    const engine = await createFaceEngine({ runtime, modelsDir, set, pad: set === 'standard' })
    rounds.push(performance.now() - started)
    await engine.close()
  }
  return { bench: name, metric: `${set}: engine ready, nets cached`, value: median(rounds), unit: 'ms' }
}

async function measure(measured: Measured): Promise<Result[]> {
  const { set, modelsDir } = measured
  const engine = await createFaceEngine({ runtime, modelsDir, set, pad: set === 'standard' })
  const results = [...(await frames(engine, measured)), await session(engine, set)]
  await engine.close()
  return [...results, ...(await stages(measured)), await loading(measured)]
}

export async function run(): Promise<readonly Result[]> {
  const modelsDir = mkdtempSync(path.join(tmpdir(), 'mt-login-bench-'))
  try {
    const started = performance.now()
    await (await createFaceEngine({ runtime, modelsDir })).close()
    const built = {
      bench: name,
      metric: 'builtin: engine ready, nets built from the weights',
      value: performance.now() - started,
      unit: 'ms',
    }
    const builtin = await measure({ ...BUILTIN, modelsDir })
    const fetched = standardModelsDir()
    const standard = fetched === undefined ? [] : await measure({ ...STANDARD, modelsDir: fetched })
    const memory = { bench: name, metric: 'resident memory of the process', value: process.memoryUsage().rss / 1e6, unit: 'MB' }
    const single = builtin.find(({ metric }) => metric.endsWith('one view'))?.value ?? Number.NaN
    return [...standard, ...builtin, atMost(built, 2000), memory, await reference(single), ...(await wasmReference(single))]
  } finally {
    rmSync(modelsDir, { recursive: true, force: true })
  }
}

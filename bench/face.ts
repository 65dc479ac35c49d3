/** What one camera frame costs, from JPEG bytes to descriptor, and a whole session of them: the speed promise of the face engine. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as runtime from 'onnxruntime-node'
import { createFaceEngine, type FaceEngine, type ObserveOptions } from '../src/biometrics/engine/engine.ts'
import { loadNet } from '../src/biometrics/engine/runtime.ts'
import { openModelFile } from '../src/biometrics/onnx/model-files.ts'
import type { NetName } from '../src/biometrics/onnx/nets.ts'
import { frameOf, HEADS } from '../test/support/face-samples.ts'
import { atMost, median, type Result } from './result.ts'

export const name = 'face'

const ROUNDS = 7
const RUNS = 15
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

/** CPU time of all threads in ms for each run: the least disturbed of several rounds, since the machine may be shared. */
async function cpuOf(runs: number, work: () => Promise<unknown>): Promise<number> {
  const rounds: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage()
    for (let run = 0; run < runs; run++) await work()
    const { user, system } = process.cpuUsage(before)
    rounds.push((user + system) / 1000 / runs)
  }
  return Math.min(...rounds)
}

async function netsAlone(modelsDir: string, descriptors: number): Promise<number> {
  const parts: readonly [NetName, batch: number, width: number, height: number][] = [
    ['tiny-face', 1, 256, 192],
    ['landmarks-68', 1, 112, 112],
    ['descriptor-128', descriptors, 150, 150],
  ]
  let total = 0
  for (const [net, batch, width, height] of parts.filter((part) => part[1] > 0)) {
    const loaded = await loadNet(runtime, (await openModelFile(net, modelsDir)).bytes)
    const planes = new Float32Array(batch * 3 * width * height).fill(0.1)
    total += await cpuOf(RUNS, () => loaded.run(planes, width, height))
    await loaded.release()
  }
  return total
}

async function frames(engine: FaceEngine, modelsDir: string): Promise<Result[]> {
  const bench = name
  const frontal = await frameOf(HEADS.other, { quality: 80 })
  const cost = (options: ObserveOptions) => cpuOf(RUNS, () => engine.observe(frontal, options))
  const figure = async (metric: string, value: number, floor: number, target?: number): Promise<Result> => ({
    ...atMost({ bench, metric, value, unit: 'ms' }, target),
    reference: floor,
    ratio: value / floor,
  })
  const [none, single, double] = [await netsAlone(modelsDir, 0), await netsAlone(modelsDir, 1), await netsAlone(modelsDir, 2)]
  return [
    await figure('frame to descriptor (one view)', await cost({ descriptor: 'always', mirror: false }), single, 15),
    await figure('frame to descriptor (averaged with its mirror image)', await cost({ descriptor: 'always' }), double),
    await figure('frame without descriptor', await cost({ descriptor: 'never' }), none),
  ]
}

async function session(engine: FaceEngine): Promise<Result> {
  const pictures = await Promise.all(SESSION.map((head, at) => frameOf(head, { quality: 70 + (at % 3) })))
  const value = await cpuOf(1, async () => {
    for (const picture of pictures) await engine.observe(picture, { descriptor: 'always' })
  })
  return atMost({ bench: name, metric: 'session of 12 frames, CPU', value: value / 1000, unit: 's' }, 0.4)
}

async function loading(modelsDir: string): Promise<Result[]> {
  const rounds: number[] = []
  for (let round = 0; round < 3; round++) {
    const started = performance.now()
    const engine = await createFaceEngine({ runtime, modelsDir })
    rounds.push(performance.now() - started)
    await engine.close()
  }
  return [
    atMost({ bench: name, metric: 'engine ready, nets cached', value: median(rounds), unit: 'ms' }),
    atMost({ bench: name, metric: 'resident memory of the process', value: process.memoryUsage().rss / 1e6, unit: 'MB' }),
  ]
}

export async function run(): Promise<readonly Result[]> {
  const modelsDir = mkdtempSync(path.join(tmpdir(), 'mt-login-bench-'))
  try {
    const started = performance.now()
    const engine = await createFaceEngine({ runtime, modelsDir })
    const built = { bench: name, metric: 'engine ready, nets built from the weights', value: performance.now() - started, unit: 'ms' }
    const results = [...(await frames(engine, modelsDir)), await session(engine), atMost(built, 2000)]
    await engine.close()
    return [...results, ...(await loading(modelsDir))]
  } finally {
    rmSync(modelsDir, { recursive: true, force: true })
  }
}

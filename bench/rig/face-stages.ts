import * as runtime from 'onnxruntime-node'
import { alignedSquare, cutSquare } from '../../src/biometrics/engine/alignment.ts'
import { appearanceOf, backgroundColour, skinColour } from '../../src/biometrics/engine/appearance.ts'
import { decodeImage } from '../../src/biometrics/engine/decode.ts'
import { framePrint } from '../../src/biometrics/engine/frame-print.ts'
import type { FaceModelSet } from '../../src/biometrics/engine/model-set.ts'
import { poseOf } from '../../src/biometrics/engine/pose.ts'
import { loadNet } from '../../src/biometrics/engine/runtime.ts'
import { FRAME_LIMITS } from '../../src/biometrics/image.ts'
import { findFetchedNet } from '../../src/biometrics/nets/installation.ts'
import { openModelFile } from '../../src/biometrics/onnx/model-files.ts'
import { DESCRIPTOR_SIZE } from '../../src/biometrics/onnx/nets.ts'
import { measureQuality } from '../../src/biometrics/quality/measure-quality.ts'

const ROUNDS = 7

/** CPU time of all threads in ms for each run: the least disturbed of several rounds, since the machine may be shared. */
export async function cpuOf(runs: number, work: () => unknown): Promise<number> {
  const rounds: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage()
    for (let run = 0; run < runs; run++) await work()
    const { user, system } = process.cpuUsage(before)
    rounds.push((user + system) / 1000 / runs)
  }
  return Math.min(...rounds)
}

/** The parts of one frame's way, each alone on the same frontal face. */
export async function stagesOf(set: FaceModelSet, jpeg: Uint8Array, runs: number): Promise<ReadonlyMap<string, number>> {
  const raster = await decodeImage(jpeg, FRAME_LIMITS)
  const [found] = await set.quickDetector(raster)
  const landmarks = found && (await set.landmarks(raster, found.box))
  if (!found || !landmarks) throw new Error('the bench’s own frame has no face')
  const pose = poseOf(landmarks)
  const square = alignedSquare(landmarks)
  const planes = cutSquare(raster, square, DESCRIPTOR_SIZE)
  const own = set.align?.({ ...found, landmarks })
  const input = own ? cutSquare(raster, own, set.inputSize) : planes
  const { pad } = set
  const works: [string, () => unknown][] = [
    ['decode', () => decodeImage(jpeg, FRAME_LIMITS)],
    ['detect', () => set.quickDetector(raster)],
    ['landmarks', () => set.landmarks(raster, found.box)],
    ['square, light and focus', () => appearanceOf(cutSquare(raster, square, DESCRIPTOR_SIZE), DESCRIPTOR_SIZE)],
    ['quality measures', () => measureQuality(raster, { box: found.box, landmarks, pose })],
    ['colours and prints', () => [skinColour(raster, landmarks), backgroundColour(raster, found.box), framePrint(raster)]],
    ...(own ? [['align', () => cutSquare(raster, own, set.inputSize)] as [string, () => unknown]] : []),
    ['embed, one view', () => set.embed(input, false)],
    ['embed, with the mirror image', () => set.embed(input, true)],
    ...(pad ? [['PAD pair', () => pad(raster, found.ownBox ?? found.box)] as [string, () => unknown]] : []),
  ]
  const costs = new Map<string, number>()
  for (const [name, work] of works) costs.set(name, await cpuOf(runs, work))
  return costs
}

/** One net of the floor, in the size that a frame gives it. */
export interface NetShape {
  readonly net: string
  readonly input?: string
  readonly batch?: number
  readonly width: number
  readonly height: number
}

/** CPU time of the nets alone, on made-up pictures: what no code around them can go below. */
export async function netsAlone(modelsDir: string, shapes: readonly NetShape[], runs: number): Promise<number> {
  let total = 0
  for (const { net, input, batch = 1, width, height } of shapes) {
    const loaded = await loadNet(runtime, await bytesOf(net, modelsDir), input === undefined ? {} : { input })
    const planes = new Float32Array(batch * 3 * width * height).map((_, at) => (at * 37) % 251)
    total += await cpuOf(runs, () => loaded.run(planes, width, height))
    await loaded.release()
  }
  return total
}

async function bytesOf(net: string, modelsDir: string): Promise<Uint8Array> {
  if (net === 'tiny-face' || net === 'landmarks-68' || net === 'descriptor-128') return (await openModelFile(net, modelsDir)).bytes
  const bytes = await findFetchedNet(net, modelsDir)
  if (!bytes) throw new Error(`${net} is not installed`)
  return bytes
}

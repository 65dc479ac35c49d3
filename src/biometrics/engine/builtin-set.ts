import { meanTemplate } from '../descriptor.ts'
import { openModelFile } from '../onnx/model-files.ts'
import type { NetName } from '../onnx/nets.ts'
import { DESCRIPTOR_SIZE, LANDMARK_SIZE, SSD_SIZE, TINY_SIZE } from '../onnx/nets.ts'
import { alignedSquare, normalisedPlanes } from './alignment.ts'
import { createSsdDetector, createTinyDetector } from './detection.ts'
import type { Detector } from './detection.ts'
import { createLandmarkFinder } from './landmarks.ts'
import type { FaceModelSet } from './model-set.ts'
import { loadNet } from './runtime.ts'
import type { Net, OnnxRuntime } from './runtime.ts'

export const BUILTIN_MODEL_ID = 'builtin-128-v1'
export const BUILTIN_DIMENSION = 128

const RECOGNISER = { mean: [122.782, 117.001, 104.298], divisor: 255 } as const
const SIZES: Readonly<Record<NetName, number>> = {
  'tiny-face': TINY_SIZE,
  'ssd-mobilenet': SSD_SIZE,
  'landmarks-68': LANDMARK_SIZE,
  'descriptor-128': DESCRIPTOR_SIZE,
}
/** Both detectors' score limit; the reference library's 0.5 misses one face in ten. */
const THRESHOLD = 0.3
/** The nets that are always there: built from the npm package's weights, checked against the manifest's sums. */
export async function loadBuiltinSet(runtime: OnnxRuntime, modelsDir: string): Promise<FaceModelSet> {
  const loaded: Net[] = []
  const open = async (name: NetName): Promise<Net> => {
    const net = await loadNet(runtime, (await openModelFile(name, modelsDir)).bytes, SIZES[name])
    loaded.push(net)
    return net
  }
  const tiny = createTinyDetector(await open('tiny-face'))
  const landmarks = createLandmarkFinder(await open('landmarks-68'))
  const recogniser = await open('descriptor-128')
  let second: Promise<Detector> | undefined
  const ssd = (): Promise<Detector> => {
    second ??= open('ssd-mobilenet').then(createSsdDetector)
    second.catch(() => {
      second = undefined // the next picture tries again
    })
    return second
  }
  return {
    id: BUILTIN_MODEL_ID,
    dimension: BUILTIN_DIMENSION,
    metric: 'euclidean',
    detectors: [(raster) => tiny(raster, THRESHOLD), async (raster) => (await ssd())(raster, THRESHOLD)],
    landmarks,
    align: alignedSquare,
    inputSize: DESCRIPTOR_SIZE,
    async embed(square, mirrored) {
      const batch = mirrored ? 2 : 1
      const planes = normalisedPlanes(square, DESCRIPTOR_SIZE, RECOGNISER, mirrored)
      const views = (await recogniser.run(planes, batch))('descriptors')
      const view = (number: number) => Array.from(views.subarray(number * BUILTIN_DIMENSION, (number + 1) * BUILTIN_DIMENSION))
      return meanTemplate(mirrored ? [view(0), view(1)] : [view(0)])
    },
    async close() {
      for (const net of loaded.splice(0)) await net.release()
    },
  }
}

import { findFetchedNet } from '../../nets/installation.ts'
import type { FetchedNetName } from '../../nets/manifest.ts'
import { readNetsOf } from '../../nets/manifest.ts'
import { openModelFile } from '../../onnx/model-files.ts'
import type { FaceBox } from '../../observation.ts'
import { createLandmarkFinder } from '../landmarks.ts'
import type { FaceModelSet } from '../model-set.ts'
import { createPadScorer, PAD_NETS } from './pad-nets.ts'
import { createRecogniser, recogniserContract } from './recogniser.ts'
import type { Net, OnnxRuntime } from '../runtime.ts'
import { loadNet } from '../runtime.ts'
import { squareThrough } from './similarity.ts'
import type { PointedDetection } from './yunet.ts'
import { createYunetDetector } from './yunet.ts'

/** Longest side in which a camera's frame is searched: a face of 120 px in 640 has 48 there. */
const QUICK_SIZE = 256
/** Then, and for photographs at once; and where nothing is found, for faces of a hundredth of the picture. */
const USUAL_SIZES = [320, 640]
/** Of 3,811 photographs of LFW no face scores below .9; its publisher's examples ask for .9 of people who pose. */
const THRESHOLD = 0.6
/** From this detector's box to the built-in one's, which landmarks, poses and limits were measured with: medians of 315 faces of LFW. */
const BOX = { right: -0.011, down: 0.123, wide: 1.343, high: 0.876 }

/** The nets that are fetched: YuNet, the manifest's recogniser and, where it is installed, the PAD pair; the 68 landmarks are built in. */
export async function loadStandardSet(
  runtime: OnnxRuntime,
  modelsDir: string,
  { pad, recogniser: modelId }: { pad: boolean; recogniser?: string | undefined },
): Promise<FaceModelSet> {
  const contract = recogniserContract(await readNetsOf(modelsDir), modelId)
  const loaded: Net[] = []
  const open = async (name: FetchedNetName, input?: string): Promise<Net> => {
    const bytes = await findFetchedNet(name, modelsDir)
    if (!bytes) throw new Error(`the net ${name} is not installed`)
    const net = await loadNet(runtime, bytes, input ? { input } : {})
    loaded.push(net)
    return net
  }
  const yunet = await open('yunet', 'input')
  const detector = (size: number) => {
    const detect = createYunetDetector(yunet, size)
    return async (raster: Parameters<typeof detect>[0]) => (await detect(raster, THRESHOLD)).map(inBuiltinTerms)
  }
  const landmarkNet = await loadNet(runtime, (await openModelFile('landmarks-68', modelsDir)).bytes)
  loaded.push(landmarkNet)
  const recogniser = await open(contract.net, contract.input)
  const padNets = pad ? await Promise.all(PAD_NETS.map(async ({ name, scale }) => ({ net: await open(name), scale }))) : []
  return {
    id: contract.modelId,
    dimension: contract.dimension,
    metric: contract.metric,
    quickDetector: detector(QUICK_SIZE),
    detectors: USUAL_SIZES.map(detector),
    landmarks: createLandmarkFinder(landmarkNet),
    align({ points }) {
      if (!points) throw new Error('the standard set aligns by its detector’s own points')
      return squareThrough(points, contract.alignment)
    },
    inputSize: contract.inputSize,
    embed: createRecogniser(recogniser, contract),
    ...(pad && { pad: createPadScorer(padNets) }),
    async close() {
      for (const net of loaded.splice(0)) await net.release()
    },
  }
}

function inBuiltinTerms(face: PointedDetection): PointedDetection & { ownBox: FaceBox } {
  const { x, y, width, height } = face.box
  const box = { width: width * BOX.wide, height: height * BOX.high }
  const middle = { x: x + width * (0.5 + BOX.right), y: y + height * (0.5 + BOX.down) }
  return { ...face, box: { x: middle.x - box.width / 2, y: middle.y - box.height / 2, ...box }, ownBox: face.box }
}

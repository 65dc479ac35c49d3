import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import type * as FaceApi from '@vladmandic/face-api'
import type { Raster } from '../../src/biometrics/engine/raster.ts'

/** The library that the engine was ported from, run by the TensorFlow.js inside its own bundle, on its slow plain backend. */
export interface FaceApiReference {
  readonly detectAll: (raster: Raster) => Promise<ReferenceFace[]>
  readonly detectSsd: (raster: Raster, threshold: number) => Promise<{ score: number; box: FaceApi.Box }[]>
}

export interface ReferenceFace {
  readonly score: number
  readonly box: FaceApi.Box
  readonly landmarks: readonly FaceApi.Point[]
  readonly descriptor: Float32Array
}

/** What the bundle's TensorFlow.js has and the package's types leave out. */
interface TensorFlow {
  env(): { setPlatform(name: string, platform: Record<string, unknown>): void }
  setBackend(name: string): Promise<boolean>
  ready(): Promise<void>
}

const PACKAGE = path.dirname(createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json'))

export const SAMPLES = [1, 2, 3, 4, 5, 6].map((number) => path.join(PACKAGE, 'demo', `sample${number}.jpg`))

/** The bundle is built for browsers and breaks when it finds Node: hidden from it while it loads, then given what it needs. */
async function importBundle(): Promise<typeof FaceApi> {
  const { versions } = process
  Object.defineProperty(process, 'versions', { value: { ...versions, node: undefined }, configurable: true })
  try {
    return await import('@vladmandic/face-api/dist/face-api.esm.js')
  } finally {
    Object.defineProperty(process, 'versions', { value: versions, configurable: true })
  }
}

export async function loadFaceApi(): Promise<FaceApiReference> {
  const faceApi = await importBundle()
  const tf = faceApi.tf
  class Absent {}
  const environment = { Canvas: Absent, Image: Absent, ImageData: Absent, Video: Absent, CanvasRenderingContext2D: Absent }
  const create = () => new Absent()
  Reflect.apply(faceApi.env.setEnv, faceApi.env, [
    { ...environment, createCanvasElement: create, createImageElement: create, createVideoElement: create, fetch, readFile: create },
  ])
  const engine = tf as unknown as TensorFlow // see TensorFlow: the types are incomplete
  engine.env().setPlatform('node', {
    fetch,
    now: () => performance.now(),
    encode: (text: string) => new TextEncoder().encode(text),
    decode: (bytes: Uint8Array) => new TextDecoder().decode(bytes),
    isTypedArray: (value: unknown) => ArrayBuffer.isView(value),
  })
  await engine.setBackend('cpu')
  await engine.ready()
  const load = (net: FaceApi.NeuralNetwork<unknown>, name: string) => {
    const manifest = JSON.parse(readFileSync(path.join(PACKAGE, 'model', `${name}-weights_manifest.json`), 'utf8'))
    const bytes = readFileSync(path.join(PACKAGE, 'model', `${name}.bin`))
    const specs = manifest.flatMap(({ weights }: { weights: unknown[] }) => weights)
    net.loadFromWeightMap(tf.io.decodeWeights(new Uint8Array(bytes).buffer, specs))
  }
  const { tinyFaceDetector, faceLandmark68Net, faceRecognitionNet, ssdMobilenetv1 } = faceApi.nets
  load(tinyFaceDetector, 'tiny_face_detector_model')
  load(faceLandmark68Net, 'face_landmark_68_model')
  load(faceRecognitionNet, 'face_recognition_model')
  load(ssdMobilenetv1, 'ssd_mobilenetv1_model')
  const tensorOf = ({ pixels, width, height }: Raster) => tf.tensor3d(Float32Array.from(pixels), [height, width, 3])
  return {
    async detectAll(raster) {
      const options = new faceApi.TinyFaceDetectorOptions({ inputSize: 320, scoreThreshold: 0.3 })
      const faces = await faceApi.detectAllFaces(tensorOf(raster), options).withFaceLandmarks().withFaceDescriptors()
      return faces.map(({ detection, landmarks, descriptor }) => ({
        score: detection.score,
        box: detection.box,
        landmarks: landmarks.positions,
        descriptor,
      }))
    },
    async detectSsd(raster, threshold) {
      const options = new faceApi.SsdMobilenetv1Options({ minConfidence: threshold })
      const faces = await faceApi.detectAllFaces(tensorOf(raster), options)
      return faces.map(({ score, box }) => ({ score, box }))
    },
  }
}

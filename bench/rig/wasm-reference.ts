/**
 * The reference library on TensorFlow.js's WebAssembly part, which is not in its package and none of our dependencies: measured where it was
 * installed for the purpose, `npm install --no-save @tensorflow/tfjs@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0`.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import type * as FaceApi from '@vladmandic/face-api'
import type { Raster } from '../../src/biometrics/engine/raster.ts'

const require = createRequire(import.meta.url)
const NETS = {
  tinyFaceDetector: 'tiny_face_detector_model',
  faceLandmark68Net: 'face_landmark_68_model',
  faceRecognitionNet: 'face_recognition_model',
} as const

/** Detection, landmarks and descriptor of every face of a picture; undefined where the WebAssembly part is not installed. */
export async function loadWasmReference(): Promise<((raster: Raster) => Promise<number>) | undefined> {
  const wasm = installed('@tensorflow/tfjs-backend-wasm')
  if (!wasm || !installed('@tensorflow/tfjs')) return undefined
  const faceApi = require('@vladmandic/face-api/dist/face-api.node-wasm.js') as typeof FaceApi
  const { tf } = faceApi
  Reflect.apply(Reflect.get(tf, 'setWasmPaths'), tf, [`${path.dirname(wasm)}/`])
  await Reflect.apply(Reflect.get(tf, 'setBackend'), tf, ['wasm'])
  await Reflect.apply(Reflect.get(tf, 'ready'), tf, [])
  const models = path.join(path.dirname(require.resolve('@vladmandic/face-api/package.json')), 'model')
  for (const [net, name] of Object.entries(NETS) as [keyof typeof NETS, string][]) {
    const manifest: { weights: unknown[] }[] = JSON.parse(readFileSync(path.join(models, `${name}-weights_manifest.json`), 'utf8'))
    const bytes = Uint8Array.from(readFileSync(path.join(models, `${name}.bin`))).buffer
    const specs = manifest.flatMap(({ weights }) => weights) as Parameters<typeof tf.io.decodeWeights>[1]
    faceApi.nets[net].loadFromWeightMap(tf.io.decodeWeights(bytes, specs))
  }
  const options = new faceApi.TinyFaceDetectorOptions({ inputSize: 320, scoreThreshold: 0.3 })
  return async ({ pixels, width, height }) => {
    const tensor = tf.tensor3d(Float32Array.from(pixels), [height, width, 3])
    const faces = await faceApi.detectAllFaces(tensor, options).withFaceLandmarks().withFaceDescriptors()
    tensor.dispose()
    return faces.length
  }
}

function installed(name: string): string | undefined {
  try {
    return require.resolve(name)
  } catch {
    return undefined
  }
}

import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { before, test } from 'node:test'
import * as runtime from 'onnxruntime-node'
import sharp from 'sharp'
import { centreOf, eyesAndMouth, normalisedPlanes } from '../../src/biometrics/engine/alignment.ts'
import { createTinyDetector } from '../../src/biometrics/engine/detection.ts'
import { createLandmarkFinder } from '../../src/biometrics/engine/landmarks.ts'
import type { Raster } from '../../src/biometrics/engine/raster.ts'
import { clippedBox, letterboxed } from '../../src/biometrics/engine/raster.ts'
import { loadNet } from '../../src/biometrics/engine/runtime.ts'
import type { FaceBox, Point } from '../../src/biometrics/observation.ts'
import { openModelFile } from '../../src/biometrics/onnx/model-files.ts'
import type { NetName } from '../../src/biometrics/onnx/nets.ts'
import type { FaceApiReference } from '../support/face-api-reference.ts'
import { loadFaceApi, SAMPLES } from '../support/face-api-reference.ts'

/**
 * The port is proven against the library that it was ported from, in that library's own configuration: square crop along the axes, no mirror
 * image. Small pictures, because the reference takes a second for each face.
 */
const MODELS = path.join(tmpdir(), 'mt-login-test-models')
let reference: FaceApiReference
const open = async (name: NetName) => loadNet(runtime, (await openModelFile(name, MODELS)).bytes)

before(async () => {
  reference = await loadFaceApi()
})

async function picture(sample: number, width: number, height?: number): Promise<Raster> {
  const image = sharp(SAMPLES[sample - 1]).resize({ width, ...(height && { height, fit: 'cover' }) })
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true })
  return { width: info.width, height: info.height, pixels: data }
}

/** The library's crop for the recogniser, with its oddities at the picture's edge. */
function libraryCrop(landmarks: readonly Point[], detected: FaceBox): FaceBox {
  const centres = eyesAndMouth(landmarks)
  const [left, right, mouth] = centres
  const distance = (point: Point) => Math.hypot(mouth.x - point.x, mouth.y - point.y)
  const size = Math.floor((distance(left) + distance(right)) / 2 / 0.45)
  const anchor = centreOf(centres)
  const x = Math.floor(Math.max(0, anchor.x - 0.5 * size))
  const y = Math.floor(Math.max(0, anchor.y - 0.43 * size))
  return { x, y, width: Math.min(size, detected.width + x), height: Math.min(size, detected.height + y) }
}

function near(actual: number, expected: number, tolerance: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual} instead of ${expected}`)
}

function sameBox(actual: FaceBox, expected: FaceBox, tolerance: number): void {
  for (const side of ['x', 'y', 'width', 'height'] as const) near(actual[side], expected[side], tolerance, side)
}

for (const [sample, width, height] of [
  [3, 900, undefined],
  [1, 480, 640],
] as const) {
  test(`sample ${sample} at ${width} px gives the library's boxes, landmarks and descriptors`, async () => {
    const raster = await picture(sample, width, height)
    const detect = createTinyDetector(await open('tiny-face'), 320)
    const findLandmarks = createLandmarkFinder(await open('landmarks-68'))
    const recogniser = await open('descriptor-128')
    const expected = await reference.detectAll(raster)
    const found = await detect(raster, 0.3)
    assert.ok(expected.length >= 1)
    assert.equal(found.length, expected.length)
    for (const [index, face] of expected.entries()) {
      const detection = found[index]
      assert.ok(detection)
      near(detection.score, face.score, 1e-4, 'score')
      sameBox(detection.box, face.box, 0.02)
      const landmarks = await findLandmarks(raster, detection.box)
      assert.ok(landmarks)
      for (const [at, point] of face.landmarks.entries()) {
        near(landmarks[at]?.x ?? Number.NaN, point.x, 0.02, `landmark ${at}`)
        near(landmarks[at]?.y ?? Number.NaN, point.y, 0.02, `landmark ${at}`)
      }
      const crop = clippedBox(libraryCrop(landmarks, clippedBox(detection.box, raster)), raster)
      const normalisation = { mean: [122.782, 117.001, 104.298], divisor: 255 } as const
      const planes = letterboxed(raster, crop, { ...normalisation, size: 150, centred: true })
      const descriptor = (await recogniser.run(planes, 150))('descriptors')
      const distance = Math.hypot(...face.descriptor.map((value, at) => value - (descriptor[at] ?? Number.NaN)))
      assert.ok(distance <= 1e-5, `descriptor of face ${index} is ${distance} away`)
    }
  })
}

test('a batch of a square and its mirror image gives the descriptors of two runs', async () => {
  const recogniser = await open('descriptor-128')
  const square = Float32Array.from({ length: 3 * 150 * 150 }, (_, at) => 128 + 100 * Math.sin(at / 37))
  const normalisation = { mean: [122.782, 117.001, 104.298], divisor: 255 } as const
  const both = (await recogniser.run(normalisedPlanes(square, 150, normalisation, true), 150))('descriptors')
  const flipped = square.map((_, at) => square[at - (at % 150) + 149 - (at % 150)] ?? Number.NaN)
  for (const [number, view] of [square, flipped].entries()) {
    const one = (await recogniser.run(normalisedPlanes(view, 150, normalisation, false), 150))('descriptors')
    one.forEach((value, at) => near(both[number * 128 + at] ?? Number.NaN, value, 1e-5, `number ${at}`))
  }
})

import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import * as runtime from 'onnxruntime-node'
import sharp from 'sharp'
import { createSsdDetector } from '../../src/biometrics/engine/detection.ts'
import { loadNet } from '../../src/biometrics/engine/runtime.ts'
import type { FaceBox } from '../../src/biometrics/observation.ts'
import { openModelFile } from '../../src/biometrics/onnx/model-files.ts'
import { loadFaceApi, SAMPLES } from '../support/face-api-reference.ts'

/** In a file of its own: the reference takes some fifteen seconds for one picture, and files run side by side. */
const MODELS = path.join(tmpdir(), 'mt-login-test-models')

function near(actual: number, expected: number, tolerance: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual} instead of ${expected}`)
}

function sameBox(actual: FaceBox, expected: FaceBox, tolerance: number): void {
  for (const side of ['x', 'y', 'width', 'height'] as const) near(actual[side], expected[side], tolerance, side)
}

test("the second detector gives the library's boxes", async () => {
  const resized = sharp(SAMPLES[5]).resize({ width: 600, height: 450, fit: 'cover' })
  const { data, info } = await resized.raw().toBuffer({ resolveWithObject: true })
  const raster = { width: info.width, height: info.height, pixels: data }
  const net = await loadNet(runtime, (await openModelFile('ssd-mobilenet', MODELS)).bytes)
  const found = await createSsdDetector(net)(raster, 0.3)
  const expected = await (await loadFaceApi()).detectSsd(raster, 0.3)
  assert.ok(expected.length >= 3)
  assert.equal(found.length, expected.length)
  for (const [index, { score, box }] of expected.entries()) {
    near(found[index]?.score ?? Number.NaN, score, 1e-4, 'score')
    sameBox(found[index]?.box ?? { x: 0, y: 0, width: 0, height: 0 }, box, 0.02)
  }
})

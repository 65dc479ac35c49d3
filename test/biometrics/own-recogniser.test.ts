import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, suite, test } from 'node:test'
import type { FaceModelWish } from '../../src/biometrics/model-choice.ts'
import { chooseFaceModels } from '../../src/biometrics/model-choice.ts'
import { createFaces } from '../../src/biometrics/faces.ts'
import { isSamePerson } from '../support/same-person.ts'
import { installModels } from '../../src/biometrics/nets/installation.ts'
import { createGraph } from '../../src/biometrics/onnx/graph.ts'
import { checksum } from '../../src/biometrics/onnx/model-files.ts'
import { ConfigError } from '../../src/platform/config.ts'
import { standardModelsDir, withoutStandardModels } from '../support/face-models.ts'
import { frameOf, HEADS } from '../support/face-samples.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'mt-login-own-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const skip = withoutStandardModels()
const MODEL_ID = 'tiny-8-v1'

/** A recogniser of eight numbers in a square of 64: what the mean colour under eight fixed weights is. No judge of faces. */
function tinyRecogniser(): Uint8Array {
  const graph = createGraph('tiny recogniser')
  const image = graph.input('face', { channels: 3, size: 64, free: 'batch' })
  const kernel = { values: Float32Array.from({ length: 8 * 27 }, (_, at) => Math.sin(at + 1)), outputs: 8, inputs: 3, size: 3 }
  const seen = graph.relu(graph.conv(image, kernel, { stride: 2, padding: 'same' }))
  const unit = Float32Array.from({ length: 64 }, (_, at) => (at % 9 === 0 ? 1 : 0))
  graph.output(graph.averageAndMultiply(seen, unit, undefined), 'numbers', ['batch', 8])
  return graph.finish()
}

const bytes = tinyRecogniser()
const entry = {
  name: 'tiny',
  file: 'tiny.onnx',
  set: 'standard',
  form: 'onnx',
  sha256: checksum(bytes),
  licence: 'own work',
  publisher: 'this test',
  version: '1',
  provenance: 'weights are a sine; never trained',
  originals: [],
  input: {
    name: 'face',
    shape: ['batch', 3, 64, 64],
    colour: 'RGB',
    mean: [127.5, 127.5, 127.5],
    divisor: 128,
    alignment: {
      order: 'picture',
      size: 64,
      points: [
        [0.3, 0.45],
        [0.7, 0.45],
        [0.5, 0.62],
        [0.35, 0.8],
        [0.65, 0.8],
      ],
    },
  },
  outputs: [{ name: 'numbers', shape: ['batch', 8], meaning: 'compare by distance' }],
  recognises: { modelId: MODEL_ID, metric: 'euclidean' },
}
const calibration = {
  modelId: MODEL_ID,
  metric: 'euclidean',
  points: { 'fmr1e-4': { 1: 0.2, 3: 0.15 }, 'fmr1e-5': { 1: 0.1, 3: 0.05 } },
  consecutive: 0.4,
  source: 'this test',
}

interface OwnFiles {
  readonly fetched?: readonly object[]
  readonly calibrations?: readonly object[]
  readonly net?: Uint8Array
}

/** The installed nets and an operator's files beside them. */
function modelsWith(name: string, { fetched = [entry], calibrations = [calibration], net = bytes }: OwnFiles = {}): string {
  const directory = path.join(folder, name)
  cpSync(standardModelsDir() ?? '', directory, { recursive: true })
  writeFileSync(path.join(directory, 'manifest.json'), JSON.stringify({ fetched }))
  if (calibrations.length > 0) writeFileSync(path.join(directory, 'calibration.json'), JSON.stringify({ calibrations }))
  writeFileSync(path.join(directory, 'tiny.onnx'), net)
  return directory
}

const wish: FaceModelWish = { set: 'auto', recogniser: MODEL_ID }
const refuses = (modelsDir: string, pattern: RegExp, wanted: FaceModelWish = wish) =>
  assert.rejects(chooseFaceModels(wanted, modelsDir), (error) => error instanceof ConfigError && pattern.test(error.message))

suite('a recogniser that the operator adds by data alone', { skip }, () => {
  test('runs behind the same door, with its own id, dimension, metric and calibration', async () => {
    const modelsDir = modelsWith('runs')
    const { models, rule, warning } = await chooseFaceModels(wish, modelsDir)
    assert.deepEqual([models.set, models.setId, models.recogniser, models.dimension, warning], ['standard', MODEL_ID, 'tiny', 8, undefined])
    assert.deepEqual([rule.thresholds[1], rule.strict[3], rule.metric], [0.2, 0.05, 'euclidean'])
    const faces = createFaces({ modelsDir, models, rule, workers: 1, maxQueue: 4 })
    try {
      const frame = await frameOf(HEADS.other)
      const [one, again] = [await faces.observe(frame), await faces.observe(frame)]
      assert.equal(one.modelId, MODEL_ID)
      const descriptor = one.faces[0]?.descriptor ?? []
      assert.equal(descriptor.length, 8)
      assert.ok(descriptor.every(Number.isFinite) && descriptor.some((value) => value !== 0))
      assert.equal(isSamePerson(faces.rule, descriptor, again.faces[0]?.descriptor ?? []), true)
      assert.ok(one.faces[0]?.padScore !== undefined)
    } finally {
      await faces.close()
    }
  })

  test('is used only when it is named; the shipped one stays the first choice', async () => {
    const { models } = await chooseFaceModels('auto', modelsWith('unnamed'))
    assert.equal(models.setId, 'standard-256-v1')
  })

  test('without a calibration the server does not start, and the message names the command and the file', async () => {
    await refuses(
      modelsWith('uncalibrated', { calibrations: [] }),
      /no calibration for the face model tiny-8-v1.*npm run calibrate.*uncalibrated\/calibration\.json/,
    )
    await refuses(
      modelsWith('other-metric', { calibrations: [{ ...calibration, metric: 'cosine' }] }),
      /compares by euclidean, its calibration by cosine/,
    )
    const loose = { ...calibration, points: { ...calibration.points, 'fmr1e-5': calibration.points['fmr1e-4'] } }
    await refuses(modelsWith('loose', { calibrations: [loose] }), /the stricter point must have the same k and smaller distances/)
  })

  test('named but missing, changed or unknown, the server refuses instead of taking other nets', async () => {
    await refuses(modelsWith('changed', { net: Buffer.from('another') }), /FACE_RECOGNISER: tiny-8-v1, but .*tiny\.onnx: expected sha256/)
    await refuses(modelsWith('unknown'), /no recogniser nobody.*known: standard-256-v1, tiny-8-v1/, { set: 'auto', recogniser: 'nobody' })
    await refuses(modelsWith('builtin'), /FACE_RECOGNISER: tiny-8-v1, but FACE_MODELS says builtin/, {
      set: 'builtin',
      recogniser: MODEL_ID,
    })
  })

  test('a manifest cannot take the place of a shipped net, nor bring what only the program can convert', async () => {
    const taken = { ...entry, recognises: { modelId: 'standard-256-v1', metric: 'cosine' } }
    await refuses(modelsWith('taken', { fetched: [taken] }), /tiny has the name, file or model id of reidentification-0095/)
    await refuses(modelsWith('yunet', { fetched: [{ ...entry, name: 'yunet' }] }), /has the name, file or model id of yunet/)
    await refuses(modelsWith('converted', { fetched: [{ ...entry, form: 'torch-checkpoint' }] }), /a recogniser in ONNX is expected/)
    await refuses(modelsWith('path', { fetched: [{ ...entry, file: '../tiny.onnx' }] }), /manifest\.json/)
  })

  test('a calibration of its own for a shipped recogniser goes before the shipped one', async () => {
    const own = { ...calibration, modelId: 'standard-256-v1', metric: 'cosine' }
    const { models, rule } = await chooseFaceModels('auto', modelsWith('own-base', { fetched: [], calibrations: [own] }))
    assert.deepEqual([models.setId, rule.thresholds[1], rule.source], ['standard-256-v1', 0.2, 'this test'])
  })

  test('is installed from a folder by the command’s own way when it has an original, and asked for by hand when not', async () => {
    const modelsDir = modelsWith('installed')
    rmSync(path.join(modelsDir, 'tiny.onnx'))
    await assert.rejects(installModels({ modelsDir, names: ['tiny'] }), /nobody publishes it: put the file with sha256/)
    const original = {
      folder: 'own',
      file: 'published.onnx',
      url: 'https://publisher.example/x.onnx',
      bytes: bytes.length,
      sha256: entry.sha256,
    }
    writeFileSync(path.join(modelsDir, 'manifest.json'), JSON.stringify({ fetched: [{ ...entry, originals: [original] }] }))
    writeFileSync(path.join(folder, 'published.onnx'), bytes)
    const [installed] = await installModels({ modelsDir, names: ['tiny'], from: folder })
    assert.deepEqual([installed?.state, installed?.sha256], ['installed', entry.sha256])
  })
})

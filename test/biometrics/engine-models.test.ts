import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import {
  buildNet,
  checksum,
  ModelChecksumError,
  openAllModelFiles,
  openModelFile,
  publishedWeightsDirectory,
  readModelManifest,
} from '../../src/biometrics/onnx/model-files.ts'
import { createMessage } from '../../src/biometrics/onnx/protobuf.ts'
import { readWeights } from '../../src/biometrics/onnx/weights.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'mt-login-models-'))
after(() => rmSync(folder, { recursive: true, force: true }))

test('the manifest pins what the installed weights build, the same every time', async () => {
  for (const { name, sha256 } of (await readModelManifest()).nets) {
    assert.equal(checksum(await buildNet(name)), sha256, name)
    if (name === 'tiny-face') assert.equal(checksum(await buildNet(name)), sha256)
  }
})

test('every net states its licence, provenance and input', async () => {
  const { nets } = await readModelManifest()
  assert.deepEqual(
    nets.map(({ name }) => name),
    ['tiny-face', 'ssd-mobilenet', 'landmarks-68', 'descriptor-128'],
  )
  for (const { licence, provenance, source, input } of nets) {
    assert.equal(licence, 'MIT')
    assert.ok(provenance.length > 20)
    assert.equal(source.package, '@vladmandic/face-api')
    assert.equal(input.shape.length, 4)
  }
})

test('the first opening builds, the next reads what is there', async () => {
  const directory = path.join(folder, 'first')
  assert.deepEqual(
    (await openAllModelFiles(directory)).map(({ state }) => state),
    ['built', 'built', 'built', 'built'],
  )
  assert.deepEqual(
    (await openAllModelFiles(directory)).map(({ state }) => state),
    ['cached', 'cached', 'cached', 'cached'],
  )
  assert.deepEqual(readdirSync(directory).sort(), ['descriptor-128.onnx', 'landmarks-68.onnx', 'ssd-mobilenet.onnx', 'tiny-face.onnx'])
})

test('a changed or cut file is replaced, and its sum is told', async () => {
  const directory = path.join(folder, 'changed')
  const { path: file, bytes, sha256 } = await openModelFile('tiny-face', directory)
  for (const wrong of [Buffer.from('not a model'), Buffer.from(bytes).subarray(0, 5000), Buffer.from(bytes).fill(0, 9000, 9001)]) {
    writeFileSync(file, wrong)
    const opened = await openModelFile('tiny-face', directory)
    assert.deepEqual([opened.state, opened.found, opened.sha256], ['rebuilt', checksum(wrong), sha256])
    assert.equal(checksum(readFileSync(file)), sha256)
  }
})

test('weights that build something else are refused with both sums, and nothing is written', async () => {
  const directory = path.join(folder, 'refused')
  const manifest = await readModelManifest()
  const sha256 = 'a'.repeat(64)
  const altered = { nets: manifest.nets.map((net) => ({ ...net, sha256 })) }
  const built = manifest.nets.find(({ name }) => name === 'tiny-face')?.sha256 ?? ''
  await assert.rejects(openModelFile('tiny-face', directory, altered), (error) => {
    assert.ok(error instanceof ModelChecksumError)
    assert.deepEqual([error.expected, error.found], [sha256, built])
    return error.message.includes(sha256) && error.message.includes(built)
  })
  assert.throws(() => readdirSync(directory), { code: 'ENOENT' })
})

test('many openings at once each get a whole file and leave no other behind', async () => {
  const directory = path.join(folder, 'parallel')
  const opened = await Promise.all(Array.from({ length: 6 }, () => openModelFile('landmarks-68', directory)))
  assert.equal(new Set(opened.map(({ sha256 }) => sha256)).size, 1)
  assert.deepEqual(readdirSync(directory), ['landmarks-68.onnx'])
})

test('weights that end too soon, go on too long or lack a layer are refused', async () => {
  const directory = path.join(folder, 'weights')
  cpSync(publishedWeightsDirectory(), directory, { recursive: true, filter: (file) => !/(ssd|age|expression)/.test(file) })
  const file = path.join(directory, 'tiny_face_detector_model.bin')
  const whole = readFileSync(file)
  writeFileSync(file, whole.subarray(0, whole.length - 10))
  await assert.rejects(buildNet('tiny-face', directory), /weights end before conv8\/bias/)
  writeFileSync(file, Buffer.concat([whole, Buffer.from([1])]))
  await assert.rejects(buildNet('tiny-face', directory), /1 bytes too many/)
  const weights = await readWeights(publishedWeightsDirectory(), 'tiny_face_detector_model')
  assert.throws(() => weights('conv99/filters'), /no weight named conv99/)
  assert.deepEqual(weights('conv0/filters').shape, [3, 3, 3, 16])
})

test('the protobuf writer writes the published examples of the wire format', () => {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
  assert.equal(hex(createMessage().varint(1, 150).finish()), '089601')
  assert.equal(hex(createMessage().text(2, 'testing').finish()), '120774657374696e67')
  assert.equal(hex(createMessage().message(3, createMessage().varint(1, 150)).finish()), '1a03089601')
  assert.equal(hex(createMessage().varints(6, [3, 270, 86942]).finish()), '3206038e029ea705')
  assert.equal(hex(createMessage().float(5, 1).finish()), '2d0000803f')
  assert.equal(
    hex(
      createMessage()
        .varint(16, 2 ** 40)
        .finish(),
    ),
    '8001808080808020',
  )
  assert.throws(() => createMessage().varint(1, -1), RangeError)
})

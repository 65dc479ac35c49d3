import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import sharp from 'sharp'
import type { FaceTask, FaceTaskResult } from '../../src/biometrics/face-task.ts'
import type { FrameObservation } from '../../src/biometrics/observation.ts'
import type { WorkerPool } from '../../src/platform/worker-pool.ts'
import { createWorkerPool, WorkError } from '../../src/platform/worker-pool.ts'
import { frameOf, HEADS, openTestEngine, TEST_MODELS } from '../support/face-samples.ts'

let pool: WorkerPool<FaceTask, FaceTaskResult>
before(async () => {
  pool = createWorkerPool({
    file: new URL('../../src/biometrics/face.worker.ts', import.meta.url),
    size: 1,
    maxQueue: 32,
    deadlineMs: 20_000,
    workerData: { modelsDir: TEST_MODELS },
  })
  await pool.ready()
})
after(() => pool.close())

function observation(result: FaceTaskResult): FrameObservation {
  assert.ok('faces' in result)
  return result
}

test('a worker sees in a frame what an engine in the process sees', async () => {
  const jpeg = new Uint8Array(await frameOf(HEADS.other))
  const engine = await openTestEngine()
  const expected = await engine.observe(jpeg, { descriptor: 'always' })
  await engine.close()
  assert.deepEqual(observation(await pool.run({ kind: 'observe', jpeg, options: { descriptor: 'always' } })), expected)
})

test('a worker describes a photograph and makes it fit to be stored', async () => {
  const photo = new Uint8Array(
    await sharp(await frameOf(HEADS.first))
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer(),
  )
  const described = observation(await pool.run({ kind: 'describe', photo }))
  assert.deepEqual([described.width, described.height], [480, 640])
  const stored = await pool.run({ kind: 'normalise', photo })
  assert.ok(stored instanceof Uint8Array)
  const { width, height, exif, format } = await sharp(stored).metadata()
  assert.deepEqual([width, height, exif, format], [480, 640, undefined, 'jpeg'])
})

test('a refused picture answers its code, and the worker goes on', async () => {
  const code = (expected: string) => (error: unknown) => error instanceof WorkError && error.code === expected
  await assert.rejects(pool.run({ kind: 'describe', photo: new Uint8Array() }), code('image/empty'))
  await assert.rejects(pool.run({ kind: 'normalise', photo: new Uint8Array(Buffer.from('%PDF-1.7 …')) }), code('image/not-an-image'))
  const jpeg = new Uint8Array(await frameOf(HEADS.third))
  await assert.rejects(
    pool.run({ kind: 'observe', jpeg: jpeg.slice(0, 20_000), options: { descriptor: 'never' } }),
    code('image/truncated'),
  )
  assert.equal(observation(await pool.run({ kind: 'observe', jpeg, options: { descriptor: 'never' } })).faces.length, 1)
  assert.equal(pool.stats().replaced, 0)
})

test('a burst of frames is answered in full', async () => {
  const jpeg = new Uint8Array(await frameOf(HEADS.other))
  const frames = Array.from({ length: 12 }, () => pool.run({ kind: 'observe', jpeg, options: { descriptor: 'frontal' } }))
  const faces = (await Promise.all(frames)).map((result) => observation(result).faces.length)
  assert.deepEqual(faces, Array(12).fill(1))
})

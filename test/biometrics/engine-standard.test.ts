import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import * as runtime from 'onnxruntime-node'
import sharp from 'sharp'
import { calibrationOf } from '../../src/biometrics/calibration.ts'
import type { FaceEngine } from '../../src/biometrics/engine/engine.ts'
import { createFaceEngine } from '../../src/biometrics/engine/engine.ts'
import type { Raster } from '../../src/biometrics/engine/raster.ts'
import { loadNet } from '../../src/biometrics/engine/runtime.ts'
import { createYunetDetector } from '../../src/biometrics/engine/standard/yunet.ts'
import { distance } from '../../src/biometrics/liveness/match-rule.ts'
import { isSamePerson } from '../support/same-person.ts'
import { findFetchedNet } from '../../src/biometrics/nets/installation.ts'
import type { FaceObservation, Point } from '../../src/biometrics/observation.ts'
import { SAMPLES } from '../support/face-api-reference.ts'
import { standardModelsDir, withoutStandardModels } from '../support/face-models.ts'
import type { FrameLook } from '../support/face-samples.ts'
import { compareSamplePeople, frameOf, HEADS, observeHead, openTestEngine } from '../support/face-samples.ts'
import { loadFaceViews, SAMPLE_FACES } from '../support/reactive-camera/face-views.ts'

const skip = withoutStandardModels()
const rule = calibrationOf('standard-256-v1')
const REFERENCE_POINTS = [
  [0.3156, 0.4616],
  [0.6826, 0.4616],
  [0.5003, 0.6405],
  [0.3495, 0.8247],
  [0.6534, 0.8247],
] as const

let engine: FaceEngine
const modelsDir = () => standardModelsDir() ?? assert.fail('no nets')

const faceOf = (head: keyof typeof HEADS, look?: FrameLook) => observeHead(engine, head, look)

const apart = (left: FaceObservation, right: FaceObservation) => distance(rule, left.descriptor ?? [], right.descriptor ?? [])

async function rasterOf(jpeg: Buffer): Promise<Raster> {
  const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true })
  return { width: info.width, height: info.height, pixels: data }
}

/** The published input contract once more, written apart from the engine: least squares by normal equations, one bilinear sample a pixel, BGR. */
function publishedInput({ pixels, width, height }: Raster, points: readonly Point[], mirrored: boolean): Float32Array {
  const [a, b, shiftX, shiftY] = similarityFrom(points)
  const planes = new Float32Array(3 * 128 * 128)
  for (let v = 0; v < 128; v++) {
    for (let u = 0; u < 128; u++) {
      const x = Math.min(width - 1.001, Math.max(0, a * u - b * v + shiftX))
      const y = Math.min(height - 1.001, Math.max(0, b * u + a * v + shiftY))
      const [left, top] = [Math.floor(x), Math.floor(y)]
      const at = (dx: number, dy: number, channel: number) => pixels[((top + dy) * width + left + dx) * 3 + channel] ?? 0
      for (const [plane, channel] of [2, 1, 0].entries()) {
        const upper = at(0, 0, channel) * (1 - x + left) + at(1, 0, channel) * (x - left)
        const lower = at(0, 1, channel) * (1 - x + left) + at(1, 1, channel) * (x - left)
        planes[plane * 128 * 128 + v * 128 + (mirrored ? 127 - u : u)] = upper * (1 - y + top) + lower * (y - top)
      }
    }
  }
  return planes
}

/** From the input's pixels to the picture's: x = a u − b v + c, y = b u + a v + d, least squares over the five points. */
function similarityFrom(points: readonly Point[]): [number, number, number, number] {
  const pairs = points.map((point, at) => ({
    ...point,
    u: (REFERENCE_POINTS[at]?.[0] ?? 0) * 128,
    v: (REFERENCE_POINTS[at]?.[1] ?? 0) * 128,
  }))
  const mean = (of: (pair: (typeof pairs)[number]) => number) => pairs.reduce((sum, pair) => sum + of(pair), 0) / pairs.length
  const [u, v, x, y] = [mean((p) => p.u), mean((p) => p.v), mean((p) => p.x), mean((p) => p.y)]
  const total = (of: (pair: (typeof pairs)[number]) => number) => mean(of) * pairs.length
  const norm = total((p) => (p.u - u) ** 2 + (p.v - v) ** 2)
  const a = total((p) => (p.u - u) * (p.x - x) + (p.v - v) * (p.y - y)) / norm
  const b = total((p) => (p.u - u) * (p.y - y) - (p.v - v) * (p.x - x)) / norm
  return [a, b, x - a * u + b * v, y - b * u - a * v]
}

suite('the standard set', { skip }, () => {
  before(async () => {
    engine = await createFaceEngine({ runtime, modelsDir: modelsDir(), set: 'standard', pad: true })
  })
  after(() => engine?.close())

  test('its observations name the set and carry a descriptor of length one', async () => {
    const frame = await engine.observe(await frameOf(HEADS.other), { descriptor: 'always' })
    assert.deepEqual([frame.modelId, engine.dimension, engine.metric, frame.faces.length], ['standard-256-v1', 256, 'cosine', 1])
    const [face] = frame.faces
    assert.equal(face?.descriptor?.length, 256)
    assert.ok(Math.abs(Math.hypot(...(face?.descriptor ?? [])) - 1) < 1e-6)
    assert.equal(face?.landmarks.length, 68)
    assert.equal(face?.padScore, undefined)
  })

  test('a second, independent run of the published input contract gives its descriptors', async () => {
    const yunet = await loadNet(runtime, (await findFetchedNet('yunet', modelsDir())) ?? assert.fail(), { input: 'input' })
    const recogniser = await loadNet(runtime, (await findFetchedNet('reidentification-0095', modelsDir())) ?? assert.fail())
    for (const head of ['first', 'again', 'other', 'third'] as const) {
      const jpeg = await frameOf(HEADS[head], { zoom: 0.5 })
      const raster = await rasterOf(jpeg)
      const faces = await createYunetDetector(yunet, 320)(raster, 0.6)
      const views: Float32Array[] = []
      const [found] = faces.toSorted(
        (left, right) => Math.abs(left.box.x + left.box.width / 2 - 320) - Math.abs(right.box.x + right.box.width / 2 - 320),
      )
      for (const mirrored of [false, true]) {
        views.push((await recogniser.run(publishedInput(raster, found?.points ?? [], mirrored), 128))('descriptors').slice())
      }
      const sum = Array.from({ length: 256 }, (_, at) => views.reduce((all, view) => all + (view[at] ?? 0) / Math.hypot(...view), 0))
      const { descriptor } = await frontalFaceOf(jpeg)
      const away = distance(rule, sum, descriptor ?? [])
      assert.ok(away < 0.005, `${head}: cosine ${1 - away}`)
    }
    await Promise.all([yunet.release(), recogniser.release()])
  })

  test('the same person on two photographs is the same by every point, other people by none', async () => {
    const [first, again, other, third] = await Promise.all([faceOf('first'), faceOf('again'), faceOf('other'), faceOf('third')])
    assert.ok(isSamePerson(rule, first.descriptor ?? [], again.descriptor ?? [], 1, 'fmr1e-5'), `${apart(first, again)}`)
    for (const [left, right] of [
      [first, other],
      [first, third],
      [again, other],
      [again, third],
      [other, third],
    ] as const) {
      assert.ok(apart(left, right) > 0.65, `${apart(left, right)}`)
    }
  })

  test('no two people of the six sample photographs match at the strict point', async () => {
    const { count, same } = await compareSamplePeople(engine, (left, right) => isSamePerson(rule, left, right, 1, 'fmr1e-5'))
    assert.ok(count >= 18, `${count} people found`)
    assert.deepEqual(same, ['1-3'])
  })

  for (const rotateDegrees of [-30, 30]) {
    test(`a head tilted by ${rotateDegrees} degrees is still the same person`, async () => {
      const [straight, tilted] = await Promise.all([faceOf('other'), faceOf('other', { rotateDegrees })])
      assert.ok(Math.abs(tilted.pose.rollDegrees - straight.pose.rollDegrees - rotateDegrees) < 6, `roll ${tilted.pose.rollDegrees}`)
      assert.ok(apart(straight, tilted) < 0.15, `${apart(straight, tilted)}`)
    })
  }

  test('a mirrored face turns the other way and has nearly the descriptor of the plain one', async () => {
    const photo = await frameOf(HEADS.first)
    const [plain, mirrored] = await Promise.all(
      [photo, await sharp(photo).flop().jpeg({ quality: 95 }).toBuffer()].map((each) => engine.describe(each)),
    )
    const [one, two] = [plain?.faces[0] ?? assert.fail(), mirrored?.faces[0] ?? assert.fail()]
    assert.ok(Math.abs(one.pose.yawDegrees + two.pose.yawDegrees) < 6)
    assert.ok(apart(one, two) < 0.1, `${apart(one, two)}`)
  })

  test('a face further away, blurred a little, dark or strongly compressed is still the same person', async () => {
    const reference = await faceOf('other')
    for (const look of [{ zoom: 0.4 }, { blur: 1.5 }, { quality: 40 }, { brightness: 0.6 }]) {
      assert.ok(isSamePerson(rule, reference.descriptor ?? [], (await faceOf('other', look)).descriptor ?? []), JSON.stringify(look))
    }
  })

  test('what liveness measures is what the built-in set measures: box, pose, light and focus', async () => {
    const builtin = await openTestEngine()
    for (const head of ['first', 'other', 'third'] as const) {
      const jpeg = await frameOf(HEADS[head])
      const [ours, theirs] = await Promise.all(
        [engine, builtin].map(async (each) => (await each.observe(jpeg, { descriptor: 'never' })).faces[0]),
      )
      assert.ok(ours && theirs)
      assert.ok(Math.abs(ours.box.width / theirs.box.width - 1) < 0.2, `${head}: ${ours.box.width} and ${theirs.box.width}`)
      assert.ok(
        Math.abs(ours.pose.yawDegrees - theirs.pose.yawDegrees) < 8,
        `${head}: yaw ${ours.pose.yawDegrees} and ${theirs.pose.yawDegrees}`,
      )
      assert.ok(Math.abs(ours.brightness / theirs.brightness - 1) < 0.1)
      assert.ok(ours.sharpness / theirs.sharpness > 0.6 && ours.sharpness / theirs.sharpness < 1.6)
    }
    await builtin.close()
  })

  test('the yaw of a head turned by a known angle is found within six degrees', async () => {
    const views = await loadFaceViews(SAMPLE_FACES.one)
    for (const yawDegrees of [-25, -15, 0, 15, 25]) {
      const { faces } = await engine.observe(await views.jpeg({ yawDegrees, moment: yawDegrees + 50 }), { descriptor: 'never' })
      assert.ok(
        Math.abs((faces[0]?.pose.yawDegrees ?? Number.NaN) - yawDegrees) < 6,
        `${faces[0]?.pose.yawDegrees} instead of ${yawDegrees}`,
      )
    }
  })

  test('two heads are two faces, the larger first; an empty room and a black picture have none', async () => {
    const { faces } = await engine.describe(readFileSync(SAMPLES[5] ?? ''))
    const areas = faces.map(({ box }) => box.width * box.height)
    assert.deepEqual(
      areas,
      areas.toSorted((left, right) => right - left),
    )
    assert.ok(faces.length >= 4)
    const one = await frameOf(HEADS.other, { zoom: 0.5 })
    const half = await sharp(one).extract({ left: 160, top: 0, width: 320, height: 480 }).toBuffer()
    const pair = await sharp(one)
      .composite([
        { input: half, left: 0, top: 0 },
        { input: half, left: 320, top: 0 },
      ])
      .jpeg()
      .toBuffer()
    assert.equal((await engine.observe(pair, { descriptor: 'never' })).faces.length, 2)
    for (const background of ['#000', '#888']) {
      const empty = await sharp({ create: { width: 640, height: 480, channels: 3, background } })
        .jpeg()
        .toBuffer()
      assert.deepEqual((await engine.observe(empty, { descriptor: 'always', pad: true })).faces, [])
    }
  })

  test('the PAD nets are asked on frontal faces only, and only when asked for', async () => {
    const [frontal, turned] = await Promise.all([frameOf(HEADS.other), frameOf(HEADS.first)])
    const score = async (jpeg: Buffer, pad: boolean) => (await engine.observe(jpeg, { descriptor: 'never', pad })).faces[0]?.padScore
    const asked = await score(frontal, true)
    assert.ok(asked !== undefined && asked >= 0 && asked <= 1)
    assert.deepEqual([await score(frontal, false), await score(turned, true)], [undefined, undefined])
  })

  test('descriptors of two sets are never compared', async () => {
    const builtin = await openTestEngine()
    const other = (await builtin.observe(await frameOf(HEADS.other), { descriptor: 'always' })).faces[0]?.descriptor ?? []
    await builtin.close()
    const ours = (await faceOf('other')).descriptor ?? []
    assert.equal(distance(rule, ours, other), Number.POSITIVE_INFINITY)
    assert.equal(isSamePerson(rule, ours, other), false)
    assert.equal(isSamePerson(calibrationOf('builtin-128-v1'), ours, other), false)
  })
})

async function frontalFaceOf(jpeg: Buffer): Promise<FaceObservation> {
  const { faces } = await engine.describe(jpeg, { describeFaces: 4 })
  const [face] = faces.toSorted(
    (left, right) => Math.abs(left.box.x + left.box.width / 2 - 320) - Math.abs(right.box.x + right.box.width / 2 - 320),
  )
  return face ?? assert.fail('no face')
}

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import sharp from 'sharp'
import { calibrationOf } from '../../src/biometrics/calibration.ts'
import { descriptorDistance, meanTemplate } from '../../src/biometrics/descriptor.ts'
import type { FaceEngine } from '../../src/biometrics/engine/engine.ts'
import { ImageRefused } from '../../src/biometrics/image.ts'
import type { FaceObservation } from '../../src/biometrics/observation.ts'
import { SAMPLES } from '../support/face-api-reference.ts'
import type { FrameLook } from '../support/face-samples.ts'
import { compareSamplePeople, frameOf, HEADS, observeHead, openTestEngine } from '../support/face-samples.ts'
import { loadFaceViews, SAMPLE_FACES } from '../support/reactive-camera/face-views.ts'

let engine: FaceEngine
before(async () => {
  engine = await openTestEngine()
})
after(() => engine.close())

const SAME_PERSON = calibrationOf('builtin-128-v1').thresholds['1'] ?? Number.NaN

const faceOf = (head: keyof typeof HEADS, look?: FrameLook) => observeHead(engine, head, look)

function distance(left: FaceObservation, right: FaceObservation): number {
  assert.ok(left.descriptor && right.descriptor)
  return descriptorDistance(left.descriptor, right.descriptor)
}

test('a frame with one head gives one face in its place, whole', async () => {
  const frame = await engine.observe(await frameOf(HEADS.other), { descriptor: 'always' })
  assert.deepEqual([frame.modelId, frame.width, frame.height, frame.faces.length], ['builtin-128-v1', 640, 480, 1])
  const [face] = frame.faces
  assert.ok(face)
  assert.ok(face.box.x > 100 && face.box.x + face.box.width < 540 && face.box.width > 150)
  assert.equal(face.landmarks.length, 68)
  assert.equal(face.descriptor?.length, 128)
  assert.ok(face.landmarks.every(({ x, y }) => x > face.box.x - 20 && y > face.box.y - 20 && x < 540 && y < 480))
  assert.match(frame.perceptualHash, /^[0-9a-f]{16}$/)
  assert.match(frame.pixelDigest, /^[0-9a-f]{64}$/)
})

test('the same person on two photographs is nearer than the threshold, other people are not', async () => {
  const [first, again, other, third] = await Promise.all([faceOf('first'), faceOf('again'), faceOf('other'), faceOf('third')])
  assert.ok(distance(first, again) < SAME_PERSON)
  for (const [left, right] of [
    [first, other],
    [first, third],
    [again, other],
    [again, third],
    [other, third],
  ] as const) {
    assert.ok(distance(left, right) > SAME_PERSON + 0.05, `${distance(left, right)}`)
  }
})

test('no two people of the six sample photographs match', async () => {
  const { count, same } = await compareSamplePeople(engine, (left, right) => descriptorDistance(left, right) < SAME_PERSON)
  assert.ok(count >= 15, `${count} people found`)
  assert.deepEqual(same, ['1-3'])
})

for (const rotateDegrees of [-30, 30]) {
  test(`a head tilted by ${rotateDegrees} degrees is still the same person`, async () => {
    const [straight, tilted] = await Promise.all([faceOf('other'), faceOf('other', { rotateDegrees })])
    assert.ok(Math.abs(tilted.pose.rollDegrees - straight.pose.rollDegrees - rotateDegrees) < 6, `roll ${tilted.pose.rollDegrees}`)
    assert.ok(Math.abs(tilted.pose.yawDegrees - straight.pose.yawDegrees) < 10)
    assert.ok(distance(straight, tilted) < 0.3)
  })
}

test('a mirrored face turns the other way and stays the same person', async () => {
  const [plain, mirrored] = await Promise.all([faceOf('first'), faceOf('first', { mirrored: true })])
  assert.ok(plain.pose.yawDegrees < -10 && mirrored.pose.yawDegrees > 10, `${plain.pose.yawDegrees} and ${mirrored.pose.yawDegrees}`)
  assert.ok(Math.abs(plain.pose.yawDegrees + mirrored.pose.yawDegrees) < 6)
  assert.ok(distance(plain, mirrored) < 0.3)
})

test('the yaw of a head turned by a known angle is found within six degrees', async () => {
  const views = await loadFaceViews(SAMPLE_FACES.one)
  for (const yawDegrees of [-25, -15, 0, 15, 25]) {
    const { faces } = await engine.observe(await views.jpeg({ yawDegrees, moment: yawDegrees + 50 }), { descriptor: 'never' })
    assert.ok(Math.abs((faces[0]?.pose.yawDegrees ?? Number.NaN) - yawDegrees) < 6, `${faces[0]?.pose.yawDegrees} instead of ${yawDegrees}`)
  }
})

test('a face further away, blurred a little or strongly compressed is still the same person', async () => {
  const reference = await faceOf('other')
  for (const look of [{ zoom: 0.4 }, { blur: 1.5 }, { quality: 40 }, { brightness: 0.6 }]) {
    assert.ok(distance(reference, await faceOf('other', look)) < SAME_PERSON, JSON.stringify(look))
  }
})

test('light, focus and colour of the face are measured', async () => {
  const plain = await faceOf('other')
  const [dark, soft, green] = await Promise.all([
    faceOf('other', { brightness: 0.4 }),
    faceOf('other', { blur: 3 }),
    faceOf('other', { tint: { r: 0.8, g: 1.1, b: 0.8 } }),
  ])
  assert.ok(dark.brightness < plain.brightness * 0.5)
  assert.ok(soft.sharpness < plain.sharpness / 5)
  assert.ok(green.skin.green / green.skin.red > (plain.skin.green / plain.skin.red) * 1.2)
  assert.ok(plain.unevenness >= 0 && plain.unevenness < 0.4)
})

test('a face lit from one side is uneven', async () => {
  const shade = Buffer.from('<svg width="345" height="480"><rect width="345" height="480" fill="black" opacity="0.8"/></svg>')
  const frame = await sharp(await frameOf(HEADS.other))
    .composite([{ input: shade, left: 0, top: 0 }])
    .jpeg()
    .toBuffer()
  const { faces } = await engine.observe(frame, { descriptor: 'never' })
  assert.ok((faces[0]?.unevenness ?? 0) > 0.4, `${faces[0]?.unevenness}`)
})

test('the descriptor is made only when it is asked for, and for frontal faces only when so asked', async () => {
  const [frontal, turned] = await Promise.all([frameOf(HEADS.other), frameOf(HEADS.first)])
  const described = async (frame: Buffer, descriptor: 'frontal' | 'always' | 'never') =>
    (await engine.observe(frame, { descriptor })).faces[0]?.descriptor !== undefined
  assert.deepEqual([await described(frontal, 'never'), await described(turned, 'never')], [false, false])
  assert.deepEqual([await described(frontal, 'frontal'), await described(turned, 'frontal')], [true, false])
  assert.equal(await described(turned, 'always'), true)
})

test('without its mirror image a descriptor differs a little, and is the same person', async () => {
  const frame = await frameOf(HEADS.other)
  const [two, one] = await Promise.all(
    [undefined, false].map(
      async (mirror) => (await engine.observe(frame, { descriptor: 'always', ...(mirror === false && { mirror }) })).faces[0],
    ),
  )
  assert.ok(two && one)
  assert.ok(distance(two, one) > 0.01 && distance(two, one) < 0.2)
})

test('only the largest face is described unless more are asked for', async () => {
  const photo = readFileSync(SAMPLES[2] ?? '')
  const count = async (options?: { describeFaces: number }) =>
    (await engine.describe(photo, options)).faces.map(({ descriptor }) => descriptor !== undefined)
  assert.deepEqual(await count(), [true, false, false])
  assert.deepEqual(await count({ describeFaces: 2 }), [true, true, false])
})

test('faces are ordered by size and folds and blinds are not faces', async () => {
  const { faces } = await engine.describe(readFileSync(SAMPLES[5] ?? ''))
  const areas = faces.map(({ box }) => box.width * box.height)
  assert.deepEqual(
    areas,
    areas.toSorted((left, right) => right - left),
  )
  assert.equal(faces.length, 4)
})

test('equal bytes give equal observations', async () => {
  const frame = await frameOf(HEADS.third)
  const [one, two] = [await engine.observe(frame, { descriptor: 'always' }), await engine.observe(frame, { descriptor: 'always' })]
  assert.deepEqual(one, two)
})

test('noise changes the digest of the pixels and hardly the perceptual hash', async () => {
  const frame = await frameOf(HEADS.third)
  const { data, info } = await sharp(frame).raw().toBuffer({ resolveWithObject: true })
  for (let at = 0; at < data.length; at += 997) data[at] = Math.min(255, (data[at] ?? 0) + 3)
  const noisy = await sharp(data, { raw: info }).jpeg({ quality: 95 }).toBuffer()
  const [one, two] = [await engine.observe(frame, { descriptor: 'never' }), await engine.observe(noisy, { descriptor: 'never' })]
  assert.notEqual(one.pixelDigest, two.pixelDigest)
  const differing = BigInt(`0x${one.perceptualHash}`) ^ BigInt(`0x${two.perceptualHash}`)
  assert.ok(differing.toString(2).replaceAll('0', '').length <= 3)
})

test('an empty room, a grey picture and a black one have no face', async () => {
  const { data, info } = { data: Buffer.alloc(640 * 480 * 3), info: { width: 640, height: 480, channels: 3 } as const }
  data.forEach((_, at) => {
    data[at] = 128 + Math.round(60 * Math.sin(at / 911))
  })
  const pictures = [
    sharp(data, { raw: info }),
    sharp({ create: { width: 640, height: 480, channels: 3, background: '#000' } }),
    sharp({ create: { width: 640, height: 480, channels: 3, background: '#888' } }).greyscale(),
  ]
  for (const image of pictures) {
    const frame = await engine.observe(await image.jpeg().toBuffer(), { descriptor: 'always' })
    assert.deepEqual([frame.faces, frame.width, frame.height], [[], 640, 480])
  }
})

test('a portrait cut close round the face is described', async () => {
  const { sample, x, y, side } = HEADS.other
  const part = {
    left: x - Math.round(side * 0.6),
    top: y - Math.round(side * 0.7),
    width: Math.round(side * 1.2),
    height: Math.round(side * 1.5),
  }
  const close = await sharp(SAMPLES[sample - 1])
    .extract(part)
    .jpeg()
    .toBuffer()
  const { faces } = await engine.describe(close)
  assert.equal(faces.length, 1)
  const [portrait, frame] = [faces[0], await faceOf('other')]
  assert.ok(portrait && distance(portrait, frame) < SAME_PERSON)
})

test('a photograph is described upright whatever its EXIF orientation', async () => {
  const upright = await frameOf(HEADS.other)
  const onItsSide = await sharp(await sharp(upright).rotate(90).toBuffer())
    .withMetadata({ orientation: 8 })
    .jpeg({ quality: 95 })
    .toBuffer()
  const { width, height, faces } = await engine.describe(onItsSide)
  assert.deepEqual([width, height], [640, 480])
  assert.ok(faces[0] && distance(faces[0], await faceOf('other')) < 0.25)
})

test('a grey or transparent photograph is described', async () => {
  const frame = await frameOf(HEADS.other)
  for (const photo of [await sharp(frame).greyscale().jpeg().toBuffer(), await sharp(frame).ensureAlpha(0.9).png().toBuffer()]) {
    const { faces } = await engine.describe(photo)
    assert.ok(faces[0] && distance(faces[0], await faceOf('other')) < SAME_PERSON)
  }
})

test('a frame is refused by its header, before it is decoded', async () => {
  const refused = (code: string) => (error: unknown) => error instanceof ImageRefused && error.code === code
  const frame = await frameOf(HEADS.other)
  await assert.rejects(engine.observe(new Uint8Array(), { descriptor: 'never' }), refused('empty'))
  await assert.rejects(engine.observe(frame.subarray(0, 9000), { descriptor: 'never' }), refused('truncated'))
  const png = await sharp(frame).resize(64).png().toBuffer()
  await assert.rejects(engine.observe(png, { descriptor: 'never' }), refused('unsupported-type'))
  const large = await sharp({ create: { width: 1800, height: 1800, channels: 3, background: '#777' } })
    .jpeg()
    .toBuffer()
  await assert.rejects(engine.observe(large, { descriptor: 'never' }), refused('too-many-pixels'))
})

test('a template of several frames is nearer to another photograph than most of its frames', async () => {
  const looks: FrameLook[] = [{}, { rotateDegrees: 10 }, { zoom: 0.5 }]
  const frames = await Promise.all(looks.map((look) => faceOf('first', look)))
  const again = await faceOf('again', { rotateDegrees: -42 })
  const template = meanTemplate(frames.map(({ descriptor }) => descriptor ?? []))
  const worst = Math.max(...frames.map((frame) => distance(frame, again)))
  assert.ok(descriptorDistance(template, again.descriptor ?? []) < worst)
})

test('distances are refused between descriptors of different length', () => {
  assert.throws(() => descriptorDistance([1, 2], [1]), RangeError)
  assert.throws(() => descriptorDistance([], []), RangeError)
  assert.throws(() => meanTemplate([]), RangeError)
  assert.throws(() => meanTemplate([[1], [1, 2]]), RangeError)
  assert.equal(descriptorDistance([0, 3], [4, 0]), 5)
  assert.deepEqual(
    meanTemplate([
      [1, 2],
      [3, 4],
    ]),
    [2, 3],
  )
})

test('every calibration is for a false match rate of 1e-4 at most, and stricter for more frames', () => {
  const { thresholds, metric, consecutive } = calibrationOf(engine.modelId)
  assert.deepEqual([thresholds['1'], thresholds['3'], thresholds['5'], metric], [0.467, 0.43, 0.42, 'euclidean'])
  assert.ok(consecutive <= 0.5)
  assert.throws(() => calibrationOf('another-model'), /no calibration/)
})

test('pictures handed in at once are answered as if one after another, and one that is refused disturbs none', async () => {
  const frames = await Promise.all([HEADS.first, HEADS.other, HEADS.third].map((head) => frameOf(head)))
  const alone: unknown[] = []
  for (const frame of frames) alone.push(await engine.observe(frame, { descriptor: 'always' }))
  const [bad, ...together] = await Promise.all([
    engine.observe(Buffer.from('no'), { descriptor: 'never' }).catch((error: Error) => error),
    ...frames.map((frame) => engine.observe(frame, { descriptor: 'always' })),
  ])
  assert.ok(bad instanceof ImageRefused)
  assert.deepEqual(together, alone)
})

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import sharp from 'sharp'
import { decodeImage } from '../../src/biometrics/engine/decode.ts'
import type { FaceEngine } from '../../src/biometrics/engine/engine.ts'
import { PHOTO_LIMITS } from '../../src/biometrics/image.ts'
import type { FaceObservation } from '../../src/biometrics/observation.ts'
import { jpegQualityOf } from '../../src/biometrics/quality/jpeg-quality.ts'
import { qualityOf } from '../../src/biometrics/quality/judge.ts'
import { measureQuality } from '../../src/biometrics/quality/measure-quality.ts'
import type { FaceMeasures } from '../../src/biometrics/quality/measures.ts'
import { wearing } from '../support/face-paint.ts'
import { frameOf, HEADS, openTestEngine } from '../support/face-samples.ts'

let engine: FaceEngine
let frame: Buffer
let face: FaceObservation
let plain: FaceMeasures

before(async () => {
  engine = await openTestEngine()
  frame = await frameOf(HEADS.other, { quality: 95 })
  const [found] = (await engine.observe(frame, { descriptor: 'never' })).faces
  assert.ok(found)
  face = found
  plain = await measured(frame)
})
after(() => engine.close())

/** The changed picture, measured where the face was found in the unchanged one. */
async function measured(picture: Buffer, { scale = 1, left = 0, top = 0 } = {}): Promise<FaceMeasures> {
  const place = ({ x, y }: { x: number; y: number }) => ({ x: (x - left) * scale, y: (y - top) * scale })
  const { box, landmarks, pose } = face
  const moved = { ...place(box), width: box.width * scale, height: box.height * scale }
  return measureQuality(await decodeImage(picture, PHOTO_LIMITS), { box: moved, landmarks: landmarks.map(place), pose })
}

const shade = (svg: string) =>
  sharp(frame)
    .composite([{ input: Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="640" height="480">${svg}</svg>`) }])
    .jpeg({ quality: 95 })
    .toBuffer()

test('the engine measures what the pure function measures', () => {
  assert.deepEqual(face.measures, plain)
  assert.ok(Object.values(plain).every(Number.isFinite))
})

test('a good frame passes for live guidance', async () => {
  const report = qualityOf('live-guidance', await engine.observe(frame, { descriptor: 'never' }))
  assert.deepEqual(report.reasons, [])
  assert.ok(report.passed && report.overall >= 50, `${report.overall}`)
})

test('a darker picture has less light, less contrast and more black', async () => {
  const dark = await measured(await sharp(frame).linear(0.12, 0).jpeg({ quality: 95 }).toBuffer())
  assert.ok(Math.abs(dark.luminanceMean - plain.luminanceMean * 0.12) < 4)
  assert.ok(dark.dynamicRange < plain.dynamicRange / 2)
  assert.ok(dark.underExposure > plain.underExposure + 0.2)
})

test('an overexposed picture has white skin', async () => {
  const bright = await measured(await sharp(frame).linear(2.2, 40).jpeg({ quality: 95 }).toBuffer())
  assert.ok(bright.overExposure > 0.3 && plain.overExposure < 0.05, `${bright.overExposure}`)
  assert.ok(bright.luminanceMean > plain.luminanceMean + 50)
})

test('light from one side is uneven', async () => {
  const { x, width } = face.box
  const sideways = await measured(await shade(`<rect width="${x + width / 2}" height="480" fill="black" opacity="0.7"/>`))
  assert.ok(sideways.illuminationUniformity < 0.5 && plain.illuminationUniformity > 0.6, `${sideways.illuminationUniformity}`)
})

test('a blurred picture, and one enlarged from a small one, is less sharp', async () => {
  const soft = await measured(await sharp(frame).blur(3).jpeg({ quality: 95 }).toBuffer())
  assert.ok(soft.sharpness < plain.sharpness / 4)
  const small = await sharp(frame).resize(128, 96).toBuffer()
  const enlarged = await measured(await sharp(small).resize(640, 480).jpeg({ quality: 95 }).toBuffer())
  assert.ok(enlarged.sharpness < plain.sharpness / 3)
})

test('a smaller picture has fewer pixels between the eyes and the same head in it', async () => {
  const half = await measured(await sharp(frame).resize(320, 240).jpeg({ quality: 95 }).toBuffer(), { scale: 0.5 })
  assert.ok(Math.abs(half.interEyeDistance * 2 - plain.interEyeDistance) < 0.1)
  assert.ok(Math.abs(half.headSize - plain.headSize) < 0.001)
  assert.ok(Math.abs(half.luminanceMean - plain.luminanceMean) < 5)
})

test('a picture cut close to the face has less room on that side, and the face off its centre', async () => {
  const left = Math.round(face.box.x)
  const cut = await sharp(frame)
    .extract({ left, top: 0, width: 640 - left, height: 480 })
    .jpeg({ quality: 95 })
    .toBuffer()
  const close = await measured(cut, { left })
  assert.ok(close.leftwardCrop < plain.leftwardCrop - 0.5)
  assert.ok(Math.abs(close.rightwardCrop - plain.rightwardCrop) < 0.01)
  assert.ok(close.offCentre > plain.offCentre + 0.1)
})

test('strong compression shows in the blocks and in the tables', async () => {
  const again = await sharp(frame).jpeg({ quality: 10 }).toBuffer()
  assert.ok((await measured(again)).compressionArtifacts > Math.max(1.6, plain.compressionArtifacts * 1.2))
  const rewritten = await sharp(again).jpeg({ quality: 95 }).toBuffer()
  assert.ok((await measured(rewritten)).compressionArtifacts > 1.6, 'the damage outlives a better file')
})

for (const quality of [20, 50, 75, 95]) {
  test(`the tables of a file written at ${quality} say so`, async () => {
    const file = await sharp(frame).jpeg({ quality }).toBuffer()
    assert.ok(Math.abs((jpegQualityOf(file) ?? 0) - quality) <= 3, `${jpegQualityOf(file)}`)
  })
}

test('a file that is not JPEG, or cut short, has no such quality', async () => {
  assert.equal(jpegQualityOf(await sharp(frame).png().toBuffer()), undefined)
  assert.equal(jpegQualityOf(frame.subarray(0, 30)), undefined)
  assert.equal(jpegQualityOf(new Uint8Array([0xff, 0xd8, 0xff, 0xdb, 0, 0, 0xff])), undefined)
  assert.equal(jpegQualityOf(new Uint8Array()), undefined)
})

test('dark glasses hide the eyes, clear ones do not', async () => {
  const [dark, clear] = await Promise.all([
    measured(await wearing(frame, face.landmarks, 'sunglasses')),
    measured(await wearing(frame, face.landmarks, 'glasses')),
  ])
  assert.ok(dark.eyesOcclusion > 0.65, `${dark.eyesOcclusion}`)
  assert.ok(clear.eyesOcclusion < 0.5 && plain.eyesOcclusion < 0.3, `${clear.eyesOcclusion} ${plain.eyesOcclusion}`)
  assert.ok(dark.faceOcclusion > plain.faceOcclusion)
})

test('a mask covers mouth and nose, a beard does not', async () => {
  const [blue, beard] = await Promise.all([
    measured(await wearing(frame, face.landmarks, 'mask')),
    measured(await wearing(frame, face.landmarks, 'beard')),
  ])
  assert.ok(blue.mouthOcclusion > 0.3, `${blue.mouthOcclusion}`)
  assert.ok(beard.mouthOcclusion < 0.22 && plain.mouthOcclusion < 0.15, `${beard.mouthOcclusion} ${plain.mouthOcclusion}`)
  assert.ok(blue.eyesOcclusion < 0.5, 'and hides no eyes')
})

test('light of one colour is not natural', async () => {
  const green = await measured(await sharp(frame).linear([0.6, 1.2, 0.6], [0, 0, 0]).jpeg({ quality: 95 }).toBuffer())
  assert.ok(green.naturalColour > 10 && plain.naturalColour < 5, `${green.naturalColour} ${plain.naturalColour}`)
})

test('a wall behind is plain, stripes are not', async () => {
  const hole = `<defs><mask id="m"><rect width="640" height="480" fill="white"/>
    <ellipse cx="${face.box.x + face.box.width / 2}" cy="${face.box.y + face.box.height / 2}" rx="${face.box.width * 0.7}" ry="${face.box.height * 0.8}" fill="black"/></mask>
    <pattern id="p" width="16" height="16" patternUnits="userSpaceOnUse"><rect width="8" height="16" fill="black"/><rect x="8" width="8" height="16" fill="white"/></pattern></defs>`
  const wall = await measured(await shade(`${hole}<rect width="640" height="480" fill="#cccccc" mask="url(#m)"/>`))
  const stripes = await measured(await shade(`${hole}<rect width="640" height="480" fill="url(#p)" mask="url(#m)"/>`))
  assert.ok((wall.backgroundUniformity ?? 1) < 0.05, `${wall.backgroundUniformity}`)
  assert.ok((stripes.backgroundUniformity ?? 0) > 0.4, `${stripes.backgroundUniformity}`)
})

test('a head that fills the picture leaves no background to speak of', async () => {
  const { x, y, width, height } = face.box
  const [left, top] = [Math.max(0, Math.round(x)), Math.max(0, Math.round(y))]
  const cut = await sharp(frame)
    .extract({ left, top, width: Math.round(width), height: Math.round(Math.min(height, 480 - top)) })
    .toBuffer()
  assert.equal((await measured(cut, { left, top })).backgroundUniformity, undefined)
})

test('a second face of some size is not a portrait of one person', async () => {
  const half = await sharp(frame).extract({ left: 160, top: 0, width: 320, height: 480 }).toBuffer()
  const pair = await sharp({ create: { width: 640, height: 480, channels: 3, background: '#888888' } })
    .composite([
      { input: half, left: 0, top: 0 },
      { input: half, left: 320, top: 0 },
    ])
    .jpeg()
    .toBuffer()
  const report = qualityOf('reference', await engine.describe(pair))
  assert.equal(report.reasons[0], 'face/two-faces')
  assert.ok(!report.passed && report.overall < 50)
})

test('points outside the picture, or all in one place, are measured without a fault', async () => {
  const raster = await decodeImage(frame, PHOTO_LIMITS)
  for (const shift of [-2000, 0, 2000]) {
    const landmarks = face.landmarks.map(({ x, y }) => ({ x: shift === 0 ? 100 : x + shift, y: shift === 0 ? 100 : y + shift }))
    const box = { ...face.box, x: face.box.x + shift, y: face.box.y + shift }
    const values = Object.values(measureQuality(raster, { box, landmarks, pose: face.pose }))
    assert.ok(values.every(Number.isFinite), JSON.stringify(values))
  }
})

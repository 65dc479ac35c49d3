import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import ort from 'onnxruntime-node'
import sharp from 'sharp'
import { findFetchedNet } from '../../src/biometrics/nets/installation.ts'
import type { FetchedNetName } from '../../src/biometrics/nets/manifest.ts'
import { readFetchedNets } from '../../src/biometrics/nets/manifest.ts'
import { standardModelsDir, withoutStandardModels } from '../support/face-models.ts'

/** Blue, green, red planes of one picture. */
interface Planes {
  readonly values: Float32Array
  readonly width: number
  readonly height: number
}

interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Mean of both nets from which a face counts as live: the specification's operating point. */
const LIVE_FROM = 0.4
const SAMPLES = path.resolve(import.meta.dirname, '../../../shared/faces/pad-dev/silent-face')
const skip = withoutStandardModels() || (existsSync(SAMPLES) ? false : 'the publisher’s three samples are not beside the checkout')
const models = standardModelsDir() ?? ''

async function open(name: FetchedNetName): Promise<ort.InferenceSession> {
  const bytes = await findFetchedNet(name, models)
  assert.ok(bytes)
  return ort.InferenceSession.create(bytes, { intraOpNumThreads: 1 })
}

async function readPlanes(file: string): Promise<Planes> {
  const { data, info } = await sharp(file).autoOrient().removeAlpha().raw().toBuffer({ resolveWithObject: true })
  const area = info.width * info.height
  const values = Float32Array.from({ length: 3 * area }, (_, index) => data[(index % area) * 3 + 2 - Math.floor(index / area)] ?? 0)
  return { values, width: info.width, height: info.height }
}

/** A rectangle of the picture, resized as OpenCV does by default: bilinear, half-pixel centres, edges repeated. */
function cut({ values, width, height }: Planes, box: Box, columns: number, rows = columns): Float32Array {
  const axis = (count: number, start: number, length: number, limit: number) =>
    Array.from({ length: count }, (_, index) => {
      const at = Math.min(Math.max(((index + 0.5) * length) / count - 0.5, 0), length - 1)
      const first = Math.min(start + Math.floor(at), limit - 1)
      return { first, second: Math.min(first + 1, limit - 1), share: at - Math.floor(at) }
    })
  const across = axis(columns, box.x, box.width, width)
  const down = axis(rows, box.y, box.height, height)
  const cells = [0, 1, 2].flatMap((plane) =>
    down.flatMap((row) =>
      across.map((column) => {
        const pixel = (y: number, x: number) => values[(plane * height + y) * width + x] ?? 0
        const upper = pixel(row.first, column.first) * (1 - column.share) + pixel(row.first, column.second) * column.share
        const lower = pixel(row.second, column.first) * (1 - column.share) + pixel(row.second, column.second) * column.share
        return upper * (1 - row.share) + lower * row.share
      }),
    ),
  )
  return Float32Array.from(cells)
}

/** The best face that YuNet sees, decoded as the manifest says. */
async function detect(session: ort.InferenceSession, picture: Planes): Promise<Box & { score: number; points: number[] }> {
  const [columns, rows] = [Math.ceil(picture.width / 64) * 32, Math.ceil(picture.height / 64) * 32]
  const whole = { x: 0, y: 0, width: picture.width, height: picture.height }
  const input = new ort.Tensor('float32', cut(picture, whole, columns, rows), [1, 3, rows, columns])
  const outputs = await session.run({ input })
  const [scaleX, scaleY] = [picture.width / columns, picture.height / rows]
  const data = (name: string) => {
    const found = outputs[name]?.data
    assert.ok(found instanceof Float32Array)
    return found
  }
  let best = { x: 0, y: 0, width: 0, height: 0, score: 0, points: [0] }
  for (const stride of [8, 16, 32]) {
    const [cls, obj, bbox, kps] = ['cls', 'obj', 'bbox', 'kps'].map((kind) => data(`${kind}_${stride}`))
    assert.ok(cls && obj && bbox && kps)
    for (const [cell, probability] of cls.entries()) {
      const score = Math.sqrt(probability * (obj[cell] ?? 0))
      if (score <= best.score) continue
      const column = cell % (columns / stride)
      const row = Math.floor(cell / (columns / stride))
      const [b0 = 0, b1 = 0, b2 = 0, b3 = 0] = bbox.subarray(4 * cell, 4 * cell + 4)
      const [width, height] = [Math.exp(b2) * stride * scaleX, Math.exp(b3) * stride * scaleY]
      const points = [...kps.subarray(10 * cell, 10 * cell + 10)].map((value, index) =>
        index % 2 === 0 ? (value + column) * stride * scaleX : (value + row) * stride * scaleY,
      )
      best = { x: (column + b0) * stride * scaleX - width / 2, y: (row + b1) * stride * scaleY - height / 2, width, height, score, points }
    }
  }
  return best
}

/** The manifest's crop rule. */
function around({ width, height }: Planes, box: Box, scale: number): Box {
  const factor = Math.min(scale, (height - 1) / box.height, (width - 1) / box.width)
  const along = (start: number, length: number, limit: number) => {
    const first = start + length / 2 - (length * factor) / 2
    const shift = Math.max(0, -first) - Math.max(0, first + length * factor - (limit - 1))
    const [from, to] = [Math.trunc(first + shift), Math.trunc(first + shift + length * factor)]
    return { from, length: to - from + 1 }
  }
  const [across, down] = [along(box.x, box.width, width), along(box.y, box.height, height)]
  return { x: across.from, y: down.from, width: across.length, height: down.length }
}

async function liveness(picture: Planes, box: Box): Promise<number[]> {
  const scores: number[] = []
  for (const net of (await readFetchedNets()).filter(({ set }) => set === 'pad')) {
    const crop = cut(picture, around(picture, box, net.input.crop?.scale ?? 0), 80)
    const result = await (await open(net.name)).run({ image: new ort.Tensor('float32', crop, [1, 3, 80, 80]) })
    const probabilities = result.probabilities?.data
    assert.ok(probabilities instanceof Float32Array)
    assert.ok(Math.abs(probabilities.reduce((sum, value) => sum + value, 0) - 1) < 1e-5, 'probabilities')
    scores.push(probabilities[1] ?? 0)
  }
  return scores
}

test('the presentation-attack nets tell the publisher’s live sample from its print and its screen', { skip }, async () => {
  const detector = await open('yunet')
  const mean = new Map<string, number>()
  for (const sample of ['image_T1.jpg', 'image_F1.jpg', 'image_F2.jpg']) {
    const picture = await readPlanes(path.join(SAMPLES, sample))
    const face = await detect(detector, picture)
    assert.ok(face.score > 0.8, `${sample}: face found with ${face.score}`)
    const scores = await liveness(picture, face)
    mean.set(sample, scores.reduce((sum, value) => sum + value, 0) / scores.length)
  }
  assert.ok((mean.get('image_T1.jpg') ?? 0) > 0.9, `live: ${mean.get('image_T1.jpg')}`)
  assert.ok((mean.get('image_F1.jpg') ?? 1) < LIVE_FROM, `print: ${mean.get('image_F1.jpg')}`)
  assert.ok((mean.get('image_F2.jpg') ?? 1) < LIVE_FROM, `screen: ${mean.get('image_F2.jpg')}`)
})

test('the detector’s five points come in the picture’s order: eyes, nose, mouth', { skip }, async () => {
  const picture = await readPlanes(path.join(SAMPLES, 'image_T1.jpg'))
  const { points, x, y, width, height } = await detect(await open('yunet'), picture)
  const [leftEyeX = 0, leftEyeY = 0, rightEyeX = 0, rightEyeY = 0, noseX = 0, noseY = 0, leftX = 0, leftY = 0, rightX = 0, rightY = 0] =
    points
  assert.ok(x < leftEyeX && leftEyeX < noseX && noseX < rightEyeX && rightEyeX < x + width)
  assert.ok(y < Math.min(leftEyeY, rightEyeY) && Math.max(leftEyeY, rightEyeY) < noseY && noseY < Math.min(leftY, rightY))
  assert.ok(leftX < noseX && noseX < rightX && Math.max(leftY, rightY) < y + height)
})

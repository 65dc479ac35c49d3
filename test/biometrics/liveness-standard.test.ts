/** The same with the fetched nets: what production runs, and the class that it bears. Skipped where the nets are not. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import sharp, { type Sharp } from 'sharp'
import { type CameraChecks, openCameraChecks } from '../support/camera-checks.ts'
import { withoutStandardModels } from '../support/face-models.ts'
import type { Capture } from '../support/reactive-camera/browser-driver.ts'

const skip = withoutStandardModels()
let checks: CameraChecks

before(async () => {
  if (!skip) checks = await openCameraChecks('standard')
})
after(() => checks?.close())

const willing = (): Capture => checks.camera(checks.one)
/** The camera's picture, changed on its way. */
const through =
  (capture: Capture, change: (picture: Sharp) => Sharp): Capture =>
  async (view, step) =>
    change(sharp(await capture(view, step)))
      .jpeg({ quality: 70 })
      .toBuffer()

test('who does as asked reaches active, with ten frontal frames before the presentation-attack nets', { skip }, async () => {
  const { passed, verdict, reasons } = await checks.check(willing())
  assert.deepEqual(
    [passed, verdict?.class, verdict?.padModel],
    [true, 'active', 'minifasnet-v2+minifasnet-v1se'],
    JSON.stringify([reasons, verdict]),
  )
  assert.ok((verdict?.scores['pad.frames'] ?? 0) >= 10 && (verdict?.scores['pad.mean'] ?? 0) >= 0.4)
  assert.deepEqual([verdict?.modelId, verdict?.point, verdict?.k], ['standard-256-v1', 'fmr1e-4', 5])
})

test('ouro’s class wants device, reference and the stricter point together', { skip }, async () => {
  const { verdict } = await checks.check(willing(), {}, { occasion: { boundDevice: true, attended: false }, inPerson: true })
  assert.deepEqual([verdict?.class, verdict?.point, verdict?.threshold], ['active+bound', 'fmr1e-5', 0.443], JSON.stringify(verdict))
})

test('a slow link, smaller pictures, and no flashes are no obstacle to active', { skip }, async () => {
  const small = through(willing(), (picture) => picture.resize(533))
  const { verdict, answers } = await checks.check(small, {}, { plan: { flashes: false, slowLink: true } })
  assert.equal(verdict?.class, 'active', JSON.stringify(verdict))
  assert.ok(answers.length <= 24, `${answers.length} frames`)
})

test('a phone in the hand, held upright, sways and tilts: active all the same', { skip }, async () => {
  const held: Capture = async (view, step) => {
    const at = checks.moment()
    const [x, y, tilt] = [Math.sin(at * 0.9) * 10, Math.cos(at * 1.3) * 10, Math.sin(at * 0.5) * 4]
    const picture = await willing()(view, step)
    const tilted = await sharp(picture).rotate(tilt, { background: '#8a8a8a' }).resize(680, 510, { fit: 'cover' }).toBuffer()
    const frame = sharp(tilted).extract({ left: Math.round(160 + x), top: Math.round(15 + y), width: 360, height: 480 })
    return sharp(await frame.toBuffer())
      .resize(480, 640)
      .jpeg({ quality: 70 })
      .toBuffer()
  }
  const { passed, verdict, reasons } = await checks.check(held)
  assert.deepEqual([passed, verdict?.class], [true, 'active'], JSON.stringify([reasons, verdict]))
})

test('in daylight the extra turn bears active too', { skip }, async () => {
  const { verdict } = await checks.check(checks.camera(checks.one, 0))
  assert.deepEqual([verdict?.class, (verdict?.scores['pose.turns'] ?? 0) >= 3], ['active', true], JSON.stringify(verdict))
})

test('refused: another person, and the frames of an earlier session, encoded anew', { skip }, async () => {
  const stranger = await checks.check(checks.camera(checks.two))
  assert.deepEqual([stranger.passed, stranger.reasons], [false, ['face/not-same-person']])
  const accountId = randomUUID()
  const recorded: { yaw: number; picture: Buffer }[] = []
  const first = await checks.check(
    async (view, step) => {
      const picture = await willing()(view, step)
      recorded.push({ yaw: view.yaw ?? 0, picture })
      return picture
    },
    {},
    { accountId },
  )
  assert.equal(first.passed, true)
  const replayed: Capture = async (view, step) => {
    const [nearest] = recorded.toSorted((a, b) => Math.abs(a.yaw - (view.yaw ?? 0)) - Math.abs(b.yaw - (view.yaw ?? 0)))
    if (nearest) recorded.splice(recorded.indexOf(nearest), 1)
    return nearest ? sharp(nearest.picture).jpeg({ quality: 80 }).toBuffer() : willing()(view, step)
  }
  const again = await checks.check(replayed, {}, { accountId })
  assert.equal(again.passed, false, JSON.stringify(again.verdict))
})

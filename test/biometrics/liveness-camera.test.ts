/** The protocol with the real nets: one photograph, turned and lit as asked, must pass; every cheaper picture must not. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { descriptorDistance } from '../../src/biometrics/descriptor.ts'
import { type CameraChecks, type CheckResult, openCameraChecks } from '../support/camera-checks.ts'
import type { Capture } from '../support/reactive-camera/browser-driver.ts'
import { willingYaw } from '../support/reactive-camera/browser-driver.ts'
import type { FaceViews, ViewOptions } from '../support/reactive-camera/face-views.ts'

let checks: CameraChecks
let one: FaceViews
let two: FaceViews
let camera: CameraChecks['camera']
let check: CameraChecks['check']

before(async () => {
  checks = await openCameraChecks('builtin')
  ;({ one, two, camera, check } = checks)
})

after(() => checks.close())

const look = async (views: FaceViews, options: ViewOptions) => checks.look(await views.jpeg(options))

test('the engine’s yaw follows the asked one up to ±25°', async () => {
  for (const views of [one, two]) {
    const asked = [-25, -20, -15, -10, -5, 0, 5, 10, 15, 20, 25]
    const measured: number[] = []
    for (const yawDegrees of asked)
      measured.push((await look(views, { yawDegrees, moment: yawDegrees + 50 })).face?.pose.yawDegrees ?? Number.NaN)
    assert.ok(correlation(asked, measured) > 0.985, `${correlation(asked, measured)} ${measured.map(Math.round).join()}`)
    for (const [i, yaw] of measured.entries()) if (i >= 2) assert.ok(yaw > (measured[i - 2] ?? 0), measured.map(Math.round).join())
  }
})

function correlation(x: readonly number[], y: readonly number[]): number {
  const centre = (all: readonly number[]) => all.map((value) => value - all.reduce((sum, each) => sum + each, 0) / all.length)
  const [a, b] = [centre(x), centre(y)]
  const dot = (p: readonly number[], q: readonly number[]) => p.reduce((sum, value, i) => sum + value * (q[i] ?? 0), 0)
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}

test('the two heads are two people to the engine', async () => {
  const [a, b] = [(await look(one, { yawDegrees: 0 })).face, (await look(two, { yawDegrees: 0 })).face]
  assert.ok(descriptorDistance(a?.descriptor ?? [], b?.descriptor ?? []) > 0.55)
})

test('who turns and shines as asked passes, as basic: there are no PAD nets', async () => {
  const result = await check(camera(one))
  assert.equal(result.passed, true, JSON.stringify(result.verdict))
  assert.equal(result.verdict?.class, 'basic')
  assert.ok((result.verdict?.scores['flash.correlation'] ?? 0) > 0.75)
})

test('without flashes, and with ten frames on a slow link, the person passes', async () => {
  for (const options of [
    { flashes: false, slowLink: false },
    { flashes: true, slowLink: true },
  ]) {
    const result = await check(camera(one), {}, { plan: options })
    assert.equal(result.passed, true, JSON.stringify([options, result.verdict]))
  }
})

test('a head that no colour reaches passes after one turn more', async () => {
  const result = await check(camera(one, 0))
  assert.equal(result.passed, true, JSON.stringify(result.verdict))
  assert.ok((result.verdict?.scores['pose.turns'] ?? 0) >= 3)
})

const REFUSED: readonly (readonly [string, () => Promise<CheckResult>])[] = [
  ['another person who does everything', () => check(camera(two))],
  ['a still photo', () => check(camera(one), { yawFor: () => 0 })],
  ['turns to the other side', () => check(camera(one), { yawFor: (step) => -willingYaw(step) })],
  [
    'a fixed sweep from side to side',
    () => {
      let beat = 0
      const sweep: Capture = (view, step) => {
        beat += 1
        return camera(one)({ ...view, yaw: 24 * Math.sin(beat / 2.5) }, step)
      }
      return check(sweep)
    },
  ],
  [
    'another person in the turned frames',
    () => check((view, step) => camera(Math.abs(willingYaw(step)) > 0 && Math.abs(view.yaw ?? 0) > 6 ? two : one)(view, step)),
  ],
  [
    'one frozen frame for every kind of step',
    () => {
      const frozen = new Map<number, Promise<Buffer>>()
      return check((view) => {
        const yaw = Math.round(view.yaw ?? 0)
        const kept = frozen.get(yaw) ?? one.jpeg({ yawDegrees: yaw, colour: view.colour, moment: 40 })
        frozen.set(yaw, kept)
        return kept
      })
    },
  ],
]

for (const [what, attempt] of REFUSED) {
  test(`refused: ${what}`, async () => {
    const result = await attempt()
    assert.equal(result.passed, false, JSON.stringify(result.verdict))
    assert.ok(result.reasons.length > 0)
  })
}

test('refused: the frames of an earlier session, even encoded anew', async () => {
  const recorded: { yaw: number; options: ViewOptions }[] = []
  const recording: Capture = (view) => {
    const options = { yawDegrees: view.yaw ?? 0, colour: view.colour, moment: checks.moment() }
    recorded.push({ yaw: view.yaw ?? 0, options })
    return one.jpeg(options)
  }
  assert.equal((await check(recording)).passed, true)
  const again = await check((view) => {
    const nearest = recorded.toSorted((a, b) => Math.abs(a.yaw - (view.yaw ?? 0)) - Math.abs(b.yaw - (view.yaw ?? 0)))[0]
    if (nearest) recorded.splice(recorded.indexOf(nearest), 1)
    return one.jpeg(nearest?.options ?? { yawDegrees: view.yaw ?? 0, moment: checks.moment() })
  })
  assert.equal(again.passed, false)
})

test('a frame costs at most 25 KB, a slow session less than 600 KB', async () => {
  const sizes: number[] = []
  const weighing: Capture = async (view, step) => {
    const jpeg = await camera(one)(view, step)
    sizes.push(jpeg.length)
    return jpeg
  }
  assert.equal((await check(weighing, {}, { plan: { flashes: true, slowLink: true } })).passed, true)
  assert.ok(Math.max(...sizes) < 25_000 && sizes.reduce((sum, size) => sum + size, 0) < 600_000, `${sizes.length} frames`)
})

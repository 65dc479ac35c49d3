import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { signFrame } from '../../src/biometrics/liveness/frame-proof.ts'
import { isTurn } from '../../src/biometrics/liveness/plan.ts'
import { LIMITS } from '../../src/biometrics/liveness/protocol.ts'
import type { LivenessCaller, LivenessDeps } from '../../src/biometrics/liveness/session.ts'
import { createLiveness } from '../../src/biometrics/liveness/session.ts'
import type { FrameObservation } from '../../src/biometrics/observation.ts'
import type { Database } from '../../src/platform/db.ts'
import { openWith, sealWith } from '../../src/platform/keyring.ts'
import { Problem } from '../../src/platform/problem.ts'
import { fixedClock } from '../support/clock.ts'
import { testDatabases } from '../support/database.ts'
import type { Drive } from '../support/reactive-camera/browser-driver.ts'
import { driveCheck, driveSession, willingYaw } from '../support/reactive-camera/browser-driver.ts'
import type { Persona } from '../support/reactive-camera/simulated-person.ts'
import { createSimulatedCamera, faceOf, SIMULATED_RULE } from '../support/reactive-camera/simulated-person.ts'

const OCCASION = { boundDevice: false, attended: false }
const KEY = randomBytes(32)
/** Every check happens on a day of its own: two simulated days alike would be a replay, and be refused as one. */
let day = 0

/** A picture that means what the simulated camera saw: the engine's part is a look-up. */
function createScene(db: Database, change: Partial<LivenessDeps['people']> = {}) {
  const clock = fixedClock()
  const pictures = new Map<string, FrameObservation>()
  const caller: LivenessCaller = { accountId: randomUUID(), bindingHash: 'browser', purpose: 'raise-level:1' }
  const deps: LivenessDeps = {
    db,
    clock,
    keyring: { seal: (plain, context) => sealWith(KEY, plain, context), open: (sealed, context) => openWith(KEY, sealed, context) },
    engine: {
      rule: SIMULATED_RULE,
      observe: async (jpeg) => pictures.get(Buffer.from(jpeg).toString('latin1')) ?? assert.fail('unknown picture'),
    },
    people: {
      findReference: async () => ({ modelId: 'simulated', template: faceOf(1), inPerson: false }),
      claimAttempt: async () => {},
      attemptsLeft: async () => 2,
      ...change,
    },
  }
  const photograph = (observation: FrameObservation): Buffer => {
    const picture = tinyJpeg()
    pictures.set(picture.toString('latin1'), observation)
    return picture
  }
  const drive = (persona: Partial<Persona> = {}, rest: Partial<Drive> = {}): Drive => {
    day += 1
    const camera = createSimulatedCamera({ seed: 1, day, ...persona })
    return { liveness, clock, caller, capture: (view) => photograph(camera(view)), ...rest }
  }
  const liveness = createLiveness(deps)
  return { clock, caller, deps, liveness, photograph, drive }
}

function tinyJpeg(): Buffer {
  const frame = [0xff, 0xc0, 0, 17, 8, 480 >> 8, 480 & 255, 640 >> 8, 640 & 255, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]
  const scan = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0]
  const body = Buffer.from(randomBytes(64).map((byte) => (byte === 0xff ? 1 : byte)))
  return Buffer.concat([Buffer.from([0xff, 0xd8, ...frame, ...scan]), body, Buffer.from([0xff, 0xd9])])
}

async function code(work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (error) {
    if (error instanceof Problem) return error.kind.code
    throw error
  }
  return 'none'
}

for (const { label, open } of testDatabases()) {
  const db = await open()
  after(() => db.close())
  const scene = (change?: Partial<LivenessDeps['people']>) => createScene(db, change)
  const count = async (table: string, id: string) =>
    (await db.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table} WHERE session_id = $1`, [id]))[0]?.n

  test(`${label}: the right person passes, and the frames are gone`, async () => {
    const { drive, liveness, caller } = scene()
    const { started, last, answers } = await driveCheck(drive())
    assert.equal(last.state, 'complete')
    assert.ok(answers.length >= 12 && answers.length <= 45, `${answers.length} frames`)
    assert.ok((await count('liveness_frame', started.id)) === answers.length)
    assert.deepEqual(await liveness.finish(caller, started.id, OCCASION), { passed: true, class: 'basic', reasons: [], attemptsLeft: 2 })
    assert.equal(await count('liveness_frame', started.id), 0)
    assert.ok(((await count('liveness_replay', started.id)) ?? 0) >= 4)
  })

  test(`${label}: without flashes and on a slow link the right person passes too`, async () => {
    for (const options of [
      { flashes: false, slowLink: false },
      { flashes: true, slowLink: true },
      { flashes: false, slowLink: true },
    ]) {
      const { drive, liveness, caller } = scene()
      const { started, last } = await driveCheck(drive(), options)
      assert.equal(last.state, 'complete')
      assert.equal((await liveness.finish(caller, started.id, OCCASION)).passed, true, JSON.stringify(options))
    }
  })

  test(`${label}: where daylight drowns the colours one turn more is asked, and then it passes`, async () => {
    const { drive, liveness, caller } = scene()
    const { started, answers, last } = await driveCheck(drive({ screenLight: 0 }))
    assert.equal(last.state, 'complete')
    const [first, final] = [answers[0], answers.at(-1)]
    assert.equal((final?.acknowledged ?? 0) - (first?.step?.total ?? 0), 3)
    assert.equal((await liveness.finish(caller, started.id, OCCASION)).passed, true)
  })

  test(`${label}: another person is refused, without a word about how near it was`, async () => {
    const { drive, liveness, caller } = scene()
    const { started } = await driveCheck(drive({ seed: 2 }))
    const outcome = await liveness.finish(caller, started.id, OCCASION)
    assert.deepEqual(outcome, { passed: false, class: 'basic', reasons: ['face/not-same-person'], attemptsLeft: 2 })
    const [row] = await db.query<{ verdict: { scores: object } }>('SELECT verdict FROM liveness_session WHERE id = $1', [started.id])
    assert.ok(Object.keys(row?.verdict.scores ?? {}).length > 10)
  })

  test(`${label}: a still photo gets no further than the first turn`, async () => {
    const { drive, liveness, caller } = scene()
    const { started, problem, last } = await driveCheck(drive({}, { yawFor: () => 0 }))
    assert.equal(problem?.kind.code, 'liveness/too-late')
    assert.ok(last.step && isTurn(last.step.kind))
    const outcome = await liveness.finish(caller, started.id, OCCASION)
    assert.deepEqual([outcome.passed, outcome.reasons.includes('face/not-live')], [false, true])
  })

  test(`${label}: one turn to the wrong side is pardoned with one turn more, the second ends the check`, async () => {
    const { drive, liveness, caller } = scene()
    const { started, last, answers } = await driveCheck(drive({}, { yawFor: (step) => -willingYaw(step) }))
    assert.equal(last.state, 'over')
    assert.ok(answers.some(({ hint }) => hint === 'face/other-side'))
    assert.equal(await code(liveness.finish(caller, started.id, OCCASION)), 'liveness/already-judged')
    assert.deepEqual((await liveness.result(caller, started.id)).reasons, ['face/other-side', 'face/not-live'])
    assert.equal(await count('liveness_frame', started.id), 0)
  })

  test(`${label}: two faces are told at once and never acknowledged`, async () => {
    const { drive, liveness, caller, photograph } = scene()
    const camera = createSimulatedCamera({ seed: 1 })
    const capture: Drive['capture'] = (view) => {
      const seen = camera(view)
      return photograph({ ...seen, faces: [...seen.faces, ...seen.faces] })
    }
    const { started, answers, problem } = await driveCheck(drive({}, { capture, everyMs: 1500 }))
    assert.deepEqual([answers[0]?.hint, answers.at(-1)?.acknowledged, problem?.kind.code], ['face/two-faces', 0, 'liveness/too-late'])
    assert.deepEqual((await liveness.finish(caller, started.id, OCCASION)).reasons, ['face/two-faces'])
  })

  test(`${label}: the frames of an earlier session are refused, signed anew or not`, async () => {
    const { drive, liveness, caller, photograph } = scene()
    const seen: FrameObservation[] = []
    const camera = createSimulatedCamera({ seed: 1, day: 5000 })
    const remembering: Drive['capture'] = (view) => {
      const observation = camera(view)
      seen.push(observation)
      return photograph(observation)
    }
    const first = await driveCheck(drive({}, { capture: remembering }))
    assert.equal((await liveness.finish(caller, first.started.id, OCCASION)).passed, true)
    const nearest = (view: { yaw?: number; colour?: unknown }) => {
      const yaw = (each: FrameObservation) => Math.abs((each.faces[0]?.pose.yawDegrees ?? 0) - (view.yaw ?? 0))
      const best = seen.toSorted((a, b) => yaw(a) - yaw(b))[0] as FrameObservation
      seen.splice(seen.indexOf(best), 1)
      return photograph(best)
    }
    const again = await driveCheck(drive({}, { capture: (view) => (seen.length > 0 ? nearest(view) : photograph(camera(view))) }))
    const outcome = again.last.state === 'complete' ? await liveness.finish(caller, again.started.id, OCCASION) : undefined
    assert.ok(!outcome?.passed)

    const other = await liveness.start(caller, { flashes: true, slowLink: false })
    await liveness.next(caller, other.id, -1)
    const jpeg = photograph(camera({}))
    const signature = signFrame(Buffer.from(first.started.nonce, 'hex'), 1, jpeg)
    assert.equal(
      await code(liveness.addFrame(caller, other.id, { step: 0, sequence: 1, capturedMs: 300, signature, jpeg })),
      'liveness/bad-signature',
    )
  })

  test(`${label}: of twenty finishes at the same time exactly one judges`, async () => {
    const { drive, liveness, caller } = scene()
    const { started } = await driveCheck(drive())
    let settled = 0
    const settle = async () => {
      settled += 1
    }
    const finish = () => code(liveness.finish(caller, started.id, OCCASION, settle))
    const codes = await Promise.all(Array.from({ length: 20 }, finish))
    assert.equal(codes.filter((each) => each === 'none').length, 1)
    assert.equal(codes.filter((each) => each === 'liveness/already-judged').length, 19)
    assert.equal(settled, 1)
    assert.equal((await liveness.result(caller, started.id)).passed, true)
  })

  test(`${label}: a verdict whose consequence fails is not recorded, and can be asked for again`, async () => {
    const { drive, liveness, caller } = scene()
    const { started } = await driveCheck(drive())
    await assert.rejects(
      liveness.finish(caller, started.id, OCCASION, () => Promise.reject(new Error('evidence store is down'))),
      /is down/,
    )
    assert.equal((await liveness.finish(caller, started.id, OCCASION)).passed, true)
  })

  test(`${label}: of twenty copies of one frame exactly one is looked at`, async () => {
    const { liveness, caller, clock, photograph, deps } = scene()
    const started = await liveness.start(caller, { flashes: true, slowLink: false })
    await liveness.next(caller, started.id, -1)
    clock.advance(600)
    const jpeg = photograph(createSimulatedCamera({ seed: 1 })({}))
    const upload = { step: 0, sequence: 1, capturedMs: 500, signature: signFrame(Buffer.from(started.nonce, 'hex'), 1, jpeg), jpeg }
    let looked = 0
    const observe: typeof deps.engine.observe = (bytes) => {
      looked += 1
      return deps.engine.observe(bytes)
    }
    const counting = createLiveness({ ...deps, engine: { ...deps.engine, observe } })
    const codes = await Promise.all(Array.from({ length: 20 }, () => code(counting.addFrame(caller, started.id, upload))))
    assert.deepEqual([looked, codes.filter((each) => each === 'none').length], [1, 1])
    assert.ok(
      codes.every((each) => ['none', 'liveness/bad-sequence', 'liveness/out-of-order'].includes(each)),
      codes.join(),
    )
  })

  test(`${label}: another account, browser or purpose does not find the session`, async () => {
    const { liveness, caller } = scene()
    const { id } = await liveness.start(caller, { flashes: true, slowLink: false })
    for (const stranger of [{ accountId: randomUUID() }, { bindingHash: 'other' }, { purpose: 'raise-level:2' }]) {
      const someone = { ...caller, ...stranger }
      assert.equal(await code(liveness.next(someone, id, -1)), 'liveness/not-found')
      assert.equal(await code(liveness.finish(someone, id, OCCASION)), 'liveness/not-found')
    }
    assert.equal(await code(liveness.next(caller, "x' OR 1=1 --", -1)), 'liveness/not-found')
  })

  test(`${label}: a new session ends the one before`, async () => {
    const { liveness, caller } = scene()
    const first = await liveness.start(caller, { flashes: true, slowLink: false })
    await liveness.start(caller, { flashes: true, slowLink: false })
    assert.equal((await liveness.next(caller, first.id, -1)).state, 'over')
    assert.equal(await code(liveness.finish(caller, first.id, OCCASION)), 'liveness/already-judged')
  })

  test(`${label}: no session without a reference image, and none beyond the throttle`, async () => {
    const none = scene({ findReference: async () => undefined })
    assert.equal(await code(none.liveness.start(none.caller, { flashes: true, slowLink: false })), 'liveness/no-reference')
    const busy = new Problem({ code: 'accounts/too-many-tries', status: 429, title: 'Wait' }, { retryAfterSeconds: 60 })
    const full = scene({ claimAttempt: () => Promise.reject(busy) })
    assert.equal(await code(full.liveness.start(full.caller, { flashes: true, slowLink: false })), 'accounts/too-many-tries')
  })

  test(`${label}: steps to come are never told`, async () => {
    const { liveness, caller } = scene()
    const started = await liveness.start(caller, { flashes: true, slowLink: false })
    const answer = await liveness.next(caller, started.id, -1)
    assert.deepEqual(Object.keys(answer.step ?? {}).sort(), ['colour', 'holdMs', 'index', 'kind', 'limitMs', 'total'])
    assert.equal(answer.step?.index, 0)
    assert.equal((await liveness.next(caller, started.id, 0, { milliseconds: 250 })).step?.index, 0)
  })

  test(`${label}: time is over after a minute, can be had once more, and is over after that`, async () => {
    const { liveness, caller, clock, drive } = scene()
    const started = await liveness.start(caller, { flashes: true, slowLink: false })
    await liveness.next(caller, started.id, -1)
    clock.advance(LIMITS.sessionMs + 5000)
    const extended = await liveness.extend(caller, started.id)
    assert.deepEqual([extended.state, extended.canExtend, extended.remainingMs], ['going', false, LIMITS.extensionMs])
    assert.equal(await code(liveness.extend(caller, started.id)), 'liveness/already-extended')
    const { last } = await driveSession(drive(), started)
    assert.equal(last.state, 'complete')
  })

  test(`${label}: a session judged long after its time is expired, not passed`, async () => {
    const { liveness, caller, clock, drive } = scene()
    const { started, last } = await driveCheck(drive())
    assert.equal(last.state, 'complete')
    clock.advance(LIMITS.sessionMs + LIMITS.graceMs)
    assert.equal((await liveness.finish(caller, started.id, OCCASION)).passed, false)
    const [row] = await db.query<{ state: string }>('SELECT state FROM liveness_session WHERE id = $1', [started.id])
    assert.equal(row?.state, 'expired')
  })

  test(`${label}: who cancels leaves no frames, and the sweep ends what was forgotten`, async () => {
    const { liveness, caller, clock, drive } = scene()
    const first = await driveCheck(drive({}, { yawFor: () => 0 }))
    await liveness.abandon(caller, first.started.id)
    assert.equal(await count('liveness_frame', first.started.id), 0)
    const second = await driveCheck(drive({}, { yawFor: () => 0 }))
    clock.advance(LIMITS.sessionMs + LIMITS.graceMs)
    await liveness.sweep()
    assert.equal(await count('liveness_frame', second.started.id), 0)
    assert.equal((await liveness.next(caller, second.started.id, -1)).state, 'over')
    clock.advance(91 * 86_400_000)
    await liveness.sweep()
    assert.equal(await code(liveness.next(caller, second.started.id, -1)), 'liveness/not-found')
  })

  test(`${label}: what is stored of a frame is sealed and holds no landmarks`, async () => {
    const { drive } = scene()
    const { started } = await driveCheck(drive({}, { yawFor: () => 0 }))
    const rows = await db.query<{ sequence: number; sealed: Buffer }>('SELECT sequence, sealed FROM liveness_frame WHERE session_id = $1', [
      started.id,
    ])
    assert.ok(rows.length > 3)
    for (const { sequence, sealed } of rows) {
      assert.ok(!sealed.toString('latin1').includes('descriptor'))
      const plain = JSON.parse(openWith(KEY, sealed, `liveness-frame/${started.id}/${sequence}`).toString()) as FrameObservation
      assert.deepEqual(plain.faces[0]?.landmarks, [])
    }
  })
}

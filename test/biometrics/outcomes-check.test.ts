/** Whole face checks, each counted once at its end, and nothing of the person in what is counted. */
import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { createLiveness, type Liveness, type LivenessCaller } from '../../src/biometrics/liveness/session.ts'
import type { FrameObservation } from '../../src/biometrics/observation.ts'
import { createOutcomes, type Outcomes } from '../../src/biometrics/outcomes/outcomes.ts'
import type { Database } from '../../src/platform/db.ts'
import { openWith, sealWith } from '../../src/platform/keyring.ts'
import { type FixedClock, fixedClock } from '../support/clock.ts'
import { openPgliteTestDatabase } from '../support/database.ts'
import { FAKE, tracesIn } from '../support/fake-citizen.ts'
import { driveCheck } from '../support/reactive-camera/browser-driver.ts'
import { createSimulatedCamera, faceOf, type Persona, SIMULATED_RULE } from '../support/reactive-camera/simulated-person.ts'

const OCCASION = { boundDevice: false, attended: false }
const KEY = randomBytes(32)
const [PERSON, ACCOUNT] = [randomUUID(), randomUUID()]

let db: Database
let clock: FixedClock
let liveness: Liveness
let outcomes: Outcomes
const pictures = new Map<string, FrameObservation>()
let day = 0

before(async () => {
  db = await openPgliteTestDatabase()
  clock = fixedClock('2026-11-22T15:00:00Z')
  outcomes = createOutcomes({ db, clock, audit: { record: async () => {} } })
  const now = clock.now()
  await db.execute('INSERT INTO person (id, cpf, name, social_name, birth_date, created_at) VALUES ($1, $2, $3, $4, $5::date, $6)', [
    PERSON,
    FAKE.cpf,
    FAKE.name,
    FAKE.socialName,
    FAKE.birthDateStored,
    now,
  ])
  await db.execute(`INSERT INTO account (id, person_id, status, created_at) VALUES ($1, $2, 'active', $3)`, [ACCOUNT, PERSON, now])
  await db.execute(
    `INSERT INTO stored_image (id, person_id, kind, source, method, trusted, content_type, width, height, captured_at, created_at)
     VALUES ($1, $2, 'face', 'test', 'camera', true, 'image/jpeg', 640, 480, $3, $3)`,
    [randomUUID(), PERSON, now],
  )
  liveness = createLiveness({
    db,
    clock,
    keyring: { seal: (plain, context) => sealWith(KEY, plain, context), open: (sealed, context) => openWith(KEY, sealed, context) },
    engine: {
      rule: SIMULATED_RULE,
      observe: async (jpeg) => pictures.get(Buffer.from(jpeg).toString('latin1')) ?? assert.fail('unknown picture'),
      noteEnd: outcomes.noteEnd,
    },
    people: {
      findReference: async () => ({ modelId: 'simulated', template: faceOf(1), inPerson: false }),
      claimAttempt: async () => {},
      attemptsLeft: async () => 2,
      subjectOf: async () => PERSON,
    },
  })
})
after(() => db.close())

/** A check on a day of its own: two simulated days alike would be a replay. */
function begin(persona: Partial<Persona> = {}) {
  day += 1
  const camera = createSimulatedCamera({ seed: 1, day, ...persona })
  const caller: LivenessCaller = { accountId: ACCOUNT, bindingHash: 'browser', purpose: `check:${day}` }
  const capture = (view: Parameters<typeof camera>[0]): Buffer => {
    const picture = tinyJpeg()
    pictures.set(picture.toString('latin1'), camera(view))
    return picture
  }
  return { caller, check: driveCheck({ liveness, clock, caller, capture }, { flashes: true, slowLink: false, device: 'phone-android' }) }
}

function tinyJpeg(): Buffer {
  const frame = [0xff, 0xc0, 0, 17, 8, 480 >> 8, 480 & 255, 640 >> 8, 640 & 255, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]
  const scan = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0]
  const body = Buffer.from(randomBytes(64).map((byte) => (byte === 0xff ? 1 : byte)))
  return Buffer.concat([Buffer.from([0xff, 0xd8, ...frame, ...scan]), body, Buffer.from([0xff, 0xd9])])
}

async function counts(): Promise<string[]> {
  const rows = await db.query<Record<string, unknown>>(
    'SELECT result, reason, device, age, liveness_class, sum(checks)::int AS checks FROM face_outcome GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2',
  )
  return rows.map((row) => Object.values(row).join(' '))
}

test('a refused, a passed and an abandoned check are three counts in the groups of their device and age', async () => {
  const other = begin({ seed: 2 })
  await liveness.finish(other.caller, (await other.check).started.id, OCCASION)
  const own = begin()
  const { started } = await own.check
  await assert.rejects(
    liveness.finish(own.caller, started.id, OCCASION, async () => {
      throw new Error('what the verdict raises could not be written')
    }),
  )
  assert.equal((await counts()).length, 1, 'a verdict that was not is not counted')
  assert.equal((await liveness.finish(own.caller, started.id, OCCASION)).passed, true)
  await assert.rejects(liveness.finish(own.caller, started.id, OCCASION))
  const left = begin()
  await liveness.abandon(left.caller, (await left.check).started.id)
  clock.advance(180_000)
  await outcomes.watch()
  assert.deepEqual(await counts(), [
    'given-up left-midway phone-android 60-74  1',
    'passed-after-refusal  phone-android 60-74 basic 1',
    'refused face/not-same-person phone-android 60-74  1',
  ])
})

test('nothing that is counted, alarmed or told holds a trace of the person', async () => {
  const rows = await Promise.all(
    ['face_outcome', 'face_outcome_mark', 'face_outcome_alarm'].map((table) => db.query(`SELECT * FROM ${table}`)),
  )
  const told = JSON.stringify([rows, await outcomes.report(90)])
  assert.deepEqual(tracesIn(told), [])
  for (const id of [PERSON, ACCOUNT]) assert.ok(!told.includes(id))
})

/** Counters and alarms over both databases, with real face checks at their end. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import type { AuditEvent } from '../../src/audit/index.ts'
import type { LivenessFrame, LivenessSession } from '../../src/biometrics/liveness/protocol.ts'
import type { LivenessVerdict } from '../../src/biometrics/liveness/verdict.ts'
import type { OutcomeAlarm } from '../../src/biometrics/outcomes/alarm.store.ts'
import { addDays, localDay } from '../../src/platform/clock.ts'
import { addOutcome, type Outcome } from '../../src/biometrics/outcomes/outcome.store.ts'
import { createOutcomes } from '../../src/biometrics/outcomes/outcomes.ts'
import { checksOf } from '../../src/biometrics/outcomes/tally.ts'
import type { Database } from '../../src/platform/db.ts'
import { fixedClock } from '../support/clock.ts'
import { testDatabases } from '../support/database.ts'

const ANDROID = 'phone-android'
const PASSED: LivenessVerdict = {
  passed: true,
  class: 'active',
  reasons: [],
  scores: {},
  modelId: 'standard-256-v1',
  k: 9,
  threshold: 0.5,
  point: 'fmr1e-4',
  padModel: 'minifasnet',
}
const REFUSED: LivenessVerdict = { ...PASSED, passed: false, class: 'basic', reasons: ['face/too-dark', 'face/not-same-person'] }
const NOT_ACQUIRED: LivenessVerdict = { ...REFUSED, reasons: ['face/none'], k: 0 }

function createScene(db: Database) {
  const clock = fixedClock('2026-11-22T15:00:00Z')
  const events: AuditEvent[] = []
  const told: OutcomeAlarm[][] = []
  const outcomes = createOutcomes({
    db,
    clock,
    audit: { record: async (_tx, event) => void events.push(event) },
    onOpened: async (_tx, alarms) => void told.push([...alarms]),
  })
  return { db, clock, events, told, outcomes }
}

/** Somebody with an account, and a face in the store unless said. */
async function addPerson(
  db: Database,
  { birthDate = '1985-03-12', hasFace = true } = {},
): Promise<{ personId: string; accountId: string }> {
  const [personId, accountId, now] = [randomUUID(), randomUUID(), new Date('2026-01-01T00:00:00Z')]
  const cpf = String(Math.floor(Math.random() * 1e11)).padStart(11, '0')
  await db.execute('INSERT INTO person (id, cpf, name, birth_date, created_at) VALUES ($1, $2, $3, $4::date, $5)', [
    personId,
    cpf,
    'Tereza Fictícia de Teste',
    birthDate,
    now,
  ])
  await db.execute(`INSERT INTO account (id, person_id, status, locale, created_at) VALUES ($1, $2, 'active', 'pt-BR', $3)`, [
    accountId,
    personId,
    now,
  ])
  if (hasFace) {
    await db.execute(
      `INSERT INTO stored_image (id, person_id, kind, source, method, trusted, content_type, width, height, captured_at, created_at)
       VALUES ($1, $2, 'face', 'test', 'camera', true, 'image/jpeg', 640, 480, $3, $3)`,
      [randomUUID(), personId, now],
    )
  }
  return { personId, accountId }
}

async function addSession(
  db: Database,
  accountId: string,
  end: { state: string; at: Date; verdict?: LivenessVerdict; frames?: number },
): Promise<LivenessSession> {
  const id = randomUUID()
  await db.execute(
    `INSERT INTO liveness_session (id, account_id, purpose, binding_hash, nonce, state, plan, frame_count, created_at, expires_at, consumed_at, verdict)
     VALUES ($1, $2, 'p', 'b', '', $3, $4::jsonb, $5, $6, $6, $6, $7::jsonb)`,
    [
      id,
      accountId,
      end.state,
      JSON.stringify({ options: { device: ANDROID } }),
      end.frames ?? 0,
      end.at,
      end.verdict ? JSON.stringify(end.verdict) : null,
    ],
  )
  // Only what the counters read.
  return {
    id,
    accountId,
    plan: { options: { flashes: true, slowLink: false, device: ANDROID }, frontalFrames: 10, steps: [] },
  } as unknown as LivenessSession
}

function frame(): LivenessFrame {
  const face = {
    box: { x: 0, y: 0, width: 200, height: 200 },
    score: 1,
    landmarks: [],
    skin: { red: 1, green: 1, blue: 1 },
    sharpness: 50,
    brightness: 50,
    unevenness: 0,
    pose: { yawDegrees: 0, pitchDegrees: 0, rollDegrees: 0 },
  }
  return {
    sequence: 1,
    step: 0,
    capturedMs: 0,
    arrivedAt: new Date(),
    observation: {
      modelId: 'x',
      width: 640,
      height: 480,
      faces: [face],
      background: { red: 1, green: 1, blue: 1 },
      perceptualHash: '',
      pixelDigest: '',
    },
  }
}

const KIND: Omit<Outcome, 'day' | 'result'> = {
  reason: '',
  device: ANDROID,
  light: 'even',
  age: '30-44',
  livenessClass: '',
  modelSet: 'standard-256-v1',
}

for (const { label, open } of testDatabases()) {
  const databases: Database[] = []
  after(() => Promise.all(databases.map((db) => db.close())))
  const scene = async () => {
    const db = await open()
    databases.push(db)
    return createScene(db)
  }

  test(`${label}: a verdict is one count in its own transaction, without a trace of the person`, async () => {
    const { db, clock, outcomes } = await scene()
    const person = await addPerson(db)
    const session = await addSession(db, person.accountId, { state: 'complete', at: clock.now() })
    const end = { session, subjectId: person.personId, frames: [frame()], verdict: REFUSED }
    const lost = await outcomes.noteEnd(end)
    await assert.rejects(
      db.transaction(async (tx) => {
        await lost(tx)
        throw new Error('the verdict was not')
      }),
    )
    assert.deepEqual(await db.query('SELECT * FROM face_outcome'), [], 'what is not decided is not counted')
    const note = await outcomes.noteEnd(end)
    await db.transaction(note)
    const rows = await db.query<Record<string, unknown>>('SELECT * FROM face_outcome')
    assert.equal(rows.length, 1)
    const { shard, ...row } = rows[0] ?? {}
    assert.deepEqual(row, {
      day: '2026-11-22',
      result: 'refused',
      reason: 'face/too-dark',
      device: ANDROID,
      light: 'dark',
      age: '30-44',
      liveness_class: '',
      model_set: 'standard-256-v1+pad',
      checks: 1,
    })
    assert.ok(Number(shard) >= 0 && Number(shard) < 8)
    const all = JSON.stringify(rows)
    for (const trace of [person.personId, person.accountId, session.id, 'Tereza', '1985']) assert.ok(!all.includes(trace), trace)
  })

  test(`${label}: passed, not acquired, and passed within an hour after a refusal are told apart; who has no face is not counted`, async () => {
    const { db, clock, outcomes } = await scene()
    const note = async (accountId: string, subjectId: string, verdict: LivenessVerdict) => {
      const session = await addSession(db, accountId, { state: 'complete', at: new Date(0) })
      await db.transaction(await outcomes.noteEnd({ session, subjectId, frames: [], verdict }))
      await db.execute('UPDATE liveness_session SET state = $2, consumed_at = $3, verdict = $4::jsonb WHERE id = $1', [
        session.id,
        verdict.passed ? 'passed' : 'refused',
        clock.now(),
        JSON.stringify(verdict),
      ])
      clock.advance(60_000)
    }
    const [ana, bia, stranger] = [
      await addPerson(db),
      await addPerson(db, { birthDate: '1940-01-01' }),
      await addPerson(db, { hasFace: false }),
    ]
    await note(ana.accountId, ana.personId, REFUSED)
    await note(ana.accountId, ana.personId, PASSED)
    await note(ana.accountId, ana.personId, PASSED)
    await note(bia.accountId, bia.personId, NOT_ACQUIRED)
    await note(bia.accountId, bia.personId, PASSED)
    await note(bia.accountId, bia.personId, REFUSED)
    clock.advance(3600_000)
    await note(bia.accountId, bia.personId, PASSED)
    await note(stranger.accountId, stranger.personId, REFUSED)
    await note(randomUUID(), randomUUID(), REFUSED)
    const counts = await db.query<{ result: string; age: string; n: number }>(
      'SELECT result, age, sum(checks)::int AS n FROM face_outcome GROUP BY 1, 2 ORDER BY 1, 2',
    )
    assert.deepEqual(
      counts.map(({ result, age, n }) => `${result} ${age} ${n}`),
      ['not-acquired 75+ 1', 'passed 30-44 1', 'passed 75+ 2', 'passed-after-refusal 30-44 1', 'refused 30-44 1', 'refused 75+ 1'],
    )
  })

  test(`${label}: what nobody finished is counted once, however often and by however many the job runs`, async () => {
    const { db, clock, outcomes } = await scene()
    const { accountId } = await addPerson(db)
    const stranger = await addPerson(db, { hasFace: false })
    const at = new Date(clock.now().getTime() - 600_000)
    for (let check = 0; check < 12; check += 1)
      await addSession(db, accountId, { state: check < 6 ? 'abandoned' : 'expired', at, frames: check % 3 })
    await addSession(db, accountId, { state: 'refused', at, verdict: REFUSED })
    await addSession(db, stranger.accountId, { state: 'expired', at })
    await Promise.all([outcomes.watch(), outcomes.watch()])
    await outcomes.watch()
    const report = await outcomes.report(7)
    assert.equal(report.total?.givenUp, 12)
    assert.equal(report.total && checksOf(report.total), 12)
    await addSession(db, accountId, { state: 'expired', at: new Date(clock.now().getTime() - 1000) })
    await outcomes.watch()
    assert.equal((await outcomes.report(7)).total?.givenUp, 12, 'too fresh: others may still commit before it')
    clock.advance(180_000)
    await outcomes.watch()
    assert.equal((await outcomes.report(7)).total?.givenUp, 13)
  })

  test(`${label}: many writers of one kind lose nothing, and their rows become one when the day is over`, async () => {
    const { db, clock, outcomes } = await scene()
    const { accountId, personId } = await addPerson(db)
    const session = await addSession(db, accountId, { state: 'complete', at: clock.now() })
    await Promise.all(
      Array.from({ length: 40 }, async () =>
        db.transaction(await outcomes.noteEnd({ session, subjectId: personId, frames: [], verdict: PASSED })),
      ),
    )
    assert.equal((await outcomes.report(7)).total?.passed, 40)
    clock.advance(3 * 86_400_000)
    await outcomes.watch()
    assert.deepEqual(await db.query('SELECT shard, checks FROM face_outcome'), [{ shard: 0, checks: 40 }])
  })

  test(`${label}: a report hides groups, reasons and days of fewer than ten`, async () => {
    const { db, clock, outcomes } = await scene()
    const today = localDay(clock.now())
    const add = (checks: number, change: Partial<Outcome>) =>
      addOutcome(db, { ...KIND, day: today, result: 'passed', ...change }, 0, checks)
    await add(9, {})
    assert.equal((await outcomes.report(7)).total, undefined)
    assert.deepEqual((await outcomes.report(7)).groups.device, [])
    await add(100, { device: 'phone-ios' })
    await add(3, { device: 'tablet-ios', result: 'refused', reason: 'face/too-dark' })
    await add(20, { device: 'phone-ios', result: 'refused', reason: 'face/not-live', day: addDays(today, -1) })
    await add(4, { device: 'phone-ios', result: 'refused', reason: 'face/none', day: addDays(today, -40) })
    const week = await outcomes.report(7)
    assert.deepEqual(
      week.groups.device.map(({ name, tally }) => [name, checksOf(tally)]),
      [
        ['phone-ios', 120],
        ['few', 12],
      ],
    )
    assert.deepEqual(week.reasons, [{ name: 'few', checks: 23 }])
    assert.deepEqual([week.trend.length, week.trend[0]?.day, week.trend[6]?.day], [7, '2026-11-16', '2026-11-22'])
    assert.equal(week.trend[5]?.tally?.refused, 20)
    const quarter = await outcomes.report(90)
    assert.ok(quarter.trend.every(({ tally }) => tally === undefined || checksOf(tally) >= 10))
    assert.equal(
      quarter.trend.filter(({ tally }) => tally !== undefined).length,
      1,
      'the four of another month hide with the next larger day',
    )
  })

  test(`${label}: an alarm opens once, is audited and told once, and closes when the group is back`, async () => {
    const { db, clock, events, told, outcomes } = await scene()
    const fill = async (day: string, refusedOf100: number) => {
      for (const device of [ANDROID, 'phone-ios', 'desktop-windows'] as const) {
        const refused = device === ANDROID ? refusedOf100 : 8
        await addOutcome(db, { ...KIND, device, day, result: 'passed' }, 0, 100 - refused)
        await addOutcome(db, { ...KIND, device, day, result: 'refused', reason: 'face/not-live' }, 0, refused)
      }
    }
    const today = localDay(clock.now())
    for (let back = 31; back > 0; back -= 1) await fill(addDays(today, -back), 8)
    assert.deepEqual(await outcomes.watch(), { opened: [], closed: [] }, 'a steady month rings nothing')
    const step = async (refusedOf100: number) => {
      clock.advance(86_400_000)
      await fill(localDay(clock.now()), refusedOf100)
      return outcomes.watch()
    }
    const rung = [await step(30), await step(30), await step(30), await step(30)].flatMap(({ opened }) => opened)
    const drift = rung.filter(({ rule }) => rule === 'drift')
    assert.ok(
      drift.some(({ dimension, group, direction }) => direction === 'above' && (dimension === 'all' || group === ANDROID)),
      JSON.stringify(rung),
    )
    assert.equal(
      new Set(rung.map(({ rule, measure, dimension, group }) => [rule, measure, dimension, group].join())).size,
      rung.length,
      'each once',
    )
    assert.ok(told.length >= 1 && told.length <= 4, 'a notice for a run, not for an alarm')
    assert.equal(events.filter(({ type }) => type === 'biometrics/alarm-opened').length, rung.length)
    const report = await outcomes.report(28)
    assert.equal(report.alarms.filter(({ closedAt }) => closedAt === undefined).length, rung.length)
    const ended: OutcomeAlarm[] = []
    for (let day = 0; day < 40 && ended.length < rung.length; day += 1) ended.push(...(await step(8)).closed)
    assert.deepEqual(new Set(ended.map(({ id }) => id)), new Set(rung.map(({ id }) => id)), 'all of them closed')
    assert.equal(events.filter(({ type }) => type === 'biometrics/alarm-closed').length, rung.length)
  })
}

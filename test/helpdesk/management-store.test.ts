/** What managers see, counted on both databases; and surveys that are answered once. */
import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { AccountId } from '../../src/accounts/index.ts'
import { createManagement } from '../../src/helpdesk/management/report.ts'
import { createQueue } from '../../src/helpdesk/queue/queue.ts'
import { SATISFACTION_PROBLEMS } from '../../src/helpdesk/satisfaction/problems.ts'
import { createSurveys, type Surveys } from '../../src/helpdesk/satisfaction/surveys.ts'
import type { Database } from '../../src/platform/db.ts'
import { isProblem } from '../../src/platform/problem.ts'
import { type FixedClock, fixedClock } from '../support/clock.ts'
import { testDatabases } from '../support/database.ts'
import { addAccount, addUnit } from './support/people.ts'

const NOON = '2026-11-23T16:00:00Z'
const MINUTE_MS = 60_000
const used = (error: unknown) => isProblem(error, SATISFACTION_PROBLEMS.linkUsed)
const keyring = {
  hash: (value: string | Uint8Array, purpose: string) => createHash('sha256').update(purpose).update(value).digest(),
  seal: (plain: Uint8Array | string, context: string) => Buffer.from(`${context}|${plain}`),
  open: (sealed: Uint8Array, context: string) => Buffer.from(Buffer.from(sealed).toString().slice(context.length + 1)),
}

interface Case {
  readonly unitId: string
  readonly by: AccountId
  readonly at?: Date
  readonly seconds?: number
  readonly person?: string
  readonly decided?: { readonly by: AccountId; readonly state: 'approved' | 'refused'; readonly decision?: string }
}

async function addPerson(db: Database): Promise<string> {
  const [row] = await db.query<{ person_id: string }>('SELECT person_id FROM account WHERE id = $1', [await addAccount(db)])
  return row?.person_id ?? assert.fail()
}

/** A case as the counter leaves it: opened, one picture, decided. */
async function addCase(db: Database, { unitId, by, at = new Date(NOON), seconds = 600, person, decided }: Case): Promise<string> {
  const id = randomUUID()
  const personId = person ?? (await addPerson(db))
  await db.execute(
    `INSERT INTO attendance (id, protocol, unit_id, person_id, reason, state, holder_id, holder_role, sealed, opened_at, changed_at, expires_at, decided_by,
       decided_at, decision) VALUES ($1, $10, $2, $3, 'enrolment', $4, $5, 'attendant', '\\x00', $6, $6, $6, $7, $8, $9)`,
    [id, unitId, personId, decided?.state ?? 'abandoned', by, at, decided?.by ?? null, decided ? new Date(at.getTime() + 3_600_000) : null, decided?.decision ?? null, id],
  )
  await db.execute(`INSERT INTO attendance_hand (attendance_id, account_id, role, at) VALUES ($1, $2, 'attendant', $3)`, [id, by, at])
  await db.execute(
    `INSERT INTO attendance_item (id, attendance_id, kind, content_type, width, height, quality, captured_by, captured_at)
     VALUES ($1, $2, 'face', 'image/jpeg', 1, 1, 80, $3, $4)`,
    [randomUUID(), id, by, new Date(at.getTime() + seconds * 1000)],
  )
  return id
}

for (const { label, open } of testDatabases()) {
  describe(`the counter's figures on ${label}`, () => {
    let db: Database
    let clock: FixedClock
    let surveys: Surveys
    let told: string[]

    before(async () => {
      db = await open()
      clock = fixedClock(NOON)
      told = []
      surveys = createSurveys({
        platform: { db, clock, keyring }, publicUrl: 'https://login.example', findAccount: async () => undefined,
        tell: async (_tx, { id }, notice) => (told.push(`${notice} ${id}`), true),
      })
    })
    after(() => db.close())

    const management = () => createManagement({ db, clock, surveys, findAccount: async () => undefined })
    const queue = () => createQueue({ db, clock, keyring, audit: { record: async () => {} } })

    test("a unit's report counts its own cases, waits and decisions, and nobody else's", async () => {
      const [unitId, elsewhere] = [await addUnit(db), await addUnit(db)]
      const [clerk, boss] = [await addAccount(db), await addAccount(db)]
      await addCase(db, { unitId, by: clerk, decided: { by: boss, state: 'approved' } })
      await addCase(db, { unitId, by: clerk, decided: { by: boss, state: 'refused', decision: 'bad-picture' } })
      await addCase(db, { unitId, by: clerk, at: new Date('2026-11-22T03:30:00Z') })
      await addCase(db, { unitId: elsewhere, by: clerk })
      await addCase(db, { unitId, by: clerk, at: new Date('2026-10-01T12:00:00Z') })

      const line = queue()
      const { id } = await line.issue({ unitId, kind: 'account', class: 'ordinary' }, 'desk', { kind: 'system' })
      clock.advance(4 * MINUTE_MS)
      await line.callNext({ unitId, attendantId: clerk, desk: 1 })
      await line.goOn({ unitId, attendantId: clerk }, id, 'no-show')

      const report = await management().ofUnit(unitId, 7)
      assert.equal(report.attendances.length, 7)
      // Half past three in the night at Greenwich is the evening before in Mato Grosso.
      assert.deepEqual(report.attendances.filter(({ count }) => count > 0), [{ day: '2026-11-21', count: 1 }, { day: '2026-11-23', count: 2 }])
      assert.deepEqual(report.refusals, [{ name: 'bad-picture', count: 1 }])
      assert.deepEqual(report.waits.map(({ called, missed, median }) => [called, missed, median]), [[1, 1, 240]])
      assert.deepEqual(report.staff?.approvers.map(({ supervisorId, approved, refused }) => [supervisorId, approved, refused]), [[boss, 1, 1]])
      assert.deepEqual(report.points.map(({ stored, quality }) => [stored, quality]), [[3, 80]])
      const all = await management().ofAll(7)
      assert.equal(all.staff, undefined)
      assert.ok(all.attendances.reduce((sum, { count }) => sum + count, 0) >= 4)
    })

    test('tallies of an attendant: quick, at odd hours, the same person again, looks in vain', async () => {
      const unitId = await addUnit(db)
      const [clerk, citizen] = [await addAccount(db), await addAccount(db)]
      const person = await addPerson(db)
      for (let index = 0; index < 3; index += 1) await addCase(db, { unitId, by: clerk, person, seconds: 60 })
      await addCase(db, { unitId, by: clerk, at: new Date('2026-11-23T06:00:00Z') })
      await db.execute(
        `INSERT INTO helpdesk_support_case (id, unit_id, attendant_id, account_id, reason, sealed, opened_at, expires_at) VALUES ($1, $2, $3, $4, 'call', '\\x00', $5, $5)`,
        [randomUUID(), unitId, clerk, citizen, clock.now()],
      )
      const [tally] = (await management().ofUnit(unitId, 7)).staff?.attendants ?? []
      assert.ok(tally)
      const { attendances, quick, oddHours, repeatedPeople, looks, idleLooks } = tally
      assert.deepEqual([attendances, quick, oddHours, repeatedPeople, looks, idleLooks], [4, 3, 1, 1, 1, 1])
      assert.deepEqual((await management().ofUnit(unitId, 7)).staff?.questions.map(({ rule }) => rule), ['repeated'])
    })

    test('a link takes one answer, in parallel too, and none after two weeks', async () => {
      const unitId = await addUnit(db)
      const ask = async () => surveys.askAboutTicket(await queue().issue({ unitId, kind: 'account', class: 'ordinary' }, 'desk', { kind: 'system' }))
      const secret = (await ask()) ?? assert.fail()
      assert.match(secret, /^[\w-]{43}$/)
      assert.equal(surveys.linkOf(secret), `https://login.example/avaliacao/${secret}`)
      const results = await Promise.allSettled([1, 5].map((score) => surveys.answer(secret, { score, sentence: undefined })))
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
      await assert.rejects(surveys.answer(secret, { score: 5, sentence: undefined }), used)
      await assert.rejects(surveys.open(secret), used)
      await assert.rejects(surveys.open('x'.repeat(43)), used)
      const late = (await ask()) ?? assert.fail()
      clock.advance(15 * 86_400_000)
      await assert.rejects(surveys.answer(late, { score: 5, sentence: undefined }), used)
      clock.set(new Date(NOON))
    })

    test('a ticket is asked about once', async () => {
      const unitId = await addUnit(db)
      const ticket = await queue().issue({ unitId, kind: 'account', class: 'ordinary' }, 'desk', { kind: 'system' })
      assert.ok(await surveys.askAboutTicket(ticket))
      assert.equal(await surveys.askAboutTicket(ticket), undefined)
    })

    test('fewer than five answers show nothing; then scores and sentences, without an order that tells whose', async () => {
      const unitId = await addUnit(db)
      const days = { from: '2026-11-20', to: '2026-11-25' }
      const answer = async (score: number, sentence?: string) => {
        const ticket = await queue().issue({ unitId, kind: 'account', class: 'ordinary' }, 'desk', { kind: 'system' })
        await surveys.answer((await surveys.askAboutTicket(ticket)) ?? '', { score, sentence })
      }
      for (const score of [5, 4, 5, 2]) await answer(score, score === 2 ? 'Demorou' : undefined)
      assert.deepEqual(await surveys.result(unitId, days), { kind: 'few' })
      assert.deepEqual(await surveys.sentences(unitId, days), [])
      await answer(4, 'Gostei')
      assert.deepEqual(await surveys.result(unitId, days), {
        kind: 'shown', answers: 5, mean: 4, scores: [{ score: 2, count: 1 }, { score: 4, count: 2 }, { score: 5, count: 2 }],
      })
      assert.deepEqual(await surveys.sentences(unitId, days), [{ score: 2, text: 'Demorou' }, { score: 4, text: 'Gostei' }])
    })

    test('decided cases are asked about once by message, abandoned ones not', async () => {
      const [unitId, clerk, boss, citizen] = [await addUnit(db), await addAccount(db), await addAccount(db), await addAccount(db)]
      const [{ person_id: person } = { person_id: '' }] = await db.query<{ person_id: string }>('SELECT person_id FROM account WHERE id = $1', [citizen])
      await addCase(db, { unitId, by: clerk, person, decided: { by: boss, state: 'approved' } })
      await addCase(db, { unitId, by: clerk })
      const asking = createSurveys({
        platform: { db, clock, keyring }, publicUrl: 'https://login.example',
        // Only what the notice needs of an account.
        findAccount: async (id) => (id === citizen ? Object.assign(Object.create(null), { id, status: 'active' }) : undefined),
        tell: async (_tx, { id }, notice) => (told.push(`${notice} ${id}`), true),
      })
      assert.ok((await asking.askAboutAttendances()) >= 1)
      assert.equal(await asking.askAboutAttendances(), 0)
      assert.deepEqual(told.filter((line) => line.endsWith(citizen)), [`satisfaction.asked ${citizen}`])
    })
  })
}

/** Cases, their hands and their suspicions on both databases: one at a time, one winner, and nobody decides on their own work whoever writes. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { type AccountId, type Cpf, parseBirthDate, parsePersonId, type PersonId } from '../../src/accounts/index.ts'
import { decideReview, hasJudged, insertReview, isCleared, listPendingReviews } from '../../src/helpdesk/approval/review.store.ts'
import {
  countHeld, ensurePerson, findAttendance, hadPart, insertAttendance, insertHand, listAttendances, listOverdue, moveAttendance, moveHolder,
} from '../../src/helpdesk/attendance/attendance.store.ts'
import { ATTENDANCE_STATES, LIVE_STATES } from '../../src/helpdesk/attendance/attendance.ts'
import { BINDABLE, DRAFTS, LIVE } from '../../src/helpdesk/attendance/states.store.ts'
import { insertSample, isInvolvedIn, judgeSample, listWaiting } from '../../src/helpdesk/sampling/sample.store.ts'
import { countWork } from '../../src/helpdesk/work/work.store.ts'
import type { Database } from '../../src/platform/db.ts'
import type { Keyring } from '../../src/platform/keyring.ts'
import { cpfOfNobody } from '../support/citizen-journey.ts'
import { testDatabases } from '../support/database.ts'
import { addAccount, addUnit } from './support/people.ts'

const NOW = new Date('2026-11-23T12:00:00Z')
const BORN = parseBirthDate('1990-01-01', NOW) ?? assert.fail()
const DAY_MS = 86_400_000
const daysAgo = (days: number) => new Date(NOW.getTime() - days * DAY_MS)
/** Seals nothing: what is sealed is tested elsewhere. */
const keyring = { seal: (plain: Uint8Array | string) => Buffer.from(plain), open: (sealed: Uint8Array) => Buffer.from(sealed) } as unknown as Keyring
let people = 900

for (const { label, open } of testDatabases()) {
  describe(`cases on ${label}`, () => {
    let db: Database
    let unitId: string
    let holder: AccountId

    before(async () => {
      db = await open()
      unitId = await addUnit(db)
    })
    after(() => db.close())

    const personOf = async (id: AccountId): Promise<PersonId> =>
      parsePersonId((await db.query<{ person_id: string }>('SELECT person_id FROM account WHERE id = $1', [id]))[0]?.person_id ?? '') ?? assert.fail()
    const recordOf = (cpf: string) => ({ cpf: cpf as Cpf, name: 'Inventada de Teste', socialName: undefined, birthDate: BORN })

    async function addCase(personId?: PersonId): Promise<{ id: string; personId: PersonId }> {
      holder = await addAccount(db)
      const record = recordOf(cpfOfNobody(++people))
      const of = personId ?? (await ensurePerson(db, record, NOW))
      const id = await insertAttendance(db, keyring, {
        protocol: randomUUID(), unitId, personId: of, reason: 'enrolment', holder: { id: holder, role: 'attendant' }, facts: { ...record, situation: 'regular' }, now: NOW, expiresAt: NOW,
      })
      await insertHand(db, id, { id: holder, role: 'attendant' }, NOW)
      return { id, personId: of }
    }
    const send = async (id: string) => {
      await moveAttendance(db, { id, from: 'open', to: 'captured', now: NOW })
      await moveAttendance(db, { id, from: 'captured', to: 'awaiting-approval', now: NOW })
    }
    const approve = (id: string, by: AccountId) => moveAttendance(db, { id, from: 'awaiting-approval', to: 'approved', now: NOW, decided: { by, decision: 'approved' } })
    const suspect = (attendanceId: string, otherPersonId: string) => insertReview(db, { attendanceId, kind: 'another-person', otherPersonId, otherImageId: randomUUID(), distance: 0.4 }, NOW)

    test('what the table of states calls live is what one case at a time is held to, in the database too', async () => {
      assert.deepEqual([DRAFTS, LIVE, BINDABLE], ["('open', 'captured')", "('open', 'captured', 'awaiting-approval')", "('open', 'captured', 'awaiting-approval', 'approved')"])
      const [index] = await db.query<{ indexdef: string }>("SELECT indexdef FROM pg_indexes WHERE indexname = 'attendance_one_open'")
      const [, held = ''] = /WHERE (.+)$/.exec(index?.indexdef ?? '') ?? []
      assert.deepEqual(ATTENDANCE_STATES.filter((state) => held.includes(`'${state}'`)), LIVE_STATES)
    })

    test('a person who comes to several desks at once is one row, and has one case', async () => {
      const cpf = cpfOfNobody(++people)
      const ids = await Promise.all([1, 2, 3].map(() => db.transaction((tx) => ensurePerson(tx, recordOf(cpf), NOW))))
      assert.equal(new Set(ids).size, 1)
      const opened = await Promise.allSettled(ids.map((id) => addCase(id)))
      assert.equal(opened.filter(({ status }) => status === 'fulfilled').length, 1)
    })

    test('of two who move a case, or take it over, one wins', async () => {
      const { id } = await addCase()
      const [one, other] = [await addAccount(db), await addAccount(db)]
      assert.deepEqual((await Promise.all([one, other].map((to) => moveHolder(db, id, holder, { id: to, role: 'attendant' }, NOW)))).sort(), [false, true])
      const steps = ['captured', 'abandoned'] as const
      assert.deepEqual((await Promise.all(steps.map((to) => moveAttendance(db, { id, from: 'open', to, now: NOW })))).sort(), [false, true])
      assert.equal(await moveAttendance(db, { id, from: 'open', to: 'captured', now: NOW }), false)
    })

    test('what is over stays so; hands stay on record; drafts are counted and found when their time is over', async () => {
      const { id } = await addCase()
      assert.equal(await countHeld(db, holder), 1)
      assert.ok((await listOverdue(db, NOW)).some((one) => one.id === id))
      await moveAttendance(db, { id, from: 'open', to: 'expired', now: NOW })
      assert.equal(await countHeld(db, holder), 0)
      assert.ok(!(await listOverdue(db, NOW)).some((one) => one.id === id))
      assert.equal((await findAttendance(db, keyring, id))?.state, 'expired')
      assert.ok((await listAttendances(db, keyring, unitId, ['expired'])).some((one) => one.id === id))
      await assert.rejects(moveAttendance(db, { id, from: 'expired', to: 'open', now: NOW }), /stays as it is/)
      await assert.rejects(db.execute('DELETE FROM attendance_hand WHERE attendance_id = $1', [id]), /stays on record/)
    })

    test('nobody who held, touched or captured a case, and not its citizen, approves it; a stranger does', async () => {
      const citizen = await addAccount(db)
      const { id } = await addCase(await personOf(citizen))
      const [helper, photographer, stranger] = [await addAccount(db), await addAccount(db), await addAccount(db)]
      await insertHand(db, id, { id: helper, role: 'attendant' }, NOW)
      await db.execute(
        `INSERT INTO attendance_item (id, attendance_id, kind, content_type, width, height, captured_by, captured_at) VALUES ($1, $2, 'signature', 'image/png', 1, 1, $3, $4)`,
        [randomUUID(), id, photographer, NOW],
      )
      await send(id)
      for (const by of [holder, helper, photographer, citizen]) await assert.rejects(approve(id, by), /had no hand/)
      assert.deepEqual([await hadPart(db, id, helper), await hadPart(db, id, stranger)], [true, false])
      assert.equal(await approve(id, stranger), true)
    })

    test('support counts for thirty days before the case, whatever else the person is', async () => {
      const citizen = await addAccount(db)
      const { id } = await addCase(await personOf(citizen))
      const [late, early] = [await addAccount(db), await addAccount(db)]
      for (const [by, days] of [[late, 29], [early, 31]] as const) {
        await db.execute(
          `INSERT INTO helpdesk_support_case (id, unit_id, attendant_id, account_id, reason, sealed, opened_at, expires_at) VALUES ($1, $2, $3, $4, 'call', '\\x00', $5, $5)`,
          [randomUUID(), unitId, by, citizen, daysAgo(days)],
        )
      }
      await send(id)
      assert.deepEqual([await hadPart(db, id, late), await hadPart(db, id, early)], [true, false])
      await assert.rejects(approve(id, late), /had no hand/)
      assert.equal(await approve(id, early), true)
    })

    test('a suspicion is decided once, by a stranger to the case, and who decided it approves neither side for a year', async () => {
      const citizen = await addAccount(db)
      const personId = await personOf(citizen)
      const [judge, other] = [await addAccount(db), await addAccount(db)]
      const waiting = (id: AccountId) => countWork(db, { id, unitId }, { day: '2026-01-01', claimedSince: NOW })
      const { id: earlier, personId: lookalike } = await addCase()
      const before = (await waiting(judge)).fraud
      const review = await suspect(earlier, personId)
      assert.deepEqual([(await waiting(judge)).fraud, (await waiting(holder)).fraud], [before + 1, before])
      assert.ok((await listPendingReviews(db, unitId)).some((one) => one.id === review))
      const decided = (by: AccountId) => decideReview(db, review, { state: 'dismissed', reason: 'lookalike', by, at: daysAgo(-1) })
      await assert.rejects(decided(holder), /decided by somebody/)
      assert.deepEqual((await Promise.all([decided(judge), decided(judge)])).sort(), [false, true])
      assert.ok(await isCleared(db, { attendanceId: earlier, otherPersonId: personId, since: daysAgo(1) }))
      await moveAttendance(db, { id: earlier, from: 'open', to: 'abandoned', now: NOW })
      for (const side of [personId, lookalike]) {
        const { id } = await addCase(side)
        await send(id)
        assert.deepEqual([await hasJudged(db, id, judge), await hasJudged(db, id, other)], [true, false])
        assert.ok((await waiting(judge)).approvals < (await waiting(other)).approvals, 'nor are they told that it waits for them')
        await assert.rejects(approve(id, judge), /had no hand/)
        await db.execute('UPDATE attendance SET opened_at = $2 WHERE id = $1', [id, daysAgo(-367)])
        assert.equal(await approve(id, judge), true, 'a year later')
      }
    })

    test('who judged a person in another case, or doubted another approval of theirs, neither looks at an approval of that person again nor decides a doubt of it', async () => {
      const [judge, doubter, stranger, fourth] = [await addAccount(db), await addAccount(db), await addAccount(db), await addAccount(db)]
      const citizen = await addAccount(db)
      const personId = await personOf(citizen)
      const { id: elsewhere } = await addCase()
      const suspicion = await suspect(elsewhere, personId)
      await decideReview(db, suspicion, { state: 'dismissed', reason: 'lookalike', by: judge, at: NOW })
      const drawn = async () => {
        const { id } = await addCase(personId)
        await send(id)
        await approve(id, await addAccount(db))
        await insertSample(db, keyring, { attendanceId: id, share: 100, seen: { differences: [] }, at: NOW })
        return id
      }
      const listed = async (id: string, staff: AccountId) => (await listWaiting(db, { unitId, staff })).some(({ attendanceId }) => attendanceId === id)
      const waiting = (id: AccountId) => countWork(db, { id, unitId }, { day: '2026-01-01', claimedSince: NOW })

      const first = await drawn()
      assert.deepEqual([await listed(first, judge), await listed(first, doubter)], [false, true])
      assert.deepEqual([await isInvolvedIn(db, first, judge), await isInvolvedIn(db, first, doubter)], [true, false])
      assert.ok((await waiting(judge)).samples < (await waiting(doubter)).samples, 'nor are they told that it waits for them')
      await assert.rejects(judgeSample(db, first, { by: judge, at: NOW }), /had no hand/)
      assert.equal(await judgeSample(db, first, { by: doubter, at: NOW, doubt: 'other' }), true)
      const doubt = await insertReview(db, { attendanceId: first, kind: 'second-look', otherPersonId: personId, otherImageId: randomUUID(), distance: 0 }, NOW)
      const settle = (by: AccountId) => decideReview(db, doubt, { state: 'dismissed', reason: 'bad-image', by, at: NOW })
      await assert.rejects(settle(judge), /no part in it/)
      assert.equal(await settle(fourth), true)

      const second = await drawn()
      for (const by of [judge, doubter, fourth]) {
        assert.equal(await listed(second, by), false)
        await assert.rejects(judgeSample(db, second, { by, at: NOW }), /had no hand/)
      }
      await db.execute('UPDATE attendance SET opened_at = $2 WHERE id = $1', [second, daysAgo(-367)])
      assert.deepEqual([await listed(second, judge), await listed(second, doubter), await listed(second, stranger)], [true, true, true], 'a year later')
      assert.equal(await judgeSample(db, second, { by: judge, at: NOW }), true)
    })
  })
}

/** Hours booked from home: what is offered, who gets the last place, and what becomes of it. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import type { AccountId } from '../../src/accounts/index.ts'
import { type Appointments, createAppointments } from '../../src/helpdesk/appointments/appointments.ts'
import { bookableDays, findSlot, formatMinutes, parseMinutes, slotsOf } from '../../src/helpdesk/appointments/slots.ts'
import { localDay, localMinutes, momentOf } from '../../src/platform/clock.ts'
import { createQueue, type Queue } from '../../src/helpdesk/queue/queue.ts'
import { labelOf } from '../../src/helpdesk/queue/ticket.ts'
import type { Database } from '../../src/platform/db.ts'
import { Problem } from '../../src/platform/problem.ts'
import { type FixedClock, fixedClock } from '../support/clock.ts'
import { testDatabases } from '../support/database.ts'
import { addAccount, addUnit } from './support/people.ts'

/** A Monday, 8 o'clock in Cuiabá. */
const MONDAY = '2026-11-23T12:00:00Z'
const DAY_MS = 86_400_000
const HOURS = { weekday: 2, opens: 8 * 60, closes: 10 * 60 + 20, slotMinutes: 30, capacity: 2 }
const TUESDAY = '2026-11-24'
const NINE = momentOf(TUESDAY, 9 * 60)
const refusedAs = (code: string) => (error: unknown) => error instanceof Problem && error.code === code

describe('hours', () => {
  test('are those of the local day, and none ends after closing', () => {
    assert.deepEqual(slotsOf([HOURS], TUESDAY).map(({ startsAt }) => startsAt.toISOString()), [
      '2026-11-24T12:00:00.000Z', '2026-11-24T12:30:00.000Z', '2026-11-24T13:00:00.000Z', '2026-11-24T13:30:00.000Z',
    ])
    assert.deepEqual(slotsOf([HOURS], '2026-11-25'), [])
  })

  test('are given for thirty days, an hour ahead at the latest, and not on closed days', () => {
    const now = new Date(MONDAY)
    assert.deepEqual(bookableDays([HOURS], new Set(['2026-12-01']), now), [TUESDAY, '2026-12-08', '2026-12-15', '2026-12-22'])
    assert.ok(findSlot([HOURS], new Set(), NINE, now))
    assert.equal(findSlot([HOURS], new Set([TUESDAY]), NINE, now), undefined)
    assert.equal(findSlot([HOURS], new Set(), new Date(NINE.getTime() + 60_000), now), undefined)
    assert.equal(findSlot([HOURS], new Set(), NINE, new Date(NINE.getTime() - 59 * 60_000)), undefined)
    assert.equal(findSlot([HOURS], new Set(), momentOf('2026-12-29', 9 * 60), now), undefined)
  })

  test('a moment and its local day and minutes say the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 364 }), fc.integer({ min: 0, max: 1439 }), (ahead, minutes) => {
        const day = localDay(new Date(Date.parse('2026-01-01T12:00:00Z') + ahead * DAY_MS))
        const at = momentOf(day, minutes)
        assert.deepEqual([localDay(at), localMinutes(at)], [day, minutes])
        assert.equal(parseMinutes(formatMinutes(minutes)), minutes)
      }),
      { seed: 7, numRuns: 200 },
    )
    for (const wrong of ['', '8', '25:00', '08:60', '8h30', '-1:00']) assert.equal(parseMinutes(wrong), undefined, wrong)
  })
})

for (const { label, open } of testDatabases()) {
  describe(`appointments on ${label}`, () => {
    let db: Database
    let clock: FixedClock
    let queue: Queue
    let appointments: Appointments
    let told: string[]
    let subjects: (string | undefined)[]
    let unitId: string
    let clerk: AccountId

    before(async () => {
      db = await open()
      clock = fixedClock(MONDAY)
      told = []
      subjects = []
      const audit = { record: async (_tx: unknown, { type, subject }: { type: string; subject?: string | undefined }) => void subjects.push(subject && `${type} ${subject}`) }
      queue = createQueue({ db, clock, audit, keyring: { hash: () => Buffer.alloc(32) } })
      appointments = createAppointments({
        db, clock, audit, queue,
        prepareNotice: async ({ accountId }, notice) => async () => void told.push(`${notice} ${accountId}`),
      })
      clerk = await addAccount(db)
    })
    after(() => db.close())

    async function fresh(): Promise<void> {
      clock.set(new Date(MONDAY))
      unitId = await addUnit(db)
      await appointments.changeHours(unitId, { weekday: HOURS.weekday, opening: HOURS }, clerk)
      told.length = 0
      subjects.length = 0
    }
    const wish = () => ({ unitId, kind: 'enrolment', startsAt: NINE }) as const

    test('of five who want the last two places at once exactly two get one', async () => {
      await fresh()
      const people = await Promise.all(Array.from({ length: 5 }, () => addAccount(db)))
      const results = await Promise.allSettled(people.map((id) => appointments.book(id, wish())))
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 2)
      for (const result of results) if (result.status === 'rejected') assert.ok(refusedAs('appointments/slot-taken')(result.reason))
      assert.equal((await appointments.hours(unitId, TUESDAY)).find(({ startsAt }) => startsAt.getTime() === NINE.getTime())?.left, 0)
      assert.equal(told.length, 2)
    })

    test('an account has one appointment, whatever it presses at once; it is in its ledger', async () => {
      await fresh()
      const id = await addAccount(db)
      const results = await Promise.allSettled([appointments.book(id, wish()), appointments.book(id, { ...wish(), startsAt: momentOf(TUESDAY, 9 * 60 + 30) })])
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
      await assert.rejects(appointments.book(id, wish()), refusedAs('appointments/appointment-held'))
      assert.deepEqual(subjects, [`helpdesk/appointment-booked ${id}`])
    })

    test('a cancelled one gives its place back once, to its owner only', async () => {
      await fresh()
      const [id, other] = [await addAccount(db), await addAccount(db)]
      const booked = await appointments.book(id, wish())
      await assert.rejects(appointments.cancel(other, booked.id), refusedAs('appointments/appointment-over'))
      const results = await Promise.allSettled([appointments.cancel(id, booked.id), appointments.cancel(id, booked.id)])
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
      assert.deepEqual((await appointments.hours(unitId, TUESDAY)).map(({ left }) => left), [2, 2, 2, 2])
      assert.equal(await appointments.booked(id), undefined)
    })

    test('nobody holds hours by booking and cancelling', async () => {
      await fresh()
      const id = await addAccount(db)
      for (let round = 0; round < 6; round += 1) await appointments.cancel(id, (await appointments.book(id, wish())).id)
      await assert.rejects(appointments.book(id, wish()), refusedAs('appointments/booked-too-often'))
      assert.equal((await appointments.hours(unitId, TUESDAY))[0]?.left, 2)
    })

    test('hours that are not offered, another unit and the past are refused', async () => {
      await fresh()
      const id = await addAccount(db)
      const taken = refusedAs('appointments/slot-taken')
      await assert.rejects(appointments.book(id, { ...wish(), startsAt: new Date(NINE.getTime() + 1) }), taken)
      await assert.rejects(appointments.book(id, { ...wish(), startsAt: new Date('2020-01-07T13:00:00Z') }), taken)
      await assert.rejects(appointments.book(id, { ...wish(), unitId: await addUnit(db) }), taken)
      await appointments.changeHours(unitId, { closedDay: TUESDAY }, clerk)
      await assert.rejects(appointments.book(id, wish()), taken)
      assert.deepEqual(await appointments.hours(unitId, TUESDAY), [])
    })

    test('closing a day calls off what is booked on it, tells each once, gives the places back, and is not held against them', async () => {
      await fresh()
      const [id, other, elsewhere] = [await addAccount(db), await addAccount(db), await addAccount(db)]
      for (let round = 0; round < 5; round += 1) await appointments.cancel(id, (await appointments.book(id, wish())).id)
      await appointments.book(id, wish())
      await appointments.book(other, { ...wish(), startsAt: momentOf(TUESDAY, 9 * 60 + 30) })
      const kept = await appointments.book(elsewhere, { ...wish(), startsAt: momentOf('2026-12-01', 9 * 60) })
      assert.deepEqual((await appointments.hitBy(unitId, { closedDay: TUESDAY })).map(({ accountId }) => accountId), [id, other])
      assert.equal(await appointments.changeHours(unitId, { closedDay: TUESDAY }, clerk), 2)
      assert.equal(await appointments.changeHours(unitId, { closedDay: TUESDAY }, clerk), 0)
      assert.deepEqual(told.filter((line) => line.startsWith('called-off')).sort(), [`called-off ${id}`, `called-off ${other}`].sort())
      assert.equal(subjects.filter((line) => line?.startsWith('helpdesk/appointment-called-off')).length, 2)
      assert.deepEqual([(await appointments.calledOff(id))?.startsAt, await appointments.calledOff(elsewhere)], [NINE, undefined])
      assert.equal((await appointments.booked(elsewhere))?.id, kept.id)
      clock.advance(60_000)
      await appointments.reopenDay(unitId, TUESDAY, clerk)
      assert.deepEqual((await appointments.hours(unitId, TUESDAY)).map(({ left }) => left), [2, 2, 2, 2])
      await appointments.book(id, wish())
      assert.equal(await appointments.calledOff(id), undefined, 'replaced')
    })

    test('changed hours call off only what they no longer hold whole', async () => {
      await fresh()
      const early = await addAccount(db)
      const late = await addAccount(db)
      await appointments.book(early, { ...wish(), startsAt: momentOf(TUESDAY, 8 * 60) })
      await appointments.book(late, { ...wish(), startsAt: momentOf(TUESDAY, 9 * 60 + 30) })
      const shorter = { ...HOURS, opens: 8 * 60 + 10, closes: 10 * 60 }
      assert.equal(await appointments.changeHours(unitId, { weekday: 3, opening: undefined }, clerk), 0, 'another weekday')
      assert.equal(await appointments.changeHours(unitId, { weekday: HOURS.weekday, opening: shorter }, clerk), 1)
      assert.deepEqual([await appointments.booked(early), (await appointments.booked(late))?.accountId], [undefined, late])
      assert.equal(await appointments.changeHours(unitId, { weekday: HOURS.weekday, opening: undefined }, clerk), 1)
      assert.equal(await appointments.booked(late), undefined)
    })

    test('fewer places: who booked last may be called off with notice, or all stay and the manager sees the hour until it fits', async () => {
      for (const callsOffBeyond of [true, false]) {
        await fresh()
        const wide = { ...HOURS, capacity: 3 }
        await appointments.changeHours(unitId, { weekday: HOURS.weekday, opening: wide }, clerk)
        const people: AccountId[] = []
        for (let index = 0; index < 3; index++) {
          people.push(await addAccount(db))
          clock.advance(1000)
          await appointments.book(people[index] ?? assert.fail(), wish())
        }
        const [first = assert.fail(), ...others] = people
        const change = { weekday: HOURS.weekday, opening: { ...HOURS, capacity: 1 } }
        assert.deepEqual((await appointments.crowdedBy(unitId, change)).map(({ accountId }) => accountId), others)
        assert.deepEqual(await appointments.hitBy(unitId, change), [], 'the hour itself stays')
        told.length = 0
        assert.equal(await appointments.changeHours(unitId, { ...change, callsOffBeyond }, clerk), callsOffBeyond ? 2 : 0)
        if (!callsOffBeyond) {
          assert.deepEqual(await appointments.fullHours(unitId), [{ startsAt: NINE, booked: 3, capacity: 1 }])
          await assert.rejects(appointments.book(await addAccount(db), wish()), refusedAs('appointments/slot-taken'))
          assert.equal(await appointments.changeHours(unitId, { fullHour: NINE }, clerk), 2)
        }
        assert.deepEqual(told, others.map((id) => `called-off ${id}`))
        assert.deepEqual([await appointments.fullHours(unitId), (await appointments.booked(first))?.startsAt], [[], NINE])
        assert.equal(await appointments.changeHours(unitId, { fullHour: NINE }, clerk), 0, 'once')
        assert.equal((await appointments.hours(unitId, TUESDAY)).find(({ startsAt }) => startsAt.getTime() === NINE.getTime())?.left, 0)
        await appointments.changeHours(unitId, { closedDay: TUESDAY }, clerk)
      }
    })

    test('longer hours hold together whoever booked shorter ones', async () => {
      await fresh()
      const people = [await addAccount(db), await addAccount(db), await addAccount(db)]
      for (const [index, id] of people.entries()) {
        clock.advance(1000)
        await appointments.book(id, { ...wish(), startsAt: momentOf(TUESDAY, 8 * 60 + 30 * (index % 2)) })
      }
      const change = { weekday: HOURS.weekday, opening: { ...HOURS, slotMinutes: 60 } }
      assert.deepEqual((await appointments.crowdedBy(unitId, change)).map(({ accountId }) => accountId), people.slice(2))
      await appointments.changeHours(unitId, { closedDay: TUESDAY }, clerk)
    })

    test('an hour that became longer offers no place that a shorter one within it has given', async () => {
      await fresh()
      const people = [await addAccount(db), await addAccount(db)]
      for (const id of people) await appointments.book(id, { ...wish(), startsAt: momentOf(TUESDAY, 8 * 60 + 30) })
      await appointments.changeHours(unitId, { weekday: HOURS.weekday, opening: { ...HOURS, slotMinutes: 60 } }, clerk)
      const [eight, nine] = await appointments.hours(unitId, TUESDAY)
      assert.deepEqual([eight?.left, nine?.left], [0, 2])
      const late = { ...wish(), startsAt: momentOf(TUESDAY, 8 * 60) }
      await assert.rejects(appointments.book(clerk, late), refusedAs('appointments/slot-taken'))
      const [first = assert.fail()] = people
      await appointments.cancel(first, (await appointments.booked(first))?.id ?? '')
      await appointments.book(clerk, late)
      await assert.rejects(appointments.book(first, late), refusedAs('appointments/slot-taken'))
      await appointments.changeHours(unitId, { closedDay: TUESDAY }, clerk)
    })

    test('of bookings and a closing at once nobody is left with an hour on a closed day', async () => {
      await fresh()
      const people = await Promise.all([1, 2, 3, 4].map(() => addAccount(db)))
      const startsAt = (index: number) => momentOf(TUESDAY, 8 * 60 + 30 * index)
      const booking = people.map((id, index) => appointments.book(id, { ...wish(), startsAt: startsAt(index) }))
      const [closing, ...results] = await Promise.allSettled([appointments.changeHours(unitId, { closedDay: TUESDAY }, clerk), ...booking])
      const made = results.filter(({ status }) => status === 'fulfilled').length
      assert.deepEqual(closing, { status: 'fulfilled', value: made })
      assert.equal(told.filter((line) => line.startsWith('called-off')).length, made)
      for (const id of people) assert.equal(await appointments.booked(id), undefined)
    })

    test('a unit that was closed for good gives no hours', async () => {
      await fresh()
      await db.execute('UPDATE helpdesk_unit SET closed_at = $2 WHERE id = $1', [unitId, clock.now()])
      await assert.rejects(appointments.book(await addAccount(db), wish()), refusedAs('appointments/slot-taken'))
      assert.ok(!(await appointments.units()).some(({ id }) => id === unitId))
    })

    test('a reminder is sent once, a day before', async () => {
      await fresh()
      const id = await addAccount(db)
      await appointments.book(id, wish())
      clock.set(new Date(NINE.getTime() - DAY_MS - 60_000))
      assert.equal(await appointments.remind(), 0)
      clock.advance(60_000)
      await Promise.all([appointments.remind(), appointments.remind()])
      assert.deepEqual(told.filter((line) => line === `reminder ${id}`).length, 1)
    })

    test('who arrives gets a ticket for the hour, once, from the own unit only', async () => {
      await fresh()
      const id = await addAccount(db)
      const { id: appointmentId } = await appointments.book(id, wish())
      clock.set(new Date(NINE.getTime() - 10 * 60_000))
      assert.deepEqual((await appointments.expected(unitId)).map(({ accountId }) => accountId), [id])
      const over = refusedAs('appointments/appointment-over')
      await assert.rejects(appointments.arrive({ unitId: await addUnit(db), class: 'ordinary' }, appointmentId, clerk), over)
      const results = await Promise.allSettled([1, 2].map(() => appointments.arrive({ unitId, class: 'ordinary' }, appointmentId, clerk)))
      const [ticket] = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
      assert.deepEqual([ticket && labelOf(ticket), ticket?.dueAt.toISOString()], ['H001', NINE.toISOString()])
      assert.equal(await appointments.booked(id), undefined)
    })

    test('who comes on another day is not ticked off for the booked one', async () => {
      await fresh()
      const id = await addAccount(db)
      const { id: appointmentId } = await appointments.book(id, wish())
      await assert.rejects(appointments.arrive({ unitId, class: 'ordinary' }, appointmentId, clerk), refusedAs('appointments/appointment-other-day'))
      assert.equal((await appointments.booked(id))?.id, appointmentId)
      assert.deepEqual(await queue.today(unitId), [])
    })

    test('who is late stands in the line, and an old person goes by law', async () => {
      await fresh()
      const [late, old] = [await addAccount(db), await addAccount(db)]
      const [first, second] = [await appointments.book(late, wish()), await appointments.book(old, wish())]
      clock.set(new Date(NINE.getTime() + 16 * 60_000))
      assert.equal(labelOf(await appointments.arrive({ unitId, class: 'ordinary' }, first.id, clerk)), 'N001')
      assert.equal(labelOf(await appointments.arrive({ unitId, class: 'eighty' }, second.id, clerk)), 'P001')
    })

    test('who did not come is marked at night and may book again', async () => {
      await fresh()
      const id = await addAccount(db)
      await appointments.book(id, wish())
      clock.set(new Date(NINE.getTime() + DAY_MS))
      assert.ok((await appointments.closeDays()) >= 1)
      await appointments.book(id, { ...wish(), startsAt: new Date(NINE.getTime() + 7 * DAY_MS) })
    })
  })
}

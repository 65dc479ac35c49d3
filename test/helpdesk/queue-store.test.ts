/** The waiting line on both databases: numbers, races, steps out of order, the night. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { AccountId } from '../../src/accounts/index.ts'
import type { AuditEvent } from '../../src/audit/index.ts'
import { createQueue, type Queue } from '../../src/helpdesk/queue/queue.ts'
import { labelOf } from '../../src/helpdesk/queue/ticket.ts'
import type { TicketClass } from '../../src/helpdesk/queue/turn.ts'
import type { Database } from '../../src/platform/db.ts'
import { Problem } from '../../src/platform/problem.ts'
import { type FixedClock, fixedClock } from '../support/clock.ts'
import { testDatabases } from '../support/database.ts'
import { addAccount, addUnit } from './support/people.ts'

const TABLET = { kind: 'system' } as const
const refusedAs = (code: string) => (error: unknown) => error instanceof Problem && error.code === code

for (const { label, open } of testDatabases()) {
  describe(`the waiting line on ${label}`, () => {
    let db: Database
    let clock: FixedClock
    let queue: Queue
    let events: AuditEvent[]
    let unitId: string
    let anna: AccountId
    let bento: AccountId

    before(async () => {
      db = await open()
      clock = fixedClock('2026-11-23T12:00:00Z')
      events = []
      const keyring = { hash: (value: string | Uint8Array, purpose: string) => createHash('sha256').update(purpose).update(value).digest() }
      queue = createQueue({ db, clock, keyring, audit: { record: async (_tx, event) => void events.push(event) } })
    })
    after(() => db.close())

    async function fresh(classes: readonly TicketClass[] = []): Promise<string[]> {
      unitId = await addUnit(db)
      anna = await addAccount(db)
      bento = await addAccount(db)
      events.length = 0
      const labels: string[] = []
      for (const kind of classes) {
        clock.advance(10_000)
        labels.push(labelOf(await queue.issue({ unitId, kind: 'account', class: kind }, 'desk', TABLET)))
      }
      return labels
    }
    const call = async (attendantId: AccountId, desk: number) => {
      clock.advance(1000)
      const found = await queue.callNext({ unitId, attendantId, desk })
      return found && labelOf(found)
    }

    test('numbers count up by letter, for each unit by itself, and begin anew each day', async () => {
      assert.deepEqual(await fresh(['ordinary', 'eighty', 'priority', 'ordinary']), ['N001', 'P001', 'P002', 'N002'])
      assert.deepEqual(await fresh(['ordinary']), ['N001'])
      clock.advance(86_400_000)
      assert.equal(labelOf(await queue.issue({ unitId, kind: 'account', class: 'ordinary' }, 'desk', TABLET)), 'N001')
    })

    test('a ticket is called, called again, attended and finished by who called it, and shown on the screen', async () => {
      await fresh(['ordinary', 'priority'])
      assert.equal(await call(anna, 3), 'P001')
      const open = await queue.openOf(anna)
      assert.ok(open)
      clock.advance(1000)
      assert.equal((await queue.goOn({ unitId, attendantId: anna }, open.id, 'call-again')).calls, 2)
      const { calls, waiting } = await queue.shown(unitId)
      assert.deepEqual([calls.map((ticket) => [labelOf(ticket), ticket.desk, ticket.calls]), waiting], [[['P001', 3, 2]], 1])
      await queue.goOn({ unitId, attendantId: anna }, open.id, 'start')
      await queue.goOn({ unitId, attendantId: anna }, open.id, 'finish')
      assert.equal(await queue.openOf(anna), undefined)
      assert.deepEqual(
        events.filter(({ type }) => type === 'queue/ticket-moved').map(({ data }) => data['step']),
        ['call', 'call-again', 'start', 'finish'],
      )
    })

    test('two desks that call at once get two people', async () => {
      await fresh(['ordinary', 'ordinary', 'ordinary'])
      const called = await Promise.all([
        queue.callNext({ unitId, attendantId: anna, desk: 1 }),
        queue.callNext({ unitId, attendantId: bento, desk: 2 }),
      ])
      assert.deepEqual(called.map((found) => found && labelOf(found)).sort(), ['N001', 'N002'])
    })

    test('two desks that call the last one at once: one gets it', async () => {
      await fresh(['ordinary'])
      const called = await Promise.all([
        queue.callNext({ unitId, attendantId: anna, desk: 1 }),
        queue.callNext({ unitId, attendantId: bento, desk: 2 }),
      ])
      assert.equal(called.filter((found) => found !== undefined).length, 1)
    })

    test('nobody calls a second one while the first stands there, and no two people call to one desk', async () => {
      await fresh(['ordinary', 'ordinary', 'ordinary'])
      await call(anna, 1)
      await assert.rejects(call(anna, 2), refusedAs('queue/ticket-open'))
      await assert.rejects(call(bento, 1), refusedAs('queue/ticket-open'))
      assert.equal(await call(bento, 2), 'N002')
    })

    test('another attendant, another unit and a step out of order move nothing', async () => {
      await fresh(['ordinary'])
      await call(anna, 1)
      const open = await queue.openOf(anna)
      assert.ok(open)
      const moved = refusedAs('queue/ticket-moved')
      await assert.rejects(queue.goOn({ unitId, attendantId: bento }, open.id, 'start'), moved)
      await assert.rejects(queue.goOn({ unitId: await addUnit(db), attendantId: anna }, open.id, 'start'), moved)
      await assert.rejects(queue.goOn({ unitId, attendantId: anna }, open.id, 'finish'), moved)
      await assert.rejects(queue.change({ unitId, attendantId: anna }, open.id, 'leave'), moved)
      assert.equal((await queue.openOf(anna))?.state, 'called')
    })

    test('who did not come is marked, and comes back to the end of the own line', async () => {
      await fresh(['ordinary', 'ordinary'])
      await call(anna, 1)
      const open = await queue.openOf(anna)
      assert.ok(open)
      await queue.goOn({ unitId, attendantId: anna }, open.id, 'no-show')
      clock.advance(60_000)
      await queue.change({ unitId, attendantId: bento }, open.id, 'return')
      assert.equal(await call(bento, 2), 'N002')
      assert.equal(await call(anna, 1), 'N001')
    })

    test('the bound of the line is kept over many calls and desks', async () => {
      await fresh(['ordinary', ...Array.from({ length: 5 }, (): TicketClass => 'priority')])
      const order: (string | undefined)[] = []
      for (let turn = 0; turn < 6; turn += 1) {
        const by = turn % 2 === 0 ? anna : bento
        order.push(await call(by, 1 + (turn % 2)))
        const open = await queue.openOf(by)
        await queue.goOn({ unitId, attendantId: by }, open?.id ?? '', 'start')
        await queue.goOn({ unitId, attendantId: by }, open?.id ?? '', 'finish')
      }
      assert.deepEqual(order, ['P001', 'P002', 'P003', 'N001', 'P004', 'P005'])
    })

    test('a tablet that somebody plays with gives twelve tickets a minute, in parallel too; the desk still gives them', async () => {
      await fresh()
      const asked = { unitId, kind: 'account', class: 'ordinary' } as const
      const given = await Promise.allSettled(Array.from({ length: 16 }, () => queue.issue(asked, 'tablet', TABLET)))
      assert.equal(given.filter(({ status }) => status === 'fulfilled').length, 12)
      for (const result of given) if (result.status === 'rejected') assert.ok(refusedAs('queue/line-full')(result.reason))
      await queue.issue(asked, 'desk', TABLET)
      clock.advance(61_000)
      await queue.issue(asked, 'tablet', TABLET)
    })

    test('the night closes what stands open, and an attendant begins the day free', async () => {
      await fresh(['ordinary', 'ordinary'])
      await call(anna, 1)
      await queue.closeDays()
      assert.equal((await queue.today(unitId)).length, 2)
      clock.advance(86_400_000)
      assert.ok((await queue.closeDays()) >= 2)
      assert.equal(await queue.openOf(anna), undefined)
      assert.deepEqual(await queue.today(unitId), [])
    })

    test("a tablet's address ends when it is changed, and is no other unit's", async () => {
      await fresh()
      const key = await queue.tabletKey(unitId)
      assert.ok(await queue.isTabletKey(unitId, key))
      assert.ok(!(await queue.isTabletKey(await addUnit(db), key)))
      await queue.changeTabletKey(unitId, anna)
      assert.ok(!(await queue.isTabletKey(unitId, key)))
      assert.ok(await queue.isTabletKey(unitId, await queue.tabletKey(unitId)))
    })
  })
}

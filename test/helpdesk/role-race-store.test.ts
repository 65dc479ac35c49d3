/** What goes on while somebody approves: a role that is taken back, another enrolment. One of the two is first, on both databases. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { lockEnrolments } from '../../src/helpdesk/attendance/attendance.store.ts'
import { createStaff, type Staff } from '../../src/helpdesk/index.ts'
import type { Database } from '../../src/platform/db.ts'
import { fixedClock } from '../support/clock.ts'
import { testDatabases } from '../support/database.ts'
import { addAccount, addUnit } from './support/people.ts'

for (const { label, open } of testDatabases()) {
  describe(`roles on ${label}`, () => {
    let db: Database
    let staff: Staff
    before(async () => {
      db = await open()
      staff = createStaff({ db, clock: fixedClock('2026-11-23T12:00:00Z'), audit: { record: async () => {} } })
    })
    after(() => db.close())

    async function scene() {
      const [unitId, manager, worker] = [await addUnit(db), await addAccount(db), await addAccount(db)]
      const insert = (id: string, account: string, role: string) =>
        db.execute(
          `INSERT INTO helpdesk_role (id, unit_id, account_id, role, level, starts_at, ends_at, granted_from, granted_at)
           VALUES ($1, $2, $3, $4, 'bronze', '2026-01-01Z', '2026-12-31Z', 'command-line', '2026-01-01Z')`,
          [id, unitId, account, role],
        )
      const roleId = crypto.randomUUID()
      await insert(crypto.randomUUID(), manager, 'unit-manager')
      await insert(roleId, worker, 'attendant')
      return { unitId, manager, worker, roleId }
    }

    test('a role that was found live stays so until the transaction ends, and is gone for the next', async () => {
      const { unitId, manager, worker, roleId } = await scene()
      const order: string[] = []
      const held = Promise.withResolvers<void>()
      const ending = held.promise.then(() => staff.change(roleId, 'end', manager)).then(() => order.push('ended'))
      await db.transaction(async (tx) => {
        await staff.checkHolds(tx, worker, { unitId, role: 'attendant' })
        held.resolve()
        // What another connection can see and do meanwhile, it does; the end of the role must wait for this one.
        for (let turn = 0; turn < 20; turn += 1) await tx.query('SELECT pg_sleep(0.01)')
        order.push('approved')
      })
      await ending
      assert.deepEqual(order, ['approved', 'ended'])
      await assert.rejects(db.transaction((tx) => staff.checkHolds(tx, worker, { unitId, role: 'attendant' })), { code: 'helpdesk/role-needed' })
    })

    test('one enrolment waits for the other’s end, and then sees what it wrote', async () => {
      const [unitId, held] = [crypto.randomUUID(), Promise.withResolvers<void>()]
      const units = `SELECT 1 FROM helpdesk_unit WHERE id = $1`
      const second = held.promise.then(() =>
        db.transaction(async (tx) => {
          await lockEnrolments(tx)
          return tx.query(units, [unitId])
        }),
      )
      await db.transaction(async (tx) => {
        await lockEnrolments(tx)
        held.resolve()
        for (let turn = 0; turn < 20; turn += 1) await tx.query('SELECT pg_sleep(0.01)')
        await tx.execute("INSERT INTO helpdesk_unit (id, code, name, municipality, opened_at) VALUES ($1, $2, 'B', 'C', '2026-01-01Z')", [unitId, unitId])
      })
      assert.equal((await second).length, 1)
    })
  })
}

/** Cases and counts of support on both databases. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { AccountId } from '../../src/accounts/index.ts'
import { lookCounts, supportCases } from '../../src/helpdesk/retention/line-sweeps.store.ts'
import type { SupportCase } from '../../src/helpdesk/support/case.ts'
import { closeCase, countActs, countLook, findLiveCase, insertAct, insertCase, listActs, listLiveCases } from '../../src/helpdesk/support/support.store.ts'
import type { Database } from '../../src/platform/db.ts'
import { testDatabases } from '../support/database.ts'
import { addAccount, addUnit } from './support/people.ts'

const NOW = new Date('2026-11-23T12:10:00Z')
const LATER = new Date('2026-11-23T12:40:00Z')
const HOUR = new Date('2026-11-23T12:00:00Z')

for (const { label, open } of testDatabases()) {
  describe(`support on ${label}`, () => {
    let db: Database
    let attendantId: AccountId
    let opened: SupportCase

    before(async () => {
      db = await open()
      attendantId = await addAccount(db)
      opened = { id: randomUUID(), unitId: await addUnit(db), attendantId, accountId: await addAccount(db), reason: 'call', openedAt: NOW, expiresAt: LATER }
      await insertCase(db, opened, Buffer.from('sealed'))
    })
    after(() => db.close())

    test('looks are counted to the limit and no further, in parallel too, for each attendant and hour', async () => {
      const look = (startsAt = HOUR) => countLook(db, attendantId, 'hour', { startsAt, most: 3 })
      const counted = await Promise.all(Array.from({ length: 6 }, () => look()))
      assert.equal(counted.filter(Boolean).length, 3)
      assert.ok(await look(new Date(HOUR.getTime() + 3_600_000)))
      assert.ok(await countLook(db, opened.accountId, 'hour', { startsAt: HOUR, most: 3 }))
      assert.equal(await db.transaction((tx) => lookCounts.end(tx, { before: HOUR, now: NOW }, 10)), 2)
    })

    test('a case is found by its attendant in its unit while it lives', async () => {
      assert.deepEqual(await findLiveCase(db, opened, NOW), opened)
      assert.deepEqual(await listLiveCases(db, opened.unitId, attendantId, NOW), [opened])
      assert.equal(await findLiveCase(db, opened, LATER), undefined)
      assert.equal(await findLiveCase(db, { ...opened, unitId: randomUUID() }, NOW), undefined)
      assert.equal(await findLiveCase(db, { ...opened, attendantId: opened.accountId }, NOW), undefined)
    })

    test('acts are counted by account and listed by case', async () => {
      await insertAct(db, { id: randomUUID(), caseId: opened.id, accountId: opened.accountId, act: 'unlock', doneAt: NOW })
      assert.equal(await countActs(db, opened.accountId, 'unlock', HOUR), 1)
      assert.equal(await countActs(db, opened.accountId, 'unlock', NOW), 0)
      assert.equal(await countActs(db, opened.accountId, 'end-sessions', HOUR), 0)
      assert.deepEqual(await listActs(db, opened.id), [{ act: 'unlock', doneAt: NOW }])
    })

    test('a case is closed once, and nobody has one on their own account', async () => {
      assert.deepEqual((await Promise.all([1, 2].map(() => closeCase(db, opened, NOW)))).sort(), [false, true])
      assert.equal(await findLiveCase(db, opened, NOW), undefined)
      await assert.rejects(insertCase(db, { ...opened, id: randomUUID(), accountId: attendantId }, Buffer.from('x')))
    })

    test('an old case is forgotten with its note and its acts, a younger one stays', async () => {
      const old = { ...opened, id: randomUUID(), openedAt: new Date('2025-11-01T12:00:00Z') }
      await insertCase(db, old, Buffer.from('sealed'))
      await insertAct(db, { id: randomUUID(), caseId: old.id, accountId: old.accountId, act: 'unlock', doneAt: old.openedAt })
      assert.equal(await db.transaction((tx) => supportCases.end(tx, { before: HOUR, now: NOW }, 10)), 1)
      assert.deepEqual(await listActs(db, old.id), [])
      assert.deepEqual(await db.query('SELECT id FROM helpdesk_support_case'), [{ id: opened.id }])
    })
  })
}

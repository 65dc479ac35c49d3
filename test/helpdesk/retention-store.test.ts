/** What the counter forgets and what it keeps, on both databases. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { type AccountId, type Cpf, parseBirthDate } from '../../src/accounts/index.ts'
import { ensurePerson, findAttendance, insertAttendance, listAttendances } from '../../src/helpdesk/attendance/attendance.store.ts'
import { countAttendancesByDay, countAttendancesByState, waitsByDay } from '../../src/helpdesk/management/report.store.ts'
import { countWork } from '../../src/helpdesk/work/work.store.ts'
import { helpdeskTerms } from '../../src/helpdesk/index.ts'
import type { Database } from '../../src/platform/db.ts'
import { createRetention, type Retention } from '../../src/platform/retention/retention.ts'
import { cpfOfNobody } from '../support/citizen-journey.ts'
import { type FixedClock, fixedClock } from '../support/clock.ts'
import { testDatabases } from '../support/database.ts'
import { addAccount, addUnit } from './support/people.ts'

const BEGAN = new Date('2026-01-12T12:00:00Z')
const DAY_MS = 86_400_000
const keyring = {
  seal: (plain: Uint8Array | string) => Buffer.from(plain),
  open: (sealed: Uint8Array) => Buffer.from(sealed),
} as unknown as Parameters<typeof insertAttendance>[1]

const BORN = parseBirthDate('1990-01-01', BEGAN) ?? assert.fail()

let people = 700

for (const { label, open } of testDatabases()) {
  describe(`what the counter forgets, on ${label}`, () => {
    let db: Database
    let clock: FixedClock
    let retention: Retention
    let unitId: string
    let attendant: AccountId
    let other: AccountId

    before(async () => {
      db = await open()
      clock = fixedClock(BEGAN.toISOString())
      retention = createRetention({ db, clock, terms: helpdeskTerms, record: async () => {} })
      unitId = await addUnit(db)
      attendant = await addAccount(db)
      other = await addAccount(db)
    })
    after(() => db.close())

    const later = (days: number) => clock.advance(days * DAY_MS)
    const count = async (sql: string, values: unknown[] = []) => (await db.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${sql}`, values))[0]?.n
    const apply = async () => Object.fromEntries((await retention.apply()).filter(({ rows }) => rows > 0).map(({ key, rows }) => [key, rows]))
    const personOf = async (id: AccountId) => (await db.query<{ person_id: string }>('SELECT person_id FROM account WHERE id = $1', [id]))[0]?.person_id ?? assert.fail()

    /** A case with a picture, then ended. */
    async function addCase(ended: { state: string; decision?: string; cpf?: Cpf; by?: AccountId }): Promise<{ id: string; personId: string }> {
      const now = clock.now()
      const facts = { cpf: ended.cpf ?? cpfOfNobody(++people), name: 'Inventada de Teste', birthDate: BORN } as const
      const personId = await ensurePerson(db, { ...facts, cpf: facts.cpf as Cpf, socialName: undefined }, now)
      const holder = { id: attendant, role: 'attendant' } as const
      const id = await insertAttendance(db, keyring, { protocol: randomUUID(), unitId, personId, reason: 'enrolment', holder, facts: { ...facts, situation: 'regular' }, now, expiresAt: now })
      await db.execute(
        `INSERT INTO attendance_item (id, attendance_id, kind, sealed, content_type, width, height, facts, quality, captured_by, captured_at)
         VALUES ($1, $2, 'face', '\\x01', 'image/jpeg', 1, 1, '\\x02', 80, $3, $4)`,
        [randomUUID(), id, attendant, now],
      )
      if (ended.state === 'approved') await db.execute(`UPDATE attendance SET state = 'awaiting-approval' WHERE id = $1`, [id])
      const isDecided = ended.state === 'approved' || ended.state === 'refused'
      await db.execute('UPDATE attendance SET state = $2, decision = $3, decided_by = $4, decided_at = $5, changed_at = $6 WHERE id = $1', [
        id, ended.state, ended.decision ?? null, isDecided ? other : null, isDecided ? now : null, now,
      ])
      return { id, personId }
    }
    const isRemembered = async (id: string) => (await findAttendance(db, keyring, id)) !== undefined

    test('a CPF that was typed wrong is forgotten after its case, and no sooner than whoever was looked up may complain of it; the case still counts in the figures', async () => {
      const scope = { unitId, from: new Date('2026-01-01T00:00:00Z'), until: new Date('2027-01-01T00:00:00Z') }
      const { id, personId } = await addCase({ state: 'abandoned' })
      const figures = [await countAttendancesByDay(db, scope), await countAttendancesByState(db, scope)]
      later(89)
      assert.deepEqual(await apply(), {})
      assert.ok(await isRemembered(id))
      later(2)
      assert.deepEqual(await apply(), { 'case-ended': 1, 'person-unknown': 1 })
      assert.equal(await count('person WHERE id = $1', [personId]), 0)
      assert.equal(await isRemembered(id), false)
      assert.deepEqual(await listAttendances(db, keyring, unitId, ['abandoned']), [])
      assert.equal(await count('attendance_item WHERE attendance_id = $1 AND num_nonnulls(sealed, facts) > 0', [id]), 0)
      assert.deepEqual([await countAttendancesByDay(db, scope), await countAttendancesByState(db, scope)], figures)
      assert.deepEqual(await apply(), {})
    })

    test('who is known for another reason stays, and only the case that came to nothing is forgotten, after 90 days', async () => {
      const cpf = cpfOfNobody(++people) as Cpf
      const first = await addCase({ state: 'approved', decision: 'approved', cpf })
      const second = await addCase({ state: 'expired', cpf })
      later(91)
      assert.deepEqual(await apply(), { 'case-ended': 1 })
      assert.deepEqual([await isRemembered(first.id), await isRemembered(second.id)], [true, false])
      assert.equal(await count('attendance WHERE id = $1 AND person_id IS NOT NULL', [second.id]), 1, 'whose case it was stays while there is somebody')
      later(1826)
      assert.deepEqual(await apply(), { 'case-approved': 1 })
      assert.equal(await isRemembered(first.id), false)
    })

    test('a fraud keeps its captures for two years, longer while a suspicion is open or a hold stands on either side; then the other side is forgotten too', async () => {
      const { id, personId } = await addCase({ state: 'refused', decision: 'fraud' })
      const otherPerson = await personOf(other)
      const review = randomUUID()
      await db.execute(
        `INSERT INTO fraud_review (id, attendance_id, kind, other_person_id, other_image_id, distance, state, reason, created_at, decided_by, decided_at)
         VALUES ($1, $2, 'another-person', $3, $4, 0.2, 'confirmed', 'impostor', $5, $6, $5)`,
        [review, id, otherPerson, randomUUID(), clock.now(), other],
      )
      const hold = randomUUID()
      await db.execute(`INSERT INTO image_hold (id, person_id, reason, placed_by, placed_at) VALUES ($1, $2, 'inquérito', 'op', $3)`, [hold, otherPerson, clock.now()])
      later(731)
      assert.deepEqual(await apply(), {}, 'held')
      await db.execute('UPDATE image_hold SET person_id = $2 WHERE id = $1', [hold, personId])
      assert.deepEqual(await apply(), {}, 'of whom is inquired after it stays who the other side is')
      await db.execute('DELETE FROM image_hold WHERE id = $1', [hold])
      assert.deepEqual(await apply(), { 'case-fraud': 1, 'fraud-review': 1, 'person-unknown': 1 })
      assert.equal(await count(`fraud_review WHERE id = $1 AND state = 'confirmed' AND decided_by = $2 AND other_person_id IS NULL AND distance IS NULL`, [review, other]), 1)
      assert.equal(await count('person WHERE id = $1', [personId]), 0)
      await assert.rejects(db.execute(`UPDATE fraud_review SET state = 'pending', decided_at = NULL WHERE id = $1`, [review]))
    })

    test('an approval that was drawn for a second look and forgotten waits for nobody any more', async () => {
      const { id } = await addCase({ state: 'approved', decision: 'approved' })
      await db.execute(`INSERT INTO approval_sample (attendance_id, share, drawn_at, sealed) VALUES ($1, 1, $2, '\\x01')`, [id, clock.now()])
      const stranger = await addAccount(db)
      const waiting = async () => (await countWork(db, { id: stranger, unitId }, { day: '2026-01-01', claimedSince: clock.now() })).samples
      assert.equal(await waiting(), 1)
      later(181)
      assert.equal((await apply())['second-look'], 1)
      assert.equal(await waiting(), 0)
    })

    test('no live case is ever without what it knows, whoever writes', async () => {
      const { id } = await addCase({ state: 'open' })
      await assert.rejects(db.execute('UPDATE attendance SET sealed = NULL WHERE id = $1', [id]), /attendance_forgotten_is_over/)
      await assert.rejects(db.execute('UPDATE attendance SET person_id = NULL WHERE id = $1', [id]), /attendance_of_nobody_is_forgotten/)
      later(3000)
      assert.equal((await apply())['case-ended'], undefined)
      assert.ok(await isRemembered(id))
    })

    test('an answer given on a second screen outlives the secrets that paired it', async () => {
      const { id } = await addCase({ state: 'refused', decision: 'other' })
      await db.execute(
        `INSERT INTO attendance_consent (id, attendance_id, offered_by, offered_at, pair_until, link_hash, code_hash, screen_hash, paired_at, answer, answered_at, text_digest, locale)
         VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $4, 'accepted', $4, '\\x09', 'pt-BR')`,
        [randomUUID(), id, attendant, clock.now(), Buffer.from(randomUUID()), Buffer.from(randomUUID()), Buffer.from(randomUUID())],
      )
      later(2)
      assert.deepEqual(await apply(), { 'consent-screen': 1 })
      assert.equal(await count(`attendance_consent WHERE attendance_id = $1 AND answer = 'accepted' AND text_digest IS NOT NULL AND num_nonnulls(link_hash, code_hash, screen_hash) = 0`, [id]), 1)
    })

    test('past hours and tickets lose their people, and the waiting that was measured stays the same', async () => {
      const [appointment, ticket, at] = [randomUUID(), randomUUID(), clock.now()]
      const day = at.toISOString().slice(0, 10)
      await db.execute(
        `INSERT INTO helpdesk_appointment (id, unit_id, account_id, kind, starts_at, state, created_at, ended_at) VALUES ($1, $2, $3, 'account', $4, 'arrived', $4, $4)`,
        [appointment, unitId, other, at],
      )
      await db.execute(
        `INSERT INTO helpdesk_ticket (id, unit_id, day, letter, number, kind, class, state, issued_at, due_at, first_call_at, called_at, attendant_id, ended_at, appointment_id)
         VALUES ($1, $2, $3, 'H', 1, 'account', 'booked', 'finished', $4, $4, $5, $5, $6, $5, $7)`,
        [ticket, unitId, day, new Date(at.getTime() - 600_000), new Date(at.getTime() + 60_000), attendant, appointment],
      )
      const scope = { unitId, from: new Date(at.getTime() - DAY_MS), until: new Date(at.getTime() + DAY_MS) }
      const waited = await waitsByDay(db, scope)
      assert.equal(waited[0]?.median, 60)
      later(367)
      const done = await apply()
      assert.deepEqual([done['appointment'], done['ticket']], [1, 1])
      assert.deepEqual(await waitsByDay(db, scope), waited)
      await assert.rejects(db.execute(`UPDATE helpdesk_appointment SET state = 'booked' WHERE id = $1`, [appointment]), /helpdesk_appointment_booked_by/)
    })

    test('a sentence goes after a year and its score stays; survey links, receipts and kiosks out of use go', async () => {
      const { id } = await addCase({ state: 'refused', decision: 'other' })
      const now = clock.now()
      await db.execute(`INSERT INTO helpdesk_survey_answer (id, unit_id, day, score, sealed) VALUES ($1, $2, $3, 4, '\\x01')`, [randomUUID(), unitId, now.toISOString().slice(0, 10)])
      await db.execute(`INSERT INTO helpdesk_survey (id, unit_id, attendance_id, secret_hash, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $5)`, [randomUUID(), unitId, id, Buffer.from(randomUUID()), now])
      await db.execute(`INSERT INTO attendance_receipt_mail (id, attendance_id, account_id, token_id, sent_by, sent_at) VALUES ($1, $2, $3, $4, $5, $6)`, [randomUUID(), id, other, randomUUID(), attendant, now])
      await db.execute(
        `INSERT INTO helpdesk_kiosk (id, unit_id, name, registered_by, registered_at, pair_hash, pair_until, tries_since, ended_at, ended_by) VALUES ($1, $2, 'Tablet', $3, $4, $5, $4, $4, $4, $3)`,
        [randomUUID(), unitId, attendant, now, Buffer.from(randomUUID())],
      )
      later(367)
      const done = await apply()
      for (const key of ['survey-sentence', 'survey-link', 'receipt-link', 'kiosk']) assert.equal(done[key], 1, key)
      assert.equal(await count('helpdesk_survey_answer WHERE unit_id = $1 AND score = 4 AND sealed IS NULL', [unitId]), 1)
    })

    test('two processes at once end each row once', async () => {
      for (let index = 0; index < 6; index++) await addCase({ state: 'refused', decision: 'other', cpf: cpfOfNobody(++people) as Cpf })
      later(91)
      const told: number[] = []
      const twins = [1, 2].map(() => createRetention({ db, clock, terms: helpdeskTerms.filter(({ key }) => key === 'case-ended'), record: async (_tx, { rows }) => void told.push(rows) }))
      await Promise.all(twins.map((twin) => twin.apply()))
      assert.equal(told.reduce((sum, rows) => sum + rows, 0), 6)
    })

    test('who comes to the counter while their row is being forgotten is written down anew', async () => {
      const cpf = cpfOfNobody(++people) as Cpf
      const { personId } = await addCase({ state: 'abandoned', cpf })
      later(91)
      const record = { cpf, name: 'Inventada de Teste', socialName: undefined, birthDate: BORN }
      const come = db.transaction(async (tx) => {
        const again = await ensurePerson(tx, record, clock.now())
        const facts = { ...record, situation: 'regular' }
        return insertAttendance(tx, keyring, { protocol: randomUUID(), unitId, personId: again, reason: 'enrolment', holder: { id: attendant, role: 'attendant' }, facts, now: clock.now(), expiresAt: clock.now() })
      })
      const [, id] = await Promise.all([apply(), come])
      assert.equal(await count('person p JOIN attendance c ON c.person_id = p.id WHERE p.cpf = $1 AND c.id = $2', [cpf, id]), 1)
      assert.ok(personId)
    })
  })
}

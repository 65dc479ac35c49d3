/** Who approves a case is a stranger to its person: no role given anew, other unit, other office, other name or other account changes what somebody did. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { parsePersonId } from '../../src/accounts/index.ts'
import { insertAttendance } from '../../src/helpdesk/attendance/attendance.store.ts'
import type { TestOperator } from '../admin/support/operator-entrance.ts'
import { openArea, type TestArea, type TestCitizen } from '../portal/support/area.ts'
import { bringToApproval, openStaffedDesk, type StaffedDesk, tokenOf } from './support/attendance-scene.ts'
import { cpfOf, enterDesk, hire, makeOuro, openUnit, yearFrom } from './support/counter.ts'

const DAY_MS = 86_400_000

let area: TestArea
let desk: StaffedDesk
let citizen: TestCitizen
let id: string

before(async () => {
  area = await openArea()
  desk = await openStaffedDesk(area)
  citizen = await area.citizen()
  const { path } = await bringToApproval(area, desk, citizen.cpf, 'third')
  id = path.split('/').at(-1) ?? ''
})
after(() => area.close())

const daysAgo = (days: number) => new Date(area.clock.now().getTime() - days * DAY_MS)
const execute = (sql: string, values: unknown[]) => area.app.foundation.db.execute(sql, values)

/** Support that somebody gave the citizen, in some unit. */
async function support(person: TestOperator, days: number, unitId: string): Promise<void> {
  await execute(
    `INSERT INTO helpdesk_support_case (id, unit_id, attendant_id, account_id, reason, sealed, opened_at, expires_at, closed_at) VALUES ($1, $2, $3, $4, 'call', '\\x00', $5, $5, $5)`,
    [randomUUID(), unitId, person.accountId, citizen.accountId, daysAgo(days)],
  )
}

/** A suspicion that somebody decided in an earlier case; the citizen is the case's person, or the other side. */
async function judge(person: TestOperator, days: number, side: 'own' | 'other'): Promise<void> {
  const stranger = await area.citizen()
  const [caseOf, other] = side === 'own' ? [citizen.personId, stranger.personId] : [stranger.personId, citizen.personId]
  const { db, keyring } = area.app.foundation
  const facts = { cpf: stranger.cpf, name: 'Pessoa de antes', birthDate: '1980-01-01', situation: 'regular' }
  const at = { now: daysAgo(days), expiresAt: daysAgo(days) }
  const earlier = await db.transaction(async (tx) => {
    // Opened as the stranger's, as the citizen has a live case; over before it is whose it is said to be.
    const made = await insertAttendance(tx, keyring, { protocol: randomUUID(), unitId: desk.unit.id, personId: parsePersonId(stranger.personId) ?? assert.fail(), reason: 'enrolment', holder: { id: desk.attendant.accountId, role: 'attendant' }, facts, ...at })
    await tx.execute(`UPDATE attendance SET state = 'abandoned', person_id = $2 WHERE id = $1`, [made, caseOf])
    return made
  })
  await execute(
    `INSERT INTO fraud_review (id, attendance_id, kind, other_person_id, other_image_id, distance, state, reason, created_at, decided_by, decided_at)
     VALUES ($1, $2, 'another-person', $3, $4, 0.4, 'dismissed', 'lookalike', $5, $6, $5)`,
    [randomUUID(), earlier, other, randomUUID(), daysAgo(days), person.accountId],
  )
}

/** Tries it on the page, by its form, and by a direct write. */
async function isRefused(person: TestOperator): Promise<void> {
  const browser = area.browser()
  await enterDesk(area, browser, person, '/balcao/aprovacoes')
  assert.equal((await area.open(browser, `/balcao/aprovacoes/${id}`)).status, 403)
  const body = new URLSearchParams({ _csrf: await tokenOf(area, browser), compared: 'sim', asked: 'sim' })
  assert.match((await browser.post(`${area.url}/balcao/aprovacoes/${id}/aprovar`, body, new URL(area.url))).text, /outra pessoa da supervisão decide/)
  await assert.rejects(
    execute(`UPDATE attendance SET state = 'approved', decided_by = $2, decided_at = $3, decision = 'approved' WHERE id = $1`, [id, person.accountId, area.clock.now()]),
    /had no hand/,
  )
  assert.equal(await area.app.rooms.assurance.levelOf(citizen.accountId), 'bronze')
}

test('whoever judged the person, on either side of an earlier case, approves nothing of theirs', async () => {
  for (const side of ['own', 'other'] as const) {
    const reviewer = await hire(area, desk, 'supervisor')
    await judge(reviewer, 300, side)
    await isRefused(reviewer)
  }
})

test('whoever did support for the person lately does not either, in whichever unit it was, though the role ended and was given anew', async () => {
  const { staff } = area.app.rooms
  const elsewhere = await openUnit(area)
  const mover = await hire(area, elsewhere, 'attendant')
  await support(mover, 29, elsewhere.unit.id)
  await makeOuro(area, mover)
  const end = () => execute('UPDATE helpdesk_role SET ended_at = $2 WHERE account_id = $1 AND ended_at IS NULL', [mover.accountId, area.clock.now()])
  await end()
  const give = () => staff.grant({ unitId: desk.unit.id, cpf: cpfOf(mover), role: 'supervisor', endsAt: yearFrom(area) }, desk.manager.accountId)
  await give()
  await isRefused(mover)
  await end()
  await give()
  await isRefused(mover)
})

test('a manager who looked does not approve as the supervisor that somebody made of them', async () => {
  await support(desk.manager, 3, desk.unit.id)
  await makeOuro(area, desk.manager)
  await execute(
    `INSERT INTO helpdesk_role (id, unit_id, account_id, role, level, starts_at, ends_at, granted_from, granted_at) VALUES ($1, $2, $3, 'supervisor', 'ouro', $4, $5, 'command-line', $4)`,
    [randomUUID(), desk.unit.id, desk.manager.accountId, area.clock.now(), yearFrom(area)],
  )
  await isRefused(desk.manager)
})

test('another name is no other person, and nobody has two accounts', async () => {
  const renamed = await hire(area, desk, 'supervisor')
  await support(renamed, 1, desk.unit.id)
  await execute('UPDATE person SET name = $2, social_name = $3 WHERE id = $1', [renamed.personId, 'Nome Trocado de Teste', 'Outro Nome'])
  await isRefused(renamed)
  await assert.rejects(execute(`INSERT INTO account (id, person_id, status, locale, created_at) VALUES ($1, $2, 'active', 'pt-BR', $3)`, [randomUUID(), renamed.personId, area.clock.now()]), /unique/)
  // Closed and registered anew it is the same row, with what it did.
  await execute(`UPDATE account SET status = 'closed' WHERE id = $1`, [renamed.accountId])
  await execute(`UPDATE account SET status = 'active' WHERE id = $1`, [renamed.accountId])
  await assert.rejects(execute(`UPDATE attendance SET state = 'approved', decided_by = $2, decided_at = $3, decision = 'approved' WHERE id = $1`, [id, renamed.accountId, area.clock.now()]), /had no hand/)
})

test('support of more than thirty days ago and a judgement of more than a year ago are no hindrance', async () => {
  const free = await hire(area, desk, 'supervisor')
  await support(free, 32, desk.unit.id)
  await judge(free, 370, 'own')
  const browser = area.browser()
  const page = await enterDesk(area, browser, free, `/balcao/aprovacoes/${id}`)
  assert.equal(page.status, 200)
  await browser.submit(page, {}, { action: '/aprovar' })
  const [found] = await area.app.foundation.db.query<{ state: string; decided_by: string }>('SELECT state, decided_by FROM attendance WHERE id = $1', [id])
  assert.deepEqual([found?.state, found?.decided_by], ['approved', free.accountId])
})

test('the name of a case that is over is nobody’s to read any more, not even its holder’s', async () => {
  const other = await area.citizen()
  const { path, browser } = await bringToApproval(area, desk, other.cpf, 'one')
  const [person] = await area.app.foundation.db.query<{ name: string }>('SELECT name FROM person WHERE id = $1', [other.personId])
  const name = person?.name ?? assert.fail()
  // The attendant's own name stands in the head of each page, and may be the same.
  const timesIn = ({ text }: { text: string }) => text.split(name).length - 1
  const live = timesIn(await area.open(browser, path))
  await execute(`UPDATE attendance SET state = 'expired' WHERE id = $1`, [path.split('/').at(-1)])
  const over = await area.open(browser, path)
  assert.match(over.text, /Vencido/)
  const list = await area.open(browser, '/balcao/atendimentos')
  assert.deepEqual([timesIn(over), timesIn(list)], [live - 1, live - 1])
})

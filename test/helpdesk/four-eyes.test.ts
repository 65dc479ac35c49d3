/** Two people, and what both of them saw: no way round the second pair of eyes by a link, a later reference, a new face or a second look. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { parseCpf } from '../../src/accounts/index.ts'
import { createApprovals } from '../../src/helpdesk/approval/approvals.ts'
import { createLastChecks } from '../../src/helpdesk/approval/checks.ts'
import { createAttendances } from '../../src/helpdesk/attendance/attendances.ts'
import { openArea, type TestArea } from '../portal/support/area.ts'
import { cpfOfNobody } from '../support/citizen-journey.ts'
import { beginHour } from '../support/clock.ts'
import { bindByCode, bringToApproval, captureAll, offerBinding, openCase, openStaffedDesk, shotsOf, upload } from './support/attendance-scene.ts'
import { cpfOf, enterDesk, hire, yearFrom } from './support/counter.ts'

let area: TestArea

before(async () => {
  area = await openArea()
})
after(() => area.close())

const idOf = (path: string) => path.split('/').at(-1) ?? ''
const levelOf = (accountId: string) => area.app.rooms.assurance.levelOf(accountId)
const countOf = async (sql: string, id: string) => (await area.app.foundation.db.query<{ count: number }>(sql, [id]))[0]?.count
const pendingOf = (id: string) => countOf(`SELECT count(*)::int AS count FROM fraud_review WHERE attendance_id = $1 AND state = 'pending'`, id)

function deskParts() {
  const { db, clock, keyring } = area.app.foundation
  const { audit, staff } = area.app.rooms
  return { db, clock, keyring, audit, staff }
}

test('a reference that came after the captures is compared at the approval; of two supervisors at once one review is made', async () => {
  const desk = await openStaffedDesk(area)
  const colleague = await hire(area, desk, 'supervisor')
  const citizen = await area.citizen()
  const { path } = await bringToApproval(area, desk, citizen.cpf, 'third')
  const { faces, images } = area.app.rooms
  const [photo = assert.fail()] = await shotsOf('fourth')
  const seen = await faces.describe(photo)
  const image = {
    personId: citizen.personId, kind: 'face', bytes: photo, contentType: 'image/jpeg', width: seen.width, height: seen.height,
    provenance: { source: 'detran', method: 'import', trusted: true, inPerson: true, capturedAt: area.clock.now() },
  } as const
  const template = { modelId: seen.modelId, k: 1, descriptor: seen.faces[0]?.descriptor ?? assert.fail() }
  await area.app.foundation.db.transaction((tx) => images.put(tx, image, template))
  const forms = []
  for (const person of [desk.supervisor, colleague]) {
    const browser = area.browser()
    forms.push({ browser, page: await enterDesk(area, browser, person, `/balcao/aprovacoes/${idOf(path)}`) })
  }
  await Promise.all(forms.map(({ browser, page }) => browser.submit(page, {}, { action: '/aprovar' })))
  assert.equal(await pendingOf(idOf(path)), 1)
  assert.equal(await countOf(`SELECT count(*)::int AS count FROM attendance WHERE id = $1 AND state = 'awaiting-approval' AND halted_at IS NOT NULL`, idOf(path)), 1)
})

test('one face under two CPFs, approved in two units in the same moment: the second sees the first and stops', async () => {
  const { images, faces, faceSearch: search, assurance } = area.app.rooms
  const checks = createLastChecks({ desk: deskParts(), rule: faces.rule, images, search })
  const cases = []
  for (const person of ['third', 'third'] as const) {
    const desk = await openStaffedDesk(area)
    const citizen = await area.citizen()
    const { path } = await bringToApproval(area, desk, citizen.cpf, person)
    cases.push({ id: idOf(path), citizen, hand: { id: desk.supervisor.accountId, role: 'supervisor', unitId: desk.unit.id } as const })
  }
  // Both have looked, and found nobody, before either of them is enrolled.
  const [both, seen] = [Promise.withResolvers<void>(), [] as string[]]
  const again: typeof checks.again = async (attendance) => {
    const found = await checks.again(attendance)
    if (seen.push(found) === cases.length) both.resolve()
    await both.promise
    return found
  }
  const approvals = createApprovals({ desk: deskParts(), effects: { check: async () => {}, apply: async () => {} }, images, addEvidence: assurance.add, checks: { ...checks, again } })
  const ends = await Promise.allSettled(cases.map(({ id, hand }) => approvals.approve(id, hand, { compared: false })))
  assert.deepEqual(seen, ['clear', 'clear'])
  assert.deepEqual(ends.map((end) => (end.status === 'fulfilled' ? 'approved' : end.reason.code)).sort(), ['approved', 'helpdesk/halted'])
  const lost = cases[ends.findIndex(({ status }) => status === 'rejected')] ?? assert.fail()
  assert.equal(await pendingOf(lost.id), 1, 'a reviewer has both sides')
  assert.equal(await countOf('SELECT count(*)::int AS count FROM stored_image WHERE person_id = $1', lost.citizen.personId), 0)
  for (const { citizen: { personId } } of cases) {
    const ids = (await images.list(personId)).map(({ id }) => id)
    await area.app.foundation.db.transaction((tx) => images.withdrawImages(tx, personId, ids, { kind: 'operator', id: 'test' }))
  }
})

test('a search that is off by the time of the approval is never taken for "nobody"', async () => {
  const desk = await openStaffedDesk(area)
  const citizen = await area.citizen()
  const { path } = await bringToApproval(area, desk, citizen.cpf, 'one')
  const { images, faces, faceSearch, assurance } = area.app.rooms
  const off = { find: faceSearch.find, state: { ...faceSearch.state, on: false } } as typeof faceSearch
  const checks = createLastChecks({ desk: deskParts(), rule: faces.rule, images, search: off })
  const approvals = createApprovals({ desk: deskParts(), effects: { check: async () => {}, apply: async () => {} }, images, addEvidence: assurance.add, checks })
  const hand = { id: desk.supervisor.accountId, role: 'supervisor', unitId: desk.unit.id } as const
  await assert.rejects(approvals.approve(idOf(path), hand, { compared: false }), { code: 'helpdesk/eyes-needed' })
})

test('a suspicion that was dismissed says nothing of a face taken later; its page closes, its reading is told, and the case has time to go on', async () => {
  const desk = await openStaffedDesk(area)
  const citizen = await area.citizen()
  const [browser, reviewer] = [area.browser(), area.browser()]
  await enterDesk(area, browser, desk.attendant)
  const path = (await openCase(area, browser, citizen.cpf)).url.pathname
  await captureAll(area, browser, path, 'joana')
  await browser.submit(await area.open(browser, path), {}, { action: '/conferir' })
  const dismiss = async () => {
    const list = await enterDesk(area, reviewer, desk.supervisor, '/balcao/fraudes')
    const link = list.links.find(({ href }) => /\/fraudes\/[0-9a-f-]{36}$/.test(href.pathname)) ?? assert.fail(list.text)
    const page = await reviewer.get(link.href)
    await reviewer.submit(page, { reason: 'bad-image' }, { action: link.href.pathname })
    return link.href.pathname
  }
  await area.app.foundation.db.execute('UPDATE attendance SET expires_at = opened_at WHERE id = $1', [idOf(path)])
  const decided = await dismiss()
  await createAttendances(deskParts(), area.app.rooms.register).expire()
  const goesOn = await area.open(browser, path)
  assert.doesNotMatch(goesOn.text, /Vencido/)
  for (const page of ['', '/captura', '/outra']) assert.equal((await reviewer.fetch(`${area.url}${decided}${page}`)).status, 409)
  const seen = (await area.app.rooms.audit.ledger(citizen.accountId, { limit: 20 })).filter(({ type }) => type === 'helpdesk/attendance-seen')
  assert.equal(seen.length, 1)

  await browser.submit(goesOn, {}, { action: '/refazer' })
  await browser.submit(await area.open(browser, `${path}/rosto`), {}, { action: '/limpar' })
  for (const shot of await shotsOf('joana')) assert.equal((await upload(area, browser, `${path}/rosto`, {}, shot)).status, 303)
  assert.match((await browser.submit(await area.open(browser, path), {}, { action: '/conferir' })).text, /Parado para análise/)
})

test('once a case was sent its pictures are the supervisor’s to see, and no longer the attendant’s', async () => {
  const desk = await openStaffedDesk(area)
  const citizen = await area.citizen()
  const { path, browser } = await bringToApproval(area, desk, citizen.cpf, 'one')
  const [item] = await area.app.foundation.db.query<{ id: string }>(`SELECT id FROM attendance_item WHERE attendance_id = $1 AND kind = 'face' LIMIT 1`, [idOf(path)])
  assert.equal((await browser.fetch(`${area.url}${path}/imagem/${item?.id}`)).status, 404)
})

test('an attendant who tries one CPF after the other is stopped, found or not', async () => {
  const desk = await openStaffedDesk(area)
  const attendances = createAttendances(deskParts(), area.app.rooms.register)
  const hand = { id: desk.attendant.accountId, role: 'attendant', unitId: desk.unit.id } as const
  beginHour(area.clock)
  const look = (n: number) => attendances.open({ cpf: parseCpf(cpfOfNobody(n)) ?? assert.fail(), reason: 'enrolment' }, hand)
  for (let n = 0; n < 20; n += 1) await assert.rejects(look(800 + n), { code: 'helpdesk/cpf-unknown' })
  await assert.rejects(look(820), { code: 'support/too-many-looks' })
})

test('a look that opened nothing but told something is in the person’s ledger too', async () => {
  const [desk, citizen] = [await openStaffedDesk(area), await area.citizen()]
  const { register } = area.app.rooms
  const hand = { id: desk.attendant.accountId, role: 'attendant', unitId: desk.unit.id } as const
  const asked = { cpf: cpfOf(citizen), reason: 'enrolment' } as const
  const late = { find: async (cpf: typeof asked.cpf) => ({ ...((await register.find(cpf)) ?? assert.fail()), situation: 'deceased' }) } as typeof register
  await assert.rejects(createAttendances(deskParts(), late).open(asked, hand), { code: 'helpdesk/cpf-irregular' })
  const attendances = createAttendances(deskParts(), register)
  await attendances.open(asked, hand)
  await assert.rejects(attendances.open(asked, hand), { code: 'helpdesk/already-open' })
  const ledger = await area.app.rooms.audit.ledger(citizen.accountId, { limit: 20 })
  const found = ledger.filter(({ type }) => type === 'helpdesk/attendance-in-vain').map(({ data }) => data['found'])
  assert.deepEqual(found.toSorted(), ['already-open', 'cpf-irregular'])
})

test('whoever offers the citizen’s link has a hand in the case, and whoever approved a case offers none for it', async () => {
  const desk = await openStaffedDesk(area)
  await area.app.rooms.staff.grant({ unitId: desk.unit.id, cpf: cpfOf(desk.supervisor), role: 'attendant', endsAt: yearFrom(area) }, desk.manager.accountId)
  const citizen = await area.citizen()
  const { path } = await bringToApproval(area, desk, citizen.cpf, 'third')
  const both = area.browser()
  await enterDesk(area, both, desk.supervisor)
  await bindByCode(area, citizen, await offerBinding(area, both, path))
  assert.equal((await area.open(both, `/balcao/aprovacoes/${idOf(path)}`)).status, 403)
  assert.equal(await levelOf(citizen.accountId), 'bronze')

  const other = await area.citizen()
  const second = await bringToApproval(area, desk, other.cpf, 'one')
  await both.submit(await area.open(both, `/balcao/aprovacoes/${idOf(second.path)}`), {}, { action: '/aprovar' })
  const offer = await both.submit(await area.open(both, `${second.path}/conta`), {}, { action: '/conta' })
  assert.match(offer.text, /Peça a um colega que mostre o código/)
  await bindByCode(area, other, await offerBinding(area, second.browser, second.path))
  assert.equal(await levelOf(other.accountId), 'ouro')
})

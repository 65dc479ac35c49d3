/** Who may do what at the counter: granted by the manager above, never by oneself, and only while everything that it rests on stands. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { HELPDESK_PROBLEMS, type Staff } from '../../src/helpdesk/index.ts'
import { isProblem } from '../../src/platform/problem.ts'
import { addOperator } from '../admin/support/operator-entrance.ts'
import { openArea, type TestArea } from '../portal/support/area.ts'
import { cpfOf, dropOuro, enterDesk, hire, makeOuro, openUnit, yearFrom } from './support/counter.ts'

const DAY_MS = 86_400_000
const CLI = { actorId: 'cli:test' }

let area: TestArea
let staff: Staff

before(async () => {
  area = await openArea()
  staff = area.app.rooms.staff
})
after(() => area.close())

const refusedWith = (kind: keyof typeof HELPDESK_PROBLEMS) => (error: unknown) => isProblem(error, HELPDESK_PROBLEMS[kind])
const day = (date: Date) => date.toISOString().slice(0, 10)

test('the first manager comes by the command line, once, and needs a second factor', async () => {
  const { unit } = await openUnit(area)
  const other = await addOperator(area, [])
  await assert.rejects(staff.grantFirst({ unitCode: unit.code, cpf: cpfOf(other), endsAt: yearFrom(area) }, CLI), refusedWith('managerThere'))
  await assert.rejects(staff.openUnit({ code: unit.code, name: 'X', municipality: 'Y' }, CLI), refusedWith('unitCodeTaken'))
  const empty = await staff.openUnit({ code: 'sem-gestao', name: 'Sem gestão', municipality: 'Sinop' }, CLI)
  const plain = await area.citizen()
  await assert.rejects(staff.grantFirst({ unitCode: empty.code, cpf: cpfOf({ ...plain }), endsAt: yearFrom(area) }, CLI), refusedWith('staffUnfit'))
  await assert.rejects(
    staff.grantFirst({ unitCode: empty.code, cpf: cpfOf(other), endsAt: new Date(area.clock.now().getTime() + 400 * DAY_MS) }, CLI),
    refusedWith('endRefused'),
  )
})

test('a manager gives the roles of the own unit only, and none to oneself; the database refuses it too', async () => {
  const desk = await openUnit(area)
  const elsewhere = await openUnit(area)
  const person = await addOperator(area, [])
  const role = { unitId: desk.unit.id, cpf: cpfOf(person), role: 'attendant', endsAt: yearFrom(area) } as const
  await assert.rejects(staff.grant(role, elsewhere.manager.accountId), refusedWith('notAbove'))
  await assert.rejects(staff.grant(role, person.accountId), refusedWith('notAbove'))
  await assert.rejects(staff.grant({ ...role, cpf: cpfOf(desk.manager) }, desk.manager.accountId), refusedWith('notForOneself'))
  await assert.rejects(staff.grant({ ...role, role: 'unit-manager' }, desk.manager.accountId), refusedWith('notAbove'))
  await assert.rejects(staff.grant({ ...role, role: 'supervisor' }, desk.manager.accountId), refusedWith('staffUnfit'))
  await staff.grant(role, desk.manager.accountId)
  await assert.rejects(staff.grant(role, desk.manager.accountId), refusedWith('roleHeld'))
  const insert = area.app.foundation.db.execute(
    `INSERT INTO helpdesk_role (id, unit_id, account_id, role, level, starts_at, ends_at, granted_by, granted_from, granted_at)
     SELECT gen_random_uuid(), $1, $2, 'image-operator', 'bronze', now(), now() + interval '1 day', $2, 'desk', now()`,
    [desk.unit.id, person.accountId],
  )
  await assert.rejects(insert)
  const [own] = await staff.liveRoles(desk.manager.accountId)
  await assert.rejects(staff.change(own?.id ?? '', 'suspend', desk.manager.accountId), refusedWith('notForOneself'))
})

test('a manager is given by the managers of the unit above', async () => {
  const above = await openUnit(area)
  const below = await staff.openUnit({ code: 'abaixo', name: 'Abaixo', municipality: 'Poconé', above: above.unit.code }, CLI)
  const person = await addOperator(area, [])
  await staff.grant({ unitId: below.id, cpf: cpfOf(person), role: 'unit-manager', endsAt: yearFrom(area) }, above.manager.accountId)
  const hired = await hire(area, { unit: below, manager: person }, 'attendant')
  assert.equal((await staff.liveRoles(hired.accountId)).length, 1)
  const [role] = await staff.liveRoles(above.manager.accountId)
  await assert.rejects(staff.change(role?.id ?? '', 'end', person.accountId), refusedWith('notAbove'))
})

test('a role ends with its date, by hand, and sleeps while suspended or while the level is below; the account’s suspension ends all', async () => {
  const desk = await openUnit(area)
  const live = async (accountId: typeof desk.manager.accountId) => (await staff.liveRoles(accountId)).map(({ role }) => role)
  const supervisor = await addOperator(area, [])
  const evidence = await makeOuro(area, supervisor)
  const role = await staff.grant(
    { unitId: desk.unit.id, cpf: cpfOf(supervisor), role: 'supervisor', endsAt: yearFrom(area) },
    desk.manager.accountId,
  )
  assert.deepEqual(await live(supervisor.accountId), ['supervisor'])
  await dropOuro(area, supervisor, evidence)
  assert.deepEqual(await live(supervisor.accountId), [], 'the level fell')
  assert.equal((await staff.listIn(desk.unit.id)).find(({ id }) => id === role.id)?.state, 'asleep')
  await makeOuro(area, supervisor)
  assert.deepEqual(await live(supervisor.accountId), ['supervisor'], 'the level is back')
  assert.equal(await staff.change(role.id, 'suspend', desk.manager.accountId), true)
  assert.equal(await staff.change(role.id, 'suspend', desk.manager.accountId), false)
  assert.deepEqual(await live(supervisor.accountId), [])
  await staff.change(role.id, 'resume', desk.manager.accountId)
  assert.deepEqual(await live(supervisor.accountId), ['supervisor'])
  await staff.change(role.id, 'end', desk.manager.accountId)
  assert.deepEqual(await live(supervisor.accountId), [])
  const attendant = await hire(area, desk, 'attendant')
  await area.app.rooms.accounts.safety.suspend(attendant.accountId, { reason: 'operator', actor: { kind: 'operator', id: 'test' } })
  assert.deepEqual(await live(attendant.accountId), [])
  const events = await area.app.rooms.audit.ledger(supervisor.accountId, { limit: 50 })
  for (const type of ['granted', 'suspended', 'resumed', 'ended']) assert.ok(events.some((event) => event.type === `helpdesk/role-${type}`), type)
})

test('a role whose date has passed is over, and may be given again', async () => {
  const desk = await openUnit(area)
  const person = await addOperator(area, [])
  const role = { unitId: desk.unit.id, cpf: cpfOf(person), role: 'attendant', endsAt: new Date(area.clock.now().getTime() + 60_000) } as const
  await staff.grant(role, desk.manager.accountId)
  area.clock.advance(120_000)
  assert.deepEqual(await staff.liveRoles(person.accountId), [])
  await staff.grant({ ...role, endsAt: yearFrom(area) }, desk.manager.accountId)
  assert.equal((await staff.liveRoles(person.accountId)).length, 1)
})

test('the pages: a stranger goes to the entrance, a citizen without a role gets 403, an attendant sees no team', async () => {
  for (const path of ['/balcao', '/balcao/equipe', '/balcao/unidade']) {
    const response = await area.browser().fetch(`${area.url}${path}`)
    assert.equal(response.status, 303, path)
    assert.match(response.headers.get('Location') ?? '', /^\/balcao\/entrar\?para=\/balcao/)
  }
  const nobody = await addOperator(area, [])
  const refused = await enterDesk(area, area.browser(), nobody)
  assert.equal(refused.status, 403)
  const desk = await openUnit(area)
  const attendant = await hire(area, desk, 'attendant')
  const browser = area.browser()
  const home = await enterDesk(area, browser, attendant)
  assert.equal(home.status, 200)
  assert.match(home.text, /Atendente/)
  assert.ok(browser.cookie('mt_balcao'))
  assert.equal(browser.cookie('mt_operacao'), undefined)
  assert.equal((await area.open(browser, '/balcao/equipe')).status, 403)
})

test('a manager gives and takes a role on the team’s page; the person is shut out at the next request', async () => {
  const desk = await openUnit(area)
  const person = await addOperator(area, [])
  const browser = area.browser()
  let page = await enterDesk(area, browser, desk.manager, '/balcao/equipe')
  const until = day(new Date(area.clock.now().getTime() + 30 * DAY_MS))
  const wrong = await browser.submit(page, { cpf: '11111111111', role: 'attendant', until }, { action: '/balcao/equipe' })
  assert.equal(wrong.status, 422)
  const self = await browser.submit(page, { cpf: desk.manager.cpf, role: 'attendant', until }, { action: '/balcao/equipe' })
  assert.equal(self.status, 422)
  assert.match(self.text, /próprio papel/)
  page = await browser.submit(page, { cpf: person.cpf, role: 'attendant', until }, { action: '/balcao/equipe' })
  assert.match(page.text, /Papel dado/)
  const theirs = area.browser()
  assert.equal((await enterDesk(area, theirs, person)).status, 200)
  page = await browser.submit(page, {}, { action: '/balcao/equipe/mudar', button: 'Encerrar' })
  assert.match(page.text, /Papel encerrado/)
  assert.equal((await area.open(theirs, '/balcao')).status, 403)
  assert.match((await area.signIn(person)).page.text, /./)
})

test('somebody of two units chooses one; another’s id in the cookie opens nothing', async () => {
  const [one, two, other] = [await openUnit(area), await openUnit(area), await openUnit(area)]
  const person = await hire(area, one, 'attendant')
  await staff.grant({ unitId: two.unit.id, cpf: cpfOf(person), role: 'attendant', endsAt: yearFrom(area) }, two.manager.accountId)
  const browser = area.browser()
  let page = await enterDesk(area, browser, person)
  assert.equal(page.url.pathname, '/balcao/unidade')
  page = await browser.submit(page, { unit: two.unit.id }, { action: '/balcao/unidade' })
  assert.match(page.text, new RegExp(two.unit.name))
  const stranger = await browser.submit(await area.open(browser, '/balcao/unidade'), { unit: other.unit.id }, { action: '/balcao/unidade' })
  assert.match(stranger.text, new RegExp(two.unit.name))
})

/** The citizen's own account and the counter: by a link or a code, once, for the person of the case only; no way round it for staff. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openArea, type TestArea } from '../portal/support/area.ts'
import { bindByCode, bringToApproval, claimByCode, linkOf, offerBinding, openCase, openStaffedDesk, type StaffedDesk } from './support/attendance-scene.ts'
import { enterDesk, hire } from './support/counter.ts'

let area: TestArea
let desk: StaffedDesk

before(async () => {
  area = await openArea()
  desk = await openStaffedDesk(area)
})
after(() => area.close())

const idOf = (path: string) => path.split('/').at(-1) ?? ''
const levelOf = (accountId: string) => area.app.rooms.assurance.levelOf(accountId)

const offerLink = (attendanceId: string) => linkOf(area, desk, attendanceId)

async function caseOf(cpf: string, attendant = desk.attendant): Promise<string> {
  const browser = area.browser()
  await enterDesk(area, browser, attendant)
  return (await openCase(area, browser, cpf)).url.pathname
}

test('a link works once, on the device of its person, who signs in to an account of their own', async () => {
  const citizen = await area.citizen()
  const path = await caseOf(citizen.cpf)
  const link = await offerLink(idOf(path))
  const { browser, page } = await area.signIn(citizen, { path: `/conta/balcao/${link}` })
  assert.equal(page.url.pathname, `/conta/balcao/${link}`)
  const bound = await browser.submit(page, {}, { action: link })
  assert.match(bound.text, /Mostre que é você/)
  const replayed = await browser.submit(page, {}, { action: link })
  assert.match(replayed.text, /não vale mais/)
})

test('somebody else’s account, the attendant’s too, is refused by link and by code; the person’s ledger has it, and the link is still good', async () => {
  const citizen = await area.citizen()
  const path = await caseOf(citizen.cpf)
  const link = await offerLink(idOf(path))
  for (const other of [await area.citizen(), desk.supervisor]) {
    const { browser, page } = await area.signIn(other, { path: `/conta/balcao/${link}` })
    if (other === desk.supervisor) continue
    assert.match((await browser.submit(page, {}, { action: link })).text, /Este código não é seu/)
  }
  const ledger = await area.app.rooms.audit.ledger(citizen.accountId, { limit: 10 })
  assert.ok(ledger.some(({ type }) => type === 'helpdesk/binding-refused'))
  const own = await area.signIn(citizen, { path: `/conta/balcao/${link}` })
  assert.match((await own.browser.submit(own.page, {}, { action: link })).text, /Mostre que é você/)
})

test('a new link ends the former one; after 15 minutes it is over; a code is guessed ten times at most', async () => {
  const citizen = await area.citizen()
  const path = await caseOf(citizen.cpf)
  const first = await offerLink(idOf(path))
  const second = await offerLink(idOf(path))
  const { browser, page } = await area.signIn(citizen, { path: `/conta/balcao/${first}` })
  assert.match((await browser.submit(page, {}, { action: first })).text, /não vale mais/)
  area.clock.advance(15 * 60_000 + 1000)
  const late = await area.open(browser, `/conta/balcao/${second}`)
  assert.match((await browser.submit(late, {}, { action: second })).text, /não vale mais/)
  const attendant = area.browser()
  await enterDesk(area, attendant, desk.attendant)
  const code = await offerBinding(area, attendant, path)
  const wrong = code === '000000' ? '000001' : '000000'
  const form = await area.open(browser, '/conta/balcao')
  for (let tried = 0; tried < 10; tried += 1) await browser.submit(form, { code: wrong }, { action: '/conta/balcao' })
  assert.match((await browser.submit(form, { code }, { action: '/conta/balcao' })).text, /não vale mais/)
})

test('approved before the account is bound nobody is lifted; bound afterwards the level rises', async () => {
  const citizen = await area.citizen()
  const { path, browser: counter } = await bringToApproval(area, desk, citizen.cpf, 'fourth')
  const supervisor = area.browser()
  const page = await enterDesk(area, supervisor, desk.supervisor, `/balcao/aprovacoes/${idOf(path)}`)
  assert.match(page.text, /Nenhuma conta está ligada ainda/)
  await supervisor.submit(page, {}, { action: '/aprovar' })
  assert.equal(await levelOf(citizen.accountId), 'bronze', 'whoever registered the CPF before gains nothing')
  assert.match((await area.open(counter, path)).text, /quando a pessoa ligar a conta/)
  assert.match((await bindByCode(area, citizen, await offerBinding(area, counter, path))).text, /Conta ligada/)
  assert.equal(await levelOf(citizen.accountId), 'ouro')
})

test('the supervisor is shown since when the account exists and is bound, to ask the person about it', async () => {
  const citizen = await area.citizen()
  const other = await openStaffedDesk(area)
  const { path, browser: counter } = await bringToApproval(area, other, citizen.cpf, 'third')
  await bindByCode(area, citizen, await offerBinding(area, counter, path))
  const page = await enterDesk(area, area.browser(), other.supervisor, `/balcao/aprovacoes/${idOf(path)}`)
  assert.match(page.text, /Conta que vai subir Criada em .+ Ligada a este atendimento em .+ Foi você que a ligou, no seu celular\?/)
  assert.doesNotMatch(page.text, /Nenhuma conta está ligada/)
})

test('the counter says how long the link and the digits work, and the digits work no longer', async () => {
  const citizen = await area.citizen()
  const path = await caseOf(citizen.cpf)
  const attendant = area.browser()
  await enterDesk(area, attendant, desk.attendant)
  const page = await attendant.submit(await area.open(attendant, `${path}/conta`), {}, { action: '/conta' })
  for (const told of [/Vale uma vez, por 15 minutos/, /Eles valem por 10 minutos/]) assert.match(page.text, told)
  const code = /<code>(\d{6})<\/code>/.exec(page.html)?.[1] ?? assert.fail(page.text)
  area.clock.advance(10 * 60_000 + 1000)
  const late = await bindByCode(area, citizen, code)
  assert.match(late.text, /não vale mais/)
  assert.doesNotMatch(late.text, /15 minutos/)
})

test('a case whose reference was withdrawn before the account was bound lifts nobody', async () => {
  const other = await openStaffedDesk(area)
  const citizen = await area.citizen()
  const { path, browser: counter } = await bringToApproval(area, other, citizen.cpf, 'third')
  const supervisor = area.browser()
  await supervisor.submit(await enterDesk(area, supervisor, other.supervisor, `/balcao/aprovacoes/${idOf(path)}`), {}, { action: '/aprovar' })
  await area.app.foundation.db.transaction((tx) => area.app.rooms.images.withdrawFaces(tx, citizen.personId, 'counter'))
  const { page: lost } = await claimByCode(area, citizen, await offerBinding(area, counter, path))
  assert.match(lost.text, /foto deste atendimento não vale mais/)
  assert.equal(await levelOf(citizen.accountId), 'bronze')
})

test('a stranger’s browser is led to the sign-in, and no one but the unit’s attendants offers a link', async () => {
  const citizen = await area.citizen()
  const path = await caseOf(citizen.cpf, await hire(area, desk, 'attendant'))
  const response = await area.browser().fetch(`${area.url}/conta/balcao/${'a'.repeat(43)}`)
  assert.equal(response.status, 303)
  const browser = area.browser()
  await enterDesk(area, browser, desk.supervisor)
  assert.equal((await area.open(browser, `${path}/conta`)).status, 403)
  const elsewhere = await openStaffedDesk(area)
  const other = area.browser()
  await enterDesk(area, other, elsewhere.attendant)
  assert.equal((await area.open(other, `${path}/conta`)).status, 404)
})

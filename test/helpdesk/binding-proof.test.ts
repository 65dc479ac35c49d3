/** Who holds the device that claims a case: the captured face or a second person of the staff, and no link, other face or closed account in its place. */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { openArea, type TestArea, type TestCitizen } from '../portal/support/area.ts'
import type { BrowserClient, Page } from '../support/browser-client.ts'
import { showPictures } from '../support/face-check-client.ts'
import { loadFaceViews, SAMPLE_FACES } from '../support/reactive-camera/face-views.ts'
import {
  bindByCode, bringToApproval, captureAll, claimByCode, linkOf, numberOn, offerBinding, openCase, openStaffedDesk, type StaffedDesk,
} from './support/attendance-scene.ts'
import { enterDesk, hire } from './support/counter.ts'

let area: TestArea
let desk: StaffedDesk

before(async () => {
  area = await openArea()
  desk = await openStaffedDesk(area)
})
after(() => area.close())
/** One face is one person's: the next test enrols it as somebody else. */
afterEach(async () => {
  const { foundation, rooms } = area.app
  for (const { personId } of enrolled.splice(0)) await foundation.db.transaction((tx) => rooms.images.withdrawFaces(tx, personId, 'counter'))
})

const enrolled: TestCitizen[] = []

async function somebody(): Promise<TestCitizen> {
  const citizen = await area.citizen()
  enrolled.push(citizen)
  return citizen
}

const PROVE = '/conta/balcao/conferir'
const idOf = (path: string) => path.split('/').at(-1) ?? ''
const levelOf = (accountId: string) => area.app.rooms.assurance.levelOf(accountId)
const write = (sql: string, values: unknown[]) => area.app.foundation.db.execute(sql, values)

async function boundBy(path: string): Promise<string | null | undefined> {
  const [row] = await area.app.foundation.db.query<{ bound_by: string | null }>('SELECT bound_by FROM attendance WHERE id = $1', [idOf(path)])
  return row?.bound_by
}

/** A person before the camera of the device. */
async function showFaceOf(who: keyof typeof SAMPLE_FACES, browser: BrowserClient, page: Page) {
  const views = await loadFaceViews(SAMPLE_FACES[who])
  let moment = who === 'one' ? 5000 : 9000
  return showPictures(browser, page, {
    clock: area.clock,
    capture({ yaw = 0, colour }) {
      moment += 13
      return views.jpeg({ yawDegrees: yaw, colour, moment })
    },
  })
}

async function approve(path: string, ticks: Record<string, string> = {}, by = desk.supervisor): Promise<Page> {
  const browser = area.browser()
  return browser.submit(await enterDesk(area, browser, by, `/balcao/aprovacoes/${idOf(path)}`), ticks, { action: '/aprovar' })
}

async function ledgerTypes(citizen: TestCitizen): Promise<string[]> {
  return (await area.app.rooms.audit.ledger(citizen.accountId, { limit: 100 })).map(({ type }) => type)
}

test('an accomplice who registered the CPF and is sent the link is not bound by it; the face of the person at the counter is, and lifts', async () => {
  const citizen = await somebody()
  const { path, browser: counter } = await bringToApproval(area, desk, citizen.cpf, 'one')
  const { browser, page } = await claimByCode(area, citizen, await offerBinding(area, counter, path))
  assert.match(page.text, /Mostre que é você/)
  assert.match((await area.open(counter, path)).text, /Falta mostrar o rosto/)
  const accomplice = await showFaceOf('two', browser, page)
  assert.equal(accomplice.passed, false)
  assert.equal(await boundBy(path), null)
  assert.ok((await ledgerTypes(citizen)).includes('helpdesk/binding-unproved'))
  await approve(path)
  assert.equal(await levelOf(citizen.accountId), 'bronze', 'the link alone lifts nobody')

  const right = await showFaceOf('one', browser, await area.open(browser, PROVE))
  assert.equal(right.passed, true)
  assert.equal(right.next, PROVE)
  assert.match((await area.open(browser, PROVE)).text, /Conta ligada ao atendimento/)
  assert.equal(await boundBy(path), 'face')
  assert.equal(await levelOf(citizen.accountId), 'ouro')
})

test('a binding that was proved with one face falls when the draft gets another', async () => {
  const citizen = await somebody()
  const browser = area.browser()
  await enterDesk(area, browser, desk.attendant)
  const path = (await openCase(area, browser, citizen.cpf)).url.pathname
  await captureAll(area, browser, path, 'third')
  await bindByCode(area, citizen, await offerBinding(area, browser, path))
  assert.equal(await boundBy(path), 'staff')
  await browser.submit(await area.open(browser, `${path}/rosto`), {}, { action: '/limpar' })
  assert.equal(await boundBy(path), null)
  const { page } = await area.signIn(citizen, { path: PROVE })
  assert.match(page.text, /Espere a foto do balcão/)
})

test('without a camera a second person reads the device’s number: not who had a hand in the case, not by guessing, and not by a direct write', async () => {
  const citizen = await somebody()
  const { path, browser: counter } = await bringToApproval(area, desk, citizen.cpf, 'third')
  const { browser, page } = await claimByCode(area, citizen, await offerBinding(area, counter, path))
  const place = `/balcao/contas/${idOf(path)}`
  const early = area.browser()
  assert.equal((await enterDesk(area, early, desk.supervisor, place)).status, 409, 'nobody asked a colleague to look')
  assert.equal((await early.fetch(`${area.url}${place}/rosto`)).status, 409)
  const code = await numberOn(browser, page)
  assert.match((await area.open(counter, '/balcao/contas')).text, /Você participou deste atendimento/)
  assert.equal((await area.open(counter, place)).status, 403, 'the attendant who offered the link')
  assert.equal((await area.open(counter, `${place}/rosto`)).status, 403)
  const bind = (by: string | null) =>
    write(`UPDATE attendance SET bound_account = claimed_account, bound_at = now(), bound_by = 'staff', bound_confirmer = $2 WHERE id = $1`, [idOf(path), by])
  await assert.rejects(bind(desk.attendant.accountId), /had no hand/)
  await assert.rejects(bind(null), /attendance_bound_confirmer/)
  const elsewhere = await openStaffedDesk(area)
  const stranger = area.browser()
  await enterDesk(area, stranger, elsewhere.attendant)
  assert.equal((await area.open(stranger, place)).status, 404)

  const colleague = area.browser()
  const form = await enterDesk(area, colleague, desk.supervisor, place)
  assert.equal((await colleague.fetch(`${area.url}${place}/rosto`)).headers.get('Content-Type'), 'image/jpeg')
  const wrong = code === '000000' ? '000001' : '000000'
  for (let tried = 0; tried < 10; tried += 1) await colleague.submit(form, { code: wrong }, { action: place })
  const spent = await colleague.submit(form, { code }, { action: place })
  assert.match(spent.text, /não vale mais/)
  assert.equal(await boundBy(path), null)
  const again = await numberOn(browser, await area.open(browser, PROVE))
  assert.match((await colleague.submit(form, { code: again }, { action: place })).text, /Conta ligada ao atendimento/)
  assert.equal((await colleague.submit(form, { code: again }, { action: place })).status, 409, 'once')
  assert.match((await approve(path)).text, /Aprovado/)
  assert.equal(await levelOf(citizen.accountId), 'ouro')
})

test('an account that was opened, or opened again, after the case began is asked about before the approval', async () => {
  const citizen = await somebody()
  const { path, browser: counter } = await bringToApproval(area, desk, citizen.cpf, 'fourth')
  await write('UPDATE account SET credentials_changed_at = $2 WHERE id = $1', [citizen.accountId, area.clock.now()])
  await bindByCode(area, citizen, await offerBinding(area, counter, path))
  const unasked = await approve(path)
  assert.equal(unasked.status, 422)
  assert.match(unasked.text, /perguntou à pessoa sobre a conta/)
  assert.match((await approve(path, { asked: 'sim' })).text, /Aprovado/)
  assert.equal(await levelOf(citizen.accountId), 'ouro')
})

test('an account that is closed loses its claim and its binding: whoever registers the CPF next proves everything anew', async () => {
  const other = await openStaffedDesk(area)
  const citizen = await somebody()
  const { path, browser: counter } = await bringToApproval(area, other, citizen.cpf, 'third')
  await bindByCode(area, citizen, await offerBinding(area, counter, path))
  await write(`UPDATE account SET status = 'closed' WHERE id = $1`, [citizen.accountId])
  await write(`UPDATE account SET status = 'active' WHERE id = $1`, [citizen.accountId])
  assert.equal(await boundBy(path), null)
  await approve(path, {}, other.supervisor)
  assert.equal(await levelOf(citizen.accountId), 'bronze')
})

test('an account that closes after the approval leaves the case too: the CPF’s next registration is no bound account, until the face is proved anew', async () => {
  const other = await openStaffedDesk(area)
  const citizen = await somebody()
  const { path, browser: counter } = await bringToApproval(area, other, citizen.cpf, 'third')
  await bindByCode(area, citizen, await offerBinding(area, counter, path))
  await approve(path, {}, other.supervisor)
  assert.equal(await levelOf(citizen.accountId), 'ouro')
  await write(`UPDATE account SET status = 'closed' WHERE id = $1`, [citizen.accountId])
  const actor = { kind: 'citizen', id: citizen.accountId } as const
  await area.app.foundation.db.transaction((tx) => area.app.rooms.assurance.withdrawAll(tx, { ...citizen, reason: 'account-closed', actor }))
  await write(`UPDATE account SET status = 'active' WHERE id = $1`, [citizen.accountId])
  assert.equal(await boundBy(path), null)
  assert.match((await area.open(counter, path)).text, /ligue antes a conta/, 'no receipt goes to whoever registered the CPF next')
  await bindByCode(area, citizen, await offerBinding(area, counter, path))
  assert.equal(await levelOf(citizen.accountId), 'ouro', 'and the person is not left with a case that says bound and lifts nothing')
})

test('suspended when the case is approved, the account is bound all the same and has its level when it is back', async () => {
  const other = await openStaffedDesk(area)
  const citizen = await somebody()
  const { path, browser: counter } = await bringToApproval(area, other, citizen.cpf, 'third')
  await bindByCode(area, citizen, await offerBinding(area, counter, path))
  const { safety } = area.app.rooms.accounts
  const operator = { kind: 'operator', id: 'test' } as const
  await safety.suspend(citizen.accountId, { reason: 'operator', actor: operator })
  const supervisor = area.browser()
  const sheet = await enterDesk(area, supervisor, other.supervisor, `/balcao/aprovacoes/${idOf(path)}`)
  assert.match(sheet.text, /A conta está suspensa/)
  await supervisor.submit(sheet, {}, { action: '/aprovar' })
  assert.doesNotMatch((await area.open(counter, path)).text, /quando a pessoa ligar a conta/)
  await safety.resume(citizen.accountId, operator)
  assert.equal(await levelOf(citizen.accountId), 'ouro')
})

test('bound a year after the approval, the level has a year less to stand', async () => {
  const other = await openStaffedDesk(area)
  const citizen = await somebody()
  const { path, browser: counter } = await bringToApproval(area, other, citizen.cpf, 'third')
  await approve(path, {}, other.supervisor)
  await write(`UPDATE attendance SET decided_at = decided_at - interval '100 days' WHERE id = $1`, [idOf(path)])
  await bindByCode(area, citizen, await offerBinding(area, counter, path))
  const rows = await area.app.foundation.db.query<{ obtained_at: Date; decided_at: Date }>(
    `SELECT e.obtained_at, c.decided_at FROM evidence e JOIN attendance c ON c.person_id = e.person_id WHERE c.id = $1 AND e.method = 'attended'`,
    [idOf(path)],
  )
  assert.deepEqual(rows.map(({ obtained_at }) => obtained_at), rows.map(({ decided_at }) => decided_at))
  assert.equal(rows.length, 1)
})

test('a link that goes round fills nobody’s ledger: three strangers, and it is dead', async () => {
  const citizen = await somebody()
  const counter = area.browser()
  await enterDesk(area, counter, await hire(area, desk, 'attendant'))
  const path = (await openCase(area, counter, citizen.cpf)).url.pathname
  const link = await linkOf(area, desk, idOf(path))
  const stranger = await area.citizen()
  const { browser, page } = await area.signIn(stranger, { path: `/conta/balcao/${link}` })
  for (let tried = 0; tried < 5; tried += 1) await browser.submit(page, {}, { action: link })
  assert.equal((await ledgerTypes(citizen)).filter((type) => type === 'helpdesk/binding-refused').length, 3)
  const own = await area.signIn(citizen, { path: `/conta/balcao/${link}` })
  assert.match((await own.browser.submit(own.page, {}, { action: link })).text, /não vale mais/)
})

/** What an attendant does with one case, over HTTP as a browser without scripts would. */
import assert from 'node:assert/strict'
import type { AccountId } from '../../../src/accounts/index.ts'
import { createBindings } from '../../../src/helpdesk/binding/bindings.ts'
import { addOperator, type TestOperator } from '../../admin/support/operator-entrance.ts'
import type { TestArea } from '../../portal/support/area.ts'
import type { BrowserClient, Page } from '../../support/browser-client.ts'
import { frameOf, HEADS } from '../../support/face-samples.ts'
import { loadFaceViews, SAMPLE_FACES } from '../../support/reactive-camera/face-views.ts'
import { cpfOf, enterDesk, hire, openUnit, yearFrom } from './counter.ts'

export interface StaffedDesk {
  readonly unit: Awaited<ReturnType<typeof openUnit>>['unit']
  readonly manager: TestOperator
  readonly attendant: TestOperator
  readonly supervisor: TestOperator
}

/** A unit that takes a web camera's photographs, with an attendant and a supervisor. */
export async function openStaffedDesk(area: TestArea): Promise<StaffedDesk> {
  const desk = await openUnit(area)
  const { code } = desk.unit
  await area.app.rooms.staff.setRules(code, { faceProfile: 'reference', matchPoint: 'fmr1e-4' }, { actorId: 'cli:test' })
  return { ...desk, attendant: await hire(area, desk, 'attendant'), supervisor: await hire(area, desk, 'supervisor') }
}

/** Four people of the sample photographs; `joana` has an account and a reference image in the demonstration. */
export type PersonName = 'joana' | 'third' | 'fourth' | 'one'
const FOURTH = { sample: 5, x: 464, y: 1054, side: 343 }

/** Three photographs of one person, each a little different. */
export async function shotsOf(person: PersonName): Promise<Buffer[]> {
  if (person === 'one') {
    const views = await loadFaceViews(SAMPLE_FACES.one)
    return Promise.all([1, 2, 3].map((moment) => views.jpeg({ yawDegrees: 0, moment })))
  }
  const head = { joana: HEADS.other, third: HEADS.third, fourth: FOURTH }[person]
  return Promise.all([1, 0.98, 1.03].map((brightness) => frameOf(head, { brightness, quality: 95 })))
}

/** Posts a form with a file, as a browser does. */
export async function upload(area: TestArea, browser: BrowserClient, path: string, fields: Record<string, string>, file: Uint8Array): Promise<Response> {
  const body = new FormData()
  for (const [name, value] of Object.entries({ _csrf: await tokenOf(area, browser), ...fields })) body.append(name, value)
  body.append('file', new Blob([new Uint8Array(file)]), 'file')
  return browser.fetch(`${area.url}${path}`, { method: 'POST', body })
}

export async function tokenOf(area: TestArea, browser: BrowserClient): Promise<string> {
  const page = await area.open(browser, '/balcao')
  return /name="_csrf" value="([^"]+)"/.exec(page.html)?.[1] ?? ''
}

/** Opens a case; `page` is the case's. */
export async function openCase(area: TestArea, browser: BrowserClient, cpf: string, reason = 'enrolment'): Promise<Page> {
  return browser.submit(await area.open(browser, '/balcao/atendimentos'), { cpf, reason }, { action: '/balcao/atendimentos' })
}

/** Document, shots and signature of a case. */
export async function captureAll(area: TestArea, browser: BrowserClient, path: string, person: PersonName): Promise<void> {
  const document = await area.open(browser, `${path}/documento`)
  const values = { type: 'rg', number: '1234567-8', issuer: 'SESP/MT', issuedOn: '2020-05-04' }
  assert.equal((await browser.submit(document, values, { action: '/documento' })).status, 200)
  const shots = await shotsOf(person)
  const page = shots[0] ?? assert.fail()
  for (const kind of ['document-front', 'signature']) assert.equal((await upload(area, browser, `${path}/arquivo`, { kind }, page)).status, 303)
  for (const shot of shots) assert.equal((await upload(area, browser, `${path}/rosto`, {}, shot)).status, 303)
}

/** A whole case up to the supervisor's desk; answers its path at the attendant's. */
export async function bringToApproval(
  area: TestArea,
  desk: StaffedDesk,
  cpf: string,
  person: PersonName,
  reason = 'enrolment',
): Promise<{ path: string; browser: BrowserClient }> {
  const browser = area.browser()
  await enterDesk(area, browser, desk.attendant)
  const opened = await openCase(area, browser, cpf, reason)
  const path = opened.url.pathname
  await captureAll(area, browser, path, person)
  const checked = await browser.submit(await area.open(browser, path), {}, { action: '/conferir' })
  const sent = await browser.submit(checked, {}, { action: '/enviar' })
  assert.match(sent.text, /Esperando a supervisão/)
  return { path, browser }
}

/** What the counter's screen shows for the citizen's own device. */
export async function offerBinding(area: TestArea, browser: BrowserClient, path: string): Promise<string> {
  const page = await browser.submit(await area.open(browser, `${path}/conta`), {}, { action: '/conta' })
  assert.match(page.html, /src="data:image\/png;base64,/)
  return /<code>(\d{6})<\/code>/.exec(page.html)?.[1] ?? assert.fail(page.text)
}

/** A link as the QR code holds it, offered by an attendant. */
export async function linkOf(area: TestArea, { unit, attendant }: Pick<StaffedDesk, 'unit' | 'attendant'>, attendanceId: string): Promise<string> {
  const { db, clock, keyring } = area.app.foundation
  const { audit, staff, accounts } = area.app.rooms
  const bindings = createBindings({ desk: { db, clock, keyring, audit, staff }, tokens: accounts.tokens })
  return (await bindings.offer(attendanceId, { id: attendant.accountId, role: 'attendant', unitId: unit.id })).link
}

/** Signs the citizen in on a device of their own and uses the code; the account has then claimed the case. */
export async function claimByCode(area: TestArea, citizen: { cpf: string }, code: string): Promise<{ browser: BrowserClient; page: Page }> {
  const { browser, page } = await area.signIn(citizen, { path: '/conta/entrar?para=/conta/balcao' })
  assert.equal(page.url.pathname, '/conta/balcao')
  return { browser, page: await browser.submit(page, { code }, { action: '/conta/balcao' }) }
}

/** The whole binding by the way that needs no camera: the code, and a colleague of the attendant's who reads the number on the device. */
export async function bindByCode(area: TestArea, citizen: { cpf: string }, code: string): Promise<Page> {
  const { browser, page } = await claimByCode(area, citizen, code)
  if (page.url.pathname !== '/conta/balcao/conferir') return page
  const [found] = await area.app.foundation.db.query<{ id: string; unit_id: string }>(
    'SELECT c.id, c.unit_id FROM attendance c JOIN person p ON p.id = c.person_id WHERE p.cpf = $1 AND c.claimed_account IS NOT NULL ORDER BY c.claimed_at DESC LIMIT 1',
    [cpfOf(citizen)],
  )
  const { id, unit_id: unitId } = found ?? assert.fail(page.text)
  const [colleague, shown] = [area.browser(), await numberOn(browser, page)]
  const form = await enterDesk(area, colleague, await colleagueIn(area, unitId), `/balcao/contas/${id}`)
  const confirmed = await colleague.submit(form, { code: shown }, { action: `/contas/${id}` })
  assert.match(confirmed.text, /Conta ligada ao atendimento/)
  return area.open(browser, '/conta/balcao/conferir')
}

/** The number that the citizen's device shows to a colleague of the attendant's. */
export async function numberOn(browser: BrowserClient, page: Page): Promise<string> {
  const shown = await browser.submit(page, {}, { action: '/colega' })
  return /<code>(\d{6})<\/code>/.exec(shown.html)?.[1] ?? assert.fail(shown.text)
}

const colleagues = new Map<string, TestOperator>()

/** Somebody else of the unit, hired by its manager. */
async function colleagueIn(area: TestArea, unitId: string): Promise<TestOperator> {
  const known = colleagues.get(unitId)
  if (known) return known
  const [manager] = await area.app.foundation.db.query<{ account_id: AccountId }>(
    "SELECT account_id FROM helpdesk_role WHERE unit_id = $1 AND role = 'unit-manager' AND ended_at IS NULL",
    [unitId],
  )
  const colleague = await addOperator(area, [])
  const role = { unitId, cpf: cpfOf(colleague), role: 'attendant', endsAt: yearFrom(area) } as const
  await area.app.rooms.staff.grant(role, manager?.account_id ?? assert.fail('no manager'))
  colleagues.set(unitId, colleague)
  return colleague
}

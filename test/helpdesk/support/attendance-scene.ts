/** What an attendant does with one case, over HTTP as a browser without scripts would. */
import assert from 'node:assert/strict'
import type { TestOperator } from '../../admin/support/operator-entrance.ts'
import type { TestArea } from '../../portal/support/area.ts'
import type { BrowserClient, Page } from '../../support/browser-client.ts'
import { frameOf, HEADS } from '../../support/face-samples.ts'
import { loadFaceViews, SAMPLE_FACES } from '../../support/reactive-camera/face-views.ts'
import { enterDesk, hire, openUnit } from './counter.ts'

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

/** Signs the citizen in on a device of their own and uses the code. */
export async function bindByCode(area: TestArea, citizen: { cpf: string }, code: string): Promise<Page> {
  const { browser, page } = await area.signIn(citizen, { path: '/conta/entrar?para=/conta/balcao' })
  assert.equal(page.url.pathname, '/conta/balcao')
  return browser.submit(page, { code }, { action: '/conta/balcao' })
}

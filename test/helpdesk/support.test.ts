/** Support for citizens at home: with a reason, told to them, written down; and never a way into their account. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Unit } from '../../src/helpdesk/index.ts'
import { SUPPORT_ACTS } from '../../src/helpdesk/support/case.ts'
import { isProblem } from '../../src/platform/problem.ts'
import { SUPPORT_PROBLEMS } from '../../src/helpdesk/support/problems.ts'
import { addOperator, type TestOperator } from '../admin/support/operator-entrance.ts'
import { assertHeading, openArea, PASSWORD, type TestArea, type TestCitizen } from '../portal/support/area.ts'
import type { BrowserClient, Page } from '../support/browser-client.ts'
import { beginHour } from '../support/clock.ts'
import { cpfOf, enterDesk, hire, openUnit } from './support/counter.ts'

const NOTE = 'Ligou e diz que não consegue entrar'
const FACTS = { ip: '10.9.0.2', userAgent: 'test', deviceCookie: undefined }

let area: TestArea
let desk: { unit: Unit; manager: TestOperator }
let attendant: TestOperator
let clerk: BrowserClient

before(async () => {
  area = await openArea()
  desk = await openUnit(area)
  attendant = await hire(area, desk, 'attendant')
  clerk = area.browser()
  assertHeading(await enterDesk(area, clerk, attendant, '/balcao/apoio'), /Apoio a quem está em casa/)
})
after(() => area.close())

async function openCase(citizen: Pick<TestCitizen, 'cpf'>, fields: Record<string, string> = {}): Promise<Page> {
  return clerk.submit(await area.open(clerk, '/balcao/apoio'), { cpf: citizen.cpf, reason: 'call', note: NOTE, ...fields }, { action: '/balcao/apoio' })
}
const act = (page: Page, name: string) => {
  const form = page.forms.find(({ fields }) => fields.get('act')?.[0] === name) ?? assert.fail(`no ${name}`)
  const data = new URLSearchParams([...form.fields].flatMap(([key, values]) => values.map((value) => [key, value])))
  return clerk.post(form.action, data, page.url)
}
const historyOf = async (citizen: TestCitizen): Promise<string> => (await area.open((await area.signIn(citizen)).browser, '/conta/historico')).html
const caseIdOf = (page: Page): string => /caso\/([0-9a-f-]{36})/.exec(page.url.pathname)?.[1] ?? assert.fail(page.text)
const startLook = (cpf: ReturnType<typeof cpfOf>, attendantId = attendant.accountId) =>
  area.app.rooms.support.open({ unitId: desk.unit.id, attendantId, cpf, reason: 'call', note: NOTE })

test('without a reason and a sentence nobody is looked up, and nothing is counted or written', async () => {
  const citizen = await area.citizen()
  for (const fields of [{ reason: '' }, { note: '' }, { note: 'curto' }, { cpf: '111.111.111-11' }]) {
    const page = await openCase(citizen, fields)
    assert.equal(page.status, 422, JSON.stringify(fields))
  }
  assert.ok((await area.mailsTo(citizen.email)).every(({ subject }) => !subject.includes('atendente')))
  assert.ok(!(await historyOf(citizen)).includes('Um atendente'))
})

test('a case shows state and level, masked addresses and no secret; the citizen is told and reads it in the history', async () => {
  const citizen = await area.citizen()
  await area.signIn(citizen, { password: 'senha-errada-de-teste' })
  const page = await openCase(citizen)
  assertHeading(page, /Caso A-[0-9A-F]{8}/)
  assert.match(page.text, /Situação da conta Funcionando/)
  assert.match(page.text, /A senha não era a certa\. Pode recuperar a conta/)
  for (const hidden of [citizen.cpf, citizen.email, citizen.accountId, citizen.personId, NOTE]) assert.ok(!page.html.includes(hidden), hidden)
  assert.match((await area.mailsTo(citizen.email))[0]?.text ?? '', /Um atendente do balcão abriu a sua conta[\s\S]*A-[0-9A-F]{8}[\s\S]*não fui eu/)
  const history = await historyOf(citizen)
  assert.match(history, /Um atendente do balcão abriu a sua conta para ajudar[\s\S]*Motivo: você telefonou[\s\S]*nao-fui-eu\?entry=\d+/)
})

test('refused face checks are explained in words to act on, and never in numbers', async () => {
  const citizen = await area.citizen()
  const { foundation, rooms } = area.app
  const record = (reasons: string[]) =>
    foundation.db.transaction((tx) =>
      rooms.audit.record(tx, { type: 'oidc/face-check-refused', actor: { kind: 'citizen', id: citizen.accountId }, subject: citizen.accountId, data: { reasons, modelId: 'standard-256-v1' } }),
    )
  await record(['face/too-dark', 'face/eyes-hidden'])
  const page = await openCase(citizen)
  assert.match(page.text, /Conferência de rosto[\s\S]*Está escuro\. Vá para um lugar mais claro/)
  assert.ok(!page.text.includes('standard-256'))
})

test('sessions are ended, waits lifted and a recovery sent; each is told, written down, and leaves the citizen the only one with a way in', async () => {
  const citizen = await area.citizen()
  const { browser } = await area.signIn(citizen)
  let page = await openCase(citizen)
  assert.match(page.text, /Entradas abertas 1/)

  page = await act(page, 'end-sessions')
  assert.match(page.text, /saiu de todos os aparelhos/)
  assert.match((await area.open(browser, '/conta/dados')).url.pathname, /^\/interacao\//)

  for (let wrong = 0; wrong < 12; wrong += 1) await area.signIn(citizen, { password: 'senha-errada-de-teste' })
  assert.match((await area.signIn(citizen)).page.url.pathname, /entrar/, 'the account waits')
  page = await act(page, 'unlock')
  assert.match(page.text, /esperas da conta foram tiradas/)
  assertHeading((await area.signIn(citizen)).page, /Olá/)

  page = await act(page, 'start-recovery')
  assert.match(page.text, /O link foi mandado/)
  const mails = await area.mailsTo(citizen.email)
  const link = mails.map(({ text }) => /http\S+\/recuperar\/link\S+/.exec(text)?.[0]).find((found) => found !== undefined) ?? assert.fail(JSON.stringify(mails))
  assert.ok(!page.html.includes('/recuperar/link'))
  assert.ok(!page.html.includes(link.split(/[=/]/).at(-1) ?? link))
  assert.match(mails.map(({ subject }) => subject).join('\n'), /começou a recuperação[\s\S]*esperas[\s\S]*aparelhos/)
  const history = await historyOf(citizen)
  for (const line of ['Recuperação começada', 'Esperas tiradas', 'Saída de todos os aparelhos']) assert.ok(history.includes(line), line)
})

test('no act signs in, sets or shows a secret: the only three there are, and the password stays', async () => {
  assert.deepEqual([...SUPPORT_ACTS], ['unlock', 'end-sessions', 'start-recovery', 'revoke-certificates'])
  const citizen = await area.citizen()
  let page = await openCase(citizen)
  for (const name of SUPPORT_ACTS) page = await act(page, name)
  assertHeading((await area.signIn(citizen, { password: PASSWORD })).page, /Olá/)
})

test("another's case, a closed one and one of half an hour ago are none", async () => {
  const citizen = await area.citizen()
  const page = await openCase(citizen)
  const id = caseIdOf(page)
  const colleague = await hire(area, desk, 'attendant')
  const other = area.browser()
  await enterDesk(area, other, colleague, '/balcao/apoio')
  assert.equal((await area.open(other, `/balcao/apoio/caso/${id}`)).status, 404)
  const { support } = area.app.rooms
  const key = { id, unitId: desk.unit.id, attendantId: attendant.accountId }
  const over = (error: unknown) => isProblem(error, SUPPORT_PROBLEMS.caseOver)
  await assert.rejects(support.act({ ...key, attendantId: colleague.accountId }, 'unlock', FACTS), over)
  const elsewhere = await openUnit(area)
  await assert.rejects(support.act({ ...key, unitId: elsewhere.unit.id }, 'unlock', FACTS), over)
  area.clock.advance(31 * 60_000)
  await assert.rejects(support.act(key, 'unlock', FACTS), over)
  assert.equal(await support.close(key), false)
  await enterDesk(area, clerk, attendant, '/balcao/apoio')
})

test('nobody attends to their own account, and a CPF without an account says so and no more', async () => {
  const own = await openCase(attendant)
  assert.equal(own.status, 403)
  assert.match(own.text, /sua própria conta/)
  const nobody = await openCase({ cpf: '935.411.347-80' })
  assert.equal(nobody.status, 422)
  assert.match(nobody.text, /Não há conta com este CPF/)
})

test('an act is done so often a day to one account, whoever does it, in parallel too', async () => {
  const citizen = await area.citizen()
  const colleague = await hire(area, desk, 'attendant')
  const { support } = area.app.rooms
  const [mine, theirs] = [await startLook(cpfOf(citizen)), await startLook(cpfOf(citizen), colleague.accountId)]
  const keys = [mine, theirs].map((opened) => opened ?? assert.fail()).map(({ id, unitId, attendantId }) => ({ id, unitId, attendantId }))
  const results = await Promise.allSettled([...keys, ...keys, ...keys].map((key) => support.act(key, 'unlock', FACTS)))
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 2)
  for (const result of results) if (result.status === 'rejected') assert.ok(isProblem(result.reason, SUPPORT_PROBLEMS.actedTooOften))
})

test('an attendant looks up twenty an hour at most, found or not, in parallel too', async () => {
  const busy = await hire(area, desk, 'attendant')
  beginHour(area.clock)
  const citizen = await area.citizen()
  const results = await Promise.allSettled(Array.from({ length: 24 }, () => startLook(cpfOf(citizen), busy.accountId)))
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 20)
  for (const result of results) if (result.status === 'rejected') assert.ok(isProblem(result.reason, SUPPORT_PROBLEMS.tooManyLooks))
  area.clock.advance(3_600_000)
  assert.ok(await startLook(cpfOf(citizen), busy.accountId))
})

test('a manager without the role of an attendant, and a stranger, have no support page', async () => {
  const browser = area.browser()
  assert.equal((await enterDesk(area, browser, desk.manager, '/balcao/apoio')).status, 403)
  assert.equal((await enterDesk(area, area.browser(), await addOperator(area, []), '/balcao/apoio')).status, 403)
})

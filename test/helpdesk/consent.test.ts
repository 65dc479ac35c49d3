/** Consent on the citizen's own screen: how it is tied to a case, what it shows, what an answer does, and who cannot use it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { agreementOf, parseScreenCode, screenCode } from '../../src/helpdesk/consent/consent.ts'
import { openArea, type TestArea } from '../portal/support/area.ts'
import type { BrowserClient } from '../support/browser-client.ts'
import { atOneMoment } from '../support/clock.ts'
import { openCase, openStaffedDesk, type StaffedDesk, shotsOf, tokenOf, upload } from './support/attendance-scene.ts'
import { enterDesk, hire } from './support/counter.ts'

let area: TestArea
let desk: StaffedDesk

before(async () => {
  area = await openArea()
  desk = await openStaffedDesk(area)
})
after(() => area.close())

const idOf = (path: string) => path.split('/').at(-1) ?? ''

/** A case of somebody, open at an attendant's desk. */
async function opened(): Promise<{ citizen: Awaited<ReturnType<TestArea['citizen']>>; counter: BrowserClient; path: string }> {
  const citizen = await area.citizen()
  const counter = area.browser()
  await enterDesk(area, counter, await hire(area, desk, 'attendant'))
  return { citizen, counter, path: (await openCase(area, counter, citizen.cpf)).url.pathname }
}

async function offer(counter: BrowserClient, path: string): Promise<{ code: string; link: string }> {
  const page = await counter.submit(await area.open(counter, `${path}/concordancia`), {}, { action: '/concordancia' })
  const code = /<code>([0-9A-Z]{4}-[0-9A-Z]{4})<\/code>/.exec(page.html)?.[1] ?? assert.fail(page.text)
  return { code, link: /\/tela\/[\w-]{43}/.exec(page.html)?.[0] ?? assert.fail(page.html) }
}

/** A tablet that is tied to the case by the code, as somebody types it. */
async function tie(code: string): Promise<BrowserClient> {
  const tablet = area.browser()
  await tablet.submit(await area.open(tablet, '/tela'), { code: code.toLowerCase().replace('-', ' ') }, { action: '/tela' })
  return tablet
}

const answer = async (tablet: BrowserClient, said: 'accepted' | 'refused') =>
  tablet.submit(await area.open(tablet, '/tela'), {}, { button: said === 'accepted' ? 'concordo' : 'ão concordo' })
const stateOf = async (browser: BrowserClient, path: string): Promise<unknown> =>
  (await browser.fetch(area.url + path, { headers: { Accept: 'application/json' } })).json()

test('a code is read however it is typed, and has no letter that passes for another', () => {
  const code = screenCode(Uint8Array.from({ length: 8 }, (_, index) => 31 * index))
  assert.match(code, /^[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}$/)
  assert.equal(parseScreenCode(` ${code.toLowerCase().replace('-', ' ')} `), code)
  for (const wrong of ['', 'K7QM2XW', 'K7QM2XW0', 'K7QM2XWDD']) assert.equal(parseScreenCode(wrong), undefined, wrong)
})

test('whichever came last counts: an answer on the screen or a signature', () => {
  const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 12, minute))
  const signed = [{ kind: 'signature', capturedAt: at(5) }] as const
  assert.equal(agreementOf(undefined, []), undefined)
  assert.deepEqual(agreementOf({ answer: 'refused', at: at(1) }, signed), { given: true, way: 'signature', at: at(5) })
  assert.deepEqual(agreementOf({ answer: 'refused', at: at(6) }, signed), { given: false, way: 'screen', at: at(6) })
  assert.deepEqual(agreementOf({ answer: 'accepted', at: at(6) }, []), { given: true, way: 'screen', at: at(6) })
})

test('the citizen reads and accepts on a tablet without a sign-in; it outlives a reload; the attendant’s page knows at once and the case needs no signature', async () => {
  const { citizen, counter, path } = await opened()
  assert.match((await area.open(counter, path)).text, /a concordância da pessoa/)
  const tablet = await tie((await offer(counter, path)).code)
  assert.deepEqual(await stateOf(counter, `${path}/concordancia/estado`), { state: 'paired' })
  for (const _reload of [1, 2]) {
    const page = await area.open(tablet, '/tela')
    assert.match(page.text, /Olá, Rosa/)
    assert.match(page.text, /fotos do seu rosto/)
    assert.match(page.html, /data-speak="#termo"/)
    assert.doesNotMatch(page.text, /dos Santos|\d{3}\.\d{3}|Balcão de/, 'a first name and the protocol only')
  }
  assert.match((await answer(tablet, 'accepted')).text, /Você concordou/)
  assert.deepEqual(await stateOf(counter, `${path}/concordancia/estado`), { state: 'accepted' })
  const casePage = await area.open(counter, path)
  assert.match(casePage.text, /A pessoa aceitou na outra tela/)
  assert.doesNotMatch(casePage.text, /a concordância da pessoa/)
  const ledger = await area.app.rooms.audit.ledger(citizen.accountId, { limit: 10 })
  const line = ledger.find(({ type }) => type === 'helpdesk/consent-answered') ?? assert.fail()
  assert.deepEqual(line.data, { attendanceId: idOf(path), answer: 'accepted' })
  assert.equal(line.actor.kind, 'system', 'nobody is signed in on that screen')
})

test('a refusal stops the case, even after it was checked; the same screen may change its mind; when the case goes on the screen shows nothing', async () => {
  const { counter, path } = await opened()
  const tablet = await tie((await offer(counter, path)).code)
  assert.match((await answer(tablet, 'refused')).text, /Você não concordou/)
  assert.match((await area.open(counter, path)).text, /A pessoa disse não na outra tela/)
  const document = await area.open(counter, `${path}/documento`)
  await counter.submit(document, { type: 'rg', number: '1', issuer: 'SESP/MT', issuedOn: '2020-05-04' }, { action: '/documento' })
  const shots = await shotsOf('third')
  await upload(area, counter, `${path}/arquivo`, { kind: 'document-front' }, shots[0] ?? assert.fail())
  for (const shot of shots) await upload(area, counter, `${path}/rosto`, {}, shot)
  const post = async (step: string) =>
    counter.post(`${area.url}${path}/${step}`, new URLSearchParams({ _csrf: await tokenOf(area, counter) }), new URL(area.url))
  assert.match((await post('conferir')).text, /Ainda falta alguma coisa/)
  await answer(tablet, 'accepted')
  assert.match((await post('conferir')).text, /Enviar para aprovação/)
  await answer(tablet, 'refused')
  assert.match((await post('enviar')).text, /Enquanto ela não mudar de ideia/)
  await answer(tablet, 'accepted')
  assert.match((await post('enviar')).text, /Esperando a supervisão/)
  assert.deepEqual(await stateOf(tablet, '/tela/estado'), { state: 'gone' })
  const over = await area.open(tablet, '/tela')
  assert.match(over.text, /O atendimento seguiu/)
  assert.doesNotMatch(over.text, /Rosa/)
  assert.doesNotMatch((await area.open(tablet, '/tela')).text, /O atendimento seguiu/, 'said once; then it is a free screen')
})

test('a link and a code tie one screen, once, for ten minutes; a new offer or a release ends the former screen', async () => {
  const { counter, path } = await opened()
  const first = await offer(counter, path)
  const looked = await area.open(area.browser(), first.link)
  assert.match(looked.text, /Ligar esta tela/, 'looking at the address spends nothing')
  const tablet = area.browser()
  const tied = await tablet.submit(await area.open(tablet, first.link), {}, { action: first.link })
  assert.match(tied.text, /Olá, Rosa/)
  const late = area.browser()
  assert.equal((await area.open(late, first.link)).status, 410)
  assert.match((await late.submit(await area.open(late, '/tela'), { code: first.code }, { action: '/tela' })).text, /Esse código não vale/)
  const second = await offer(counter, path)
  assert.deepEqual(await stateOf(tablet, '/tela/estado'), { state: 'gone' })
  area.clock.advance(10 * 60_000 + 1000)
  assert.match((await late.submit(await area.open(late, '/tela'), { code: second.code }, { action: '/tela' })).text, /Esse código não vale/)
  const third = await tie((await offer(counter, path)).code)
  await counter.submit(await area.open(counter, `${path}/concordancia`), {}, { action: '/desligar' })
  assert.deepEqual(await stateOf(third, '/tela/estado'), { state: 'gone' })
  assert.deepEqual(await stateOf(counter, `${path}/concordancia/estado`), { state: 'none' })
})

test('nobody else answers: no cookie, a made-up cookie, a colleague without the case, or a form of another site', async () => {
  const { citizen, counter, path } = await opened()
  const tablet = await tie((await offer(counter, path)).code)
  assert.match((await area.open(area.browser(), '/tela')).text, /Digite-o aqui/)
  const form = await fetch(`${area.url}/tela`)
  const csrf = form.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
  const body = new URLSearchParams({ _csrf: /name="_csrf" value="([^"]+)"/.exec(await form.text())?.[1] ?? '', answer: 'accepted' })
  for (const cookie of [csrf, `${csrf}; mt_tela=${'A'.repeat(43)}`]) {
    const forged = await fetch(`${area.url}/tela/resposta`, { method: 'POST', redirect: 'manual', headers: { Cookie: cookie }, body })
    assert.equal(forged.status, 303, 'the form itself was good')
  }
  const withoutToken = await tablet.fetch(`${area.url}/tela/resposta`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: 'answer=accepted',
  })
  assert.equal(withoutToken.status, 403)
  const colleague = area.browser()
  await enterDesk(area, colleague, await hire(area, desk, 'attendant'))
  assert.match((await area.open(colleague, `${path}/concordancia`)).text, /já está com outra pessoa/)
  const ledger = await area.app.rooms.audit.ledger(citizen.accountId, { limit: 10 })
  assert.equal(
    ledger.some(({ type }) => type === 'helpdesk/consent-answered'),
    false,
  )
  assert.deepEqual(await stateOf(counter, `${path}/concordancia/estado`), { state: 'paired' })
})

test('codes are not guessed: one address tries a few a minute', async () => {
  const guesser = area.browser()
  const page = await area.open(guesser, '/tela')
  const guess = () => guesser.submit(page, { code: 'K7QM-2XWD' }, { action: '/tela' })
  const tries = await atOneMoment(() => Promise.all(Array.from({ length: 35 }, guess)))
  assert.deepEqual(new Set(tries.map(({ status }) => status)), new Set([422, 429]))
})

/** Help at the counter over HTTP: the words, the signature, the journal, the end; and what nobody gets by it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { DEMO_NAMESPACE } from '../../src/app/proxies/demo-powers.ts'
import { signedHelps } from '../../src/helpdesk/retention/case-sweeps.store.ts'
import { openArea, type TestArea, type TestCitizen } from '../portal/support/area.ts'
import type { BrowserClient, Page } from '../support/browser-client.ts'
import { beginDay } from '../support/clock.ts'
import { captureAll, openCase, openStaffedDesk, shotsOf, type StaffedDesk, tokenOf, upload } from './support/attendance-scene.ts'
import { enterDesk, hire } from './support/counter.ts'

const ROLE = { namespace: DEMO_NAMESPACE, code: 'ipva.ajuda' } as const
const POWER = `${DEMO_NAMESPACE}:ipva.ajuda:1`

let area: TestArea
let desk: StaffedDesk
let counter: BrowserClient
let citizen: TestCitizen
let path: string
before(async () => {
  area = await openArea()
  beginDay(area.clock)
  desk = await openStaffedDesk(area)
  counter = area.browser()
  await enterDesk(area, counter, desk.attendant)
  citizen = await area.citizen()
  path = (await openCase(area, counter, citizen.cpf)).url.pathname
})
after(() => area.close())

const help = () => area.open(counter, `${path}/ajuda`)
const decide = () =>
  area.app.rooms.proxies.decide({ actor: { kind: 'organisation', code: desk.unit.code }, represented: { kind: 'person', cpf: citizen.cpf as never }, role: ROLE })
const post = async (browser: BrowserClient, at: string, fields: Record<string, string> = {}) =>
  browser.fetch(`${area.url}${at}`, { method: 'POST', body: new URLSearchParams({ _csrf: await tokenOf(area, browser), ...fields }) })
const sign = async (power = POWER, browser = counter) => upload(area, browser, `${path}/ajuda/poder/${power}/arquivo`, { kind: 'signature' }, (await shotsOf('fourth'))[0] ?? Buffer.alloc(0))
const helpIn = (page: Page) => page.forms.map(({ action }) => /ajuda\/([0-9a-f-]{36})\/uso/.exec(action.pathname)?.[1]).find((id) => id !== undefined)

test('before document and face are checked nobody can sign, whatever address is typed', async () => {
  assert.match((await help()).text, /precisa ter documento e rosto conferidos/)
  await sign()
  assert.equal((await decide()).permit, false)
  await captureAll(area, counter, path, 'fourth')
  await sign()
  assert.equal((await decide()).permit, false, 'captured, and not compared yet')
  await counter.submit(await area.open(counter, path), {}, { action: '/conferir' })
})

test('the words say who, what and until when; the signature gives exactly that, and the person has it at once', async () => {
  const page = await help()
  assert.match(page.text, /Ajudar com o IPVA no balcão/)
  const words = await area.open(counter, `${path}/ajuda/poder/${POWER}`)
  assert.match(words.text, /Eu, Rosa Maria dos Santos, peço que o balcão .+ me ajude hoje, dia \d\d\/\d\d\/\d{4}\. Ele pode, por mim: consultar e emitir a guia do IPVA/)
  assert.match((await sign()).headers.get('Location') ?? '', /feito=signed/)
  const decision = await decide()
  assert.deepEqual([decision.permit, decision.kind], [true, 'assistencia'])
  assert.equal((await area.app.rooms.proxies.decide({ actor: { kind: 'organisation', code: desk.unit.code }, represented: { kind: 'person', cpf: citizen.cpf as never }, role: { ...ROLE, code: 'ipva.pagar' } })).permit, false)
  const types = (await area.app.rooms.audit.ledger(citizen.accountId, { limit: 20 })).map(({ type }) => type)
  assert.ok(types.includes('helpdesk/help-signed') && types.includes('proxies/entered'))
  const mine = (await area.signIn(citizen)).browser
  assert.match((await area.open(mine, '/conta/procuracoes')).text, new RegExp(desk.unit.name))
  const [kept] = await area.app.foundation.db.query<{ words: Buffer; picture: Buffer }>('SELECT text_sealed AS words, signature_sealed AS picture FROM counter_help')
  assert.ok(kept && !kept.words.includes('Rosa') && !kept.picture.includes(Buffer.from([0xff, 0xd8, 0xff])), 'sealed')
})

test('every use is in the journal and in the person\'s own pages; a colleague of the unit may go on, another unit finds nothing', async () => {
  const id = helpIn(await help()) ?? assert.fail('no help')
  await counter.submit(await help(), {}, { action: '/uso' })
  const colleague = area.browser()
  await enterDesk(area, colleague, await hire(area, desk, 'attendant'))
  assert.match((await post(colleague, `${path}/ajuda/${id}/uso`)).headers.get('Location') ?? '', /feito=used/)
  const uses = await area.app.rooms.proxies.uses.listOfMandate(id as never)
  assert.equal(uses.length, 2)
  const mine = (await area.signIn(citizen)).browser
  assert.match((await area.open(mine, '/conta/procuracoes/usos')).text, /balcão/)
  const pdf = await counter.fetch(`${area.url}${path}/ajuda/${id}/comprovante`)
  assert.equal(pdf.headers.get('Content-Type'), 'application/pdf')
  const seen = async () => (await area.app.rooms.audit.ledger(citizen.accountId, { limit: 50 })).filter(({ type }) => type === 'helpdesk/attendance-seen').length
  const before = await seen()
  assert.equal((await colleague.fetch(`${area.url}${path}/ajuda/${id}/comprovante`)).status, 200)
  assert.equal(await seen(), before + 1, 'the paper has name and CPF: whoever prints it has looked')
  const other = await openStaffedDesk(area)
  const stranger = area.browser()
  await enterDesk(area, stranger, other.attendant)
  for (const at of ['', `/${id}/comprovante`]) assert.equal((await area.open(stranger, `${path}/ajuda${at}`)).status, 404)
  for (const at of ['uso', 'encerrar']) assert.equal((await post(stranger, `${path}/ajuda/${id}/${at}`)).status, 404)
  assert.equal((await decide()).permit, true)
})

test('the person stops it, or the counter ends it, or midnight does; nothing is done by it then', async () => {
  const id = helpIn(await help()) ?? assert.fail('no help')
  const mine = (await area.signIn(citizen)).browser
  const disown = await area.open(mine, `/conta/procuracoes/${id}/nao-fui-eu`)
  await mine.submit(disown, {}, { action: '/nao-fui-eu' })
  assert.equal((await decide()).reason, 'suspended')
  assert.match((await post(counter, `${path}/ajuda/${id}/uso`)).headers.get('Location') ?? '', /feito=refused/)
  assert.match((await sign()).headers.get('Location') ?? '', /feito=signed/)
  const second = helpIn(await help()) ?? assert.fail('no second help')
  assert.match((await post(counter, `${path}/ajuda/${second}/encerrar`)).headers.get('Location') ?? '', /feito=ended/)
  assert.equal((await decide()).permit, false)
  assert.match((await sign()).headers.get('Location') ?? '', /feito=signed/)
  const now = area.clock.now()
  area.clock.set(new Date(now.getTime() + 86_400_000))
  assert.equal((await decide()).permit, false, 'over at midnight')
  area.clock.set(now)
})

test('a case that was sent takes no more signatures; a power that no agency publishes for help is given to nobody', async () => {
  assert.match((await sign(`${DEMO_NAMESPACE}:ipva.pagar:1`)).headers.get('Location') ?? '', /feito=role-changed/)
  await counter.submit(await area.open(counter, path), {}, { action: '/enviar' })
  const before = await area.app.foundation.db.query('SELECT 1 FROM counter_help')
  await sign()
  assert.equal((await area.app.foundation.db.query('SELECT 1 FROM counter_help')).length, before.length)
})

test('words and signatures are forgotten after five years; that there were some stays', async () => {
  const { db } = area.app.foundation
  const signedAt = new Date('2021-03-01T12:00:00Z')
  await db.execute('UPDATE counter_help SET signed_at = $1', [signedAt])
  const forget = (before: Date) => db.transaction((tx) => signedHelps.end(tx, { before, now: area.clock.now() }, 100))
  assert.equal(await forget(new Date(signedAt.getTime() - 1)), 0)
  const all = (await db.query('SELECT 1 FROM counter_help')).length
  assert.equal(await forget(signedAt), all)
  const [left] = await db.query<{ n: number }>('SELECT count(*)::int AS n FROM counter_help WHERE text_sealed IS NULL AND signature_sealed IS NULL AND signature_digest IS NOT NULL')
  assert.equal(left?.n, all)
})

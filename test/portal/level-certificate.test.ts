/** An ICP-Brasil certificate as a seal: real mutual TLS on a host of its own, the ticket back, and everybody who should not get through. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { BrowserClient, Page } from '../support/browser-client.ts'
import { type CertificateScene, ROSA as NAME, openCertificateScene } from '../support/certificate-host.ts'
import type { IcpChain, IcpHolding } from '../support/icp-chain.ts'
import { assertHeading, type TestArea, type TestCitizen } from './support/area.ts'

const PAGE = '/conta/nivel/certificado'
const DAY = 86_400_000

let scene: CertificateScene
let chain: IcpChain
let other: IcpChain
let area: TestArea
let port: number

before(async () => {
  scene = await openCertificateScene()
  ;({ chain, other, area, port } = scene)
})
after(() => scene?.close())
beforeEach(() => {
  chain.answers = 'all'
})

interface Visitor {
  readonly citizen: TestCitizen
  readonly browser: BrowserClient
}

async function visitor(): Promise<Visitor> {
  const citizen = await area.citizen()
  const { browser } = await area.signIn(citizen)
  return { citizen, browser: scene.stopAtHost(browser) }
}

/** Presses the button; answers the address on the other host. */
async function begin({ browser }: Visitor): Promise<URL> {
  const sent = await browser.submit(await area.open(browser, PAGE), {}, { action: '/certificado' })
  assert.equal(sent.url.port, String(port), sent.text.slice(0, 400))
  return sent.url
}

const show: CertificateScene['show'] = (...asked) => scene.show(...asked)

async function ticketFor(who: Visitor, holding: IcpHolding): Promise<string> {
  const { status, headers, body } = await show(await begin(who), holding)
  assert.equal(status, 303, body)
  return headers.location ?? ''
}

const finish = async (who: Visitor, holding: IcpHolding): Promise<Page> => who.browser.get(await ticketFor(who, holding))
const own = ({ citizen: { cpf } }: Visitor): IcpHolding => chain.issue({ name: NAME, cpf })
const levelOf = ({ citizen: { accountId } }: Visitor) => area.app.rooms.assurance.levelOf(accountId)

async function assertRefused(who: Visitor, holding: IcpHolding, says: RegExp, status = 403): Promise<void> {
  const page = await finish(who, holding)
  assert.equal(page.status, status)
  assert.match(page.text, says)
  assert.match(page.text, /Outro jeito de chegar a ouro/, 'the second way is named')
  assert.equal(await levelOf(who), 'bronze')
}

test('the way up: one’s own certificate, chosen on the other host, makes the account ouro until the certificate ends', async () => {
  const who = await visitor()
  const level = await area.open(who.browser, '/conta/nivel')
  assert.match(level.text, /Mostrar um certificado ICP-Brasil/)
  const holding = own(who)
  const done = await finish(who, holding)
  assertHeading(done, /ouro/i)
  assert.match(done.text, /certificado foi aceito e sua conta é ouro/)
  const { evidence } = await area.app.rooms.assurance.standingOf(who.citizen.accountId)
  const seal = evidence.find(({ method }) => method === 'icp-brasil')
  const daysLeft = ((seal?.expiresAt?.getTime() ?? 0) - Date.now()) / DAY
  assert.ok(daysLeft > 360 && daysLeft <= 365, String(daysLeft))
  assert.match((await area.mailsTo(who.citizen.email))[0]?.subject ?? '', /certificado ICP-Brasil/)
  assert.match((await area.open(who.browser, '/conta/historico')).text, /Certificado ICP-Brasil aceito/)
  assert.match((await area.open(who.browser, PAGE)).text, /Seu certificado.*Vale até/)
  const stored = await area.app.foundation.db.query<{ sealed: Buffer }>('SELECT sealed FROM icp_certificate WHERE account_id = $1', [
    who.citizen.accountId,
  ])
  assert.ok(stored.length === 1 && !stored[0]?.sealed.includes(holding.der.subarray(0, 40)), 'kept sealed')
})

test('removal takes two presses, drops the level at once, forgets the certificate and tells the citizen', async () => {
  const who = await visitor()
  await finish(who, own(who))
  const done = await who.browser.submit(await area.open(who.browser, PAGE), {}, { action: '/remover' })
  assert.match(done.text, /certificado foi retirado/)
  assert.equal(await levelOf(who), 'bronze')
  const rows = await area.app.foundation.db.query<{ sealed: Buffer | null; ended_for: string }>(
    'SELECT sealed, ended_for FROM icp_certificate WHERE account_id = $1',
    [who.citizen.accountId],
  )
  assert.deepEqual(
    rows.map(({ sealed, ended_for }) => [sealed, ended_for]),
    [[null, 'citizen']],
  )
  assert.match((await area.mailsTo(who.citizen.email))[0]?.subject ?? '', /retirado/)
})

test('a new certificate takes the place of the old one', async () => {
  const who = await visitor()
  await finish(who, own(who))
  await finish(who, own(who))
  const { evidence } = await area.app.rooms.assurance.standingOf(who.citizen.accountId)
  assert.deepEqual(
    evidence.filter(({ method }) => method === 'icp-brasil').map(({ withdrawnAt }) => withdrawnAt === undefined),
    [false, true],
  )
  assert.equal(await levelOf(who), 'ouro')
})

test('refused: another’s, of another name, a company’s, below an unknown root, self-signed, revoked', async () => {
  const who = await visitor()
  const { cpf } = who.citizen
  await assertRefused(who, chain.issue({ name: NAME, cpf: '52998224725' }), /CPF do certificado não é o da sua conta/)
  await assertRefused(who, chain.issue({ name: 'ROSA MARIA DE OLIVEIRA', cpf }), /nome do certificado é diferente/)
  await assertRefused(who, chain.issue({ name: NAME, cpf, altNames: ['2.16.76.1.3.3;FORMAT:ASCII,OCT:11222333000181'] }), /não é de pessoa/)
  await assertRefused(who, other.issue({ name: NAME, cpf }), /não é da ICP-Brasil/)
  await assertRefused(who, chain.issue({ name: NAME, cpf, selfSigned: true }), /não é da ICP-Brasil/)
  const revoked = own(who)
  chain.revoke(revoked)
  await assertRefused(who, revoked, /cancelado por quem o emitiu/)
  const events = await area.app.foundation.db.query<{ data: { why: string } }>(
    "SELECT data FROM audit_event WHERE type = 'signatures/icp-refused' AND subject_id = $1 ORDER BY id",
    [who.citizen.accountId],
  )
  assert.deepEqual(
    events.map(({ data }) => data.why),
    ['another-person', 'another-name', 'not-a-person', 'unknown-issuer', 'unknown-issuer', 'revoked'],
  )
})

test('while nobody vouches for it, nothing changes and the page says so', async () => {
  const who = await visitor()
  chain.answers = 'none'
  await assertRefused(who, own(who), /Não conseguimos conferir agora/, 503)
})

test('a ticket works once, in the browser that asked, for two minutes', async () => {
  const [who, thief] = [await visitor(), await visitor()]
  const again = await ticketFor(who, own(who))
  assert.match((await who.browser.get(again)).text, /sua conta é ouro/)
  assert.match((await who.browser.get(again)).text, /começou em outro navegador/)
  const stolen = await ticketFor(who, own(who))
  assert.match((await thief.browser.get(stolen)).text, /começou em outro navegador/)
  assert.equal(await levelOf(thief), 'bronze')
  assert.match((await who.browser.get(stolen)).text, /começou em outro navegador/, 'burnt by whoever brings it')
  const { browser } = await area.signIn(who.citizen)
  assert.match((await browser.get(await ticketFor(who, own(who)))).text, /começou em outro navegador/, 'the same person in another browser')
  const stranger = area.browser()
  const unknown = await ticketFor(who, own(who))
  await stranger.get(unknown)
  assert.match((await who.browser.get(unknown)).text, /começou em outro navegador/, 'burnt by somebody who is not signed in, too')
  const late = await ticketFor(who, own(who))
  area.clock.advance(121_000)
  assert.match((await who.browser.get(late)).text, /O tempo acabou/)
})

test('the other host: no certificate, no request, a used request; headers prove nothing', async () => {
  const who = await visitor()
  const holding = own(who)
  const url = await begin(who)
  const none = await show(url)
  assert.equal(none.status, 403)
  assert.match(none.body, /Nenhum certificado chegou/)
  assert.equal(none.headers.connection, 'close', 'the next try chooses anew')
  const der = holding.der.toString('base64')
  const forged = await show(url, undefined, {
    'Client-Cert': `:${der}:`,
    'X-SSL-Client-Cert': encodeURIComponent(holding.cert),
    'X-Client-Verify': 'SUCCESS',
    'X-Forwarded-For': '127.0.0.1',
  })
  assert.equal(forged.status, 403)
  assert.equal((await show(url, holding)).status, 303)
  assert.equal((await show(url, holding)).status, 410, 'one certificate for one request')
  for (const query of ['', '?pedido=x', `?pedido=${'a'.repeat(43)}`])
    assert.equal((await show(new URL(`/certificado${query}`, url), holding)).status, 410, query)
  assert.equal((await show(new URL('/privacidade', url))).headers.location, `${area.url}/privacidade`)
})

test('the daily look: revoked falls at once; an authority that is away has a week; not-me and closing end it', async () => {
  const { icp, assurance } = area.app.rooms
  const [fallen, kept] = [await visitor(), await visitor()]
  const holding = own(fallen)
  await finish(fallen, holding)
  await finish(kept, own(kept))
  assert.equal(await icp.recheck(), 0)
  chain.revoke(holding)
  assert.equal(await icp.recheck(), 1)
  assert.deepEqual([await levelOf(fallen), await levelOf(kept)], ['bronze', 'ouro'])
  assert.match((await area.mailsTo(fallen.citizen.email))[0]?.subject ?? '', /foi cancelado/)
  const { evidence } = await assurance.standingOf(fallen.citizen.accountId)
  assert.ok(evidence.some(({ method, withdrawnAt }) => method === 'icp-brasil' && withdrawnAt))

  await kept.browser.submit(await area.open(kept.browser, '/conta/nao-fui-eu'), {}, { action: '/nao-fui-eu' })
  assert.equal(await levelOf(kept), 'bronze')

  const away = await visitor()
  await finish(away, own(away))
  chain.answers = 'none'
  area.clock.advance(6 * DAY)
  await icp.recheck()
  assert.equal(await levelOf(away), 'ouro')
  area.clock.advance(2 * DAY)
  await icp.recheck()
  assert.equal(await levelOf(away), 'bronze')
  assert.match((await area.mailsTo(away.citizen.email))[0]?.subject ?? '', /Não conseguimos mais conferir/)
})

test('ten tries an hour, then a page that says when', async () => {
  const who = await visitor()
  for (let tried = 0; tried < 10; tried += 1) await begin(who)
  const page = await who.browser.submit(await area.open(who.browser, PAGE), {}, { action: '/certificado' })
  assert.equal(page.status, 429)
  assert.match(page.text, /Espere uma hora/)
})

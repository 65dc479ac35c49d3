/** An ICP-Brasil certificate as a way in: real mutual TLS, second step and alone, and everybody who should not get through. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { type TestArea, type TestCitizen, typePassword } from '../portal/support/area.ts'
import type { BrowserClient, Page } from '../support/browser-client.ts'
import { A1_POLICY, type CertificateScene, openCertificateScene, ROSA, trustChain } from '../support/certificate-host.ts'
import type { IcpChain, IcpHolding } from '../support/icp-chain.ts'

const ENROL = '/conta/seguranca/certificado'
const SECURITY = '/conta/seguranca'
const DAY = 86_400_000

let scene: CertificateScene
let area: TestArea
let chain: IcpChain

before(async () => {
  scene = await openCertificateScene()
  ;({ area, chain } = scene)
})
after(() => scene?.close())
beforeEach(() => {
  chain.answers = 'all'
})

interface Holder {
  readonly citizen: TestCitizen
  readonly browser: BrowserClient
  readonly holding: IcpHolding
}

const newBrowser = () => scene.stopAtHost(area.browser())

async function enrolTicket(browser: BrowserClient, holding: IcpHolding): Promise<string> {
  return scene.ticketFrom(browser, await area.open(browser, ENROL), holding)
}

/** Somebody signed in whose certificate is a way in. */
async function holder(policy?: string): Promise<Holder> {
  const citizen = await area.citizen()
  const { browser } = await area.signIn(citizen, { browser: newBrowser() })
  const holding = scene.issueTo(citizen, policy)
  const done = await browser.get(await enrolTicket(browser, holding))
  assert.match(done.text, /Certificado cadastrado/, done.text.slice(0, 600))
  return { citizen, browser, holding }
}

/** At the second step, after the password. */
async function secondStep({ citizen }: Pick<Holder, 'citizen'>, browser = newBrowser()): Promise<{ browser: BrowserClient; page: Page }> {
  const { page } = await area.signIn(citizen, { browser })
  assert.match(page.text, /Confirmar com certificado digital/)
  return { browser, page }
}

async function confirmBy({ browser, page }: { browser: BrowserClient; page: Page }, holding: IcpHolding): Promise<Page> {
  return browser.get(await scene.ticketFrom(browser, page, holding))
}

async function startAlone(browser: BrowserClient, holding: IcpHolding): Promise<string> {
  return scene.ticketFrom(browser, await area.open(browser, '/conta/entrar'), holding)
}

const sessionOf = async ({ citizen }: Pick<Holder, 'citizen'>) => (await area.app.rooms.accounts.sessions.list(citizen.accountId))[0]
const isIn = (page: Page): boolean => page.url.origin === area.url && /^\/conta(\/|$)/.test(page.url.pathname) && page.status === 200
const db = () => area.app.foundation.db

function assertRefused(page: Page, why: RegExp): void {
  assert.ok(!isIn(page), page.url.pathname)
  assert.equal(page.status, 422)
  assert.match(page.text, why)
}

test('it is added by its owner, listed, told and in the ledger; of the certificate only a fingerprint is kept', async () => {
  const { citizen, browser, holding } = await holder()
  const page = await area.open(browser, SECURITY)
  assert.match(page.text, /Emitido por AC de teste Cartão ou token · vale até/)
  assert.match((await area.mailsTo(citizen.email))[0]?.subject ?? '', /Certificado digital cadastrado/)
  assert.match((await area.open(browser, '/conta/historico')).text, /Certificado digital cadastrado para entrar/)
  const rows = await db().query<Record<string, unknown>>('SELECT * FROM certificate_factor WHERE account_id = $1', [citizen.accountId])
  assert.equal(rows.length, 1)
  assert.ok(!JSON.stringify(rows).includes(citizen.cpf) && !JSON.stringify(rows).includes(ROSA))
  const again = await browser.get(await enrolTicket(browser, holding))
  assert.match(again.text, /já está cadastrado/)
})

test('after the password it is the second step: aal2, sealed, with what kind of key it was', async () => {
  const who = await holder()
  assert.ok(isIn(await confirmBy(await secondStep(who), who.holding)))
  const session = await sessionOf(who)
  assert.deepEqual([[...(session?.amr ?? [])].sort(), session?.aal], [['hwk', 'mfa', 'pop', 'pwd', 'sc'], 2])
  const [proof] = await db().query<{ sealed: boolean }>('SELECT will_seal IS NOT NULL AS sealed FROM sign_in_session WHERE id = $1', [session?.id ?? ''])
  assert.equal(proof?.sealed, true, 'a signature may be confirmed by it')
  assert.match((await area.open(who.browser, SECURITY)).text, /usado em/)
})

test('one of a card or token signs in by itself, one in a file only after the password', async () => {
  const [card, file] = [await holder(), await holder(A1_POLICY)]
  const browser = newBrowser()
  assert.ok(isIn(await browser.get(await startAlone(browser, card.holding))))
  const session = await sessionOf(card)
  assert.deepEqual([[...(session?.amr ?? [])].sort(), session?.aal], [['hwk', 'mfa', 'pin', 'pop', 'sc'], 2])
  const [alone, beside] = [newBrowser(), await secondStep(file)]
  assertRefused(await alone.get(await startAlone(alone, file.holding)), /em arquivo \(A1\) não entra sozinho/)
  assert.ok(isIn(await confirmBy(beside, file.holding)))
  assert.deepEqual([...((await sessionOf(file))?.amr ?? [])].sort(), ['mfa', 'pop', 'pwd', 'swk'])
})

test('refused as a way in: another’s, of another name, of an unknown root; and of somebody signed out', async () => {
  const citizen = await area.citizen()
  const { browser } = await area.signIn(citizen, { browser: newBrowser() })
  const add = async (holding: IcpHolding) => (await browser.get(await enrolTicket(browser, holding))).text
  assert.match(await add(chain.issue({ name: ROSA, cpf: '52998224725' })), /CPF do certificado não é o da sua conta/)
  assert.match(await add(chain.issue({ name: 'ROSA DE OLIVEIRA', cpf: citizen.cpf })), /nome do certificado é diferente/)
  assert.match(await add(scene.other.issue({ name: ROSA, cpf: citizen.cpf })), /não é da ICP-Brasil/)
  const stolen = await enrolTicket(browser, scene.issueTo(citizen))
  await newBrowser().get(stolen)
  assert.match((await browser.get(stolen)).text, /começou em outro navegador/, 'burnt by whoever brought it')
  assert.deepEqual(await area.app.rooms.accounts.factors.certificates.list(citizen.accountId), [])
})

test('at the second step: another’s, another of the same person, and one that was removed open nothing', async () => {
  const [who, thief] = [await holder(), await holder()]
  for (const wrong of [thief.holding, scene.issueTo(who.citizen)]) {
    assertRefused(await confirmBy(await secondStep(who), wrong), /não está cadastrado para entrar/)
  }
  const waiting = await secondStep(who)
  const ticket = await scene.ticketFrom(waiting.browser, waiting.page, who.holding)
  const removed = await who.browser.submit(await area.open(who.browser, SECURITY), {}, { action: '/remover' })
  assert.match(removed.text, /Certificado apagado/)
  assert.match((await area.mailsTo(who.citizen.email))[0]?.subject ?? '', /Certificado digital apagado/)
  const after = await waiting.browser.get(ticket)
  assert.ok(!isIn(after), 'shown before, removed in between')
  const alone = newBrowser()
  assertRefused(await alone.get(await startAlone(alone, who.holding)), /não está cadastrado para entrar/)
})

test('a ticket works once, in the interaction that asked, for what it was asked, for two minutes', async () => {
  const who = await holder()
  const first = await secondStep(who)
  const used = await scene.ticketFrom(first.browser, first.page, who.holding)
  assert.ok(isIn(await first.browser.get(used)))
  const replay = await secondStep(who)
  const replayed = new URL(used)
  assertRefused(
    await replay.browser.get(`${replay.page.url.origin}${replay.page.url.pathname}/segundo-passo/certificado/retorno${replayed.search}`),
    /começou em outro navegador/,
  )

  // The owner is lured into showing it for a sign-in that a thief with the password began.
  const theft = await secondStep(who)
  const lured = await scene.ticketFrom(theft.browser, theft.page, who.holding)
  assert.equal((await newBrowser().get(lured)).status, 410, 'the owner’s browser has no such interaction')
  assertRefused(await theft.browser.get(lured), /começou em outro navegador/)

  // Shown for the seal, or to be added, it does not sign in.
  const step = await secondStep(who)
  const forSeal = await scene.ticketFrom(who.browser, await area.open(who.browser, '/conta/nivel/certificado'), who.holding)
  assertRefused(
    await step.browser.get(`${step.page.url.origin}${step.page.url.pathname}/segundo-passo/certificado/retorno${new URL(forSeal).search}`),
    /começou em outro navegador/,
  )

  const late = await secondStep(who)
  const slow = await scene.ticketFrom(late.browser, late.page, who.holding)
  area.clock.advance(121_000)
  assertRefused(await late.browser.get(slow), /O tempo acabou/)
})

test('rows that somebody wrote open nothing: a certificate hung on another account, a ticket handed to another', async () => {
  const [who, victim] = [await holder(), await holder()]
  await db().execute('UPDATE certificate_factor SET account_id = $2 WHERE account_id = $1', [
    who.citizen.accountId,
    victim.citizen.accountId,
  ])
  const alone = newBrowser()
  assertRefused(await alone.get(await startAlone(alone, who.holding)), /não está cadastrado para entrar/)

  const step = await secondStep(victim)
  const ticket = await scene.ticketFrom(step.browser, step.page, victim.holding)
  const thief = newBrowser()
  const asked = await area.open(thief, '/conta/entrar')
  const uid = asked.url.pathname.split('/').at(-1) ?? ''
  await db().execute(
    "UPDATE icp_request SET use = 'sign-in', account_id = NULL, session_id = $1 WHERE ticket_hash IS NOT NULL AND used_at IS NULL AND account_id = $2",
    [uid, victim.citizen.accountId],
  )
  const page = await thief.get(`${asked.url.origin}/interacao/${uid}/certificado/retorno${new URL(ticket).search}`)
  assert.ok(!isIn(page), 'it was sealed for somebody else')
})

test('revoked in between it does not sign in, the owner is told, and the page says what to do', async () => {
  const who = await holder()
  const step = await secondStep(who)
  chain.revoke(who.holding)
  assertRefused(await confirmBy(step, who.holding), /foi cancelado por quem o emitiu e não entra mais/)
  assert.match((await area.mailsTo(who.citizen.email))[0]?.subject ?? '', /certificado cancelado tentou entrar/)
  assert.match((await area.open(who.browser, SECURITY)).text, /Foi cancelado por quem o emitiu: não entra mais/)
})

test('ended, not vouched for, or below a root that is not trusted any more, it does not sign in', async () => {
  const who = await holder()
  chain.answers = 'none'
  assertRefused(await confirmBy(await secondStep(who), who.holding), /Não conseguimos conferir agora/)
  chain.answers = 'all'
  const waiting = await secondStep(who)
  const ticket = await scene.ticketFrom(waiting.browser, waiting.page, who.holding)
  const { trust } = area.app.rooms.signatures
  for (const { sha256 } of await trust.list()) await trust.remove(sha256, { kind: 'system' })
  assertRefused(await waiting.browser.get(ticket), /quem o emitiu não é mais aceito aqui/)
  await trustChain(area, chain)

  const { certificates } = area.app.rooms.accounts.factors
  await certificates.warn()
  const endings = async () =>
    (await area.mailsTo(who.citizen.email)).filter(({ subject }) => /vence em menos de 30 dias/.test(subject)).length
  assert.equal(await endings(), 0)
  area.clock.advance(340 * DAY)
  await certificates.warn()
  await certificates.warn()
  assert.equal(await endings(), 1, 'told once')
  area.clock.advance(30 * DAY)
  const late = await area.signIn(who.citizen, { browser: newBrowser() })
  assert.match(late.page.text, /segundo passo/, 'an ended one does not make the password enough')
  assertRefused(await confirmBy(late, who.holding), /venceu/)
  area.clock.advance(-370 * DAY)
})

test('whoever is signed in confirms by their own certificate, not by another’s', async () => {
  const [who, other] = [await holder(), await holder()]
  area.clock.advance(30 * 60_000)
  const asked = await area.open(who.browser, ENROL)
  assert.match(asked.text, /Confirme que é você/)
  assertRefused(await confirmBy({ browser: who.browser, page: asked }, other.holding), /não está cadastrado para entrar/)
  const page = await confirmBy({ browser: who.browser, page: await area.open(who.browser, ENROL) }, who.holding)
  assert.ok(isIn(page), page.text.slice(0, 300))
})

test('one address is sent to the other host so often a minute, and no oftener', async () => {
  const browser = newBrowser()
  const page = await area.open(browser, '/conta/entrar')
  const { perAddress } = area.app.rooms.settings.throttle
  for (let asked = 0; asked < perAddress; asked += 1) await browser.submit(page, {}, { action: '/certificado' })
  const refused = await browser.submit(page, {}, { action: '/certificado' })
  assert.equal(refused.status, 429)
  assert.match(refused.text, /Você tentou muitas vezes/)
})

test('a recovery owes it too', async () => {
  const who = await holder()
  const browser = newBrowser()
  const codes = await area.app.rooms.accounts.factors.recoveryCodes.make({
    accountId: who.citizen.accountId,
    authenticatedAt: area.clock.now(),
    facts: { ip: '10.0.0.9', userAgent: 'x', deviceCookie: undefined },
  })
  const start = await browser.submit(
    await area.open(browser, '/recuperar'),
    { cpf: who.citizen.cpf, way: 'recovery-code' },
    { action: '/recuperar' },
  )
  const owed = await browser.submit(start, { code: codes[0] ?? '' }, { action: '/codigo' })
  assert.match(owed.text, /Confirmar com certificado digital/)
  const wrong = await browser.get(await scene.ticketFrom(browser, owed, scene.issueTo(who.citizen)))
  assertRefused(wrong, /não está cadastrado para entrar/)
  const next = await browser.get(await scene.ticketFrom(browser, wrong, who.holding))
  const done = await browser.submit(next, { password: 'onca-pintada-cerrado-9' }, { action: '/senha' })
  assert.match(done.text, /senha/)
  const { page } = await area.signIn(who.citizen, { browser: newBrowser(), password: 'onca-pintada-cerrado-9' })
  assert.match(page.text, /Confirmar com certificado digital/, 'it still stands beside the new password')
  const held = await area.open(
    scene.stopAtHost((await area.signIn(who.citizen, { browser: newBrowser(), password: 'onca-pintada-cerrado-9' })).browser),
    ENROL,
  )
  assert.ok(!/Mostrar meu certificado/.test(held.text))
})

test('where no authority is trusted the pages offer nothing, and an account that has one says so', async () => {
  const who = await holder()
  const { trust } = area.app.rooms.signatures
  for (const { sha256 } of await trust.list()) await trust.remove(sha256, { kind: 'system' })
  area.clock.advance(60_000)
  const browser = newBrowser()
  const page = await area.open(browser, '/conta/entrar')
  assert.ok(!page.text.includes('Entrar com certificado digital'))
  assert.match((await typePassword(browser, page, who.citizen.cpf)).text, /Agora não dá para usar o certificado digital/)
  await trustChain(area, chain)
})

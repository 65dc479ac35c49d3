/** "Certificados": from the list to a certificate of one's own and to its end, through the pages and the provider's own sign-in. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { generateSync } from 'otplib'
import type { BrowserClient, Page } from '../support/browser-client.ts'
import { cpfOfNobody } from '../support/citizen-journey.ts'
import { SIGNING_PASSWORD } from '../support/signing-scene.ts'
import { until } from '../support/until.ts'
import { assertHeading, openArea, PASSWORD, type TestArea, type TestCitizen, typePassword } from './support/area.ts'
import { citizenAtPrata } from './support/proxies.ts'

const STEP_MS = 30_000
let area: TestArea
let folder: string

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'mt-companies-'))
  const file = path.join(folder, 'companies.json')
  const partners = Array.from({ length: 60 }, (_, index) => ({ cpf: cpfOfNobody(index), qualification: 'Administrador' }))
  writeFileSync(file, JSON.stringify([{ cnpj: '11.222.333/0001-81', name: 'Chapada Contabilidade Ltda', quorum: 1, qsa: partners }]))
  area = await openArea({ SIGNATURES_KEY_PASSWORD_MEMORY_KIB: '8192', COMPANY_REGISTER_FILE: file })
})
after(async () => {
  await area?.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Signer extends TestCitizen {
  readonly code: () => string
}

/** Somebody at prata with an authenticator app, whose every code is of another step. */
async function signerAtPrata(): Promise<Signer> {
  const citizen = await citizenAtPrata(area)
  const { totp } = area.app.rooms.accounts.factors
  const facts = { ip: '10.0.0.1', userAgent: 'test', deviceCookie: undefined }
  const changer = { accountId: citizen.accountId, authenticatedAt: area.clock.now(), facts }
  const { factorId, secret } = await totp.start(changer)
  // The step before, this one and the next are taken; only then the clock moves: the provider's own does not move with it.
  let next = -1
  const code = () => {
    if (next > 1) area.clock.advance(STEP_MS)
    const epoch = Math.floor(area.clock.now().getTime() / 1000) + Math.min(next, 1) * (STEP_MS / 1000)
    next += 1
    return generateSync({ secret, epoch })
  }
  await totp.confirm(changer, { factorId, code: code() })
  return { ...citizen, code }
}

async function enter(citizen: Signer, at = '/conta/certificados'): Promise<{ browser: BrowserClient; page: Page }> {
  const browser = area.browser()
  const page = await prove(browser, await area.open(browser, `/conta/entrar?para=${at}`), citizen)
  assert.equal(page.url.pathname, at)
  return { browser, page }
}

/** Password and code, where they are asked. */
async function prove(browser: BrowserClient, page: Page, citizen: Signer): Promise<Page> {
  const second = await typePassword(browser, page, citizen.cpf)
  const form = second.forms.find(({ fields }) => fields.has('code'))
  assert.ok(form, second.text.slice(0, 300))
  return browser.submit(second, { code: citizen.code() }, { action: form.action.pathname })
}

/** From the list to the page where the password for signing is chosen. */
async function beginNew(browser: BrowserClient, citizen: Signer, at = '/conta/certificados/novo'): Promise<Page> {
  const asking = await browser.submit(await area.open(browser, at), { prova: 'segundo-fator' }, { action: '/conta/certificados/novo' })
  assert.ok(asking.url.pathname.startsWith('/interacao/'), `a proof is asked: ${asking.url.pathname} ${asking.text.slice(0, 200)}`)
  return prove(browser, asking, citizen)
}

async function makeOne(browser: BrowserClient, citizen: Signer, at?: string): Promise<Page> {
  const choosing = await beginNew(browser, citizen, at)
  assertHeading(choosing, /Escolha a senha de assinatura/)
  return browser.submit(choosing, { password: SIGNING_PASSWORD, again: SIGNING_PASSWORD }, { action: choosing.url.pathname })
}

test('an empty list says that nobody needs one, and how to get one', async () => {
  const { page } = await enter(await signerAtPrata())
  assertHeading(page, /Certificados/)
  assert.match(page.text, /Você ainda não tem certificado/)
  assert.ok(page.links.some(({ href }) => href.pathname === '/conta/certificados/novo'))
})

test('a proof, a password, and the certificate is there: shown, downloaded, in the history, told by mail', async () => {
  const rosa = await signerAtPrata()
  const { browser } = await enter(rosa)
  const made = await makeOne(browser, rosa)
  assert.match(made.url.pathname, /^\/conta\/certificados\/[0-9a-f-]{36}$/)
  assert.match(made.text, /Certificado criado/)
  assert.match(made.text, /Valendo/)
  assert.match(made.text, /Certificado de assinatura criado/, 'its history begins')
  const [credential] = await area.app.rooms.signing.credentials.list(rosa.accountId)
  const response = made.links.find(({ href }) => href.pathname.endsWith('/certificado.cer'))
  assert.ok(response && credential)
  assert.ok(new X509Certificate(credential.certificates[0]).subject.includes('Rosa Maria dos Santos'))
  const file = await browser.get(response.href)
  assert.equal(file.headers.get('Content-Type'), 'application/pkix-cert')
  assert.match((await area.open(browser, '/conta/certificados')).text, /Valendo/)
  assert.match((await area.open(browser, '/conta/historico')).text, /Certificado de assinatura criado/)
  assert.ok((await area.mailsTo(rosa.email)).some(({ subject }) => subject === 'Você tem um certificado de assinatura'))
})

test('passwords that differ, are weak or are the account\'s own are refused where they stand, and the proof is not lost', async () => {
  const rosa = await signerAtPrata()
  const { browser } = await enter(rosa)
  const choosing = await beginNew(browser, rosa)
  const choose = (password: string, again = password) => browser.submit(choosing, { password, again }, { action: choosing.url.pathname })
  for (const [refused, why] of [
    [await choose(SIGNING_PASSWORD, 'outra-coisa-77'), /As duas senhas são diferentes/],
    [await choose('curta'), /8 caracteres|pequena|curta/i],
    [await choose(PASSWORD), /Esta é a senha da conta/],
  ] as const) {
    assert.equal(refused.status, 422)
    assert.match(refused.text, why)
  }
  assert.match((await choose(SIGNING_PASSWORD)).text, /Certificado criado/)
})

test('without the proof there is none: not by the address, not by another\'s, not a second time', async () => {
  const [rosa, eva] = [await signerAtPrata(), await signerAtPrata()]
  const { browser } = await enter(rosa)
  const { id } = await area.app.rooms.signing.credentials.begin({ accountId: rosa.accountId })
  const tryIt = async (visitor: BrowserClient, activation: string) => {
    const at = `/conta/certificados/novo/${activation}`
    return visitor.submit(await area.open(visitor, at), { password: SIGNING_PASSWORD, again: SIGNING_PASSWORD }, { action: at })
  }
  const refused = await tryIt(browser, id)
  assert.equal(refused.status, 403)
  assertHeading(refused, /Não deu para confirmar que é você/)
  const stranger = await enter(eva)
  assert.equal((await tryIt(stranger.browser, id)).status, 403)
  const made = await beginNew(browser, rosa)
  const used = made.url.pathname.split('/').at(-1) ?? ''
  assert.match((await tryIt(browser, used)).text, /Certificado criado/)
  assert.equal((await tryIt(browser, used)).status, 410)
  assert.equal((await area.app.rooms.signing.credentials.list(eva.accountId)).length, 0)
})

test('bronze is shown the way up, before any proof is asked', async () => {
  const citizen = await area.citizen()
  const { browser } = await area.signIn(citizen)
  const refused = await browser.submit(await area.open(browser, '/conta/certificados/novo'), { prova: 'rosto' }, { action: '/conta/certificados/novo' })
  assert.equal(refused.status, 403)
  assert.ok(refused.links.some(({ href }) => href.pathname === '/conta/nivel'))
})

test('parar, ligar de novo, trocar, and revogar in two presses', async () => {
  const rosa = await signerAtPrata()
  const { browser } = await enter(rosa)
  let page = await makeOne(browser, rosa)
  const at = page.url.pathname
  const press = async (name: string) => browser.submit(await area.open(browser, at), {}, { action: `${at}/${name}` })
  page = await press('parar')
  assert.match(page.text, /Parado/)
  assert.ok(!page.forms.some(({ action }) => action.pathname.endsWith('/parar')))
  page = await press('liberar')
  assert.match(page.text, /Valendo/)
  const renewed = await makeOne(browser, rosa, `/conta/certificados/novo?troca=${at.split('/').at(-1)}`)
  assert.notEqual(renewed.url.pathname, at)
  assert.match((await area.open(browser, at)).text, /Trocado por outro/)
  // The first press opens the question, the second is the form.
  const asked = await area.open(browser, at)
  assert.match(asked.html, /<details class="confirm"[\s\S]*Revogar este certificado para sempre\?/)
  page = await press('revogar')
  assert.match(page.text, /Revogado/)
  assert.match(page.text, /O que foi assinado antes|Você mesmo pediu/)
  assert.match((await area.open(browser, '/conta/certificados')).text, /Valendo[\s\S]*Revogado/)
})

test('another\'s certificate is nobody\'s page, file or form', async () => {
  const [rosa, eva] = [await signerAtPrata(), await signerAtPrata()]
  const { browser } = await enter(rosa)
  const at = (await makeOne(browser, rosa)).url.pathname
  const stranger = await enter(eva)
  for (const path of [at, `${at}/certificado.cer`]) assert.equal((await area.open(stranger.browser, path)).status, 404)
  const own = await area.open(browser, at)
  const token = own.forms.find(({ action }) => action.pathname.endsWith('/revogar'))?.fields.get('_csrf')?.[0] ?? ''
  for (const name of ['parar', 'revogar']) {
    const answer = await stranger.browser.post(new URL(`${at}/${name}`, area.url), new URLSearchParams({ _csrf: token }), new URL(at, area.url))
    assert.ok(answer.status >= 400, name)
  }
  assert.equal((await area.app.rooms.signing.credentials.list(rosa.accountId))[0]?.state, 'active')
})

test('closing the account, «não fui eu», and evidence taken back end it, at once', async () => {
  const endedFor = async ({ accountId }: TestCitizen) => (await area.app.rooms.signing.credentials.list(accountId))[0]?.endedFor
  const closing = await signerAtPrata()
  const one = await enter(closing)
  await makeOne(one.browser, closing)
  await one.browser.submit(await area.open(one.browser, '/conta/encerrar'), { word: 'encerrar' }, { action: '/conta/encerrar' })
  assert.equal(await endedFor(closing), 'account-closed')
  const robbed = await signerAtPrata()
  const two = await enter(robbed)
  await makeOne(two.browser, robbed)
  await two.browser.submit(await area.open(two.browser, '/conta/nao-fui-eu'), {}, { action: '/conta/nao-fui-eu' })
  assert.equal(await endedFor(robbed), 'not-me')
  const fallen = await signerAtPrata()
  const three = await enter(fallen)
  await makeOne(three.browser, fallen)
  const { assurance } = area.app.rooms
  await area.app.foundation.db.transaction((tx) => assurance.withdrawAll(tx, { ...fallen, reason: 'test', actor: { kind: 'system' } }))
  await until(async () => (await endedFor(fallen)) === 'level')
})

test('whoever can only write rows is nobody: a sign-in made stronger by hand proves nothing', async () => {
  const { db, clock } = area.app.foundation
  const victim = await signerAtPrata()
  const open = await enter(victim)
  const choosing = await beginNew(open.browser, victim)
  await db.execute('UPDATE sign_in_session SET aal = 2, authenticated_at = $2, face_at = $2 WHERE account_id = $1', [victim.accountId, new Date(clock.now().getTime() + 1)])
  const refused = await open.browser.submit(choosing, { password: SIGNING_PASSWORD, again: SIGNING_PASSWORD }, { action: choosing.url.pathname })
  assert.equal(refused.status, 403)
  assert.equal((await area.app.rooms.signing.credentials.list(victim.accountId)).length, 0)
})

test('whoever binds a company gets a certificate of its representative, with its CNPJ; who binds none is refused', async () => {
  const { roles } = area.app.rooms.proxies
  const [rosa, power] = [await signerAtPrata(), { namespace: 'sefaz-demo', code: 'assinar-documentos' }]
  const spoken = (text: string) => ({ 'pt-BR': text, en: text, es: text })
  await roles.draft({ ...power, definition: { title: spoken('Assinar documentos'), description: spoken('assinar documentos'), representedKinds: ['person', 'company'], delegateKinds: ['person'], longestDays: 365 } }, { kind: 'system' })
  await roles.publish(power, { kind: 'system' })
  const { browser } = await enter(rosa)
  const asked = await area.open(browser, '/conta/certificados/novo')
  assert.match(asked.text, /Como representante de Chapada Contabilidade Ltda/)
  const como = asked.forms.flatMap(({ choices }) => choices.get('como') ?? []).find((value) => value !== '') ?? ''
  assert.match(como, /^registro\|11222333\|[\w-]+:assinar-documentos$/)
  const forged = await browser.submit(asked, { prova: 'segundo-fator', como: como.replace('11222333', '12ABC345') }, { action: '/conta/certificados/novo' })
  assert.equal(forged.status, 403)
  const choosing = await prove(browser, await browser.submit(asked, { prova: 'segundo-fator', como }, { action: '/conta/certificados/novo' }), rosa)
  const made = await browser.submit(choosing, { password: SIGNING_PASSWORD, again: SIGNING_PASSWORD }, { action: choosing.url.pathname })
  assert.match(made.text, /Como representante de Chapada Contabilidade Ltda · 11\.222\.333/)
  assert.match((await area.open(browser, '/conta/certificados')).text, /Como representante de Chapada Contabilidade Ltda/)
  const [credential] = await area.app.rooms.signing.credentials.list(rosa.accountId)
  assert.ok(credential?.certificates[0].includes(Buffer.from('11222333000181')))
  assert.equal(await area.app.rooms.signing.review.representations(), 0, 'it stands while its holder binds the company')
})

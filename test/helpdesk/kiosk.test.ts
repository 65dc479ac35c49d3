/** Ways in for people without a phone: a device of the unit, the citizen's own face, a passkey or a sheet; and everybody who tries to misuse it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Authenticator } from '../accounts/support/authenticator.ts'
import { openArea, type TestArea, type TestCitizen } from '../portal/support/area.ts'
import type { BrowserClient, Page } from '../support/browser-client.ts'
import { cpfOfNobody } from '../support/citizen-journey.ts'
import { type FaceCheckOutcome, showPictures } from '../support/face-check-client.ts'
import { type FaceViews, loadFaceViews, SAMPLE_FACES } from '../support/reactive-camera/face-views.ts'
import { bringToApproval, openStaffedDesk, type StaffedDesk, tokenOf } from './support/attendance-scene.ts'
import { enterDesk } from './support/counter.ts'

/** In the base register, without an account. */
const NEWCOMER = cpfOfNobody(40)

let area: TestArea
let desk: StaffedDesk
let kiosk: BrowserClient
let faces: Record<'one' | 'two', FaceViews>
/** The newcomer's approved case, at the attendant's browser. */
let path = ''
let counter: BrowserClient
let moment = 0

before(async () => {
  area = await openArea()
  desk = await openStaffedDesk(area)
  faces = { one: await loadFaceViews(SAMPLE_FACES.one), two: await loadFaceViews(SAMPLE_FACES.two) }
})
after(() => area.close())

const idOf = (of: string) => of.split('/').at(-1) ?? ''
const database = () => area.app.foundation.db
const codeIn = (page: Page, pattern: RegExp) => pattern.exec(page.html)?.[1] ?? assert.fail(page.text)

function showFace(browser: BrowserClient, page: Page, who: 'one' | 'two'): Promise<FaceCheckOutcome> {
  const capture = ({ yaw = 0, colour }: { yaw?: number | undefined; colour?: Parameters<FaceViews['jpeg']>[0]['colour'] }) => {
    moment += 1
    return faces[who].jpeg({ yawDegrees: yaw, colour, moment })
  }
  return showPictures(browser, page, { clock: area.clock, capture })
}

async function registerKiosk(): Promise<string> {
  const browser = area.browser()
  const page = await enterDesk(area, browser, desk.manager, '/balcao/aparelhos')
  assert.match(page.text, /Nenhum aparelho|Ligado em|Espera o código/)
  return codeIn(await browser.submit(page, { name: 'Mesa 3' }, { action: '/balcao/aparelhos' }), /<code>([\w-]{9})<\/code>/)
}

async function offer(): Promise<{ code: string; page: Page }> {
  const page = await counter.submit(await area.open(counter, `${path}/acesso`), {}, { action: '/acesso' })
  return { code: codeIn(page, /<code>(\d{6})<\/code>/), page }
}

const atKiosk = async (cpf: string, code: string, browser = kiosk) => browser.submit(await area.open(browser, '/aparelho/codigo'), { cpf, code, agree: 'sim' }, { action: '/codigo' })

test('the manager registers a device; its code works once; a device that is none, or a browser of the staff, opens nothing', async () => {
  kiosk = area.browser()
  const code = await registerKiosk()
  const unpaired = await area.open(kiosk, '/aparelho')
  assert.equal((await area.open(kiosk, '/aparelho/entrar')).url.pathname, '/aparelho', 'no face sign-in away from the unit’s devices')
  assert.match((await kiosk.submit(unpaired, { code: 'ABCD-EFGH' }, { action: '/ligar' })).text, /não/)
  assert.match((await kiosk.submit(unpaired, { code }, { action: '/ligar' })).text, /Tela do cidadão/)
  const second = area.browser()
  assert.equal((await second.submit(await area.open(second, '/aparelho'), { code }, { action: '/ligar' })).status, 422)
  const staff = area.browser()
  await enterDesk(area, staff, desk.attendant)
  const refused = await area.open(staff, '/aparelho')
  assert.equal(refused.status, 403)
  assert.match(refused.text, /sessão de quem atende/)
  assert.equal((await area.open(staff, '/balcao/aparelhos')).status, 403, 'an attendant registers none')
})

test('nothing is offered before the approval, nor by whoever approved', async () => {
  ;({ path, browser: counter } = await bringToApproval(area, desk, NEWCOMER, 'one'))
  const early = await counter.post(`${area.url}${path}/acesso`, new URLSearchParams({ _csrf: await tokenOf(area, counter) }), new URL(area.url))
  assert.match(early.text, /Esse passo não está aberto agora/)
  const supervisor = area.browser()
  const sheet = await enterDesk(area, supervisor, desk.supervisor, `/balcao/aprovacoes/${idOf(path)}`)
  assert.match((await supervisor.submit(sheet, {}, { action: '/aprovar' })).text, /Aprovado/)
  const { accountId } = desk.supervisor
  const { staff } = area.app.rooms
  const cpf = (await area.app.rooms.accounts.get(accountId)).citizen.reveal().cpf
  await staff.grant({ unitId: desk.unit.id, cpf, role: 'attendant', endsAt: new Date(area.clock.now().getTime() + 86_400_000) }, desk.manager.accountId)
  const own = await supervisor.post(`${area.url}${path}/acesso`, new URLSearchParams({ _csrf: await tokenOf(area, supervisor) }), new URL(area.url))
  assert.match(own.text, /Você aprovou este atendimento/)
})

test('the attendant’s own screen does not open it; another face does not; a used link is dead; the person learns of the tries', async () => {
  const { code } = await offer()
  const link = await linkOf()
  assert.equal((await area.open(counter, link)).status, 403, 'in the browser of the staff')
  const accomplice = area.browser()
  const asked = await area.open(accomplice, link)
  assert.equal((await accomplice.submit(asked, {}, { action: link })).status, 422, 'without agreeing')
  const camera = await accomplice.submit(asked, { agree: 'sim' }, { action: link })
  assert.equal(camera.url.pathname, '/aparelho/camera')
  const outcome = await showFace(accomplice, camera, 'two')
  assert.equal(outcome.passed, false)
  assert.equal((await area.open(accomplice, '/aparelho/pronto')).url.pathname, '/aparelho/camera')
  const again = area.browser()
  assert.match((await again.submit(await area.open(again, link), { agree: 'sim' }, { action: link })).text, /já foi usado/)
  assert.match((await atKiosk(NEWCOMER, code)).text, /não conferem/, 'the code is of the link that was opened')
  assert.match((await atKiosk(cpfOfNobody(41), code)).text, /não conferem/)
  const [person] = await database().query<{ id: string }>('SELECT id FROM person WHERE cpf = $1', [NEWCOMER])
  const types = (await area.app.rooms.audit.ledger(person?.id ?? '', { limit: 50 })).map(({ type }) => type)
  for (const type of ['helpdesk/access-offered', 'helpdesk/access-face-refused']) assert.ok(types.includes(type), type)
  const [accounts] = await database().query<{ count: number }>('SELECT count(*)::int AS count FROM account WHERE person_id = $1', [person?.id])
  assert.equal(accounts?.count, 0, 'nothing was opened')
})

/** The link is only in the QR code: the test reads the token that the page made. */
async function linkOf(): Promise<string> {
  const { createAccess } = await import('../../src/helpdesk/kiosk/access.ts')
  const { foundation: { clock, keyring }, rooms } = area.app
  const access = createAccess({
    desk: { db: database(), clock, keyring, audit: rooms.audit, staff: rooms.staff },
    tokens: rooms.accounts.tokens,
    accounts: rooms.accounts.counterAccess,
    addEvidence: rooms.assurance.add,
  })
  const { link } = await access.offer(idOf(path), { id: desk.attendant.accountId, role: 'attendant', unitId: desk.unit.id })
  return `/aparelho/acesso/${link}`
}

test('the citizen’s own face makes an account; a key of their own, then the sheet, once, and the visit is over', async () => {
  const { code } = await offer()
  const camera = await atKiosk(NEWCOMER, code)
  assert.equal(camera.url.pathname, '/aparelho/camera', camera.text)
  const outcome = await showFace(kiosk, camera, 'one')
  assert.deepEqual([outcome.reasons, outcome.next], [[], '/aparelho/pronto'])
  const way = await kiosk.submit(await area.open(kiosk, outcome.next), {}, { action: '/pronto' })
  assert.equal(way.url.pathname, '/conta/balcao/acesso', way.text)
  assert.match(way.text, /Você ainda não tem como entrar/)
  const account = await accountOf(NEWCOMER)
  assert.equal(await area.app.rooms.assurance.levelOf(account.id), 'ouro', 'bound by the face, and approved')
  assert.match((await area.open(kiosk, '/conta/seguranca/chaves')).text, /Aqui isto não muda/, 'the general pages stay closed to a face')
  const key = new Authenticator({ origin: area.url })
  const token = codeIn(way, /name="csrf-token" content="([^"]+)"/)
  const started = await kiosk.fetch(`${area.url}/conta/balcao/acesso/chave/opcoes`, { method: 'POST', headers: { 'X-CSRF-Token': token } })
  const { id, options } = await started.json()
  const values = { label: 'Minha chave', ceremony: id, credential: JSON.stringify(key.create(options, { rpId: new URL(area.url).hostname })) }
  assert.match((await kiosk.submit(way, values, { action: '/chave' })).text, /Chave guardada na sua conta/)
  const body = new URLSearchParams({ _csrf: codeIn(way, /name="_csrf" value="([^"]+)"/) })
  const printed = await kiosk.fetch(`${area.url}/conta/balcao/acesso/folha`, { method: 'POST', body, headers: { 'Content-Type': 'application/x-www-form-urlencoded' } })
  assert.equal(printed.headers.get('Content-Type'), 'application/pdf')
  assert.equal(printed.headers.get('Cache-Control'), 'no-store')
  assert.match(Buffer.from(await printed.arrayBuffer()).subarray(0, 8).toString('latin1'), /^%PDF-1\.7/)
  assert.doesNotMatch((await area.open(kiosk, '/conta/balcao/acesso')).text, /Seu acesso/, 'whoever comes next finds nothing')
  assert.deepEqual(await area.app.rooms.accounts.sessions.list(account.id), [])
  const stored = await database().query<{ code_hash: Buffer }>('SELECT code_hash FROM recovery_code WHERE account_id = $1 AND removed_at IS NULL', [account.id])
  assert.equal(stored.length, 10)
  const { steps } = area.app.rooms.accounts
  const asked = await steps.startPasskey('b')
  const signedIn = await steps.signInWithPasskey({ ceremonyId: asked.id, binding: 'b', response: key.get(asked.options, { rpId: new URL(area.url).hostname }), facts: { ip: '10.9.9.6', userAgent: 't', deviceCookie: undefined } })
  assert.equal(signedIn.kind, 'signed-in', 'at home, with the key alone')
  if (signedIn.kind === 'signed-in') await area.app.rooms.accounts.sessions.end(account.id, signedIn.session.id, 'citizen')
  const types = (await area.app.rooms.audit.ledger(account.id, { limit: 50 })).map(({ type }) => type)
  for (const type of ['accounts/counter-access', 'helpdesk/account-bound', 'accounts/recovery-codes-made', 'accounts/passkey-added']) assert.ok(types.includes(type), type)
})

async function accountOf(cpf: string) {
  const { parseCpf } = await import('../../src/accounts/index.ts')
  return (await area.app.rooms.accounts.findByCpf(parseCpf(cpf) ?? assert.fail())) ?? assert.fail('no account')
}

test('whoever comes back gets in with the face at a device of the unit, to look and to stop; nothing of the ways in changes, and it ends by itself', async () => {
  const account = await accountOf(NEWCOMER)
  const enter = async (cpf: string) => kiosk.submit(await area.open(kiosk, '/aparelho/entrar'), { cpf, agree: 'sim' }, { action: '/entrar' })
  assert.match((await enter(cpfOfNobody(55))).html, /data-face-check/, 'a CPF that nobody has walks the same steps')
  const outcome = await showFace(kiosk, await enter(NEWCOMER), 'one')
  assert.deepEqual(outcome.reasons, [])
  const home = await kiosk.submit(await area.open(kiosk, outcome.next), {}, { action: '/pronto' })
  assert.equal(home.url.pathname, '/conta')
  for (const closed of ['/conta/seguranca/chaves', '/conta/seguranca/codigos', '/conta/dados/email']) assert.match((await area.open(kiosk, closed)).text, /Aqui isto não muda/, closed)
  assert.equal((await area.open(kiosk, '/conta/balcao/acesso')).url.pathname, '/conta', 'no way in is made by looking')
  const _csrf = codeIn(home, /name="_csrf" value="([^"]+)"/)
  const post = async (path: string) => kiosk.fetch(`${area.url}${path}`, { method: 'POST', body: new URLSearchParams({ _csrf }) })
  for (const path of ['/conta/procuracoes/pedidos/desbloquear', `/conta/assinaturas/${account.id}/enviar`, `/conta/procuracoes/${account.id}/aceitar`]) {
    const refused = await post(path)
    assert.equal(refused.status, 403, path)
    assert.match(await refused.text(), /Aqui isto não muda/, path)
  }
  assert.equal((await post('/conta/aparelhos/sair-dos-outros')).status, 303, 'to stop things is what it is for')
  const { recoveryCodes } = area.app.rooms.accounts.factors
  const [session] = await area.app.rooms.accounts.sessions.list(account.id)
  const facts = { ip: '10.0.0.1', userAgent: 't', deviceCookie: undefined }
  await assert.rejects(recoveryCodes.make({ accountId: account.id, authenticatedAt: area.clock.now(), sessionId: session?.id, facts }), { code: 'accounts/reauthentication-needed' })
  await assert.rejects(area.app.rooms.accounts.counterAccess.recoveryCodes.make({ accountId: account.id, authenticatedAt: area.clock.now(), sessionId: session?.id, facts }), { code: 'accounts/reauthentication-needed' })
  area.clock.advance(601_000)
  assert.ok(!(await area.open(kiosk, '/conta')).forms.some(({ action }) => action.pathname === '/conta/sair'), 'ten minutes are over')
})

test('an account that somebody else registered before loses every way in, and is told; one that operators blocked stays shut', async () => {
  const thief: TestCitizen = await area.citizen()
  const { path: own, browser } = await bringToApproval(area, desk, thief.cpf, 'fourth')
  const supervisor = area.browser()
  await supervisor.submit(await enterDesk(area, supervisor, desk.supervisor, `/balcao/aprovacoes/${idOf(own)}`), {}, { action: '/aprovar' })
  ;[path, counter] = [own, browser]
  const { counterAccess, safety, sessions, signIn, findByCpf } = area.app.rooms.accounts
  const account = await accountOf(thief.cpf)
  await safety.suspend(account.id, { reason: 'operator', actor: { kind: 'operator', id: 'test' } })
  assert.equal(await counterAccess.standingOf(thief.personId), 'blocked')
  assert.equal(await database().transaction((tx) => counterAccess.open(tx, { personId: thief.personId, locale: 'pt-BR' })), undefined)
  await safety.resume(account.id, { kind: 'operator', id: 'test' })
  const before = await sessions.open(database(), { accountId: account.id, amr: ['pwd'], authenticatedAt: area.clock.now() })
  const opened = await database().transaction((tx) => counterAccess.open(tx, { personId: thief.personId, locale: 'pt-BR' }))
  assert.equal(opened?.accountId, account.id)
  assert.equal(await sessions.findLive(before?.id ?? ''), undefined)
  const tried = await signIn({ cpf: thief.cpf, password: 'boi-tuiuiu-pantanal-7', facts: { ip: '10.9.9.7', userAgent: 't', deviceCookie: undefined }, binding: 'x' })
  assert.equal(tried.kind, 'refused')
  assert.equal((await findByCpf(account.citizen.reveal().cpf))?.citizen.reveal().email, undefined, 'no recovery by the old address')
  const facts = { ip: '10.9.9.5', userAgent: 't', deviceCookie: undefined }
  const changer = { accountId: account.id, authenticatedAt: area.clock.now(), sessionId: opened?.sessionId, facts }
  const [code = ''] = await counterAccess.recoveryCodes.make(changer)
  const { recovery } = area.app.rooms.accounts
  const begun = await recovery.start({ cpf: thief.cpf, method: 'recovery-code', binding: 'b', facts })
  const handle = { id: begun.kind === 'started' ? begun.id : '', binding: 'b' }
  const proved = await recovery.proveByRecoveryCode(handle, code, facts)
  assert.equal(proved.kind === 'next' && proved.step, 'new-password', 'a code of the sheet and the CPF are enough at home')
  area.clock.advance(601_000)
  await assert.rejects(counterAccess.recoveryCodes.make(changer), { code: 'accounts/reauthentication-needed' }, 'after ten minutes nothing is made')
  assert.ok((await area.mailsTo(thief.email)).some(({ subject }) => /trocados em um balcão/.test(subject)))
})

test('a device that is taken out of use opens nothing any more, and one device does not try for ever', async () => {
  const [row] = await database().query<{ id: string }>('SELECT id FROM helpdesk_kiosk WHERE paired_at IS NOT NULL')
  await database().execute('UPDATE helpdesk_kiosk SET tries = 60, tries_since = $2 WHERE id = $1', [row?.id, area.clock.now()])
  assert.equal((await atKiosk(NEWCOMER, '123456')).status, 429)
  area.clock.advance(3_601_000)
  assert.equal((await atKiosk(NEWCOMER, '123456')).status, 422, 'an hour later it works again')
  const manager = area.browser()
  const list = await enterDesk(area, manager, desk.manager, '/balcao/aparelhos')
  assert.match((await manager.submit(list, {}, { action: '/retirar' })).text, /saiu de uso/)
  assert.match((await area.open(kiosk, '/aparelho')).text, /Ligar este aparelho/)
  assert.equal((await area.open(kiosk, '/aparelho/entrar')).url.pathname, '/aparelho')
})

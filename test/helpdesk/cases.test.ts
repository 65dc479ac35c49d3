/** What people come to the counter for beyond enrolment: each reason with its evidence, two people, and what it does to the account. */
import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { Attendance } from '../../src/helpdesk/attendance/attendance.ts'
import type { KnownHere } from '../../src/helpdesk/attendance/attendance.store.ts'
import { parseCertificateNumber } from '../../src/helpdesk/cases/certificate-number.ts'
import { recordAfter } from '../../src/helpdesk/cases/effects.ts'
import { Sensitive } from '../../src/platform/sensitive.ts'
import type { TestOperator } from '../admin/support/operator-entrance.ts'
import { openArea, type TestArea, type TestCitizen } from '../portal/support/area.ts'
import type { BrowserClient, Page } from '../support/browser-client.ts'
import { until } from '../support/until.ts'
import { bindByCode, bringToApproval, offerBinding, openCase, openStaffedDesk, type PersonName, shotsOf, type StaffedDesk, tokenOf, upload } from './support/attendance-scene.ts'
import { enterDesk, hire } from './support/counter.ts'

const CERTIFICATE = certificateNumber()

let area: TestArea
let desk: StaffedDesk
/** The one attendant's browser; each case begins where the last ended. */
let counter: BrowserClient
let rosa: TestCitizen

before(async () => {
  area = await openArea()
  desk = await openStaffedDesk(area)
  rosa = await area.citizen()
})
after(() => area.close())

const idOf = (path: string) => path.split('/').at(-1) ?? ''
const accountOf = (citizen: TestCitizen) => area.app.rooms.accounts.get(citizen.accountId)

/** A matrícula of the book of deaths whose check digits fit. */
function certificateNumber(): string {
  const base = '104539015520134000120210000123'
  const found = Array.from({ length: 100 }, (_, index) => `${base}${String(index).padStart(2, '0')}`).find((text) => parseCertificateNumber(text) !== undefined)
  return found ?? assert.fail('no number fits')
}

async function begin(cpf: string, reason: string): Promise<Page> {
  counter = area.browser()
  await enterDesk(area, counter, desk.attendant)
  return openCase(area, counter, cpf, reason)
}

const DOCUMENT = { type: 'rg', number: '1234567-8', issuer: 'SESP/MT', issuedOn: '2020-05-04' }

/** Document and (where the reason asks for one) face; `person` is whose. */
async function capture(path: string, document: Record<string, string> = DOCUMENT, person?: PersonName): Promise<void> {
  const page = await counter.submit(await area.open(counter, `${path}/documento`), document, { action: '/documento' })
  assert.equal(page.status, 200, page.text)
  const shots = await shotsOf(person ?? 'fourth')
  assert.equal((await upload(area, counter, `${path}/arquivo`, { kind: 'document-front' }, shots[0] ?? assert.fail())).status, 303)
  if (person === undefined) return
  // By signature, before the face: a face that is only compared is not captured without its person's word.
  assert.equal((await upload(area, counter, `${path}/arquivo`, { kind: 'signature' }, shots[0] ?? assert.fail())).status, 303)
  for (const shot of shots) assert.equal((await upload(area, counter, `${path}/rosto`, {}, shot)).status, 303)
}

/** A screen of the citizen's own, tied to the case. */
async function tieScreen(path: string): Promise<BrowserClient> {
  const offered = await counter.submit(await area.open(counter, `${path}/concordancia`), {}, { action: '/concordancia' })
  const code = /<code>([0-9A-Z]{4}-[0-9A-Z]{4})<\/code>/.exec(offered.html)?.[1] ?? assert.fail(offered.text)
  const screen = area.browser()
  await screen.submit(await area.open(screen, '/tela'), { code }, { action: '/tela' })
  return screen
}

async function send(path: string): Promise<void> {
  const checked = await counter.submit(await area.open(counter, path), {}, { action: '/conferir' })
  assert.match((await counter.submit(checked, {}, { action: '/enviar' })).text, /Esperando a supervisão/)
}

async function decide(path: string, supervisor: TestOperator = desk.supervisor): Promise<{ sheet: Page; done: Page; browser: BrowserClient }> {
  const browser = area.browser()
  const sheet = await enterDesk(area, browser, supervisor, `/balcao/aprovacoes/${idOf(path)}`)
  return { sheet, browser, done: await browser.submit(sheet, {}, { action: '/aprovar' }) }
}

const ledgerTypes = async (citizen: TestCitizen) => (await area.app.rooms.audit.ledger(citizen.accountId, { limit: 200 })).map(({ type }) => type)

test('a matrícula is checked digit by digit and must be of a book of deaths; an old number is taken as it is', () => {
  assert.equal(parseCertificateNumber(CERTIFICATE.replace(/(\d{6})(\d{2})(\d{2})(\d{4})/, '$1 $2 $3 $4 ')), CERTIFICATE)
  for (let at = 0; at < 30; at += 1) {
    const wrong = `${CERTIFICATE.slice(0, at)}${(Number(CERTIFICATE[at]) + 1) % 10}${CERTIFICATE.slice(at + 1)}`
    assert.equal(parseCertificateNumber(wrong), undefined, wrong)
  }
  assert.equal(parseCertificateNumber('10453901552013100012021000012321'), undefined, 'a birth')
  assert.equal(parseCertificateNumber('1045390155201340001202100001'), undefined, 'some digits are missing')
  assert.equal(parseCertificateNumber(' Livro C-12, folha 45, termo 678 '), 'Livro C-12, folha 45, termo 678')
})

test('a change of name keeps the social name that the person gave here, where the base register has none', () => {
  const facts = { cpf: rosa.cpf, name: 'Rosa Maria Lima', birthDate: '1990-01-01', situation: 'regular' }
  const known = { name: 'Rosa Maria dos Santos', socialName: 'Rosa Bela dos Santos', birthDate: '1990-01-01' } as KnownHere
  const after = (said: object) => recordAfter({ facts: new Sensitive({ ...facts, ...said }), reason: 'name-change' } as Attendance, known)
  assert.deepEqual([after({}).name, after({}).socialName], ['Rosa Maria Lima', 'Rosa Bela dos Santos'])
  assert.equal(after({ socialName: 'Rosa Lima' }).socialName, 'Rosa Lima')
})

test('a social name is what the person says, after two people; the base register’s name stays', async () => {
  const { path, browser } = await bringSocialName('Rosa Bela dos Santos')
  assert.match((await bindByCode(area, rosa, await offerBinding(area, browser, path))).text, /Conta ligada/)
  const { sheet, done } = await decide(path)
  assert.match(sheet.text, /Rosa Bela dos Santos/)
  assert.match(done.text, /Aprovado/)
  const citizen = (await accountOf(rosa)).citizen.reveal()
  assert.equal(citizen.socialName, 'Rosa Bela dos Santos')
  assert.equal(citizen.name, 'Rosa Maria dos Santos')
  assert.ok((await ledgerTypes(rosa)).includes('helpdesk/record-corrected'))
  assert.equal(await area.app.rooms.assurance.levelOf(rosa.accountId), 'ouro')
})

async function bringSocialName(name: string): Promise<{ path: string; browser: BrowserClient }> {
  const page = await begin(rosa.cpf, 'social-name')
  const path = page.url.pathname
  const wrong = await counter.submit(await area.open(counter, `${path}/pedido`), { socialName: 'Rosa' }, { action: '/pedido' })
  assert.equal(wrong.status, 422)
  assert.match(wrong.text, /nome e sobrenome/)
  assert.match((await area.open(counter, path)).text, /o pedido da pessoa/)
  const saved = await counter.submit(wrong, { socialName: name }, { action: '/pedido' })
  assert.match(saved.text, /Pedido Feito/)
  await capture(path, DOCUMENT, 'fourth')
  await send(path)
  return { path, browser: counter }
}

test('a lost phone takes passkey, codes, number and every session with it; everybody is told and changes wait', async () => {
  const { db } = area.app.foundation
  const { accounts } = area.app.rooms
  const now = area.clock.now()
  const [lost, kept] = [randomUUID(), randomUUID()]
  for (const [id, label] of [[lost, 'Celular da Rosa'], [kept, 'Chave de metal']] as const) {
    await db.execute(
      `INSERT INTO passkey (id, account_id, credential_id, public_key, counter, transports, backed_up, label, created_at) VALUES ($1, $2, $3, $4, 0, '{}', false, $5, $6)`,
      [id, rosa.accountId, randomBytes(32), randomBytes(64), label, now],
    )
  }
  await db.execute(`INSERT INTO contact (id, account_id, kind, value, is_primary, verified_at, created_at) VALUES ($1, $2, 'phone', '+5565999990000', true, $3, $3)`, [randomUUID(), rosa.accountId, now])
  const session = await accounts.sessions.open(db, { accountId: rosa.accountId, amr: ['pwd'], authenticatedAt: now })
  const { path } = { path: (await begin(rosa.cpf, 'lost-phone')).url.pathname }
  const bound = await counter.post(`${area.url}${path}/conta`, new URLSearchParams({ _csrf: await tokenOf(area, counter) }), new URL(area.url))
  assert.match(bound.text, /Esse passo não está aberto agora/, 'a case that enrols nobody binds no account, and hides no claim of one that does')
  const asked = await area.open(counter, `${path}/pedido`)
  assert.match(asked.text, /Celular da Rosa/)
  assert.doesNotMatch(asked.text, /99999/, 'the number is masked')
  const forged = new URLSearchParams({ _csrf: await tokenOf(area, counter), kind: 'lost-phone', passkeys: randomUUID() })
  const stranger = await counter.post(`${area.url}${path}/pedido`, forged, new URL(area.url))
  assert.match(stranger.text, /não cabe neste atendimento/, 'another account’s passkey cannot be named')
  await counter.submit(asked, { passkeys: lost, phone: 'sim' }, { action: '/pedido' })
  await capture(path, DOCUMENT, 'fourth')
  await send(path)
  assert.ok((await accounts.sessions.findLive(session?.id ?? '')) !== undefined, 'nothing ends before the second person')
  const { sheet, done } = await decide(path)
  assert.match(sheet.text, /Celular da Rosa/)
  assert.doesNotMatch(sheet.text, /Chave de metal/)
  assert.match(done.text, /Aprovado e feito/)
  assert.deepEqual((await accounts.factors.passkeys.list(rosa.accountId)).map(({ id }) => id), [kept])
  assert.equal(await accounts.sessions.findLive(session?.id ?? ''), undefined)
  const account = await accountOf(rosa)
  assert.equal(account.citizen.reveal().phone, undefined)
  assert.equal(accounts.canChangeSensitive(account), false)
  assert.ok((await area.mailsTo(rosa.email)).some(({ subject, text }) => /Aparelho perdido/.test(subject) && /Não fui eu/.test(text)))
  assert.ok((await ledgerTypes(rosa)).includes('accounts/ways-lost'))
  assert.equal((await area.app.rooms.images.list(rosa.personId)).filter(({ kind }) => kind === 'face').length, 1, 'a face that only proves is not kept')
  await db.execute('UPDATE passkey SET removed_at = $2 WHERE id = $1', [kept, now])
})

test('whoever has no reference, or another face, loses nothing and takes nothing', async () => {
  const nobody = await area.citizen()
  const path = (await begin(nobody.cpf, 'lost-phone')).url.pathname
  await counter.submit(await area.open(counter, `${path}/pedido`), {}, { action: '/pedido' })
  await capture(path, DOCUMENT, 'third')
  const told = await counter.submit(await area.open(counter, path), {}, { action: '/conferir' })
  assert.match(told.text, /Não temos foto desta pessoa/)
  await counter.submit(told, {}, { action: '/desistir' })
  const other = (await begin(rosa.cpf, 'lost-phone')).url.pathname
  await counter.submit(await area.open(counter, `${other}/pedido`), {}, { action: '/pedido' })
  await capture(other, DOCUMENT, 'third')
  assert.match((await counter.submit(await area.open(counter, other), {}, { action: '/conferir' })).text, /Parado para análise/)
  const reviewer = area.browser()
  const list = await enterDesk(area, reviewer, desk.supervisor, '/balcao/fraudes')
  const link = list.links.find(({ href }) => /\/fraudes\/[0-9a-f-]{36}$/.test(href.pathname)) ?? assert.fail(list.text)
  await reviewer.submit(await reviewer.get(link.href), { reason: 'impostor' }, { action: link.href.pathname })
  // Who judged her approves nothing of hers for a year.
  desk = { ...desk, supervisor: await hire(area, desk, 'supervisor') }
})

test('a face that is only compared is not captured before its person agreed, to words of their own; a change of mind stops it', async () => {
  const path = (await begin(rosa.cpf, 'lost-phone')).url.pathname
  assert.match((await area.open(counter, `${path}/rosto`)).text, /Concordância em outra tela/, 'the camera does not open')
  const shots = await shotsOf('fourth')
  const shot = () => upload(area, counter, `${path}/rosto`, {}, shots[0] ?? assert.fail())
  assert.match((await shot()).headers.get('Location') ?? '', /aviso=consent-needed/)
  const screen = await tieScreen(path)
  const asked = await area.open(screen, '/tela')
  assert.match(asked.text, /só para comparar com a foto que já temos/)
  assert.doesNotMatch(asked.text, /impressões digitais/)
  await screen.submit(asked, {}, { button: 'Não concordo' })
  assert.match((await shot()).headers.get('Location') ?? '', /aviso=consent-needed/)
  await screen.submit(await area.open(screen, '/tela'), {}, { button: 'concordo' })
  assert.match((await shot()).headers.get('Location') ?? '', /\/rosto$/)
  const [kept] = await area.app.foundation.db.query<{ count: number }>("SELECT count(*) AS count FROM attendance_item WHERE attendance_id = $1 AND kind = 'face'", [idOf(path)])
  assert.equal(kept?.count, 1)
  await counter.submit(await area.open(counter, path), {}, { action: '/desistir' })
})

test('an account that its owner blocked opens with what they know as theirs and without the old password; one that operators blocked does not', async () => {
  const { safety, signIn, factors, contacts } = area.app.rooms.accounts
  const { db } = area.app.foundation
  const actor = { kind: 'operator', id: 'test' } as const
  assert.match((await begin(rosa.cpf, 'blocked-account')).text, /motivo não cabe/, 'it is not blocked')
  await safety.suspend(rosa.accountId, { reason: 'operator', actor })
  assert.match((await begin(rosa.cpf, 'blocked-account')).text, /motivo não cabe/)
  await safety.resume(rosa.accountId, actor)
  const day = 86_400_000
  const at = (days: number) => new Date(area.clock.now().getTime() + days * day)
  const [own, foreign] = [randomUUID(), randomUUID()]
  for (const [id, label, since] of [[own, 'Chave de metal', at(-90)], [foreign, 'Celular de estranho', at(-2)]] as const) {
    await db.execute(
      `INSERT INTO passkey (id, account_id, credential_id, public_key, counter, transports, backed_up, label, created_at) VALUES ($1, $2, $3, $4, 0, '{}', false, $5, $6)`,
      [id, rosa.accountId, randomBytes(32), randomBytes(64), label, since],
    )
  }
  await db.execute(
    `INSERT INTO certificate_factor (id, account_id, fingerprint, issuer, in_hardware, not_after, added_at, seal) VALUES ($1, $2, $3, 'AC de teste', true, $4, $5, $3)`,
    [randomUUID(), rosa.accountId, randomBytes(32), at(400), at(-1)],
  )
  // Whoever broke in put another e-mail in the place of hers, and a number.
  await db.execute(`UPDATE contact SET removed_at = $2, created_at = $3 WHERE account_id = $1 AND removed_at IS NULL`, [rosa.accountId, at(-2), at(-90)])
  for (const [kind, value] of [['email', 'estranho@example.org'], ['phone', '+5565988887777']])
    await db.execute(`INSERT INTO contact (id, account_id, kind, value, is_primary, verified_at, created_at) VALUES ($1, $2, $3, $4, true, $5, $5)`, [randomUUID(), rosa.accountId, kind, value, at(-2)])
  await safety.suspend(rosa.accountId, { reason: 'not-me', actor })
  area.clock.advance(40 * day)
  const path = (await begin(rosa.cpf, 'blocked-account')).url.pathname
  const screen = await tieScreen(path)
  await screen.submit(await area.open(screen, '/tela'), {}, { button: 'concordo' })
  assert.doesNotMatch((await area.open(screen, '/tela')).text, /Chave de metal/, 'before the face was found to be hers nobody reads what her account has')
  await capture(path, DOCUMENT, 'fourth')
  const checked = await counter.submit(await area.open(counter, path), {}, { action: '/conferir' })
  assert.match(checked.text, /Falta escolher/)
  assert.doesNotMatch(checked.text, /Chave de metal|example\.org/, 'the attendant sees nothing of it')
  const unsaid = new URLSearchParams({ _csrf: await tokenOf(area, counter) })
  assert.match((await counter.post(`${area.url}${path}/enviar`, unsaid, new URL(area.url))).text, /ainda não marcou/)
  const offered = await area.open(screen, '/tela')
  assert.match(offered.text, /O que é seu nesta conta\?/)
  assert.doesNotMatch(offered.html, /estranho@example|88887777/, 'masked')
  const ticked = (id: string) => new RegExp(`<input[^>]*value="${id}"[^>]*checked`).test(offered.html)
  assert.deepEqual([ticked(own), ticked(foreign)], [true, false], 'what came in within the month before the block is not ticked')
  assert.equal(/<input[^>]*name="contacts"[^>]*checked/.test(offered.html), false)
  const chosen = await screen.submit(offered, { passkeys: own }, { action: '/tela/meios' })
  assert.match(chosen.text, /Escolha guardada/)
  assert.match((await counter.submit(await area.open(counter, path), {}, { action: '/enviar' })).text, /Esperando a supervisão/)
  assert.deepEqual(await (await screen.fetch(`${area.url}/tela/estado`)).json(), { state: 'gone' })
  const { sheet, done } = await decide(path)
  assert.match(sheet.text, /Chave de metal, [\d/]+ Fica/)
  assert.match(sheet.text, /Celular de estranho, [\d/]+ Termina/)
  assert.match(sheet.text, /AC de teste, [\d/]+ Termina/)
  assert.match(done.text, /Aprovado e feito/)
  const account = await accountOf(rosa)
  assert.equal(account.status, 'active')
  assert.deepEqual((await factors.passkeys.list(rosa.accountId)).map(({ id }) => id), [own])
  assert.deepEqual(await contacts.list(rosa.accountId), [])
  assert.deepEqual(await factors.certificates.list(rosa.accountId), [])
  const facts = { ip: '10.9.9.9', userAgent: 'test', deviceCookie: undefined }
  const tried = await signIn({ cpf: rosa.cpf, password: 'boi-tuiuiu-pantanal-7', facts, binding: 'x' })
  assert.equal(tried.kind, 'refused', 'the old password may be in other hands')
  for (const address of [rosa.email, 'estranho@example.org'])
    assert.ok((await area.mailsTo(address)).some(({ subject }) => /desbloqueada no balcão/.test(subject)), address)
  const types = await ledgerTypes(rosa)
  for (const type of ['helpdesk/attendance-in-vain', 'helpdesk/ways-chosen', 'accounts/unblocked']) assert.ok(types.includes(type), type)
  await db.execute('UPDATE contact SET removed_at = NULL WHERE account_id = $1 AND value = $2', [rosa.accountId, rosa.email])
})

test('a death by its certificate stops the account everywhere; its own approver cannot take it back, another can', async () => {
  const { accounts, register } = area.app.rooms
  const session = await accounts.sessions.open(area.app.foundation.db, { accountId: rosa.accountId, amr: ['pwd'], authenticatedAt: area.clock.now() })
  await area.app.foundation.db.execute(
    `INSERT INTO proxy_party (id, kind, document, name, standing, standing_at, created_at) VALUES ($1, 'person', $2, 'Rosa', 'regular', $3, $3)`,
    [randomUUID(), rosa.cpf, area.clock.now()],
  )
  const standing = async () => (await area.app.foundation.db.query<{ standing: string }>('SELECT standing FROM proxy_party WHERE document = $1', [rosa.cpf]))[0]?.standing
  const path = (await begin(rosa.cpf, 'death')).url.pathname
  const certificate = { type: 'death-certificate', number: CERTIFICATE, issuer: '1º Ofício de Cuiabá', issuedOn: '2026-10-02' }
  const page = await area.open(counter, `${path}/documento`)
  assert.doesNotMatch(page.text, /Passaporte/)
  const wrong = await counter.submit(page, { ...certificate, number: CERTIFICATE.replace(/^1/, '2') }, { action: '/documento' })
  assert.equal(wrong.status, 422)
  assert.match(wrong.text, /Esta matrícula não fecha/)
  await capture(path, certificate)
  await send(path)
  const { sheet, done } = await decide(path)
  assert.match(sheet.text, new RegExp(CERTIFICATE))
  assert.match(done.text, /Aprovado e feito/)
  assert.equal((await accountOf(rosa)).status, 'suspended')
  assert.equal(await accounts.sessions.findLive(session?.id ?? ''), undefined)
  const cpf = (await accountOf(rosa)).citizen.reveal().cpf
  assert.equal((await register.find(cpf))?.situation, 'deceased', 'whoever asks the register hears of it')
  // A job tells the register of mandates.
  await until(async () => (await standing()) === 'deceased')
  const recovery = await accounts.recovery.start({ cpf, method: 'email', binding: 'b', facts: { ip: '10.9.9.8', userAgent: 't', deviceCookie: undefined } })
  assert.equal(recovery.kind, 'started')
  const mails = await area.mailsTo(rosa.email)
  assert.ok(!/recuperar/.test(mails[0]?.subject ?? '') && mails.some(({ subject }) => /falecimento/.test(subject)), 'no recovery opens it; the address hears of it')

  const back = (await begin(rosa.cpf, 'death-correction')).url.pathname
  await capture(back, DOCUMENT, 'fourth')
  await send(back)
  assert.match((await decide(back)).done.text, /outra pessoa da supervisão decide/)
  const second = await hire(area, desk, 'supervisor')
  assert.match((await decide(back, second)).done.text, /Aprovado e feito/)
  assert.equal((await accountOf(rosa)).status, 'active')
  assert.equal((await register.find(cpf))?.situation, 'regular')
  const types = await ledgerTypes(rosa)
  for (const type of ['accounts/death-noted', 'accounts/death-withdrawn']) assert.ok(types.includes(type), type)
})

test('images of another person leave at once with the level that came of them; a suspicion is a third person’s to judge', async () => {
  const { images, assurance, faces } = area.app.rooms
  assert.equal(await assurance.levelOf(rosa.accountId), 'ouro')
  const stored = await images.list(rosa.personId)
  const path = (await begin(rosa.cpf, 'wrong-person')).url.pathname
  const asked = await area.open(counter, `${path}/pedido`)
  const empty = await counter.submit(asked, { finding: 'fraud', note: 'Não é ela' }, { action: '/pedido' })
  assert.match(empty.text, /Marque pelo menos uma imagem/)
  const face = stored.find(({ kind }) => kind === 'face') ?? assert.fail()
  const shown = await counter.fetch(`${area.url}${path}/pedido/imagem/${face.id}`)
  assert.equal(shown.headers.get('Content-Type'), 'image/jpeg')
  const joana = await area.app.foundation.db.query<{ id: string }>('SELECT id FROM stored_image WHERE person_id <> $1 LIMIT 1', [rosa.personId])
  assert.equal((await counter.fetch(`${area.url}${path}/pedido/imagem/${joana[0]?.id}`)).status, 404, 'another person’s image is no part of it')
  await counter.submit(asked, { images: face.id, finding: 'fraud', note: 'Não é ela na foto' }, { action: '/pedido' })
  await capture(path)
  await send(path)
  const { sheet, done, browser } = await decide(path)
  assert.match(sheet.text, /Não é ela na foto/)
  assert.match(done.text, /Aprovado e feito/)
  assert.equal(await assurance.levelOf(rosa.accountId), 'bronze')
  assert.equal(await images.findReference(rosa.personId, faces.rule.modelId), undefined)
  assert.equal((await images.list(rosa.personId)).length, stored.length, 'history stays')
  assert.doesNotMatch((await area.open(browser, '/balcao/fraudes')).text, /guardada neste CPF/, 'whoever approved does not judge it too')
  const third = area.browser()
  const list = await enterDesk(area, third, await hire(area, desk, 'supervisor'), '/balcao/fraudes')
  const link = list.links.find(({ href }) => /\/fraudes\/[0-9a-f-]{36}$/.test(href.pathname)) ?? assert.fail(list.text)
  const review = await third.get(link.href)
  assert.doesNotMatch(review.text, /gêmeos/)
  assert.match((await third.submit(review, { reason: 'impostor' }, { action: link.href.pathname })).text, /Suspeita confirmada/)
  const other = stored.find(({ kind }) => kind === 'document-front') ?? assert.fail()
  const next = (await begin(rosa.cpf, 'wrong-person')).url.pathname
  assert.equal((await counter.fetch(`${area.url}${next}/pedido/imagem/${other.id}`)).status, 200)
  assert.equal((await counter.fetch(`${area.url}${next}/pedido/imagem/${face.id}`)).status, 404, 'what was withdrawn as another’s is nobody’s to look at here')
  await counter.submit(await area.open(counter, next), {}, { action: '/desistir' })
  const again = await bringToApproval(area, desk, rosa.cpf, 'fourth', 're-enrolment')
  assert.ok(again.path, 're-enrolment is open at once')
})

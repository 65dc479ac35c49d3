import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { generateSync } from 'otplib'
import type { Account, Changer } from '../../src/accounts/index.ts'
import type { BrowserClient, Page } from '../support/browser-client.ts'
import { agree, begin, errorOf, newBrowser, redeem, signIn, typePassword } from '../support/citizen-journey.ts'
import { showFace } from '../support/face-check-client.ts'
import { leaveEndOfStep } from '../support/clock.ts'
import type { TestRelyingParty } from '../support/relying-party.ts'
import { codeIn, linkIn, openScene, type Scene } from '../support/sign-in-scene.ts'

const ANA = { cpf: '16899535009', name: 'Ana Clara Souza', birthDate: '23/07/1999', email: 'ana@example.org' }
const JOAO = { cpf: '11144477735', name: 'João Batista Pereira', birthDate: '02/11/1978', email: 'joao@example.org' }
const NEW = 'ipe-amarelo-chapada-31'

let scene: Scene
let rp: TestRelyingParty
let maria: Account
let joao: Account

before(async () => {
  scene = await openScene()
  rp = await scene.relyingParty()
  maria = await scene.addCitizen()
  joao = await scene.addCitizen(JOAO)
  await scene.addCitizen(ANA)
})
after(() => scene.close())

async function start(
  way: 'email' | 'recovery-code' | 'face',
  cpf: string,
  browser: BrowserClient = newBrowser(),
  from = '/recuperar',
): Promise<Page> {
  return browser.submit(await browser.get(new URL(from, scene.url)), { cpf, way }, { action: '/recuperar' })
}

const changerOf = (account: Account): Changer => ({
  accountId: account.id,
  authenticatedAt: new Date(),
  facts: { ip: '10.0.0.1', userAgent: 'x', deviceCookie: undefined },
})

test('by e-mail: a code, a new password, every session ended, all addresses told, and back to the sign-in that was under way', async () => {
  const elsewhere = await signIn(rp)
  await redeem(elsewhere)
  const journey = await begin(rp)
  const forgot = journey.page.links.find(({ text }) => text === 'Esqueci minha senha')
  const page = await start('email', '529.982.247-25', journey.browser, `${forgot?.href.pathname}${forgot?.href.search}`)
  assert.match(page.text, /Se existe uma conta com esse CPF, mandamos um código/)
  const code = codeIn(scene.mailsTo('maria@example.org').at(-1))
  const choose = await journey.browser.submit(page, { code }, { action: '/codigo' })
  const weak = await journey.browser.submit(choose, { password: '12345678' }, { action: '/senha' })
  assert.equal(weak.status, 422)
  const done = await journey.browser.submit(weak, { password: NEW }, { action: '/senha' })
  assert.match(done.text, /Saímos da sua conta em todos os aparelhos.*24 horas/)
  assert.match(scene.mailsTo('maria@example.org').at(-1)?.purpose ?? '', /recovered/)
  const back = done.links.find(({ text }) => text === 'Entrar com a senha nova')
  const login = await journey.browser.get(back?.href ?? '')
  const old = await typePassword({ ...journey, page: login })
  assert.equal(old.page.status, 422, 'the old password is dead')
  assert.ok((await redeem(await agree(await typePassword(old, { password: NEW })))).access_token)
  assert.equal(errorOf(await begin(rp, { prompt: 'none' }, elsewhere.browser)), 'login_required', 'the other device is signed out')
})

test('after a recovery a second factor cannot be added for 24 hours', async () => {
  const journey = await agree(await typePassword(await begin(rp, { acr_values: 'urn:mt-login:aal:2' }), { password: NEW }))
  assert.match(journey.page.text, /Espere 24 horas para ligar o segundo passo/)
  const back = await journey.browser.submit(journey.page, {}, { action: '/desistir' })
  assert.equal(errorOf({ ...journey, page: back }), 'unmet_authentication_requirements')
})

test('whoever asks, with whatever CPF, walks the same pages', async () => {
  const known = await start('email', ANA.cpf)
  const unknown = await start('email', '390.533.447-05')
  const plain = (page: Page) => page.html.replace(/(name="_csrf"|csrf-token")[^>]*>/g, '')
  assert.equal(plain(known), plain(unknown))
  const browser = newBrowser()
  const page = await start('recovery-code', '390.533.447-05', browser)
  const wrong = await browser.submit(page, { code: 'AAAA-BBBB-CCCC-DDDD' }, { action: '/codigo' })
  assert.equal(wrong.status, 422)
  assert.match(wrong.text, /O código não confere ou não vale mais/)
})

test('the mail’s link goes on in another browser, which then has the recovery alone', async () => {
  const asked = newBrowser()
  const waiting = await start('email', ANA.cpf, asked)
  const phone = newBrowser()
  const link = linkIn(scene.mailsTo(ANA.email).at(-1))
  const landing = await phone.get(link)
  assert.match(landing.text, /Toque no botão para criar uma senha nova/)
  const choose = await phone.submit(landing, {}, { action: '/link' })
  assert.match(choose.text, /Escolha a senha nova/)
  const stale = await asked.submit(waiting, { code: codeIn(scene.mailsTo(ANA.email).at(-1)) }, { action: '/codigo' })
  assert.equal(stale.status, 410, 'the recovery has moved')
  assert.match((await phone.submit(choose, { password: NEW }, { action: '/senha' })).text, /Senha nova salva/)
  assert.equal((await phone.submit(landing, {}, { action: '/link' })).status, 410, 'a link works once')
})

test('by a code on paper, and the second factor is still asked', async () => {
  leaveEndOfStep(scene.clock)
  const changer = changerOf(joao)
  const { factorId, secret } = await scene.accounts.factors.totp.start(changer)
  const codeAt = (steps: number) => generateSync({ secret, epoch: Math.floor(scene.clock.now().getTime() / 1000) + steps * 30 })
  await scene.accounts.factors.totp.confirm(changer, { factorId, code: codeAt(-1) })
  const [paper = '', other = ''] = await scene.accounts.factors.recoveryCodes.make(changer)
  const browser = newBrowser()
  const owed = await browser.submit(await start('recovery-code', JOAO.cpf, browser), { code: paper }, { action: '/codigo' })
  assert.match(owed.text, /Sua conta tem o segundo passo ligado/)
  const skipped = await browser.get(new URL('/recuperar/passo', scene.url))
  assert.match(skipped.text, /segundo passo/)
  const again = await browser.submit(owed, { code: other }, { action: '/segundo-passo' })
  assert.equal(again.status, 422, 'paper twice is one factor')
  const choose = await browser.submit(again, { code: codeAt(0) }, { action: '/segundo-passo' })
  assert.match((await browser.submit(choose, { password: NEW }, { action: '/senha' })).text, /Senha nova salva/)
})

test('by face: agreement first, the right face opens, another or none does not', async () => {
  scene.setReference(maria.id, 1)
  const attempt = async (cpf: string, seed: number) => {
    const browser = newBrowser()
    const page = await start('face', cpf, browser)
    assert.equal((await browser.submit(page, {}, { action: '/concordo' })).status, 422)
    const camera = await browser.submit(page, { agree: 'sim' }, { action: '/concordo' })
    const outcome = await showFace(scene, browser, camera, { seed })
    return { browser, outcome, after: await browser.get(new URL(outcome.next, scene.url)) }
  }
  const stranger = await attempt('529.982.247-25', 2)
  assert.equal(stranger.outcome.passed, false)
  assert.match(stranger.after.text, /Olhe para a câmera/)
  const nobody = await attempt('390.533.447-05', 1)
  assert.deepEqual([nobody.outcome.passed, nobody.outcome.reasons], [false, stranger.outcome.reasons], 'no account looks like another face')
  scene.giveAttempts(maria.id)
  const right = await attempt('529.982.247-25', 1)
  assert.equal(right.outcome.passed, true)
  assert.match(right.after.text, /Escolha a senha nova/)
  const done = await right.browser.submit(right.after, { password: 'garca-branca-poconé-58' }, { action: '/senha' })
  assert.match(done.text, /Senha nova salva/)
})

test('a wrong CPF is named, a stale page leads on, and an unknown link says how to start again', async () => {
  const browser = newBrowser()
  const wrong = await start('email', '529.982.247-26', browser)
  assert.equal(wrong.status, 422)
  assert.match(wrong.text, /O CPF não confere/)
  assert.equal((await browser.get(new URL('/recuperar/passo', scene.url))).status, 410)
  const link = await browser.get(new URL('/recuperar/link?t=nothing', scene.url))
  assert.match((await browser.submit(link, {}, { action: '/link' })).text, /Este link não vale mais.*Começar de novo/)
})

test('outside the demonstration a face check of class basic opens no account: it is not offered, and refused when asked for', async (t) => {
  const strict = await openScene({ demo: false })
  t.after(() => strict.close())
  const browser = newBrowser()
  const page = await browser.get(new URL('/recuperar', strict.url))
  assert.doesNotMatch(page.text, /Mostrar o rosto/)
  const refused = await browser.submit(page, { cpf: '529.982.247-25', way: 'face' }, { action: '/recuperar' })
  assert.equal(refused.status, 422)
})

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { generateSync } from 'otplib'
import type { Account } from '../../src/accounts/index.ts'
import { agree, begin, errorOf, type Journey, newBrowser, redeem, typePassword } from '../support/citizen-journey.ts'
import type { TestRelyingParty } from '../support/relying-party.ts'
import { leaveEndOfStep } from '../support/clock.ts'
import { openScene, type Scene } from '../support/sign-in-scene.ts'

const JOAO = { cpf: '11144477735', name: 'João Batista Pereira', birthDate: '02/11/1978', email: 'joao@example.org' }
const AAL2 = { acr_values: 'urn:mt-login:aal:2' }

let scene: Scene
let rp: TestRelyingParty
let codes: readonly string[]
let codeAt: (steps: number) => string

before(async () => {
  scene = await openScene()
  rp = await scene.relyingParty()
  await scene.addCitizen(JOAO)
  const account = await scene.addCitizen()
  ;({ codes, codeAt } = await addFactors(account))
})
after(() => scene.close())

async function addFactors(account: Account) {
  leaveEndOfStep(scene.clock)
  const facts = { ip: '10.0.0.1', userAgent: 'test', deviceCookie: undefined }
  const changer = { accountId: account.id, authenticatedAt: scene.clock.now(), facts }
  const { factorId, secret } = await scene.accounts.factors.totp.start(changer)
  const at = (steps: number) => generateSync({ secret, epoch: Math.floor(scene.clock.now().getTime() / 1000) + steps * 30 })
  await scene.accounts.factors.totp.confirm(changer, { factorId, code: at(-1) })
  return { codes: await scene.accounts.factors.recoveryCodes.make(changer), codeAt: at }
}

const send = async (journey: Journey, field: string, value: string): Promise<Journey> => ({
  ...journey,
  page: await journey.browser.submit(journey.page, { [field]: value }, { action: field === 'code' ? '/codigo' : '/codigo-de-recuperacao' }),
})

test('a password alone does not sign in an account with a second factor; the code does, once', async () => {
  const journey = await typePassword(await begin(rp))
  assert.match(journey.page.text, /Confirme com o segundo passo/)
  assert.equal(errorOf(await begin(rp, { prompt: 'none' }, journey.browser)), 'login_required', 'nobody is signed in yet')
  const wrong = await send(journey, 'code', '000000')
  assert.equal(wrong.page.status, 422)
  assert.match(wrong.page.text, /O código não confere/)
  const code = codeAt(0)
  const tokens = await redeem(await agree(await send(wrong, 'code', code)))
  assert.deepEqual([tokens.claims()?.['amr']].flat().sort(), ['mfa', 'otp', 'pwd'])
  const replay = await send(await typePassword(await begin(rp)), 'code', code)
  assert.equal(replay.page.status, 422, 'a used code is worth nothing')
})

test('a recovery code stands in for the app, once', async () => {
  const [code = ''] = codes
  const first = await agree(await send(await typePassword(await begin(rp)), 'recovery', code.toLowerCase()))
  assert.ok((await redeem(first)).access_token)
  const again = await send(await typePassword(await begin(rp)), 'recovery', code)
  assert.equal(again.page.status, 422)
  assert.match(again.page.text, /Este código de recuperação não vale/)
})

test('the second step belongs to the browser that knew the password', async () => {
  const journey = await typePassword(await begin(rp))
  const thief = newBrowser()
  const other = await begin(rp, {}, thief)
  const page = await thief.get(journey.page.url)
  assert.equal(page.status, 410)
  assert.doesNotMatch((await thief.get(other.page.url)).text, /segundo passo/)
})

test('the step cannot be skipped by its address', async () => {
  const { browser, page, pending } = await begin(rp)
  const token = page.forms[0]?.fields.get('_csrf')?.[0] ?? ''
  const answer = await browser.post(
    new URL(`${page.url.pathname}/segundo-passo/codigo`, page.url),
    new URLSearchParams({ _csrf: token, code: '123456' }),
    page.url,
  )
  assert.match(answer.text, /Entre com seu CPF/, 'back to the step where the citizen stands')
  assert.ok(pending)
})

test('aal2 asks a signed-in account without a factor to set one up, shows its codes, and goes on', async () => {
  const first = await agree(await typePassword(await begin(rp), { cpf: JOAO.cpf }))
  await redeem(first)
  const setup = await begin(rp, AAL2, first.browser)
  assert.match(setup.page.text, /Ligue o segundo passo.*Portal de Teste pede um segundo passo/)
  const secret = /(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}/.exec(setup.page.text)?.[0].replaceAll(' ', '') ?? ''
  assert.equal(secret.length, 32)
  assert.match(setup.page.html, /<img src="data:image\/svg\+xml,/)
  const reloaded = await first.browser.get(setup.page.url)
  assert.ok(reloaded.text.replaceAll(' ', '').includes(secret), 'a reload shows the same secret')
  const wrong = await first.browser.submit(reloaded, { code: '000000' }, { action: '/ligar' })
  assert.equal(wrong.status, 422)
  const kept = await first.browser.submit(wrong, { code: generateSync({ secret }) }, { action: '/ligar' })
  assert.equal(kept.html.match(/<code>[0-9A-Z]{4}(-[0-9A-Z]{4}){3}<\/code>/g)?.length, 10)
  const page = await first.browser.submit(kept, {}, { action: '/guardei' })
  const claims = (await redeem({ ...setup, page })).claims()
  assert.equal(claims?.['aal'], 'aal2')
})

test('aal2 asks a signed-in account for the factor that it has, and giving up is an unmet requirement', async () => {
  // Joao's session of another browser, password and code; here the password only would not do.
  const journey = await typePassword(await begin(rp, AAL2), { cpf: JOAO.cpf })
  assert.match(journey.page.text, /Confirme com o segundo passo/)
  const back = await journey.browser.submit(journey.page, {}, { action: '/desistir' })
  assert.equal(errorOf({ ...journey, page: back }), 'access_denied')
})

test('aal3 is not offered: a plain page, and the portal is told', async () => {
  const code = codeAt(1)
  const journey = await send(await typePassword(await begin(rp, { acr_values: 'urn:mt-login:aal:3' })), 'code', code)
  assert.match(journey.page.text, /Não dá para atender este pedido/)
  const back = await journey.browser.submit(journey.page, {}, { action: '/desistir' })
  assert.equal(errorOf({ ...journey, page: back }), 'unmet_authentication_requirements')
})

test('ten wrong codes are followed by a wait, said in words', async () => {
  let journey = await typePassword(await begin(rp))
  for (let tries = 0; tries < 14 && journey.page.status !== 429; tries += 1) journey = await send(journey, 'code', '000000')
  assert.equal(journey.page.status, 429)
  assert.match(journey.page.text, /Espere .* e tente de novo/)
})

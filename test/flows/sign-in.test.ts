import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Account } from '../../src/accounts/index.ts'
import { agree, begin, cpfOfNobody, errorOf, newBrowser, redeem, signIn, typePassword } from '../support/citizen-journey.ts'
import type { TestRelyingParty } from '../support/relying-party.ts'
import { CITIZEN, openScene, PASSWORD, type Scene } from '../support/sign-in-scene.ts'

const JOAO = { cpf: '11144477735', name: 'João Batista Pereira', birthDate: '02/11/1978', email: 'joao@example.org' }

let scene: Scene
let rp: TestRelyingParty
let maria: Account

before(async () => {
  scene = await openScene({ demo: false })
  rp = await scene.relyingParty()
  maria = await scene.addCitizen()
  await scene.addCitizen(JOAO)
})
after(() => scene.close())

const hidden = (html: string) => html.replace(/(name="_csrf"|csrf-token")[^>]*>/g, '').replace(/interacao\/[\w-]+|interacao=[\w-]+/g, '')

test('the right password, one consent, and the portal has the citizen', async () => {
  const journey = await begin(rp)
  assert.match(journey.page.text, /Para continuar em Portal de Teste/)
  const answered = await typePassword(journey)
  assert.match(answered.page.text, /Nome completo.*CPF.*E-mail/)
  const tokens = await redeem(await agree(answered))
  assert.equal(tokens.claims()?.['acr'], 'urn:mt-login:nivel:bronze')
  const again = await begin(rp, {}, answered.browser)
  assert.ok((await redeem(again)).access_token, 'signed in and agreed: no page at all')
})

test('a wrong password and an unknown CPF get the same page, status and headers', async () => {
  const wrong = await typePassword(await begin(rp), { password: 'errada-mesmo-99' })
  const unknown = await typePassword(await begin(rp), { cpf: '168.995.350-09', password: 'errada-mesmo-99' })
  assert.equal(wrong.page.status, 422)
  assert.equal(unknown.page.status, 422)
  assert.match(wrong.page.text, /O CPF ou a senha não confere/)
  const shown = (html: string, cpf: string) => hidden(html).replaceAll(cpf, 'CPF')
  assert.equal(shown(wrong.page.html, CITIZEN.cpf), shown(unknown.page.html, '168.995.350-09'))
  const names = (headers: Headers) => [...headers.keys()].filter((name) => name !== 'date').sort()
  assert.deepEqual(names(wrong.page.headers), names(unknown.page.headers))
  assert.ok(!wrong.page.html.includes('errada-mesmo-99'))
})

test('a CPF with a wrong digit is named at its field and stays there', async () => {
  const { page } = await typePassword(await begin(rp), { cpf: '529.982.247-26' })
  assert.equal(page.status, 422)
  assert.match(page.text, /Veja se digitou os 11 números/)
  assert.equal(page.forms[0]?.fields.get('cpf')?.[0], '529.982.247-26')
})

test('too many attempts from one address get 429, Retry-After and the wait in words', async () => {
  let journey = await begin(rp)
  for (let tries = 0; tries < 25 && journey.page.status !== 429; tries += 1) {
    journey = await typePassword(journey, { cpf: cpfOfNobody(tries), password: 'errada-mesmo-99' })
  }
  assert.equal(journey.page.status, 429)
  assert.ok(Number(journey.page.headers.get('Retry-After')) > 0)
  assert.match(journey.page.text, /Foram muitas tentativas. Espere \d+ (segundo|minuto|hora)/)
})

test('a CPF in login_hint is filled in; anything else is not shown', async () => {
  const hinted = await begin(rp, { login_hint: '529.982.247-25' })
  assert.equal(hinted.page.forms[0]?.fields.get('cpf')?.[0], '529.982.247-25')
  const odd = await begin(rp, { login_hint: '"><script>alert(1)</script>' })
  assert.ok(!odd.page.html.includes('alert(1)'))
})

test('prompt=none never shows a page', async () => {
  assert.equal(errorOf(await begin(rp, { prompt: 'none' })), 'login_required')
  const { browser } = await typePassword(await begin(rp))
  const other = await scene.relyingParty({ name: 'Outro Portal' })
  assert.equal(errorOf(await begin(other, { prompt: 'none' }, browser)), 'consent_required')
  const stepUp = await begin(rp, { prompt: 'none', acr_values: 'urn:mt-login:nivel:prata' }, browser)
  assert.equal(errorOf(stepUp), 'unmet_authentication_requirements')
})

test('prompt=login confirms the account that is signed in, with its CPF fixed and masked', async () => {
  const first = await signIn(rp)
  const before = (await redeem(first)).claims()
  const again = await begin(rp, { prompt: 'login' }, first.browser)
  assert.match(again.page.text, /Confirme que é você.*\*\*\*\.982\.247-\*\*/)
  assert.ok(!again.page.forms.some(({ fields }) => fields.has('cpf')))
  const wrong = await typePassword(again, { password: 'errada-mesmo-99' })
  assert.equal(wrong.page.status, 422)
  const tokens = await redeem(await typePassword(wrong))
  assert.equal(tokens.claims()?.sub, before?.sub)
  assert.equal(tokens.claims()?.['sid'] !== undefined, before?.['sid'] !== undefined)
})

test('a session that was ended elsewhere asks for the password again, and goes on under a new id', async () => {
  const first = await signIn(rp)
  const { sub } = (await redeem(first)).claims() ?? {}
  const [session] = await scene.accounts.sessions.list(maria.id)
  await scene.accounts.sessions.end(maria.id, session?.id ?? '', 'citizen')
  assert.equal(errorOf(await begin(rp, { prompt: 'none' }, first.browser)), 'login_required')
  const again = await begin(rp, {}, first.browser)
  assert.match(again.page.text, /Confirme que é você/)
  assert.equal((await redeem(await typePassword(again))).claims()?.sub, sub)
  const [next] = await scene.accounts.sessions.list(maria.id)
  assert.notEqual(next?.id, session?.id)
})

test('max_age asks again when the sign-in is older, and not when it is fresh', async () => {
  const first = await signIn(rp)
  await redeem(first)
  assert.ok((await redeem(await begin(rp, { max_age: '300' }, first.browser))).id_token)
  const again = await begin(rp, { max_age: '0' }, first.browser)
  assert.match(again.page.text, /Confirme que é você/)
  assert.ok((await redeem(await typePassword(again))).id_token)
})

test('somebody else on the same device changes the account and gets their own', async () => {
  const first = await signIn(rp)
  const before = (await redeem(first)).claims()
  const again = await begin(rp, { prompt: 'login' }, first.browser)
  const form = await first.browser.submit(again.page, {}, { action: '/trocar-de-conta' })
  assert.ok(
    form.forms.some(({ fields }) => fields.has('cpf')),
    form.text,
  )
  let page = await first.browser.submit(form, { cpf: JOAO.cpf, password: PASSWORD }, { action: '/entrar' })
  // The provider ends the other person's session first, by a form of its own that needs no script.
  if (page.status === 200 && page.forms.some(({ action }) => action.pathname.startsWith('/logout')))
    page = await first.browser.submit(page, {})
  const tokens = await redeem(await agree({ ...again, page }))
  assert.notEqual(tokens.claims()?.sub, before?.sub)
})

test('“cancelar” goes back to the portal with access_denied and its state', async () => {
  const { browser, page, pending, rp: party } = await begin(rp)
  const back = await browser.submit(page, {}, { action: '/desistir' })
  assert.equal(errorOf({ browser, page: back, pending, rp: party }), 'access_denied')
  assert.equal(back.url.searchParams.get('state'), pending.state)
  assert.equal(back.url.searchParams.get('iss'), scene.url)
})

test('consent is asked once for a set of data, again for more, and “agora não” sends nothing', async () => {
  const portal = await scene.relyingParty({ name: 'Portal de Consentimento' })
  const first = await typePassword(await begin(portal, { scope: 'openid profile' }))
  assert.match(first.page.text, /quer usar estes dados seus/)
  assert.doesNotMatch(first.page.text, /CPF E-mail/)
  await redeem(await agree(first))
  await redeem(await begin(portal, { scope: 'openid profile' }, first.browser))
  const more = await begin(portal, { scope: 'openid profile email' }, first.browser)
  assert.match(more.page.text, /E-mail/)
  const denied = { ...more, page: await first.browser.submit(more.page, {}, { button: 'Agora não' }) }
  assert.equal(errorOf(denied), 'access_denied')
  const elsewhere = await typePassword(await begin(portal, { scope: 'openid profile' }))
  assert.ok((await redeem(elsewhere)).access_token, 'agreed before, on another device: not asked again')
})

test('a form without its token, or sent from another site, changes nothing', async () => {
  const { browser, page } = await begin(rp)
  const form = new URLSearchParams({ cpf: CITIZEN.cpf, password: PASSWORD })
  const action = new URL(`${page.url.pathname}/entrar`, page.url)
  assert.equal((await browser.post(action, form, page.url)).status, 403)
  const token = page.forms[0]?.fields.get('_csrf')?.[0] ?? ''
  const other = new URL('https://golpe.example/')
  assert.equal((await browser.post(action, new URLSearchParams({ ...Object.fromEntries(form), _csrf: token }), other)).status, 403)
  assert.equal((await browser.get(page.url)).status, 200, 'the interaction is still there')
})

test('going back after the end shows where to go, with a link to the portal', async () => {
  const journey = await begin(rp)
  const address = journey.page.url
  await redeem(await agree(await typePassword(journey)))
  const page = await journey.browser.get(address)
  assert.equal(page.status, 410)
  assert.ok(page.links.some(({ href, text }) => href.href === 'http://127.0.0.1:9/' && text.includes('Portal de Teste')))
  const unknown = await newBrowser().get(new URL('/interacao/abcdefghijklmnopqrstu', scene.url))
  assert.equal(unknown.status, 410)
})

test('a page that answered a form can be reloaded and read in another language', async () => {
  const { browser, page } = await typePassword(await begin(rp), { password: 'errada-mesmo-99' })
  assert.match(page.url.pathname, /\/entrar$/)
  const reloaded = await browser.get(page.url)
  assert.match(reloaded.text, /Entre com seu CPF/)
  const english = page.links.find(({ text }) => text === 'English')
  assert.match((await browser.get(english?.href ?? '')).text, /Sign in with your CPF/)
})

test('ui_locales speaks first, until the citizen chooses', async () => {
  assert.match((await begin(rp, { ui_locales: 'es' })).page.text, /Entre con su CPF/)
})

test('the cookies and headers of a sign-in page are those of the checklist', async () => {
  const { browser, page } = await begin(rp)
  const csp = page.headers.get('Content-Security-Policy') ?? ''
  assert.match(csp, /frame-ancestors 'none'/)
  assert.match(csp, /form-action 'self' http:\/\/127\.0\.0\.1:9(;|$)/)
  assert.doesNotMatch(csp, /unsafe-inline/)
  assert.equal(page.headers.get('Cache-Control'), 'no-store')
  const session = (of: typeof browser) => of.cookie('mt_session') ?? of.cookie('_session')
  const before = session(browser)
  await agree(await typePassword({ browser, page, rp, pending: await rp.begin() }))
  const signedIn = session(browser)
  assert.ok(signedIn !== undefined && signedIn !== before)
  assert.ok(browser.cookie('mt_device'))
  await typePassword(await begin(rp, { prompt: 'login' }, browser))
  assert.notEqual(session(browser), signedIn, 'a new session id at each sign-in')
})

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as oidc from 'openid-client'
import type { Page } from '../support/browser-client.ts'
import { agree, begin, type Journey, newBrowser, redeem, typePassword } from '../support/citizen-journey.ts'
import type { TestRelyingParty } from '../support/relying-party.ts'
import { addCitizen, addRelyingParty, people, startWatchedApp, type WatchedApp } from '../support/watched-app.ts'

const { register, all } = people(1)
let app: WatchedApp
let rp: TestRelyingParty

before(async () => {
  app = await startWatchedApp({ register })
  rp = await addRelyingParty(app)
})
after(() => app.stop())

const listed = ({ html }: Page): number => [...html.matchAll(/class="consents-what"/g)].length

test('prompt=consent lists everything again, also in the session that has given it', async () => {
  const person = all[0] ?? assert.fail()
  await addCitizen(app, person)
  const first = await typePassword(await begin(rp), person)
  const asked = listed(first.page)
  assert.ok(asked >= 3, `${asked} lines`)
  await redeem(await agree(first))
  const again = await begin(rp, { prompt: 'consent' }, first.browser)
  assert.equal(listed(again.page), asked)
  await redeem(await agree(again))
  assert.ok(await redeem(await begin(rp, {}, first.browser)), 'not asked where nobody wants it')
})

const SCOPE = 'openid profile cpf email phone offline_access'

/** Agrees with only these of the boxes ticked. */
async function agreeTo(journey: Journey, ticked: readonly string[]): Promise<Journey> {
  const form = journey.page.forms.find(({ action }) => action.pathname.endsWith('/consentir')) ?? assert.fail(journey.page.text.slice(0, 300))
  const fields = [...form.fields].flatMap(([name, values]) => (name === 'scope' ? [] : values.map((value): [string, string] => [name, value])))
  const sent = [...fields, ...ticked.map((scope): [string, string] => ['scope', scope]), ['decision', 'allow'] as [string, string]]
  return { ...journey, page: await journey.browser.post(form.action, new URLSearchParams(sent), journey.page.url) }
}

const asksFor = ({ page }: Journey): boolean => page.forms.some(({ action }) => action.pathname.endsWith('/consentir'))
const boxesOf = ({ page }: Journey): string[] => page.forms.flatMap(({ choices }) => choices.get('scope') ?? [])

test('what the relying party can do without may be unticked: no token carries it, and it is not asked for again', async () => {
  const choosy = await addRelyingParty(app, { name: 'Portal Opcional', policy: { optionalScopes: ['email', 'phone'] } })
  const [person] = all
  assert.ok(person)
  const emailOf = async ({ access_token: token }: { access_token: string }, sub: string) => (await oidc.fetchUserInfo(choosy.config, token, sub))['email']
  const first = await typePassword(await begin(choosy, { scope: SCOPE, prompt: 'consent' }), person)
  assert.deepEqual(boxesOf(first), ['email', 'phone'], 'only these can be unticked')
  assert.match(first.page.text, /Para Portal Opcional achar seu cadastro e não trocar você por outra pessoa/)
  assert.match(first.page.text, /Você escolhe se envia.*Desmarque o que não quiser enviar/)
  // A required one that is not among the ticked, and one that was never asked for, change nothing.
  const tokens = await redeem(await agreeTo(first, ['phone', 'invented']))
  const sub = tokens.claims()?.sub ?? ''
  assert.deepEqual(new Set(tokens.scope?.split(' ')), new Set(['openid', 'profile', 'cpf', 'phone', 'offline_access']))
  assert.equal(await emailOf(tokens, sub), undefined)
  const info = await oidc.fetchUserInfo(choosy.config, tokens.access_token, sub)
  assert.deepEqual([info['email_verified'], info['cpf']], [undefined, person.cpf])
  const renewed = await oidc.refreshTokenGrant(choosy.config, tokens.refresh_token ?? '')
  assert.equal(await emailOf(renewed, sub), undefined, 'nor does a refreshed token')

  const elsewhere = await typePassword(await begin(choosy, { scope: SCOPE }), person)
  assert.equal(asksFor(elsewhere), false, 'not asked again in another browser')
  assert.equal(await emailOf(await redeem(elsewhere), sub), undefined)

  const changed = await begin(choosy, { scope: SCOPE, prompt: 'consent' }, first.browser)
  assert.deepEqual(boxesOf(changed), ['email', 'phone'])
  const given = await redeem(await agreeTo(changed, ['email', 'phone']))
  assert.equal(await emailOf(given, sub), person.email, 'a change of mind gives it')

  const narrower = await redeem(await agreeTo(await begin(choosy, { scope: SCOPE, prompt: 'consent' }, first.browser), []))
  assert.deepEqual(new Set(narrower.scope?.split(' ')), new Set(['openid', 'profile', 'cpf', 'offline_access']))
  await assert.rejects(oidc.fetchUserInfo(choosy.config, given.access_token, sub), 'what was given before and is taken back is worth nothing at once')
  await assert.rejects(oidc.refreshTokenGrant(choosy.config, given.refresh_token ?? ''))
  const [event] = await app.foundation.db.query<{ data: { declined?: string[] } }>("SELECT data FROM audit_event WHERE type = 'oidc/consent-given' ORDER BY id DESC LIMIT 1")
  assert.deepEqual(event?.data.declined, ['email', 'phone'])
})

for (const [locale, required, choice] of [['en', /finds your record/, /You choose whether to send/], ['es', /encuentre su registro/, /Usted elige si los envía/]] as const) {
  test(`the page says in ${locale} what is needed why, and what can be left out`, async () => {
    const choosy = await addRelyingParty(app, { policy: { optionalScopes: ['email'] } })
    const [person] = all
    const page = await typePassword(await begin(choosy, { ui_locales: locale }), person)
    assert.match(page.page.text, required)
    assert.match(page.page.text, choice)
  })
}

for (const [locale, title, button] of [['pt-BR', 'Só um instante', 'Continuar'], ['en', 'Just a moment', 'Continue'], ['es', 'Un momento', 'Continuar']] as const) {
  test(`form_post in ${locale}: our page, with a button that needs no script, and the answer arrives whole`, async () => {
    const [person] = all
    const journey = await agree(await typePassword(await begin(rp, { response_mode: 'form_post', ui_locales: locale, state: `a"<b>&'${locale}` }), person))
    const { page, browser } = journey
    assert.equal(page.status, 200)
    assert.match(page.text, new RegExp(`${title}.*Portal de Teste.*${button}`))
    assert.match(page.html, new RegExp(`<html lang="${locale}"`))
    assert.doesNotMatch(page.html, /<script>|<b>/, 'nothing inline, and nothing of the request as markup')
    const form = page.forms.find(({ fields }) => fields.has('code')) ?? assert.fail(page.text)
    assert.deepEqual([form.method, form.fields.get('state')?.[0]], ['POST', `a"<b>&'${locale}`])
    const answer = new URL(form.action)
    for (const [name, values] of form.fields) answer.searchParams.set(name, values[0] ?? '')
    assert.equal((await browser.submit(page, {}, { button })).status, 0, 'the button leads to the relying party')
    assert.ok((await journey.rp.finish(answer, { ...journey.pending, state: `a"<b>&'${locale}` })).id_token)
  })
}

test('signing out where nobody is signed in, and a device code in the address, go on by our page too', async () => {
  const browser = newBrowser()
  const out = await browser.get(new URL('/logout', app.publicUrl))
  assert.match(out.text, /Só um instante.*Continuar/)
  assert.equal((await browser.submit(out, {}, { action: '/logout/confirm' })).status, 200)
  const device = await browser.get(new URL('/device?user_code=BCDF-GHJK', app.publicUrl))
  assert.match(device.text, /Só um instante/)
  const typed = await browser.submit(device, {}, { action: '/device' })
  assert.doesNotMatch(typed.html, /Submitting Callback/)
})

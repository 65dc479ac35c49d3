import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { fetchUserInfo, refreshTokenGrant } from 'openid-client'
import { agree, begin, errorOf, type Journey, newBrowser, redeem } from '../support/citizen-journey.ts'
import type { TestRelyingParty } from '../support/relying-party.ts'
import { addRelyingParty } from '../support/watched-app.ts'
import { assertHeading, openArea, type TestArea, type TestCitizen, typePassword } from './support/area.ts'

let area: TestArea
let rp: TestRelyingParty

before(async () => {
  area = await openArea()
  rp = await addRelyingParty(area.app, { name: 'Portal do Servidor <b>' })
})
after(() => area.close())

/** Signed in at the relying party, with consent to what it asks. */
async function connected(citizen: TestCitizen, extra: Record<string, string> = {}): Promise<Journey> {
  const journey = await begin(rp, extra, newBrowser())
  return agree({ ...journey, page: await typePassword(journey.browser, journey.page, citizen.cpf) })
}

test('nobody connected yet: the page says how it comes to be', async () => {
  const { page } = await area.signIn(await area.citizen(), { path: '/conta/sistemas' })
  assertHeading(page, /Sistemas ligados/)
  assert.match(page.text, /Nenhum sistema ligado/)
})

test('a connected system is listed by its name with what it may see, in words', async () => {
  const citizen = await area.citizen()
  await redeem(await connected(citizen, { scope: 'openid profile cpf email offline_access', prompt: 'consent' }))
  const { page } = await area.signIn(citizen, { path: '/conta/sistemas' })
  assert.match(page.text, /Portal do Servidor <b> Autorizado em \d{2}\/\d{2}\/\d{4} Pode ver:/)
  assert.ok(!page.html.includes('Servidor <b>'), 'its name is escaped')
  for (const what of [/Nome, nome social e data de nascimento/, /CPF/, /E-mail/, /Continuar com acesso/]) assert.match(page.text, what)
  assert.doesNotMatch(page.text, /MT Login Autorizado/, 'the area itself is no connected system')
})

test('a withdrawn agreement: its tokens are dead at once and the next sign-in asks again', async () => {
  const citizen = await area.citizen()
  const journey = await connected(citizen, { scope: 'openid email offline_access', prompt: 'consent' })
  const tokens = await redeem(journey)
  const subject = tokens.claims()?.sub ?? ''
  assert.ok(await fetchUserInfo(rp.config, tokens.access_token, subject))

  const { browser, page } = await area.signIn(citizen, { path: '/conta/sistemas' })
  const done = await browser.submit(page, {}, { action: '/sistemas/retirar' })
  assert.match(done.text, /Autorização retirada.*Nenhum sistema ligado/)

  await assert.rejects(fetchUserInfo(rp.config, tokens.access_token, subject))
  await assert.rejects(refreshTokenGrant(rp.config, tokens.refresh_token ?? ''))
  const again = await begin(rp, { scope: 'openid email' }, journey.browser)
  assert.match(again.page.text, /quer usar estes dados seus/)
  assert.equal(errorOf(await begin(rp, { scope: 'openid email', prompt: 'none' }, journey.browser)), 'consent_required')
})

test('withdrawing what was never given, or is somebody else’s, changes nothing', async () => {
  const citizen = await area.citizen()
  const tokens = await redeem(await connected(citizen))
  const other = await area.signIn(await area.citizen(), { path: '/conta/sistemas' })
  const csrf = other.page.forms[0]?.fields.get('_csrf')?.[0] ?? ''
  const clientId = rp.config.clientMetadata().client_id
  for (const client of [clientId, 'mt-conta', 'nobody']) {
    const answer = await other.browser.post(
      `${area.url}/conta/sistemas/retirar`,
      new URLSearchParams({ _csrf: csrf, client }),
      other.page.url,
    )
    assert.equal(answer.url.pathname, '/conta/sistemas')
  }
  assert.ok(await fetchUserInfo(rp.config, tokens.access_token, tokens.claims()?.sub ?? ''))
})

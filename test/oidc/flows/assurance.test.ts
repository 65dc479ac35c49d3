import assert from 'node:assert/strict'
import { after, before, beforeEach, mock, test } from 'node:test'
import * as client from 'openid-client'
import { authorizationUrl, Browser, type Harness, type RelyingParty, redeem, registerClient, signIn, startHarness } from '../harness.ts'

const PRATA = 'urn:mt-login:nivel:prata'
const BRONZE = 'urn:mt-login:nivel:bronze'
const FACE = 'urn:mt-login:face'

let harness: Harness
let rp: RelyingParty
before(async () => {
  harness = await startHarness()
  rp = await registerClient(harness)
})
after(() => harness.close())
beforeEach(() => {
  Object.assign(harness.world, { level: 'bronze', aal: 1, faceAt: undefined, atStepUp: () => 'give-up', amr: ['pwd'] })
})

async function errorOf(parameters: Record<string, string>, browser = new Browser(), party = rp): Promise<string | null> {
  const { url } = await browser.go((await authorizationUrl(party, parameters)).url)
  return url.searchParams.get('error')
}

/** What a citizen who can do it does at the step-up page. */
function able(change: object): void {
  harness.world.atStepUp = () => {
    Object.assign(harness.world, change)
    return 'done'
  }
}

test('acr_values above the person’s level lead to the step-up and a token of that level', async () => {
  able({ level: 'prata' })
  const tokens = await signIn(rp, new Browser(), { acr_values: PRATA })
  assert.equal(tokens.claims()?.['acr'], PRATA)
  assert.deepEqual(harness.world.details.at(-2)?.['requirement'], { level: 'prata' })
  assert.equal(harness.world.details.at(-2)?.['shortfall'], 'level')
})

test('a citizen who can not or will not step up: unmet_authentication_requirements, never a weaker token', async () => {
  assert.equal(await errorOf({ acr_values: PRATA }), 'unmet_authentication_requirements')
})

test('coming back from the step-up without what was asked asks again', async () => {
  let visits = 0
  harness.world.atStepUp = () => (++visits < 3 ? 'done' : 'give-up')
  assert.equal(await errorOf({ acr_values: PRATA }), 'unmet_authentication_requirements')
  assert.equal(visits, 3)
})

test('prompt=none with a level that is missing shows no page', async () => {
  const browser = new Browser()
  await signIn(rp, browser)
  const shown = harness.world.prompts.length
  assert.equal(await errorOf({ acr_values: PRATA, prompt: 'none' }, browser), 'unmet_authentication_requirements')
  assert.equal(harness.world.prompts.length, shown)
})

test('a value that only others know can not be met; beside one of ours it is ignored', async () => {
  assert.equal(await errorOf({ acr_values: 'urn:other:high' }), 'unmet_authentication_requirements')
  assert.equal(await errorOf({ acr_values: `urn:other:high ${BRONZE}` }), null)
})

test('an essential acr that lists its values gets one of them', async () => {
  harness.world.level = 'ouro'
  const claims = JSON.stringify({ id_token: { acr: { essential: true, values: [PRATA, BRONZE] } } })
  assert.equal((await signIn(rp, new Browser(), { claims })).claims()?.['acr'], PRATA)
  harness.world.level = 'bronze'
  const only = JSON.stringify({ id_token: { acr: { essential: true, value: PRATA } } })
  assert.equal(await errorOf({ claims: only }), 'unmet_authentication_requirements')
  assert.equal(await errorOf({ claims: only, acr_values: BRONZE }), 'unmet_authentication_requirements', 'acr_values do not weaken it')
})

test('aal2 asks for a second factor', async () => {
  able({ aal: 2, amr: ['pwd', 'otp', 'mfa'] })
  const tokens = await signIn(rp, new Browser(), { acr_values: 'urn:mt-login:aal:2' })
  assert.equal(tokens.claims()?.['aal'], 'aal2')
  assert.deepEqual(tokens.claims()?.['amr'], ['pwd', 'otp', 'mfa'])
})

test('a fresh face: max_age is the age of the face check, and auth_time says when', async () => {
  const browser = new Browser()
  await signIn(rp, browser)
  able({ faceAt: new Date() })
  const tokens = await signIn(rp, browser, { acr_values: FACE, max_age: '60' }, { maxAge: 60 })
  const faceTime = tokens.claims()?.['face_time']
  assert.equal(faceTime, Math.floor((harness.world.faceAt?.getTime() ?? 0) / 1000))
  assert.equal(tokens.claims()?.auth_time, faceTime)
  harness.world.atStepUp = () => 'give-up'
  harness.world.faceAt = new Date(Date.now() - 61_000)
  assert.equal(await errorOf({ acr_values: FACE, max_age: '60' }, browser), 'unmet_authentication_requirements')
})

test('a face check that was fresh when it was judged does not age on the way of the code', async () => {
  harness.world.faceAt = new Date(Date.now() - 58_000)
  const asked = await authorizationUrl(rp, { acr_values: FACE, max_age: '60' })
  const { url } = await new Browser().go(asked.url)
  mock.timers.enable({ apis: ['Date'], now: Date.now() + 10_000 })
  try {
    assert.ok((await redeem(rp, asked, url)).id_token)
  } finally {
    mock.timers.reset()
  }
})

test('with prompt=login or max_age=0 an earlier face check does not count', async () => {
  for (const parameters of [{ prompt: 'login' }, { max_age: '0' }]) {
    harness.world.faceAt = new Date(Date.now() - 5000)
    harness.world.atStepUp = () => 'give-up'
    assert.equal(await errorOf({ acr_values: FACE, ...parameters }), 'unmet_authentication_requirements')
    harness.world.atStepUp = () => {
      harness.world.faceAt = new Date(Date.now() + 1000)
      return 'done'
    }
    assert.equal(await errorOf({ acr_values: FACE, ...parameters }), null)
  }
})

test('a seal that expires before the code is redeemed lowers no token: the code is refused', async () => {
  harness.world.level = 'prata'
  const asked = await authorizationUrl(rp, { acr_values: PRATA })
  const { url } = await new Browser().go(asked.url)
  harness.world.level = 'bronze'
  await assert.rejects(redeem(rp, asked, url), (fault: client.ResponseBodyError) => fault.error === 'invalid_grant')
})

test('without a demand an expired seal lowers acr at the next refresh', async () => {
  harness.world.level = 'prata'
  const tokens = await signIn(rp, new Browser(), { scope: 'openid offline_access', prompt: 'consent' })
  assert.equal(tokens.claims()?.['acr'], PRATA)
  harness.world.level = 'bronze'
  const next = await client.refreshTokenGrant(rp.config, tokens.refresh_token ?? '')
  assert.equal(next.claims()?.['acr'], BRONZE)
})

test('a refresh below what was asked for is refused, and works again once the seal is back', async () => {
  harness.world.level = 'prata'
  const tokens = await signIn(rp, new Browser(), { scope: 'openid offline_access', prompt: 'consent', acr_values: PRATA })
  harness.world.level = 'bronze'
  await assert.rejects(
    client.refreshTokenGrant(rp.config, tokens.refresh_token ?? ''),
    (fault: client.ResponseBodyError) => fault.error === 'invalid_grant',
  )
  harness.world.level = 'prata'
  assert.ok((await client.refreshTokenGrant(rp.config, tokens.refresh_token ?? '')).access_token)
})

test('a client’s minimum level holds whatever the request says', async () => {
  const strict = await registerClient(harness, {}, { minimumLevel: 'prata' })
  assert.equal(await errorOf({}, new Browser(), strict), 'unmet_authentication_requirements')
  assert.equal(await errorOf({ acr_values: BRONZE }, new Browser(), strict), 'unmet_authentication_requirements')
  able({ level: 'prata' })
  assert.equal((await signIn(strict, new Browser())).claims()?.['acr'], PRATA)
})

test('verified_claims: only what was asked for, only if the evidence bears it', async () => {
  harness.world.level = 'prata'
  const asking = (level: string) => ({
    claims: JSON.stringify({
      id_token: {
        verified_claims: {
          verification: { trust_framework: { value: 'br_mt_login' }, assurance_level: { value: level }, evidence: null },
          claims: { name: null, cpf: null },
        },
      },
    }),
  })
  const trusted = await registerClient(harness, {}, { allowedScopes: ['openid', 'profile', 'email', 'cpf'] })
  const verified = (await signIn(trusted, new Browser(), asking('prata'))).claims()?.['verified_claims']
  assert.deepEqual(verified, {
    verification: {
      trust_framework: 'br_mt_login',
      assurance_level: 'prata',
      evidence: [
        {
          type: 'electronic_record',
          check_details: [
            { check_method: 'bvr', organization: 'mt', time: `${harness.world.authenticatedAt.toISOString().slice(0, 19)}Z` },
          ],
          record: { type: 'face-match', source: { name: 'mt' } },
        },
      ],
    },
    claims: { name: 'Maria Aparecida da Silva', cpf: '52998224725' },
  })
  assert.equal((await signIn(trusted, new Browser(), asking('ouro'))).claims()?.['verified_claims'], undefined)
  const other: unknown = (await signIn(rp, new Browser(), asking('prata'))).claims()?.['verified_claims']
  assert.deepEqual(Reflect.get(Object(other), 'claims'), { name: 'Maria Aparecida da Silva' }, 'the cpf only where the policy allows it')
})

test('an account suspended during its session is asked to sign in again', async () => {
  const browser = new Browser()
  await signIn(rp, browser)
  harness.world.active = false
  assert.equal(await errorOf({ prompt: 'none' }, browser), 'login_required')
  harness.world.active = true
})

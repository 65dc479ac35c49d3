import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as client from 'openid-client'
import { Browser, type Harness, registerClient, signIn, startHarness } from './harness.ts'

let harness: Harness
before(async () => {
  harness = await startHarness()
})
after(() => harness.close())

test('a relying party signs a citizen in and reads userinfo', async () => {
  const rp = await registerClient(harness)
  const tokens = await signIn(rp, new Browser())
  const claims = tokens.claims()
  assert.equal(claims?.sub, harness.world.accountId)
  assert.equal(claims?.['acr'], 'urn:mt-login:nivel:bronze')
  assert.deepEqual(claims?.['amr'], ['pwd'])
  assert.equal(claims?.['aal'], 'aal1')
  const info = await client.fetchUserInfo(rp.config, tokens.access_token, harness.world.accountId)
  assert.equal(info.name, 'Maria Aparecida da Silva')
  assert.equal(info['cpf'], undefined)
  assert.deepEqual(harness.world.prompts, ['login', 'consent'])
  assert.deepEqual(harness.world.errors, [])
})

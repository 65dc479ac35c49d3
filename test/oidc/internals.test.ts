import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Provider } from 'oidc-provider'
import instance from 'oidc-provider/lib/helpers/weak_cache.js'

/** What `provider-internals.ts` reaches for, on a provider nobody has touched. An update that moves one fails here, by name. */
const provider = new Provider('http://127.0.0.1:3000', {
  adapter: () => ({}),
  cookies: { keys: ['k'] },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    backchannelLogout: { enabled: true },
  },
})
const internals = instance(provider)

test('the key set that was published and is replaced', () => {
  assert.ok(internals.jwks.keys.length > 0)
  assert.ok('keystore' in internals)
})

test('what is read from the configuration at each use', () => {
  assert.equal(typeof internals.configuration['conformIdTokenClaims'], 'boolean')
  const source = (file: string) => readFileSync(new URL(`../../node_modules/oidc-provider/lib/${file}`, import.meta.url), 'utf8')
  assert.match(
    source('helpers/grant_common.js'),
    /conformIdTokenClaims,\n\s+features: \{ userinfo \},\n\s+\} = instance\(provider\)\.configuration/,
  )
  assert.match(source('actions/token.js'), /grantTypeHandlers\.get\(grantType\)\(ctx\)/)
  assert.match(source('shared/client_auth.js'), /await ctx\.oidc\.client\.compareClientSecret\(clientSecret\)/)
  assert.match(source('models/session.js'), /if \(this\.oldId\)/)
  assert.match(source('helpers/grant_source.js'), /findAccount\(ctx, accountId, source\)/)
})

test('grants that are wrapped', () => {
  for (const grant of ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code']) {
    assert.equal(typeof internals.grantTypeHandlers.get(grant), 'function')
  }
})

test('members of classes that are replaced', () => {
  assert.equal(typeof provider.Client.find, 'function')
  assert.equal(typeof provider.Client.prototype.compareClientSecret, 'function')
  assert.equal(typeof provider.Client.prototype.backchannelLogout, 'function')
  assert.equal(typeof provider.ReplayDetection.unique, 'function')
  assert.equal(typeof provider.Session.prototype.save, 'function')
  for (const model of [provider.AccessToken, provider.RefreshToken, provider.ClientCredentials])
    assert.equal(typeof model.prototype.generateTokenId, 'function')
})

import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, test } from 'node:test'
import { compactDecrypt, createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import * as client from 'openid-client'
import {
  authorizationUrl,
  Browser,
  type Harness,
  OPERATOR,
  type RelyingParty,
  registerClient,
  signIn,
  startHarness,
  type Tokens,
} from '../harness.ts'

const API = 'https://api.mt.test/'
const OPAQUE_API = 'https://opaque.mt.test/'

let harness: Harness
let rp: RelyingParty
let tokens: Tokens
before(async () => {
  harness = await startHarness()
  rp = await registerClient(harness, {}, { resources: [API, OPAQUE_API] })
  tokens = await signIn(rp, new Browser(), { scope: 'openid offline_access', prompt: 'consent' })
})
after(() => harness.close())

const userinfo = (authorization: string, query = '') =>
  fetch(`${harness.issuer}/userinfo${query}`, { headers: authorization === '' ? {} : { authorization } })

test('only an access token opens userinfo', async () => {
  assert.equal((await userinfo(`Bearer ${tokens.access_token}`)).status, 200)
  assert.equal((await userinfo(`Bearer ${tokens.id_token}`)).status, 401)
  assert.equal((await userinfo(`Bearer ${tokens.refresh_token}`)).status, 401)
  assert.ok([400, 401].includes((await userinfo('')).status))
})

test('a token in the query is refused', async () => {
  assert.equal((await userinfo('', `?access_token=${tokens.access_token}`)).status, 400)
})

test('an access token is no id_token_hint', async () => {
  const { response } = await new Browser().go(`${harness.issuer}/logout?id_token_hint=${tokens.access_token}`)
  assert.equal(response.status, 400)
})

test('tokens are stored only as digests', async () => {
  const rows = await harness.db.query<{ all: string }>(
    'SELECT row_to_json(a)::text AS all FROM oidc_artifact a UNION ALL SELECT row_to_json(v)::text FROM oidc_volatile v',
  )
  assert.ok(rows.length > 0)
  for (const { all } of rows) for (const token of [tokens.access_token, tokens.refresh_token ?? '']) assert.ok(!all.includes(token))
})

/** Asks for `resource` at both endpoints, as RFC 8707 says. */
async function tokenFor(resource: string, scope: string): Promise<string> {
  const asked = await authorizationUrl(rp, { scope, resource })
  const { url } = await new Browser().go(asked.url)
  const checks = { pkceCodeVerifier: asked.verifier, expectedState: asked.state, expectedNonce: asked.nonce }
  return (await client.authorizationCodeGrant(rp.config, url, checks, { resource })).access_token
}

test('a JWT access token for an API names its audience and the sign-in behind it, and opens nothing of ours', async () => {
  await harness.oidc.resources.put(
    { indicator: API, name: 'API', scopes: ['read', 'write'], tokenFormat: 'jwt', tokenSeconds: 3600 },
    OPERATOR,
  )
  const token = await tokenFor(API, 'openid read')
  const keys = createRemoteJWKSet(new URL(`${harness.issuer}/jwk`))
  const { payload, protectedHeader } = await jwtVerify(token, keys, { audience: API, issuer: harness.issuer, typ: 'at+jwt' })
  assert.equal(payload['scope'], 'read')
  assert.equal(payload['acr'], 'urn:mt-login:nivel:bronze')
  assert.ok((payload.exp ?? 0) - (payload.iat ?? 0) <= 300, 'a JWT can not be called back')
  assert.equal(protectedHeader.alg, 'RS256')
  assert.equal((await userinfo(`Bearer ${token}`)).status, 401)
})

test('a resource that the policy does not list is refused', async () => {
  const { url } = await new Browser().go((await authorizationUrl(rp, { resource: 'https://other.test/' })).url)
  assert.equal(url.searchParams.get('error'), 'invalid_target')
})

test('introspection: own tokens, or those for one’s own API, and nobody else’s', async () => {
  const stranger = await registerClient(harness)
  assert.equal((await client.tokenIntrospection(rp.config, tokens.access_token)).active, true)
  assert.equal((await client.tokenIntrospection(stranger.config, tokens.access_token)).active, false)
  const bare = await fetch(`${harness.issuer}/introspect`, { method: 'POST', body: new URLSearchParams({ token: tokens.access_token }) })
  assert.ok([400, 401].includes(bare.status))
  await harness.oidc.resources.put(
    { indicator: OPAQUE_API, name: 'O', scopes: ['use'], tokenFormat: 'opaque', tokenSeconds: 300, ownerClientId: stranger.id },
    OPERATOR,
  )
  const seen = await client.tokenIntrospection(stranger.config, await tokenFor(OPAQUE_API, 'openid use'))
  assert.equal(seen.active, true)
  assert.equal(seen['acr'], 'urn:mt-login:nivel:bronze')
})

test('revocation: own tokens only', async () => {
  const stranger = await registerClient(harness)
  const own = await signIn(rp, new Browser())
  await client.tokenRevocation(stranger.config, own.access_token)
  assert.equal((await userinfo(`Bearer ${own.access_token}`)).status, 200)
  await client.tokenRevocation(rp.config, own.access_token)
  assert.equal((await userinfo(`Bearer ${own.access_token}`)).status, 401)
})

test('pairwise subjects differ by client, and public ones do not', async () => {
  const [one, two] = await Promise.all([
    registerClient(harness, { subject_type: 'pairwise', redirect_uris: ['http://127.0.0.1:9/cb'] }),
    registerClient(harness, { subject_type: 'pairwise', redirect_uris: ['http://127.0.0.1:9/cb'] }),
  ])
  const [first, second] = [await signIn(one, new Browser()), await signIn(two, new Browser())]
  assert.notEqual(first.claims()?.sub, harness.world.accountId)
  assert.equal(first.claims()?.sub, second.claims()?.sub, 'one sector, one subject')
  const info = await client.fetchUserInfo(one.config, first.access_token, first.claims()?.sub ?? '')
  assert.equal(info.sub, first.claims()?.sub)
})

test('userinfo signed, and encrypted for the client', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), use: 'enc', alg: 'RSA-OAEP-256', kid: 'e1', kty: 'RSA' }] }
  const sealed = await registerClient(harness, {
    jwks,
    userinfo_signed_response_alg: 'ES256',
    userinfo_encrypted_response_alg: 'RSA-OAEP-256',
    userinfo_encrypted_response_enc: 'A256GCM',
    id_token_signed_response_alg: 'ES256',
  })
  const given = await signIn(sealed, new Browser())
  assert.equal(decodeProtectedHeader(given.id_token ?? '').alg, 'ES256')
  const response = await userinfo(`Bearer ${given.access_token}`)
  const { plaintext } = await compactDecrypt(await response.text(), privateKey)
  const inner = decodeJwt(Buffer.from(plaintext).toString())
  assert.equal(inner.sub, harness.world.accountId)
  assert.equal(inner['email'], 'maria@example.org')
})

test('claims in the ID token for a client whose library never asks userinfo', async () => {
  const old = await registerClient(harness, {}, { conformIdTokenClaims: false })
  assert.equal((await signIn(old, new Browser())).claims()?.['email'], 'maria@example.org')
  assert.equal((await signIn(rp, new Browser())).claims()?.['email'], undefined)
})

test('CORS: a public client’s own pages and nobody else’s', async () => {
  const spa = await registerClient(harness, {
    token_endpoint_auth_method: 'none',
    redirect_uris: ['http://127.0.0.1:9/cb', 'https://spa.test/cb'],
  })
  const given = await signIn(spa, new Browser())
  const ask = (origin: string, token: string) =>
    fetch(`${harness.issuer}/userinfo`, { headers: { origin, authorization: `Bearer ${token}` } })
  assert.equal((await ask('https://spa.test', given.access_token)).headers.get('access-control-allow-origin'), 'https://spa.test')
  assert.equal((await ask('https://evil.test', given.access_token)).status, 400)
  assert.equal((await ask('http://127.0.0.1:9', tokens.access_token)).status, 400)
})

test('a token for the cpf needs the operator’s permission', async () => {
  const allowed = await registerClient(harness, {}, { allowedScopes: ['openid', 'cpf'] })
  const given = await signIn(allowed, new Browser(), { scope: 'openid cpf' })
  assert.equal((await client.fetchUserInfo(allowed.config, given.access_token, harness.world.accountId))['cpf'], '52998224725')
})

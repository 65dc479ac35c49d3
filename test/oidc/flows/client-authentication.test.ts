import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { SignJWT } from 'jose'
import * as client from 'openid-client'
import { Browser, type Harness, OPERATOR, type RelyingParty, registerClient, signIn, startHarness } from '../harness.ts'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256', use: 'sig' }

let harness: Harness
let rp: RelyingParty
before(async () => {
  harness = await startHarness()
  rp = await registerClient(
    harness,
    { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] }, grant_types: ['authorization_code', 'client_credentials'] },
    {},
    client.PrivateKeyJwt({
      key: await crypto.subtle.importKey('jwk', privateKey.export({ format: 'jwk' }), { name: 'ECDSA', namedCurve: 'P-256' }, false, [
        'sign',
      ]),
      kid: 'k1',
    }),
  )
})
after(() => harness.close())

const now = () => Math.floor(Date.now() / 1000)

async function assertion(claims: object = {}, header: object = {}, key: KeyObject = privateKey): Promise<string> {
  return new SignJWT({ iss: rp.id, sub: rp.id, aud: harness.issuer, jti: randomUUID(), iat: now(), exp: now() + 60, ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'k1', ...header })
    .sign(key)
}

function token(parameters: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${harness.issuer}/token`, { method: 'POST', body: new URLSearchParams(parameters), headers })
}

function withAssertion(jwt: string): Promise<Response> {
  return token({
    grant_type: 'client_credentials',
    client_id: rp.id,
    client_assertion: jwt,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  })
}

test('private_key_jwt signs in, and a client’s own token needs nobody', async () => {
  assert.ok((await signIn(rp, new Browser())).id_token)
  assert.equal((await withAssertion(await assertion())).status, 200)
})

for (const [name, claims, status] of [
  ['for another server', { aud: 'https://other.test' }, 401],
  ['that has expired', { exp: now() - 20 }, 401],
  ['of a clock 8 seconds ahead', { iat: now() + 8, nbf: now() + 8 }, 200],
  ['of a clock 60 seconds ahead', { iat: now() + 60 }, 401],
  ['that begins in a minute', { nbf: now() + 60 }, 401],
  ['that lives for a day', { exp: now() + 86_400 }, 401],
  ['without jti', { jti: undefined }, 401],
  ['without exp', { exp: undefined }, 401],
  ['of another issuer', { iss: 'someone' }, 401],
] as const) {
  test(`an assertion ${name}: ${status}`, async () => {
    assert.equal((await withAssertion(await assertion(claims))).status, status)
  })
}

test('an assertion is good once, also when 20 arrive at once', async () => {
  const jwt = await assertion()
  const statuses = await Promise.all(Array.from({ length: 20 }, async () => (await withAssertion(jwt)).status))
  assert.equal(statuses.filter((status) => status === 200).length, 1)
  assert.equal((await withAssertion(jwt)).status, 401)
})

function unsigned(header: object, claims: object, sign: (input: string) => string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${part(header)}.${part(claims)}`
  return `${input}.${sign(input)}`
}

const forged = () => ({ iss: rp.id, sub: rp.id, aud: harness.issuer, jti: randomUUID(), iat: now(), exp: now() + 60 })

test('alg none is refused', async () => {
  assert.equal((await withAssertion(unsigned({ alg: 'none' }, forged(), () => ''))).status, 401)
})

test('HS256 with the public key as its secret is refused', async () => {
  const pem = publicKey.export({ format: 'pem', type: 'spki' })
  const jwt = unsigned({ alg: 'HS256', kid: 'k1' }, forged(), (input) => createHmac('sha256', pem).update(input).digest('base64url'))
  assert.equal((await withAssertion(jwt)).status, 401)
})

test('a key in the header is not used and nothing in it is fetched', async () => {
  let hits = 0
  const canary = createServer((_request, response) => {
    hits += 1
    response.end('{}')
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => canary.once('listening', resolve))
  const address = `http://127.0.0.1:${(canary.address() as AddressInfo).port}/`
  const thief = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  for (const header of [
    { jwk: thief.publicKey.export({ format: 'jwk' }) },
    { jku: address },
    { x5u: address },
    { kid: '../../etc/passwd' },
    { kid: "' OR 1=1 --" },
  ]) {
    assert.equal((await withAssertion(await assertion({}, header, thief.privateKey))).status, 401)
  }
  assert.equal(hits, 0)
  canary.close()
})

test('a secret is not kept in clear and its hash opens nothing elsewhere', async () => {
  const { client: record, secret } = await harness.oidc.clients.create({
    metadata: { client_name: 'A', redirect_uris: ['https://a.test/cb'] },
    actor: OPERATOR,
  })
  const rows = await harness.db.query<{ all: string }>('SELECT row_to_json(c)::text AS all FROM oidc_client c WHERE id = $1', [record.id])
  assert.ok(secret && secret.length >= 43)
  assert.ok(!rows[0]?.all.includes(secret))
  assert.doesNotMatch(JSON.stringify(await harness.oidc.provider.Client.find(record.id)), /clientSecret|"client_secret"/)
})

const basic = (id: string, secret: string) => ({ authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` })

test('a rotated secret stops at once; a disabled client too, and an enabled one works again', async () => {
  const service = await registerClient(harness, { grant_types: ['client_credentials'], redirect_uris: [], response_types: [] })
  const ask = async (secret: string | undefined) =>
    (await token({ grant_type: 'client_credentials' }, basic(service.id, secret ?? ''))).status
  assert.equal(await ask(service.secret), 200)
  assert.equal(await ask('wrong'), 401)
  const fresh = await harness.oidc.clients.rotateSecret(service.id, OPERATOR)
  assert.deepEqual([await ask(service.secret), await ask(fresh)], [401, 200])
  await harness.oidc.clients.disable(service.id, OPERATOR)
  assert.equal(await ask(fresh), 401)
  await harness.oidc.clients.enable(service.id, OPERATOR)
  assert.equal(await ask(fresh), 200)
})

test('a disabled client’s access tokens are dead', async () => {
  const other = await registerClient(harness)
  const tokens = await signIn(other, new Browser())
  await harness.oidc.clients.disable(other.id, OPERATOR)
  const info = await fetch(`${harness.issuer}/userinfo`, { headers: { authorization: `Bearer ${tokens.access_token}` } })
  assert.equal(info.status, 401)
})

test('client_secret_post works for a client that registered it, and only for it', async () => {
  const post = await registerClient(
    harness,
    { token_endpoint_auth_method: 'client_secret_post', grant_types: ['client_credentials'], redirect_uris: [], response_types: [] },
    {},
    client.ClientSecretPost('x'),
  )
  const parameters = { grant_type: 'client_credentials', client_id: post.id, client_secret: post.secret ?? '' }
  assert.equal((await token(parameters)).status, 200)
  assert.equal((await token({ ...parameters, client_id: rp.id })).status, 401)
})

for (const [name, metadata, policy] of [
  ['a redirect in clear text', { redirect_uris: ['http://portal.test/cb'] }, {}],
  ['an unknown member', { surprise: true }, {}],
  ['the implicit response type', { response_types: ['token'] }, {}],
  ['a public client without PKCE', { token_endpoint_auth_method: 'none' }, { pkce: 'optional' }],
  ['FAPI without PAR, binding and a key', {}, { fapi2: true }],
  ['an unknown level', {}, { minimumLevel: 'platina' }],
  ['a shared-key algorithm', { id_token_signed_response_alg: 'HS256' }, {}],
] as const) {
  test(`a registration with ${name} is refused`, async () => {
    const create = harness.oidc.clients.create({
      metadata: { client_name: 'X', redirect_uris: ['https://x.test/cb'], ...metadata } as never,
      policy: policy as never,
      actor: OPERATOR,
    })
    await assert.rejects(create, (fault: { code?: string }) => fault.code === 'oidc/client-invalid')
  })
}

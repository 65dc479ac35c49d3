import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import * as client from 'openid-client'
import {
  PUBLISH_AHEAD_SECONDS,
  planRotation,
  publicationOrder,
  type ScheduledKey,
  VERIFY_AFTER_SECONDS,
} from '../../src/oidc/keys/schedule.ts'
import { Browser, type Harness, type RelyingParty, registerClient, signIn, startHarness } from './harness.ts'

const DAY = 86_400_000
const options = { rotationSeconds: 90 * 86_400, urgent: false }

test('walking two years day by day: always one key that signs, published a day before, kept a week after', () => {
  let keys: ScheduledKey[] = []
  const publishedSince = new Map<string, Date>()
  const start = new Date('2026-01-01T00:00:00Z').getTime()
  for (let day = 0; day < 730; day += 1) {
    const now = new Date(start + day * DAY)
    const plan = planRotation(keys, now, options)
    keys = keys
      .filter(({ kid }) => !plan.remove.includes(kid))
      .map((key) => ({ ...key, retireAt: plan.retire.find(({ kid }) => kid === key.kid)?.at ?? key.retireAt }))
    if (plan.addFrom) keys.push({ kid: `k${day}`, algorithm: 'RS256', activeFrom: plan.addFrom, retireAt: undefined })
    const order = publicationOrder(keys, ['RS256'], now)
    for (const { kid } of order) publishedSince.set(kid, publishedSince.get(kid) ?? now)
    const signing = order[0]
    assert.ok(signing && signing.activeFrom <= now, `a key signs on day ${day}`)
    if (day > 1)
      assert.ok(
        now.getTime() - (publishedSince.get(signing.kid)?.getTime() ?? 0) >= (signing.kid === 'k0' ? 0 : PUBLISH_AHEAD_SECONDS * 1000),
      )
    assert.ok(now.getTime() - signing.activeFrom.getTime() <= 93 * DAY)
    assert.ok(order.length <= 3)
    for (const key of keys) if (key.retireAt) assert.ok(key.retireAt.getTime() - key.activeFrom.getTime() >= VERIFY_AFTER_SECONDS * 1000)
  }
  assert.ok(publishedSince.size >= 8)
})

test('an urgent rotation replaces at once and removes what signed until now', () => {
  const keys: ScheduledKey[] = [{ kid: 'stolen', algorithm: 'ES256', activeFrom: new Date(0), retireAt: undefined }]
  const now = new Date()
  assert.deepEqual(planRotation(keys, now, { ...options, urgent: true }), { addFrom: now, retire: [], remove: ['stolen'] })
})

let harness: Harness
let rp: RelyingParty
before(async () => {
  harness = await startHarness()
  rp = await registerClient(harness)
})
after(() => harness.close())

const keySet = async (): Promise<JSONWebKeySet> => (await fetch(`${harness.issuer}/jwk`)).json()

test('the key set: RS256 first, use and kid on each, 2048 bits, nothing private, no Ed25519', async () => {
  const { keys } = await keySet()
  assert.deepEqual(
    keys.map(({ alg }) => alg),
    ['RS256', 'ES256'],
  )
  for (const key of keys) {
    assert.equal(key.use, 'sig')
    assert.ok(key.kid)
    for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) assert.ok(!(secret in key))
  }
  assert.equal(Buffer.from(keys[0]?.n ?? '', 'base64url').length, 256)
  const { headers } = await fetch(`${harness.issuer}/jwk`)
  assert.match(headers.get('content-type') ?? '', /application\/jwk-set\+json/)
})

test('private keys are sealed in the database', async () => {
  const rows = await harness.db.query<{ text: string }>("SELECT encode(wrapped, 'escape') AS text FROM oidc_key")
  assert.equal(rows.length, 3)
  for (const { text } of rows) assert.doesNotMatch(text, /"d"|kty/)
})

test('a running server takes new keys without a restart, tokens of a removed key stop', async () => {
  const before = await keySet()
  const old = await signIn(rp, new Browser())
  await jwtVerify(old.id_token ?? '', createLocalJWKSet(before))
  await harness.oidc.keys.rotate({ urgent: true })
  const after = await keySet()
  assert.equal(after.keys.filter(({ kid }) => before.keys.some((key) => key.kid === kid)).length, 0)
  const config = await client.discovery(new URL(harness.issuer), rp.id, {}, client.ClientSecretBasic(rp.secret ?? ''), {
    execute: [client.allowInsecureRequests],
  })
  const fresh = await signIn({ ...rp, config }, new Browser())
  assert.equal(decodeProtectedHeader(fresh.id_token ?? '').kid, after.keys[0]?.kid)
  await assert.rejects(jwtVerify(old.id_token ?? '', createLocalJWKSet(after)))
})

test('rotation is on record and does nothing when nothing is due', async () => {
  assert.deepEqual(await harness.oidc.keys.rotate(), [])
  assert.ok(harness.world.events.some(({ type, data }) => type === 'oidc/keys-rotated' && data['urgent'] === true))
})

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import * as client from 'openid-client'
import { createSqlArtifactStore } from '../../src/oidc/adapter/artifact.store.ts'
import { createRedisArtifactStore, type RedisArtifactStore } from '../../src/oidc/adapter/redis-artifacts.ts'
import type { Database } from '../../src/platform/db.ts'
import { type FixedClock, movableClock } from '../support/clock.ts'
import { testDatabases } from '../support/database.ts'
import { authorizationUrl, Browser, type Harness, type RelyingParty, redeem, registerClient, signIn, startHarness } from './harness.ts'
import { hasRedis, startRedis, type TestRedis } from './redis.ts'

const ROUNDS = 10
const PARALLEL = 20

/** Over HTTP, on a given store: whatever can be used once is used once. */
function races(open: (clock: FixedClock) => Promise<{ harness: Harness; close: () => Promise<void> }>): void {
  const clock = movableClock()
  let opened: { harness: Harness; close: () => Promise<void> }
  let rp: RelyingParty
  before(async () => {
    opened = await open(clock)
    rp = await registerClient(opened.harness)
  })
  after(() => opened.close())

  test(`${PARALLEL} parallel redemptions of a code: exactly one succeeds`, async () => {
    const browser = new Browser()
    await signIn(rp, browser)
    for (let round = 0; round < ROUNDS; round += 1) {
      const asked = await authorizationUrl(rp)
      const { url } = await browser.go(asked.url)
      const results = await Promise.allSettled(Array.from({ length: PARALLEL }, () => redeem(rp, asked, url)))
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
    }
  })

  test(`${PARALLEL} parallel uses of a refresh token: exactly one succeeds`, async () => {
    let token = (await signIn(rp, new Browser(), { scope: 'openid offline_access', prompt: 'consent' })).refresh_token ?? ''
    for (let round = 0; round < ROUNDS; round += 1) {
      // At one moment: on a busy machine some would arrive after the first was answered, which is a theft's mark.
      const results = await clock.stand(() =>
        Promise.allSettled(Array.from({ length: PARALLEL }, () => client.refreshTokenGrant(rp.config, token))),
      )
      const won = results.filter((result) => result.status === 'fulfilled')
      assert.equal(won.length, 1)
      token = won[0]?.value.refresh_token ?? ''
    }
  })
}

for (const { label, open } of testDatabases()) {
  describe(label, () =>
    races(async (clock) => {
      const db = await open()
      const harness = await startHarness({ db, clock })
      return { harness, close: () => harness.close().then(() => db.close()) }
    }),
  )
}

const postgres = testDatabases().at(-1)

describe('Redis', { skip: !hasRedis() || !postgres }, () => {
  let db: Database
  let redis: TestRedis
  let store: RedisArtifactStore
  let harness: Harness
  races(async (clock) => {
    ;[db, redis] = await Promise.all([postgres?.open() ?? Promise.reject(), startRedis()])
    harness = await startHarness({
      db,
      clock,
      store: (sql, clock) =>
        (store = createRedisArtifactStore({ url: redis.url, clock, durable: createSqlArtifactStore({ db: sql, clock }) })),
    })
    const close = async () => {
      await harness.close()
      await store.close()
      await redis.stop()
      await db.close()
    }
    return { harness, close }
  })

  test('after FLUSHALL a code is unknown, a session is over, a refresh token still works; people sign in again', async () => {
    const rp = await registerClient(harness)
    const browser = new Browser()
    const tokens = await signIn(rp, browser, { scope: 'openid offline_access', prompt: 'consent' })
    const asked = await authorizationUrl(rp)
    const { url } = await browser.go(asked.url)
    await redis.flush()
    await assert.rejects(redeem(rp, asked, url), (fault: client.ResponseBodyError) => fault.error === 'invalid_grant')
    await assert.rejects(client.fetchUserInfo(rp.config, tokens.access_token, client.skipSubjectCheck))
    assert.ok((await client.refreshTokenGrant(rp.config, tokens.refresh_token ?? '')).access_token)
    harness.world.prompts.length = 0
    await signIn(rp, browser)
    assert.deepEqual(harness.world.prompts, ['login'])
  })

  test('without Redis every answer is 503 within 3 seconds, and after its return all is well', async () => {
    const rp = await registerClient(harness)
    const tokens = await signIn(rp, new Browser())
    await redis.stop()
    const begun = Date.now()
    const userinfo = await fetch(`${harness.issuer}/userinfo`, { headers: { authorization: `Bearer ${tokens.access_token}` } })
    assert.equal(userinfo.status, 503)
    assert.deepEqual(await userinfo.json(), { error: 'server_error', error_description: 'oops! something went wrong' })
    const { response } = await new Browser().go((await authorizationUrl(rp)).url)
    assert.equal(new URL(response.headers.get('location') ?? harness.issuer).searchParams.get('error'), 'server_error')
    // Two answers, on a machine with other work.
    assert.ok(Date.now() - begun < 12_000)
    await redis.start()
    const end = Date.now() + 10_000
    for (let well = false; !well && Date.now() < end; )
      well = await signIn(rp, new Browser()).then(
        () => true,
        () => false,
      )
    assert.ok(await signIn(rp, new Browser()))
  })
})

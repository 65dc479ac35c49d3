import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { createSqlArtifactStore } from '../../src/oidc/adapter/artifact.store.ts'
import type { ArtifactStore, NewArtifact } from '../../src/oidc/adapter/artifact.ts'
import { createMemoryArtifactStore } from '../../src/oidc/adapter/memory-artifacts.ts'
import { createRedisArtifactStore } from '../../src/oidc/adapter/redis-artifacts.ts'
import { fixedClock } from '../support/clock.ts'
import { testDatabases } from '../support/database.ts'
import { hasRedis, startRedis } from './redis.ts'

const clock = fixedClock()

/** What every store of protocol artefacts, wherever it keeps them, must do. */
function artifactStoreContract(label: string, open: () => Promise<{ store: ArtifactStore; close: () => Promise<void> }>): void {
  let opened: Awaited<ReturnType<typeof open>>
  before(async () => {
    opened = await open()
  })
  after(() => opened.close())
  const storeOf = async () => opened.store
  const artifact = (model: string, payload: object = {}, seconds = 60): NewArtifact => ({
    model,
    id: randomUUID(),
    payload: { exp: Math.floor(clock.now().getTime() / 1000) + seconds, ...payload },
    expiresAt: new Date(clock.now().getTime() + seconds * 1000),
  })

  for (const model of ['AuthorizationCode', 'RefreshToken', 'Session', 'Grant']) {
    test(`${label}: a stored ${model} is found as it was, until it is destroyed`, async () => {
      const store = await storeOf()
      const item = artifact(model, { nested: { a: [1, 'ç"\\', null] }, accountId: randomUUID(), clientId: 'rp' })
      await store.upsert(item)
      assert.deepEqual((await store.find(model, item.id))?.payload, item.payload)
      assert.equal(await store.find('AccessToken', item.id), undefined, 'models do not mix')
      await store.upsert({ ...item, payload: { ...item.payload, changed: true } })
      assert.equal((await store.find(model, item.id))?.payload['changed'], true)
      await store.destroy(model, item.id)
      assert.equal(await store.find(model, item.id), undefined)
    })

    test(`${label}: an expired ${model} is not found and not consumed`, async () => {
      const store = await storeOf()
      const item = artifact(model, {}, 30)
      await store.upsert(item)
      clock.advance(30_000)
      assert.equal(await store.find(model, item.id), undefined)
      assert.equal(await store.consume(model, item.id), false)
    })
  }

  for (const model of ['AuthorizationCode', 'RefreshToken', 'DeviceCode', 'PushedAuthorizationRequest']) {
    test(`${label}: of 20 parallel consumes of one ${model} exactly one wins`, async () => {
      const store = await storeOf()
      for (let round = 0; round < 5; round += 1) {
        const item = artifact(model)
        await store.upsert(item)
        const won = await Promise.all(Array.from({ length: 20 }, () => store.consume(model, item.id)))
        assert.equal(won.filter(Boolean).length, 1)
        assert.deepEqual((await store.find(model, item.id))?.consumedAt, clock.now())
      }
    })
  }

  test(`${label}: what never was can not be consumed`, async () => {
    assert.equal(await (await storeOf()).consume('AuthorizationCode', 'nothing'), false)
  })

  test(`${label}: a consumed mark survives a save of its artefact`, async () => {
    const store = await storeOf()
    const item = artifact('RefreshToken')
    await store.upsert(item)
    await store.consume('RefreshToken', item.id)
    await store.upsert(item)
    assert.ok((await store.find('RefreshToken', item.id))?.consumedAt)
    assert.equal(await store.consume('RefreshToken', item.id), false)
  })

  test(`${label}: of 20 parallel inserts of one replay mark exactly one wins, again after it has expired`, async () => {
    const store = await storeOf()
    const item = artifact('ReplayDetection', {}, 10)
    const won = await Promise.all(Array.from({ length: 20 }, () => store.insertOnce(item)))
    assert.equal(won.filter(Boolean).length, 1)
    clock.advance(10_000)
    assert.equal(await store.insertOnce({ ...item, expiresAt: new Date(clock.now().getTime() + 10_000) }), true)
  })

  test(`${label}: sessions are found by uid and by account, device codes by user code`, async () => {
    const store = await storeOf()
    const [uid, accountId, userCode] = [randomUUID(), randomUUID(), randomUUID()]
    const session = artifact('Session', { uid, accountId })
    const device = artifact('DeviceCode', { userCode })
    await store.upsert(session)
    await store.upsert(device)
    assert.equal((await store.findByUid(uid))?.payload['accountId'], accountId)
    assert.equal((await store.findByUserCode(userCode))?.payload['userCode'], userCode)
    assert.deepEqual(
      (await store.sessionsOf(accountId)).map(({ id }) => id),
      [session.id],
    )
    await store.destroy('Session', session.id)
    assert.equal(await store.findByUid(uid), undefined)
    assert.deepEqual(await store.sessionsOf(accountId), [])
  })

  test(`${label}: revoking by grant takes the tokens of that model and grant only`, async () => {
    const store = await storeOf()
    const [grantId, other] = [randomUUID(), randomUUID()]
    const items = [artifact('AccessToken', { grantId }), artifact('RefreshToken', { grantId }), artifact('AccessToken', { grantId: other })]
    for (const item of items) await store.upsert(item)
    await store.revokeByGrantId('AccessToken', grantId)
    const found = await Promise.all(items.map(({ model, id }) => store.find(model, id)))
    assert.deepEqual(
      found.map((item) => item !== undefined),
      [false, true, true],
    )
    await store.revokeByGrantId('RefreshToken', grantId)
    assert.equal(await store.find('RefreshToken', items[1]?.id ?? ''), undefined)
  })

  test(`${label}: grants are listed by account and client, and a destroyed one is gone at once`, async () => {
    const store = await storeOf()
    const accountId = randomUUID()
    const [one, two] = [artifact('Grant', { accountId, clientId: 'one', iat: 1_700_000_000 }), artifact('Grant', { accountId, clientId: 'two' })]
    await store.upsert(one)
    await store.upsert(two)
    assert.deepEqual(await store.grantsOf(accountId, 'one'), [{ id: one.id, clientId: 'one', issuedAt: 1_700_000_000 }])
    assert.equal((await store.grantsOf(accountId)).length, 2)
    await Promise.all([store.find('Grant', one.id), store.destroy('Grant', one.id), store.find('Grant', one.id)])
    assert.equal(await store.find('Grant', one.id), undefined)
  })

  test(`${label}: what comes with a token tells the truth about its grant and session`, async () => {
    const store = await storeOf()
    const [uid, accountId] = [randomUUID(), randomUUID()]
    const grant = artifact('Grant', { accountId, clientId: 'rp' })
    const session = artifact('Session', { uid, accountId })
    const token = artifact('AccessToken', { grantId: grant.id, sessionUid: uid })
    for (const item of [grant, session, token]) await store.upsert(item)
    const found = await store.find('AccessToken', token.id)
    if (found?.grant !== undefined) assert.equal(found.grant?.['clientId'], 'rp')
    if (found?.session !== undefined) assert.equal(found.session?.['uid'], uid)
    await store.destroy('Grant', grant.id)
    await store.destroy('Session', session.id)
    const bare = await store.find('AccessToken', token.id)
    assert.ok(bare?.grant === null || bare?.grant === undefined)
    assert.ok(bare?.session === null || bare?.session === undefined)
  })

  test(`${label}: a purge removes the expired and nothing else`, async () => {
    const store = await storeOf()
    const [old, kept] = [artifact('Grant', {}, 5), artifact('Grant', {}, 500)]
    await store.upsert(old)
    await store.upsert(kept)
    clock.advance(6000)
    assert.ok((await store.purge()) >= 1)
    assert.ok(await store.find('Grant', kept.id))
  })
}

describe('memory', () =>
  artifactStoreContract('memory', async () => ({ store: createMemoryArtifactStore({ clock }), close: async () => {} })))

for (const { label, open } of testDatabases()) {
  describe(label, () =>
    artifactStoreContract(label, async () => {
      const db = await open()
      return { store: createSqlArtifactStore({ db, clock }), close: () => db.close() }
    }),
  )
  describe(`Redis with ${label}`, { skip: !hasRedis() }, () =>
    artifactStoreContract(`Redis with ${label}`, async () => {
      const [db, redis] = await Promise.all([open(), startRedis()])
      const store = createRedisArtifactStore({ url: redis.url, clock, durable: createSqlArtifactStore({ db, clock }) })
      return {
        store,
        async close() {
          await store.close()
          await redis.stop()
          await db.close()
        },
      }
    }),
  )
}

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { ProviderAdapter, storedId } from '../../src/oidc/adapter/adapter.ts'
import { createMemoryArtifactStore } from '../../src/oidc/adapter/memory-artifacts.ts'
import { withMemory } from '../../src/oidc/adapter/request-memory.ts'
import { fixedClock } from '../support/clock.ts'

const TOKEN = 'mtr_a-token'

async function openTokens() {
  const clock = fixedClock()
  const store = createMemoryArtifactStore({ clock })
  const keyring = { seal: () => Buffer.alloc(0), open: () => Buffer.alloc(0), hash: (text: string | Uint8Array, purpose: string) => createHmac('sha256', purpose).update(text).digest() }
  const tokens = new ProviderAdapter('RefreshToken', { store, clock, keyring })
  await tokens.upsert(TOKEN, { accountId: 'a' }, 60)
  return { tokens, useElsewhere: () => store.consume('RefreshToken', storedId('RefreshToken', TOKEN)) }
}

test('a request sees a refresh token as it was at first, loses the race for it, and the next request sees it used', async () => {
  const { tokens, useElsewhere } = await openTokens()
  await withMemory(async () => {
    assert.equal((await tokens.find(TOKEN))?.['consumed'], undefined)
    assert.equal(await useElsewhere(), true)
    assert.equal((await tokens.find(TOKEN))?.['consumed'], undefined, 'not taken for a stolen one')
    await assert.rejects(tokens.consume(TOKEN), { error: 'invalid_grant' })
  })
  await withMemory(async () => assert.ok((await tokens.find(TOKEN))?.['consumed'], 'another request reads it anew'))
})

test('after a write of its own a request reads anew', async () => {
  const { tokens, useElsewhere } = await openTokens()
  await withMemory(async () => {
    await tokens.find(TOKEN)
    await useElsewhere()
    await tokens.revokeByGrantId('another')
    assert.ok((await tokens.find(TOKEN))?.['consumed'])
  })
})

test('a session, an interaction or a code that somebody wrote, changed or copied is none', async () => {
  const clock = fixedClock()
  const store = createMemoryArtifactStore({ clock })
  const hash = (text: string | Uint8Array, purpose: string) => createHmac('sha256', `key ${purpose}`).update(text).digest()
  const keyring = { seal: () => Buffer.alloc(0), open: () => Buffer.alloc(0), hash }
  const expiresAt = new Date(clock.now().getTime() + 60_000)
  for (const model of ['Session', 'Interaction', 'AuthorizationCode']) {
    const adapter = new ProviderAdapter(model, { store, clock, keyring })
    const payload = { uid: `uid-${model}`, accountId: 'maria', params: { nonce: 'n', list: [1, null, { b: 1, a: 2 }] }, gone: undefined, iat: 1.5 }
    await adapter.upsert('one', payload, 60)
    const stored = (await store.find(model, storedId(model, 'one')))?.payload ?? {}
    const put = (id: string, content: object) => store.upsert({ model, id: storedId(model, id), payload: { ...content }, expiresAt })
    const reordered = Object.fromEntries(Object.entries(stored).reverse())
    await put('one', reordered)
    const { gone: _gone, ...kept } = payload
    assert.deepEqual(await adapter.find('one'), { ...kept, jti: 'one' }, 'whatever the order of its members')
    await adapter.upsert('other', { ...payload, uid: `other-${model}`, accountId: 'operator' }, 60)
    await put('other', stored)
    assert.equal(await adapter.find('other'), undefined, 'copied')
    await put('other', { ...stored, place: storedId(model, 'other') })
    assert.equal(await adapter.find('other'), undefined, 'moved')
    await put('one', { ...stored, accountId: 'operator' })
    assert.equal(await adapter.find('one'), undefined, 'changed')
    const { seal: _seal, ...bare } = stored
    await put('one', bare)
    assert.equal(await adapter.find('one'), undefined, 'without a seal')
    if (model === 'Session') assert.equal(await adapter.findByUid(payload.uid), undefined)
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProviderAdapter, storedId } from '../../src/oidc/adapter/adapter.ts'
import { createMemoryArtifactStore } from '../../src/oidc/adapter/memory-artifacts.ts'
import { withMemory } from '../../src/oidc/adapter/request-memory.ts'
import { fixedClock } from '../support/clock.ts'

const TOKEN = 'mtr_a-token'

async function openTokens() {
  const clock = fixedClock()
  const store = createMemoryArtifactStore({ clock })
  const keyring = { seal: () => Buffer.alloc(0), open: () => Buffer.alloc(0) }
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

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import * as client from 'openid-client'
import { endRepresentations, type Representation } from '../../src/oidc/index.ts'
import { insertChoice } from '../../src/oidc/representation/representation.store.ts'
import { testDatabases } from '../support/database.ts'
import { type Harness, type RelyingParty, registerClient, startHarness } from './harness.ts'

/** The embedded database does one thing after another; the server has the real races. */
const RACES = { PGlite: 40, PostgreSQL: 1000 }
const AT_ONCE = 20
const STEP_MS = 3

for (const { label, open } of testDatabases()) {
  describe(label, () => {
    let harness: Harness
    let rp: RelyingParty
    let close: () => Promise<void>
    before(async () => {
      const db = await open()
      harness = await startHarness({ db })
      close = () => harness.close().then(() => db.close())
      rp = await registerClient(harness, {}, { representation: true, representationNamespaces: ['sefaz'] })
    })
    after(() => close())

    /** A refresh token of a session in representation, as a sign-in leaves it. */
    async function signedIn(): Promise<{ id: string; token: string }> {
      const { world, oidc, db } = harness
      const id = randomUUID()
      const represented = { partyId: id, type: 'PJ', name: 'Sementes do Cerrado Ltda', document: '12ABC34501DE35' } as const
      const one: Representation = {
        id, mandateId: id, kind: 'procuracao', represented, powers: ['sefaz:ipva'], titles: [], mayDelegate: false, through: [], minimumLevel: 'bronze',
      }
      world.representations.push(one)
      const grant = new oidc.provider.Grant({ accountId: world.accountId, clientId: rp.id })
      grant.addOIDCScope('openid offline_access')
      const grantId = await grant.save()
      const acting = { id, mandateId: id, partyId: id }
      await insertChoice(db, { grantId, accountId: world.accountId, clientId: rp.id, sessionUid: undefined, acting }, new Date())
      const registered = await oidc.provider.Client.find(rp.id)
      const token = new oidc.provider.RefreshToken({ accountId: world.accountId, client: registered, grantId, scope: 'openid offline_access', gty: 'authorization_code', sessionUid: id })
      return { id, token: await token.save() }
    }

    /** The end comes a little later each time, so that it meets every step of a refresh. */
    async function race(_: unknown, number: number): Promise<'used' | 'refused'> {
      const { id, token } = await signedIn()
      const refreshed = client.refreshTokenGrant(rp.config, token).catch((error: unknown) => {
        if (error instanceof client.ResponseBodyError && error.error === 'invalid_grant') return undefined
        throw error
      })
      await setTimeout(number * STEP_MS)
      await harness.db.transaction((tx) => endRepresentations(tx, id, new Date()))
      harness.world.representations = harness.world.representations.filter((one) => one.id !== id)
      const won = await refreshed
      if (won === undefined) return 'refused'
      // It came first. What it gave is worth nothing from the end on.
      assert.equal((await client.tokenIntrospection(rp.config, won.access_token)).active, false)
      await assert.rejects(client.refreshTokenGrant(rp.config, won.refresh_token ?? token))
      return 'used'
    }

    test(`${RACES[label]} refreshes raced with the end of their mandate: none outlives it, and every use is on record`, async () => {
      let used = 0
      for (let done = 0; done < RACES[label]; done += AT_ONCE) {
        const outcomes = await Promise.all(Array.from({ length: AT_ONCE }, race))
        used += outcomes.filter((outcome) => outcome === 'used').length
        await harness.oidc.representation.killEnded()
      }
      assert.equal(harness.world.uses.length, used)
      const [row] = await harness.db.query<{ n: number }>('SELECT count(*)::int AS n FROM oidc_representation WHERE killed_at IS NULL')
      assert.equal(row?.n, 0)
      const [left] = await harness.db.query<{ n: number }>("SELECT count(*)::int AS n FROM oidc_artifact WHERE model IN ('Grant', 'RefreshToken')")
      assert.equal(left?.n, 0)
    })
  })
}

/** What must hold on either database: one list for each part, no revocation lost, keys that stay sealed. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { revokedSerials } from '../../src/signatures/authority/chain.ts'
import { testDatabases } from '../support/database.ts'
import { openSignatureScene, type SignatureScene } from '../support/signature-scene.ts'

for (const { label, open } of testDatabases()) {
  describe(`authority on ${label}`, () => {
    let scene: SignatureScene
    before(async () => {
      scene = await openSignatureScene({ open, demo: false })
    })
    after(() => scene.close())

    test('two first starts at once make one authority', async () => {
      const { authority } = scene.signatures
      await Promise.all([authority.ensureDemonstration(), authority.ensureDemonstration()])
      assert.equal((await authority.list()).length, 1)
    })

    test('of two revocations at once one counts, and no list that is made meanwhile stays without it', async () => {
      const { authority, statuses } = scene.signatures
      const { id } = await authority.active()
      for (let round = 0; round < 4; round += 1) {
        const { serial } = await authority.service('seal')
        const revoke = () => authority.revoke({ serial, reason: 'superseded', actor: { kind: 'system' } })
        const [first, second] = await Promise.allSettled([revoke(), revoke(), statuses.crl(id, 0), statuses.crl(id, 0)])
        assert.deepEqual([first.status, second.status].sort(), ['fulfilled', 'rejected'])
        assert.ok(revokedSerials((await statuses.crl(id, 0)) ?? assert.fail()).has(serial))
      }
      const [row] = await scene.db.query<{ number: number }>('SELECT number FROM pki_crl')
      assert.ok((row?.number ?? 0) >= 4)
    })

    test('many who miss a service at once get one certificate between them', async () => {
      const { authority } = scene.signatures
      const { serial } = await authority.service('tsa')
      await authority.revoke({ serial, reason: 'superseded', actor: { kind: 'system' } })
      const got = await Promise.all(Array.from({ length: 6 }, () => authority.service('tsa')))
      assert.equal(new Set(got.map((each) => each.serial)).size, 1)
      assert.notEqual(got[0]?.serial, serial)
    })

    test('a list is the same until something changes or half of its life is over', async () => {
      const { authority, statuses } = scene.signatures
      const { id } = await authority.active()
      const first = await statuses.crl(id, 0)
      assert.deepEqual(await statuses.crl(id, 0), first)
      scene.clock.advance(13 * 3_600_000)
      assert.notDeepEqual(await statuses.crl(id, 0), first)
      assert.equal(await statuses.crl(id, 1), undefined, 'a part that nothing is in')
      assert.equal(await statuses.crl('00000000-0000-4000-8000-000000000000', 0), undefined)
    })

    test('keys are sealed, and sealed anew after a rotation', async () => {
      const rows = await scene.db.query<{ sealed: Buffer }>('SELECT sealed FROM pki_key')
      assert.ok(rows.length >= 4)
      await scene.keyring.rotate()
      scene.clock.advance(120_000)
      assert.equal(await scene.signatures.authority.reseal(), rows.length)
      assert.equal(await scene.signatures.authority.reseal(), 0)
      assert.ok((await scene.signatures.authority.service('tsa')).certificates.length === 2)
    })

    test('an authority whose own time is over issues and answers nothing', async () => {
      const { authority } = scene.signatures
      const ends = (await authority.rootListEnds()) ?? assert.fail()
      assert.ok(ends.getTime() > scene.clock.now().getTime() + 300 * 86_400_000)
      scene.clock.advance(11 * 365 * 86_400_000)
      const before = await scene.db.query('SELECT 1 FROM pki_certificate')
      assert.equal(await authority.renewServices(), 0)
      await assert.rejects(authority.service('ocsp'), { kind: { code: 'signatures/no-authority', status: 503, title: 'There is no certificate authority here yet' } })
      assert.equal((await scene.db.query('SELECT 1 FROM pki_certificate')).length, before.length)
    })
  })
}

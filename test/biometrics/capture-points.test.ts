/** The register of capture points: its states, keys and record, on both databases. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { createAudit } from '../../src/audit/index.ts'
import { createPoints, movesFrom, pointEvents, type Points } from '../../src/biometrics/index.ts'
import { findPoint, selectSpells } from '../../src/biometrics/points/registry/point.store.ts'
import type { Database } from '../../src/platform/db.ts'
import { openKeyring } from '../../src/platform/keyring.ts'
import { silentLog } from '../../src/platform/log.ts'
import { Problem } from '../../src/platform/problem.ts'
import { Sensitive } from '../../src/platform/sensitive.ts'
import { pointKey } from '../support/capture-scene.ts'
import { fixedClock } from '../support/clock.ts'
import { testDatabases } from '../support/database.ts'

const ACTOR = { kind: 'operator', id: 'ana' } as const
const FACTS = { unitCode: 'cba-centro', title: 'Balcão', device: 'Câmera X', maintainer: 'Mantenedora', clientId: 'coletora', contract: 'c1', vouched: false }
const refusal = (code: string) => (error: unknown) => error instanceof Problem && error.code === code

for (const { label, open } of testDatabases()) {
  describe(`capture points on ${label}`, () => {
    const clock = fixedClock()
    let db: Database
    let points: Points
    before(async () => {
      db = await open()
      const keyring = await openKeyring({ db, clock, masterKey: new Sensitive(randomBytes(32)), dataDir: 'memory' })
      await keyring.close()
      points = createPoints({ db, clock, audit: createAudit({ db, clock, keyring, log: silentLog, settings: { catalogs: [pointEvents] } }) })
    })
    after(() => db.close())

    test('a point is added active, found by its code, and its code is its own', async () => {
      const added = await points.add({ ...FACTS, code: 'p1' }, ACTOR)
      assert.deepEqual(await points.get('p1'), added)
      await assert.rejects(points.add({ ...FACTS, code: 'p1' }, ACTOR), refusal('points/code-taken'))
      await assert.rejects(points.get('p9'), refusal('points/point-unknown'))
      assert.deepEqual(await findPoint(db, added.id), added)
    })

    test('one table says which state leads where, and each step is kept with its time', async () => {
      const { id } = await points.get('p1')
      assert.deepEqual(['active', 'suspended', 'retired'].map((state) => movesFrom(state as 'active')), [['suspend', 'retire'], ['resume', 'retire'], []])
      await assert.rejects(points.move('p1', 'resume', ACTOR), refusal('points/state-forbids'))
      clock.advance(1000)
      await points.move('p1', 'suspend', ACTOR)
      await assert.rejects(points.move('p1', 'suspend', ACTOR), refusal('points/state-forbids'))
      clock.advance(1000)
      await points.move('p1', 'resume', ACTOR)
      await points.move('p1', 'retire', ACTOR)
      for (const move of ['suspend', 'resume', 'retire'] as const) await assert.rejects(points.move('p1', move, ACTOR), refusal('points/state-forbids'))
      assert.deepEqual((await selectSpells(db, [id])).map(({ state }) => state), ['active', 'suspended', 'active', 'retired'])
      await assert.rejects(db.execute("UPDATE capture_point_state SET state = 'active'"), /append-only/)
      const events = await db.query<{ data: { seq: number } }>("SELECT data FROM audit_event WHERE type = 'biometrics/point-state-changed' ORDER BY id")
      assert.deepEqual(events.map(({ data }) => data.seq), [1, 2, 3, 4])
    })

    test('of two suspensions at once one wins', async () => {
      await points.add({ ...FACTS, code: 'p2' }, ACTOR)
      const both = await Promise.allSettled([points.move('p2', 'suspend', ACTOR), points.move('p2', 'suspend', ACTOR)])
      assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    })

    test('only a public P-256 key is taken, and it is named by its thumbprint', async () => {
      const { jwk, thumbprint } = await pointKey()
      assert.equal((await points.setKey('p2', jwk, ACTOR)).keyId, thumbprint)
      const wrong = [null, 'x', {}, { ...jwk, d: 'AAAA' }, { ...jwk, crv: 'P-384' }, { ...jwk, x: 'AAAA' }, { kty: 'oct', k: 'AAAA' }]
      for (const key of wrong) await assert.rejects(points.setKey('p2', key, ACTOR), refusal('points/key-refused'))
      await assert.rejects(points.setKey('p1', jwk, ACTOR), refusal('points/state-forbids'), 'a retired point gets no key')
      assert.equal((await points.get('p2')).keyId, thumbprint)
    })

    test('what is not said stays; the record names members, never their values', async () => {
      const changed = await points.change('p2', { maintainer: 'Outra', vouched: true }, ACTOR)
      assert.deepEqual([changed.maintainer, changed.vouched, changed.device], ['Outra', true, 'Câmera X'])
      assert.deepEqual((await points.list()).map(({ code, maintainer }) => [code, maintainer]), [['p1', 'Mantenedora'], ['p2', 'Outra']])
      const [event] = await db.query<{ data: object }>("SELECT data FROM audit_event WHERE type = 'biometrics/point-changed'")
      assert.deepEqual(event?.data, { pointId: changed.id, members: ['maintainer', 'vouched'], vouched: true })
    })
  })
}

/** Who signs as a servant of which agency: named by its manager, for as long as there is a place in its team, and no longer. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, describe, test } from 'node:test'
import { isProblem, type ProblemKind } from '../../src/platform/problem.ts'
import { PROXIES_PROBLEMS } from '../../src/proxies/problems.ts'
import type { Membership } from '../../src/proxies/index.ts'
import { testDatabases } from '../support/database.ts'
import { openScene, type Person, type ProxyScene } from './support/scene.ts'

const refuses = (kind: ProblemKind) => (error: unknown) => isProblem(error, kind)
const { namespaceForeign, notForOneself, staffUnfit } = PROXIES_PROBLEMS
const YEAR_MS = 365 * 86_400_000
const AUDITOR = { namespace: 'sefaz', post: 'Auditor fiscal', register: '123456' }

for (const { label, open } of testDatabases()) {
  describe(`servants on ${label}`, () => {
    let scene: ProxyScene
    let manager: Person
    let foreigner: Person
    let ana: Person
    let place: Membership
    /** As the operator's command line does; a second factor is not asked of the demonstration. */
    const give = ({ cpf }: Person, role: Membership['role'], namespace = 'sefaz') => scene.proxies.team.add({ namespace, cpf, role }, { actorId: 'cli', isDemo: true })
    const name = (change = {}, by = manager) => scene.proxies.servants.name({ ...AUDITOR, placeId: place.id, ...change }, by.accountId)
    const posts = async ({ accountId }: Person) => (await scene.proxies.servants.servingOf(accountId)).map(({ post }) => post)
    before(async () => {
      scene = await openScene(await open())
      manager = await scene.addPerson()
      foreigner = await scene.addPerson()
      await give(manager, 'manager')
      await give(foreigner, 'manager', 'saude')
    })
    after(() => scene?.close())
    beforeEach(async () => {
      ana = await scene.addPerson()
      place = await give(ana, 'editor')
    })

    test('the manager names somebody of the team: told, in the ledger, until the place ends, with the agency that everybody reads', async () => {
      const named = await name()
      assert.deepEqual(await scene.proxies.servants.servingOf(ana.accountId), [named])
      assert.deepEqual(named, { id: named.id, ...AUDITOR, agency: 'Secretaria de Fazenda', accountId: ana.accountId, endsAt: place.endsAt })
      assert.deepEqual((await scene.proxies.servants.listOf('sefaz')).filter(({ accountId }) => accountId === ana.accountId), [named])
      assert.deepEqual(scene.told.filter(({ accountId }) => accountId === ana.accountId).map(({ notice }) => notice), ['servant-named'])
      const ledger = await scene.audit.ledger(ana.accountId, { limit: 10 })
      const event = ledger.find(({ type }) => type === 'proxies/servant-named')
      assert.deepEqual(event?.data, { namespace: 'sefaz', servantId: named.id }, 'neither post nor number')
    })

    test('nobody else names anybody, and nobody themselves or somebody without a place there', async () => {
      await assert.rejects(name({}, foreigner), refuses(namespaceForeign))
      await assert.rejects(name({}, ana), refuses(namespaceForeign), 'an editor')
      const own = (await scene.proxies.team.listOf('sefaz')).find(({ accountId }) => accountId === manager.accountId)
      await assert.rejects(name({ placeId: own?.id }), refuses(notForOneself))
      const [away] = await scene.proxies.team.listOf('saude')
      for (const placeId of [randomUUID(), away?.id]) await assert.rejects(name({ placeId }), refuses(staffUnfit))
      await scene.proxies.team.end('sefaz', place.id, manager.accountId)
      await assert.rejects(name(), refuses(staffUnfit), 'a place that is over')
      const named = await name({ placeId: (await give(ana, 'editor')).id })
      await assert.rejects(scene.proxies.servants.end('sefaz', named.id, foreigner.accountId), refuses(namespaceForeign))
      assert.equal(await scene.proxies.servants.end('saude', named.id, foreigner.accountId), false, 'by the name of their own agency')
      assert.deepEqual(await posts(ana), [AUDITOR.post])
    })

    test('taken away it ends at once, with what rests on it, and once', async () => {
      const { id } = await name()
      assert.equal(await scene.proxies.servants.end('sefaz', id, manager.accountId), true)
      assert.deepEqual(await posts(ana), [])
      assert.equal(await scene.proxies.servants.end('sefaz', id, manager.accountId), false)
      assert.equal(scene.ended.filter((one) => one === id).length, 1)
      assert.ok((await scene.audit.ledger(ana.accountId, { limit: 10 })).some(({ type }) => type === 'proxies/servant-ended'))
    })

    test('it ends with the last place there, not with one of two; a new place gives nothing back', async () => {
      const { id } = await name()
      const second = await give(ana, 'publisher')
      await scene.proxies.team.end('sefaz', place.id, manager.accountId)
      assert.deepEqual(await posts(ana), [AUDITOR.post])
      await scene.proxies.team.end('sefaz', second.id, manager.accountId)
      assert.deepEqual(await posts(ana), [])
      assert.ok(scene.ended.some((one) => one === id))
      await give(ana, 'editor')
      assert.deepEqual(await posts(ana), [])
    })

    test('of two places that end at the same moment the later takes it along', async () => {
      const { id } = await name()
      const second = await give(ana, 'publisher')
      await Promise.all([place, second].map((one) => scene.proxies.team.end('sefaz', one.id, manager.accountId)))
      assert.equal(scene.ended.filter((one) => one === id).length, 1)
    })

    test('the same post again only lengthens it; another post ends the one before', async () => {
      const first = await name()
      assert.equal((await name()).id, first.id)
      assert.ok(!scene.ended.some((one) => one === first.id))
      const second = await name({ post: 'Chefe de divisão' })
      assert.notEqual(second.id, first.id)
      assert.deepEqual(await posts(ana), ['Chefe de divisão'])
      assert.ok(scene.ended.some((one) => one === first.id))
    })

    test('below prata, in an account that is stopped, and after the place’s time nobody serves', async () => {
      const [bea, eva] = [await scene.addPerson({ level: 'bronze' }), await scene.addPerson()]
      await assert.rejects(name({ placeId: (await give(bea, 'editor')).id }), refuses(staffUnfit))
      await name({ placeId: (await give(eva, 'editor')).id })
      await scene.db.execute(`UPDATE account SET status = 'suspended' WHERE id = $1`, [eva.accountId])
      assert.deepEqual(await posts(eva), [])
      await name()
      await scene.db.execute('UPDATE evidence SET withdrawn_at = $2 WHERE person_id = $1', [ana.personId, scene.clock.now()])
      assert.deepEqual(await posts(ana), [], 'the level fell')
      await scene.db.execute('UPDATE evidence SET withdrawn_at = NULL WHERE person_id = $1', [ana.personId])
      assert.deepEqual(await posts(ana), [AUDITOR.post])
      scene.clock.advance(YEAR_MS)
      assert.deepEqual(await posts(ana), [])
    })
  })
}

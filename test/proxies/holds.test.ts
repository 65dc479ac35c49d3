/** Who stops a mandate, who lets it go again, and how many hands of a company that takes. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Problem } from '../../src/platform/problem.ts'
import type { PartyRef, Power } from '../../src/proxies/index.ts'
import { testDatabases } from '../support/database.ts'
import { openScene, type Person, type ProxyScene } from './support/scene.ts'

const code = (wanted: string, detail?: string) => (error: unknown) => error instanceof Problem && error.code === wanted && (detail === undefined || error.detail === detail)

for (const { label, open } of testDatabases()) {
  describe(`holds and joint hands on ${label}`, () => {
    let scene: ProxyScene
    let ipva: Power
    before(async () => {
      scene = await openScene(await open())
      ipva = await scene.addRole('ipva.consultar', { subDepth: 1 })
    })
    after(() => scene.close())

    const court = { clientId: 'sefaz-client', namespaces: ['sefaz'], official: 'vara 3' }
    const decide = (actor: Person, represented: PartyRef, role: Power = ipva) => scene.proxies.decide({ actor: actor.ref, represented, role })
    const company = (cnpj: string) => ({ kind: 'company', cnpj }) as PartyRef
    const fresh = async (who: Person, cnpj: string) => ({ ...(await scene.addSession(who, {})), company: cnpj })
    const people = (count: number) => Promise.all(Array.from({ length: count }, () => scene.addPerson()))

    test('a court stops what the citizen has stopped already, and its stop outlives the citizen\'s own', async () => {
      const { entered, mandates } = scene.proxies
      const [owner, holder] = [await scene.addPerson(), await scene.addPerson()]
      const { id } = await scene.active(owner, holder, ipva)
      await mandates.suspend(owner.by, id, 'citizen')
      assert.deepEqual((await entered.change(court, id, 'suspended')).stoppedBy, ['authority', 'represented'])
      const lifted = await mandates.resume(owner.by, id)
      assert.deepEqual([lifted.state, lifted.stoppedBy], ['suspended', ['authority']])
      assert.equal((await decide(holder, owner.ref)).reason, 'suspended')
      await assert.rejects(mandates.resume(owner.by, id), code('proxies/step-out-of-order'), 'nothing of their own is left to lift')
      assert.equal((await entered.change(court, id, 'resumed')).state, 'active')
      assert.equal((await decide(holder, owner.ref)).permit, true)
    })

    test('what a court lets go stays stopped for whoever else stopped it, and nobody stops twice', async () => {
      const { entered, mandates } = scene.proxies
      const [owner, holder] = [await scene.addPerson(), await scene.addPerson()]
      const { id } = await scene.active(owner, holder, ipva)
      await entered.change(court, id, 'suspended')
      await assert.rejects(entered.change(court, id, 'suspended'), code('proxies/step-out-of-order'))
      assert.equal((await mandates.suspend(owner.by, id, 'not-me')).state, 'suspended')
      await assert.rejects(mandates.suspend(owner.by, id, 'not-me'), code('proxies/step-out-of-order'))
      assert.equal((await entered.change(court, id, 'resumed')).state, 'suspended')
      await assert.rejects(entered.change(court, id, 'resumed'), code('proxies/step-out-of-order'))
      assert.equal((await mandates.resume(owner.by, id)).state, 'active')
      assert.deepEqual((await mandates.history(owner.by, id)).map(({ type }) => type), ['granted', 'accepted', 'suspended', 'suspended', 'lifted', 'resumed'])
    })

    test('whoever passed it on lifts no stop of the represented', async () => {
      const { mandates } = scene.proxies
      const [owner, holder, last] = [await scene.addPerson(), await scene.addPerson(), await scene.addPerson()]
      const { id } = await scene.active(owner, holder, ipva, { subDepth: 1 })
      const below = await mandates.subdelegate(holder.by, id, scene.terms(last, ipva))
      await mandates.accept(last.by, below.id)
      await mandates.suspend(holder.by, below.id, 'citizen')
      await mandates.suspend(owner.by, below.id, 'not-me')
      assert.equal((await mandates.resume(holder.by, below.id)).state, 'suspended')
      await assert.rejects(mandates.resume(holder.by, below.id), code('proxies/step-out-of-order'))
      assert.equal((await mandates.resume(owner.by, below.id)).state, 'active')
    })

    test('a company that only several bind takes a mandate on, and lets one go again, by as many hands', async () => {
      const { mandates } = scene.proxies
      const [one, two, owner] = await people(3)
      assert.ok(one && two && owner)
      scene.companies.length = 0
      const firm = scene.addCompany([one, two], { quorum: 2, cnpj: '11444777000161', name: 'Dois Socios' })
      const to = { delegates: [{ ref: company(firm.cnpj), name: firm.name }] }
      const [given] = await mandates.grant(owner.by, scene.terms(one, ipva, to))
      assert.ok(given)
      assert.equal((await mandates.accept(await fresh(one, firm.cnpj), given.id)).state, 'pending_acceptance')
      assert.equal((await mandates.accept(await fresh(one, firm.cnpj), given.id)).state, 'pending_acceptance', 'the same hand twice is one')
      assert.ok(scene.told.some(({ accountId, notice }) => accountId === two.accountId && notice === 'to-join'))
      assert.ok((await scene.audit.ledger(one.accountId, { limit: 5 })).some(({ type }) => type === 'proxies/hand-added'))
      assert.equal((await mandates.accept(await fresh(two, firm.cnpj), given.id)).state, 'active')

      const [clerk] = await people(1)
      assert.ok(clerk)
      const [own] = await mandates.grant(await fresh(one, firm.cnpj), scene.terms(clerk, ipva))
      assert.ok(own)
      await mandates.sign(await fresh(two, firm.cnpj), own.id)
      await mandates.accept(clerk.by, own.id)
      assert.equal((await mandates.suspend(await fresh(one, firm.cnpj), own.id, 'not-me')).state, 'suspended', 'one hand stops')
      assert.equal((await mandates.resume(await fresh(one, firm.cnpj), own.id)).state, 'suspended')
      assert.equal((await decide(clerk, company(firm.cnpj))).reason, 'suspended')
      assert.equal((await mandates.resume(await fresh(two, firm.cnpj), own.id)).state, 'active')
      await mandates.suspend(await fresh(one, firm.cnpj), own.id, 'not-me')
      assert.equal((await mandates.resume(await fresh(two, firm.cnpj), own.id)).state, 'suspended', 'hands of before count for nothing')
    })

    test('a hand that binds the company no more takes nothing on', async () => {
      const { mandates } = scene.proxies
      const [one, two, three, owner] = await people(4)
      assert.ok(one && two && three && owner)
      scene.companies.length = 0
      const firm = scene.addCompany([one, two, three], { quorum: 2, cnpj: '11222333000181', name: 'Tres Maos' })
      const to = { delegates: [{ ref: company(firm.cnpj), name: firm.name }], validThrough: scene.terms(owner, ipva).validThrough }
      const [given] = await mandates.grant(owner.by, scene.terms(one, ipva, to))
      assert.ok(given)
      await mandates.accept(await fresh(one, firm.cnpj), given.id)
      scene.companies[0] = { ...firm, administrators: [two.cpf, three.cpf] }
      scene.clock.advance(25 * 3_600_000)
      assert.equal((await mandates.accept(await fresh(two, firm.cnpj), given.id)).state, 'pending_acceptance')
      assert.equal((await mandates.accept(await fresh(three, firm.cnpj), given.id)).state, 'active')
    })

    test('what a company that only several bind passes on, as many sign for', async () => {
      const { mandates } = scene.proxies
      const [one, two, owner, clerk] = await people(4)
      assert.ok(one && two && owner && clerk)
      scene.companies.length = 0
      const firm = scene.addCompany([one, two], { quorum: 2, cnpj: '12ABC34501DE35', name: 'Dois Passam' })
      const to = { delegates: [{ ref: company(firm.cnpj), name: firm.name }], subDepth: 1 }
      const [held] = await mandates.grant(owner.by, scene.terms(one, ipva, to))
      assert.ok(held)
      for (const hand of [one, two]) await mandates.accept(await fresh(hand, firm.cnpj), held.id)
      const below = await mandates.subdelegate(await fresh(one, firm.cnpj), held.id, scene.terms(clerk, ipva))
      assert.equal(below.state, 'pending_signature')
      assert.equal((await decide(clerk, owner.ref)).permit, false)
      assert.equal((await mandates.sign(await fresh(two, firm.cnpj), below.id)).state, 'pending_acceptance')
      await mandates.accept(clerk.by, below.id)
      assert.equal((await decide(clerk, owner.ref)).permit, true)
      const late = await mandates.subdelegate(await fresh(one, firm.cnpj), held.id, scene.terms((await people(1))[0] ?? owner, ipva))
      await mandates.suspend(owner.by, held.id, 'citizen')
      await assert.rejects(mandates.sign(await fresh(two, firm.cnpj), late.id), code('proxies/step-out-of-order'), 'the link above is stopped')
    })

    test('asking for a mandate skips no level, and a company asks for nothing by one hand alone', async () => {
      const { requests, mandates } = scene.proxies
      const gold = await scene.addRole('sigilo', { delegateLevel: 'ouro' })
      const [owner, low, high, partner] = [await scene.addPerson(), await scene.addPerson(), await scene.addPerson({ level: 'ouro' }), await scene.addPerson()]
      const wish = (represented: Person, power: Power) => ({ represented: { ref: represented.ref, name: represented.name }, powers: [power], validThrough: scene.terms(owner, power).validThrough })
      await assert.rejects(requests.ask(low.by, wish(owner, gold)), code('proxies/level-needed', 'ouro'))
      const asked = await requests.ask(high.by, wish(owner, gold))
      await scene.db.execute('UPDATE evidence SET withdrawn_at = $2 WHERE person_id = $1', [high.personId, scene.clock.now()])
      const given = await requests.grant(await scene.addSession(owner, {}), asked.id)
      assert.equal(given.state, 'pending_acceptance', 'whose level fell meanwhile takes it on like everybody')
      await assert.rejects(mandates.accept(high.by, given.id), code('proxies/level-needed', 'ouro'))
      scene.companies.length = 0
      const firm = scene.addCompany([low, partner], { quorum: 2, cnpj: '00000000000191', name: 'Dois Pedem' })
      const joint = await requests.ask(await fresh(low, firm.cnpj), wish(owner, ipva))
      assert.equal((await requests.grant(await scene.addSession(owner, {}), joint.id)).state, 'pending_acceptance')
    })
  })
}

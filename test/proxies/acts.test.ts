import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Problem } from '../../src/platform/problem.ts'
import { type PartyRef, type Power, parsePartyRef } from '../../src/proxies/index.ts'
import { testDatabases } from '../support/database.ts'
import { openScene, type Person, type ProxyScene } from './support/scene.ts'

const code = (wanted: string) => (error: unknown) => error instanceof Problem && error.code === wanted
const SEFAZ = { id: 'sefaz-client', namespaces: ['sefaz'] }
const OTHER = { id: 'other-client', namespaces: ['sefaz'] }
const DAY_MS = 86_400_000

function company(text: string): PartyRef {
  const ref = parsePartyRef(text)
  if (ref === undefined) throw new Error(text)
  return ref
}

for (const { label, open } of testDatabases()) {
  describe(`joint acts on ${label}`, () => {
    let scene: ProxyScene
    let sale: Power
    let owner: Person
    let group: [Person, Person, Person]
    before(async () => {
      scene = await openScene(await open())
      sale = await scene.addRole('imovel.vender', { joint: 'allowed', delegateLevel: 'prata', acceptance: false })
      owner = await scene.addPerson()
      group = [await scene.addPerson(), await scene.addPerson(), await scene.addPerson()]
      await scene.proxies.mandates.grant(owner.by, scene.terms(group, sale, { quorum: 2 }))
    })
    after(() => scene.close())

    const asked = (about: string, more: object = {}) => ({ actor: group[0].ref, represented: owner.ref, role: sale, about, ...more })
    const newest = async (who: Person) => (await scene.proxies.acts.list(who.by))[0]
    const toldOf = (who: Person, notice: string) => scene.told.filter((one) => one.accountId === who.accountId && one.notice === notice).length
    const decide = (actId: string, more: object = {}) => scene.proxies.decide({ actor: group[0].ref, represented: owner.ref, role: sale, actId, ...more })

    test('the system opens an act, each hears of it, two say yes, it is done once', async () => {
      const { acts, uses } = scene.proxies
      const { act, state, members } = await acts.open(SEFAZ, asked('Vender o lote 7 por R$ 50.000,00', { instance: 'lote 7' }))
      assert.deepEqual([state, members, act.quorum], ['open', 3, 2])
      for (const one of group) assert.equal(toldOf(one, 'to-approve'), 1)
      assert.deepEqual([(await newest(group[1]))?.act.about, (await newest(group[1]))?.mine], ['Vender o lote 7 por R$ 50.000,00', undefined])
      await acts.approve(group[0].by, act.id)
      assert.equal((await decide(act.id, { instance: 'lote 7' })).reason, 'quorum')
      const second = await acts.approve(group[1].by, act.id)
      assert.deepEqual(
        [second.state, second.approvals, second.mine, second.votes.map(({ party }) => party.name).sort()],
        ['approved', 2, 'approved', [group[0].name, group[1].name].sort()],
      )
      assert.equal(toldOf(group[0], 'act-ready'), 1)
      assert.equal((await decide(act.id, { instance: 'lote 8' })).reason, 'quorum', 'another thing')
      assert.ok((await uses.record({ actor: group[0].ref, represented: owner.ref, role: sale, actId: act.id, instance: 'lote 7' }, 'sefaz-client')).useId)
      assert.equal((await acts.find(SEFAZ, act.id)).state, 'done')
      await assert.rejects(acts.refuse(group[1].by, act.id), code('proxies/act-not-open'))
    })

    test('asked twice it is one act; another system, another text are others; no more than twenty wait', async () => {
      const { acts } = scene.proxies
      const first = await acts.open(SEFAZ, asked('Pagar a taxa'))
      assert.equal((await acts.open(SEFAZ, asked('Pagar a taxa'))).act.id, first.act.id)
      assert.notEqual((await acts.open(OTHER, asked('Pagar a taxa'))).act.id, first.act.id)
      const many = async () => {
        for (let number = 0; number < 20; number += 1) await acts.open(SEFAZ, asked(`Pagar a taxa ${number}`))
      }
      await assert.rejects(many(), code('proxies/too-many-requests'))
      for (const { act, state } of await acts.list(owner.by)) if (state === 'open') await acts.withdraw(act.clientId === 'other-client' ? OTHER : SEFAZ, act.id)
      assert.equal((await acts.find(SEFAZ, first.act.id)).state, 'withdrawn')
      await assert.rejects(acts.approve(group[0].by, first.act.id), code('proxies/act-not-open'))
    })

    test('a system sees and withdraws only what it opened, in its own namespaces', async () => {
      const { acts } = scene.proxies
      const { act } = await acts.open(SEFAZ, asked('Assinar o termo'))
      for (const client of [OTHER, { id: 'sefaz-client', namespaces: ['saude'] }]) {
        await assert.rejects(acts.find(client, act.id), code('proxies/mandate-not-found'))
        await assert.rejects(acts.withdraw(client, act.id), code('proxies/mandate-not-found'))
      }
      await assert.rejects(acts.open({ id: 'x', namespaces: ['saude'] }, asked('Assinar')), code('proxies/namespace-not-yours'))
      await acts.withdraw(SEFAZ, act.id)
      await assert.rejects(acts.withdraw(SEFAZ, act.id), code('proxies/act-not-open'))
    })

    test('who has no part in it finds nothing; whom it is for sees it and says nothing', async () => {
      const { acts } = scene.proxies
      const stranger = await scene.addPerson()
      const { act } = await acts.open(SEFAZ, asked('Vender o lote 9'))
      for (const work of [acts.get, acts.approve, acts.refuse]) await assert.rejects(work(stranger.by, act.id), code('proxies/mandate-not-found'))
      const seen = await acts.get(owner.by, act.id)
      assert.deepEqual([seen.isMember, seen.act.about], [false, 'Vender o lote 9'])
      await assert.rejects(acts.approve(owner.by, act.id), code('proxies/mandate-not-found'))
      assert.deepEqual(await acts.list(stranger.by), [])
      await acts.withdraw(SEFAZ, act.id)
    })

    test('a no can be taken back; two of three no end it, and nothing is done with it', async () => {
      const { acts } = scene.proxies
      const { act } = await acts.open(SEFAZ, asked('Vender tudo'))
      assert.equal((await acts.refuse(group[1].by, act.id)).state, 'open', 'the two others may still be enough')
      assert.equal((await acts.approve(group[1].by, act.id)).mine, 'approved')
      assert.equal((await acts.refuse(group[1].by, act.id)).approvals, 0)
      assert.equal((await acts.refuse(group[2].by, act.id)).state, 'refused')
      assert.ok(toldOf(group[0], 'act-refused') > 0)
      await assert.rejects(acts.approve(group[0].by, act.id), code('proxies/act-not-open'))
      assert.equal((await decide(act.id)).reason, 'quorum')
    })

    test("a yes wants the power's own level and a fresh proof, a no does not", async () => {
      const { acts } = scene.proxies
      const high = await scene.addRole('imovel.doar', { joint: 'required', delegateLevel: 'ouro', acceptance: false })
      const [one, two] = [await scene.addPerson({ level: 'ouro' }), await scene.addPerson({ level: 'prata' })]
      // The level is asked of a delegate at the acceptance too, and it may fall afterwards.
      await scene.proxies.mandates.grant(owner.by, scene.terms([one, two], high, { quorum: 2 }))
      const { act } = await acts.open(SEFAZ, { actor: one.ref, represented: owner.ref, role: high, about: 'Doar o lote' })
      await assert.rejects(acts.approve(two.by, act.id), code('proxies/level-needed'))
      const stale = await scene.addSession(one, { aal: 1 })
      await assert.rejects(acts.approve(stale, act.id), code('proxies/freshness-needed'))
      assert.equal((await acts.approve(one.by, act.id)).approvals, 1)
      assert.equal((await acts.refuse(await scene.addSession(two, { aal: 1 }), act.id)).state, 'refused')
    })

    test('while the company register does not answer, what people gave is shown all the same', async () => {
      const { acts } = scene.proxies
      const { act } = await acts.open(SEFAZ, asked('Vender o lote 10'))
      await scene.db.execute('DELETE FROM company_lookup')
      scene.registerDown(true)
      assert.ok((await acts.list(group[1].by, { open: true })).some((own) => own.act.id === act.id))
      scene.registerDown(false)
      await acts.withdraw(SEFAZ, act.id)
    })

    test('after a week it is over, and after a year it is forgotten', async () => {
      const { acts } = scene.proxies
      const { act } = await acts.open(SEFAZ, asked('Esperar'))
      scene.clock.advance(7 * DAY_MS)
      assert.equal((await acts.find(SEFAZ, act.id)).state, 'expired')
      assert.ok((await acts.sweep()) >= 1)
      assert.equal((await acts.find(SEFAZ, act.id)).act.closed?.outcome, 'expired')
      scene.clock.advance(366 * DAY_MS)
      await acts.sweep()
      await assert.rejects(acts.find(SEFAZ, act.id), code('proxies/mandate-not-found'))
    })

    test('those who bind a company together see its acts without choosing the company', async () => {
      const { acts } = scene.proxies
      const [one, two, clerk] = [await scene.addPerson(), await scene.addPerson(), await scene.addPerson()]
      const firm = scene.addCompany([one, two], { quorum: 2, cnpj: '11444777000161', name: 'Dois Socios' })
      const { act } = await acts.open(SEFAZ, { actor: one.ref, represented: company(firm.cnpj), role: sale, about: 'Vender a sede' })
      assert.deepEqual(
        (await acts.list(two.by)).map((own) => [own.act.id, own.isMember]),
        [[act.id, true]],
      )
      assert.deepEqual(
        (await acts.list({ ...two.by, company: firm.root })).map((own) => own.act.id),
        [act.id],
      )
      assert.deepEqual(await acts.list(clerk.by), [])
      await acts.approve(one.by, act.id)
      assert.equal((await acts.approve(two.by, act.id)).state, 'approved')
      scene.companies[0] = { ...firm, administrators: [one.cpf] }
      scene.clock.advance(DAY_MS + 1)
      assert.equal((await acts.get(await scene.addSession(one, {}), act.id)).approvals, 1, 'who left the company has approved nothing')
    })

    test('approvals of many at once are each counted once', async () => {
      const { acts } = scene.proxies
      const fresh = await scene.addRole('imovel.alugar', { joint: 'allowed', acceptance: false })
      const people = [await scene.addPerson(), await scene.addPerson(), await scene.addPerson()]
      const by = await scene.addSession(owner, {})
      await scene.proxies.mandates.grant(by, scene.terms(people, fresh, { quorum: 3 }))
      const [first] = people
      assert.ok(first)
      const { act } = await acts.open(SEFAZ, { actor: first.ref, represented: owner.ref, role: fresh, about: 'Alugar' })
      await Promise.all([...people, first].map((one) => acts.approve(one.by, act.id)))
      assert.equal((await acts.find(SEFAZ, act.id)).approvals, 3)
    })
  })
}

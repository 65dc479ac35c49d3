/** Whose hand is under a mandate: the living, those who still bind the company, and nobody who may not. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Problem } from '../../src/platform/problem.ts'
import { dayOf, type PartyRef, type Power } from '../../src/proxies/index.ts'
import { testDatabases } from '../support/database.ts'
import { definition, openScene, type Person, type ProxyScene, SYSTEM } from './support/scene.ts'

const HOUR_MS = 3_600_000
const code = (wanted: string, detail?: string) => (error: unknown) => error instanceof Problem && error.code === wanted && (detail === undefined || error.detail === detail)

for (const { label, open } of testDatabases()) {
  describe(`hands on ${label}`, () => {
    let scene: ProxyScene
    let ipva: Power
    before(async () => {
      scene = await openScene(await open())
      ipva = await scene.addRole('ipva.consultar')
    })
    after(() => scene.close())

    const decide = (actor: Person, represented: PartyRef, role: Power = ipva) => scene.proxies.decide({ actor: actor.ref, represented, role })
    const company = (cnpj: string) => ({ kind: 'company', cnpj }) as PartyRef
    const fresh = async (who: Person, cnpj: string) => ({ ...(await scene.addSession(who, {})), company: cnpj })

    async function suspendCpf({ cpf }: Person): Promise<void> {
      const record = scene.register.get(cpf)
      if (!record) throw new Error('nobody')
      scene.register.set(cpf, { ...record, situation: 'suspended' })
    }

    test('to sign for a company mends nobody\'s standing, and whose CPF is suspended signs nothing', async () => {
      const [owner, holder, clerk, partner] = [await scene.addPerson(), await scene.addPerson(), await scene.addPerson(), await scene.addPerson()]
      scene.companies.length = 0
      const firm = scene.addCompany([holder, partner], { quorum: 2 })
      await scene.active(owner, holder, ipva)
      const [waiting] = await scene.proxies.mandates.grant(await fresh(partner, firm.cnpj), scene.terms(clerk, ipva))
      assert.ok(waiting)
      await suspendCpf(holder)
      scene.clock.advance(25 * HOUR_MS)
      assert.equal((await decide(holder, owner.ref)).reason, 'standing')
      const by = await fresh(holder, firm.cnpj)
      await assert.rejects(scene.proxies.mandates.sign(by, waiting.id), code('proxies/delegate-not-confirmed'))
      await assert.rejects(scene.proxies.mandates.grant(by, scene.terms(clerk, ipva)), code('proxies/delegate-not-confirmed'))
      await assert.rejects(scene.proxies.acts.open({ id: 'sefaz-client', namespaces: ['sefaz'] }, { actor: holder.ref, represented: company(firm.cnpj), role: ipva, about: 'Dar baixa' }), code('proxies/delegate-not-confirmed'))
      assert.equal((await decide(holder, owner.ref)).reason, 'standing')
    })

    test('who binds the company no more has signed nothing, and broad powers cool off from the last signature', async () => {
      const [one, two, three, clerk] = [await scene.addPerson(), await scene.addPerson(), await scene.addPerson(), await scene.addPerson()]
      const broad = await scene.addRole('tudo', { broad: true, acceptance: false })
      scene.companies.length = 0
      const firm = scene.addCompany([one, two, three], { quorum: 2, cnpj: '11444777000161', name: 'Tres Socios' })
      const { mandates } = scene.proxies
      const [given] = await mandates.grant(await fresh(one, firm.cnpj), scene.terms(clerk, broad))
      assert.ok(given)
      scene.companies[0] = { ...firm, administrators: [two.cpf, three.cpf] }
      scene.clock.advance(25 * HOUR_MS)
      assert.equal((await mandates.sign(await fresh(two, firm.cnpj), given.id)).state, 'pending_signature', 'one of two')
      assert.equal((await mandates.sign(await fresh(three, firm.cnpj), given.id)).state, 'active')
      assert.equal((await decide(clerk, company(firm.cnpj), broad)).reason, 'cooling-off')
      scene.clock.advance(24 * HOUR_MS)
      assert.equal((await decide(clerk, company(firm.cnpj), broad)).permit, true)
    })

    test('the register\'s word on a company is a day old at most, however often it is written down', async () => {
      const [admin, clerk] = [await scene.addPerson(), await scene.addPerson()]
      scene.companies.length = 0
      const firm = scene.addCompany([admin], { cnpj: '11222333000181', name: 'Uma So' })
      await scene.proxies.companies.listOf(admin.cpf)
      scene.clock.advance(23 * HOUR_MS)
      const [given] = await scene.proxies.mandates.grant(await fresh(admin, firm.cnpj), scene.terms(clerk, ipva))
      assert.ok(given)
      await scene.proxies.mandates.accept(clerk.by, given.id)
      scene.companies[0] = { ...firm, standing: 'dissolved' }
      scene.clock.advance(2 * HOUR_MS)
      assert.equal((await decide(clerk, company(firm.cnpj))).permit, false)
      assert.equal((await scene.proxies.mandates.find(given.id))?.state, 'terminated')
    })

    test('whom the law puts under another\'s care stops a use, but does not end the care', async () => {
      const { entered, mandates } = scene.proxies
      const care = await scene.addRole('cuidado', { kinds: ['curatela'], representedKinds: ['person'], delegateKinds: ['person'] })
      const [ward, carer] = [await scene.addPerson(), await scene.addPerson()]
      const agency = { clientId: 'sefaz-client', namespaces: ['sefaz'], official: 'um' }
      const named = ({ ref, name }: Person) => ({ ref, name })
      const { id } = await entered.enter(agency, { kind: 'curatela', represented: named(ward), delegate: named(carer), powers: [care], document: 'Sentença 1' })
      await entered.approve({ ...agency, official: 'dois' }, id)
      await assert.rejects(mandates.revoke(ward.by, id), code('proxies/step-out-of-order'))
      assert.equal((await mandates.suspend(ward.by, id, 'not-me')).state, 'suspended')
      assert.equal((await decide(carer, ward.ref, care)).permit, false)
      assert.equal((await entered.change(agency, id, 'terminated')).state, 'terminated')
    })

    test('whoever passed on and is no longer who they proved to be has passed on nothing', async () => {
      const passed = await scene.addRole('passa', { subDepth: 1 })
      const [owner, holder, last] = [await scene.addPerson(), await scene.addPerson(), await scene.addPerson()]
      const { id } = await scene.active(owner, holder, passed, { subDepth: 1 })
      const below = await scene.proxies.mandates.subdelegate(await scene.addSession(holder, {}), id, scene.terms(last, passed, { validThrough: dayOf(scene.clock.now()) }))
      await scene.proxies.mandates.accept(last.by, below.id)
      assert.equal((await decide(last, owner.ref, passed)).permit, true)
      await scene.db.execute('UPDATE evidence SET withdrawn_at = $2 WHERE person_id = $1', [holder.personId, scene.clock.now()])
      assert.equal((await decide(last, owner.ref, passed)).reason, 'grantor-level')
      assert.equal((await decide(holder, owner.ref, passed)).permit, true, 'the level of whoever acts is the caller\'s to ask')
    })

    test('nobody is buried under mandates: twenty open ones of one to another, and what counts stands before what is over', async () => {
      const [owner, holder, flooder] = [await scene.addPerson(), await scene.addPerson(), await scene.addPerson()]
      const { id } = await scene.active(owner, holder, ipva)
      const give = () => scene.proxies.mandates.grant(flooder.by, scene.terms(holder, ipva))
      for (let given = 0; given < 20; given += 1) await give()
      await assert.rejects(give(), code('proxies/terms-refused', 'delegates'))
      await scene.db.execute(
        `INSERT INTO mandate SELECT (jsonb_populate_record(m, jsonb_build_object('id', s.id, 'root_id', s.id, 'path', jsonb_build_array(s.id), 'state', 'refused',
           'ended_at', m.created_at, 'created_at', m.created_at + interval '1 hour'))).* FROM mandate m, (SELECT gen_random_uuid() AS id FROM generate_series(1, 200)) s WHERE m.id = $1`,
        [id],
      )
      await scene.db.execute(
        `INSERT INTO mandate_power (mandate_id, namespace, code, version) SELECT id, 'sefaz', 'ipva.consultar', 1 FROM mandate m
           WHERE state = 'refused' AND NOT EXISTS (SELECT 1 FROM mandate_power w WHERE w.mandate_id = m.id)`,
      )
      assert.equal((await decide(holder, owner.ref)).permit, true)
      assert.deepEqual((await scene.proxies.parties.representable(holder.personId)).map(({ mandateId }) => mandateId), [id])
    })

    test('only what citizens give by themselves can ask for an advanced signature', async () => {
      const asked = (kinds: string[]) => ({ namespace: 'sefaz', code: 'imovel.vender', definition: definition({ signature: 'avancada', kinds }) })
      await assert.rejects(scene.proxies.roles.draft(asked(['procuracao', 'curatela']), SYSTEM), code('proxies/role-invalid', 'signature'))
      await scene.proxies.roles.draft(asked(['procuracao', 'advocaticia']), SYSTEM)
    })
  })
}

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { parseCnpj } from '../../src/accounts/index.ts'
import { Problem } from '../../src/platform/problem.ts'
import { parsePartyRef, type PartyRef, type Power } from '../../src/proxies/index.ts'
import { addDays } from '../../src/proxies/mandate/day.ts'
import { testDatabases } from '../support/database.ts'
import { definition, openScene, type Person, type ProxyScene, SYSTEM } from './support/scene.ts'

const DAY_MS = 86_400_000
const code = (wanted: string, detail?: string) => (error: unknown) =>
  error instanceof Problem && error.code === wanted && (detail === undefined || error.detail === detail)

function company(text: string): PartyRef & { kind: 'company' } {
  const ref = parsePartyRef(text)
  assert.ok(ref?.kind === 'company')
  return ref
}

const SEFAZ = { id: 'sefaz-client', namespaces: ['sefaz'] }

for (const { label, open } of testDatabases()) {
  describe(`chains, companies and groups on ${label}`, () => {
    let scene: ProxyScene
    let ipva: Power
    let multas: Power
    const people: Person[] = []
    before(async () => {
      scene = await openScene(await open())
      ipva = await scene.addRole('ipva.consultar', { subDepth: 2, joint: 'allowed', acceptance: false })
      multas = await scene.addRole('multas', { subDepth: 2, acceptance: false })
      for (let count = 0; count < 6; count += 1) people.push(await scene.addPerson())
    })
    after(() => scene.close())
    const person = (index: number): Person => {
      const found = people[index]
      assert.ok(found)
      return found
    }
    const decide = (actor: Person, represented: PartyRef, role: Power = ipva, more: object = {}) => scene.proxies.decide({ actor: actor.ref, represented, role, ...more })

    test('a substabelecimento gives a part of what is held, and ends with it in one transaction', async () => {
      const { mandates } = scene.proxies
      const [maria, ana, rui, eva] = [person(0), person(1), person(2), person(3)]
      const root = await scene.active(maria, ana, ipva, { subDepth: 2, validThrough: addDays(scene.today, 20) })
      const sub = (from: Person, parent: typeof root, to: Person, change: object = {}) =>
        mandates.subdelegate(from.by, parent.id, scene.terms(to, ipva, { validThrough: addDays(scene.today, 20), ...change }))
      const refused: [Person, object, string][] = [
        [rui, { powers: [multas] }, 'powers'],
        [rui, { powers: [{ ...ipva, version: 2 }] }, 'powers'],
        [rui, { validThrough: addDays(scene.today, 21) }, 'term'],
        [rui, { subDepth: 2 }, 'subDepth'],
        [rui, { instance: 'QBC-1234' }, 'instance'],
        [maria, {}, 'delegates'],
        [ana, {}, 'delegates'],
      ]
      for (const [to, change, detail] of refused) await assert.rejects(sub(ana, root, to, change), code('proxies/terms-refused', detail), JSON.stringify(change))
      await assert.rejects(sub(rui, root, eva), code('proxies/mandate-not-found'), 'only the delegate')
      const second = await sub(ana, root, rui, { subDepth: 1 })
      const third = await sub(rui, second, eva)
      await assert.rejects(sub(rui, second, ana), code('proxies/terms-refused', 'delegates'), 'no cycle')
      await assert.rejects(mandates.subdelegate(eva.by, third.id, scene.terms(person(4), ipva)), code('proxies/terms-refused', 'subDepth'))
      const decision = await decide(eva, maria.ref)
      assert.deepEqual([decision.permit, decision.chain.map(({ mandateId }) => mandateId)], [true, [root.id, second.id, third.id]])
      assert.equal((await mandates.get(maria.by, third.id)).id, third.id, 'the represented sees every link')
      await mandates.suspend(ana.by, second.id, 'citizen')
      assert.equal((await decide(eva, maria.ref)).reason, 'suspended')
      assert.equal((await decide(ana, maria.ref)).permit, true, 'above it nothing stops')
      await mandates.resume(ana.by, second.id)
      await mandates.revoke(maria.by, root.id)
      for (const { id } of [second, third]) {
        assert.equal((await mandates.find(id))?.state, 'terminated')
        assert.ok(scene.ended.includes(id))
      }
      for (const actor of [ana, rui, eva]) assert.equal((await decide(actor, maria.ref)).reason, 'ended')
      await assert.rejects(sub(ana, root, rui), code('proxies/step-out-of-order'))
    })

    test('a company: a partner is no administrator, and who was one yesterday is asked about again after a day', async () => {
      const [admin, partner, clerk] = [person(0), person(1), person(2)]
      const record = scene.addCompany([admin])
      const firm = company('12.ABC.345/01DE-35')
      const { mandates } = scene.proxies
      const terms = scene.terms(clerk, ipva)
      await assert.rejects(mandates.grant({ ...partner.by, company: record.cnpj }, terms), code('proxies/company-not-bound'))
      assert.equal((await decide(partner, firm)).permit, false)
      const own = await decide(admin, firm)
      assert.deepEqual([own.permit, own.reason, own.obligations.register?.source], [true, 'register', 'file'])
      const [mandate] = await mandates.grant({ ...admin.by, company: record.root }, terms)
      assert.equal(mandate?.represented.document, record.root)
      assert.equal((await decide(clerk, firm)).permit, true, 'the root covers each establishment')
      assert.equal((await decide(clerk, company(record.root))).permit, true)
      const choices = await scene.proxies.parties.representable(admin.personId)
      assert.deepEqual(choices.map(({ document, basis }) => [document, basis]), [[record.root, 'register']])
      scene.companies[0] = { ...record, administrators: [partner.cpf] }
      assert.equal((await decide(admin, firm)).permit, true, 'within the day')
      scene.clock.advance(DAY_MS)
      assert.equal((await decide(admin, firm)).permit, false)
      assert.equal((await decide(partner, firm)).permit, true)
      assert.equal((await decide(clerk, firm)).permit, true, 'what the company gave stands')
      scene.companies[0] = { ...record, standing: 'dissolved' }
      scene.clock.advance(DAY_MS)
      assert.equal((await decide(partner, firm)).permit, false)
      assert.equal((await decide(clerk, firm)).permit, false)
      assert.equal((await mandates.find(mandate?.id as never))?.state, 'terminated')
      scene.clock.advance(-2 * DAY_MS)
      scene.companies.length = 0
    })

    test('while the company register is away people are still offered, companies are not, and a decision about one fails', async () => {
      const [owner, other] = [await scene.addPerson(), await scene.addPerson()]
      await scene.active(owner, other, ipva)
      const { find } = scene.companies
      scene.companies.filter = () => assert.fail('the register is away')
      scene.companies.find = () => assert.fail('the register is away')
      assert.deepEqual((await scene.proxies.parties.representable(other.personId)).map(({ document }) => document), [owner.cpf])
      assert.equal((await decide(other, owner.ref)).permit, true)
      await assert.rejects(decide(other, company('12.ABC.345/01DE-35')), code('proxies/company-register-unavailable'))
      Object.assign(scene.companies, { find, filter: Array.prototype.filter })
    })

    test('a mandate of one establishment covers no other', async () => {
      const [admin, clerk] = [person(0), await scene.addPerson()]
      await scene.db.execute('DELETE FROM company_administrator')
      await scene.db.execute('DELETE FROM company_record')
      await scene.db.execute('DELETE FROM company_lookup')
      const record = scene.addCompany([admin], { cnpj: '11222333000181', name: 'Chapada Contabilidade' })
      const branch = ['11222333000262', '11222333000343'].map((text) => parseCnpj(text)).find((cnpj) => cnpj !== undefined)
      await scene.proxies.mandates.grant({ ...admin.by, company: record.cnpj }, scene.terms(clerk, ipva))
      assert.equal((await decide(clerk, company('11222333000181'))).permit, true)
      assert.equal((await decide(clerk, company(record.root))).permit, false)
      if (branch) assert.equal((await decide(clerk, company(branch))).permit, false)
    })

    test('a company that holds a mandate acts by its people: its administrator, or whom it passes it on to', async () => {
      const [owner, admin, clerk, stranger] = [person(4), await scene.addPerson(), await scene.addPerson(), person(5)]
      await scene.db.execute('DELETE FROM company_lookup')
      const firm = scene.addCompany([admin], { cnpj: '12ABC34501DE35', name: 'Contas Certas' })
      const to = { delegates: [{ ref: company(firm.cnpj), name: firm.name }] }
      const [held] = await scene.proxies.mandates.grant(owner.by, scene.terms(clerk, ipva, { ...to, subDepth: 1 }))
      assert.ok(held)
      const byAdmin = await decide(admin, owner.ref)
      assert.deepEqual([byAdmin.permit, byAdmin.mandateId], [true, held.id])
      assert.equal((await scene.proxies.parties.representable(admin.personId)).find(({ document }) => document === owner.cpf)?.through, firm.name)
      assert.equal((await decide(clerk, owner.ref)).permit, false)
      await scene.proxies.mandates.subdelegate({ ...admin.by, company: firm.cnpj }, held.id, scene.terms(clerk, ipva))
      assert.equal((await decide(clerk, owner.ref)).permit, true)
      assert.equal((await decide(stranger, owner.ref)).permit, false)
      const used = await scene.proxies.uses.record({ actor: admin.ref, represented: owner.ref, role: ipva }, 'portal')
      assert.ok(used.useId)
    })

    test('administrators who bind a company together sign together, and act together', async () => {
      const [one, two, three, clerk] = [await scene.addPerson(), await scene.addPerson(), await scene.addPerson(), await scene.addPerson()]
      scene.companies.length = 0
      const firm = scene.addCompany([one, two, three], { quorum: 2, cnpj: '11444777000161', name: 'Tres Socios' })
      const { mandates, acts, uses } = scene.proxies
      const as = (who: Person) => ({ ...who.by, company: firm.cnpj })
      const [given] = await mandates.grant(as(one), scene.terms(clerk, ipva))
      assert.equal(given?.state, 'pending_signature')
      assert.equal((await mandates.sign(as(one), given.id)).state, 'pending_signature', 'the same hand twice is one')
      await assert.rejects(mandates.sign(clerk.by, given.id), code('proxies/mandate-not-found'))
      assert.equal((await mandates.sign(as(two), given.id)).state, 'active')
      assert.equal((await decide(clerk, company(firm.cnpj))).permit, true)
      assert.equal((await decide(one, company(firm.cnpj))).reason, 'quorum')
      const asked = { represented: company(firm.cnpj), role: ipva, service: undefined, instance: 'baixa' }
      const { act, approvals } = await acts.open(SEFAZ, { ...asked, actor: one.ref, about: 'Dar baixa na inscrição' })
      assert.deepEqual([approvals, act.quorum], [0, 2])
      await assert.rejects(acts.approve(clerk.by, act.id), code('proxies/mandate-not-found'))
      assert.equal((await acts.approve(one.by, act.id)).approvals, 1)
      const withAct = { actId: act.id, instance: 'baixa' }
      assert.equal((await decide(one, company(firm.cnpj), ipva, withAct)).reason, 'quorum')
      assert.equal((await acts.approve(three.by, act.id)).approvals, 2)
      assert.equal((await decide(one, company(firm.cnpj), ipva, { ...withAct, instance: 'venda' })).reason, 'quorum', 'for another act they count nothing')
      assert.equal((await decide(one, company(firm.cnpj), ipva, withAct)).permit, true)
      const record = () => uses.record({ actor: one.ref, represented: company(firm.cnpj), role: ipva, ...withAct }, SEFAZ.id)
      assert.ok((await record()).useId)
      assert.equal((await record()).decision.reason, 'quorum', 'an act is done once')
    })

    test('two of three delegates: approvals of a mandate that ended count no more', async () => {
      const [owner, ...group] = [await scene.addPerson(), await scene.addPerson(), await scene.addPerson(), await scene.addPerson()]
      const [one, two, three] = group
      assert.ok(one && two && three)
      const { mandates, acts } = scene.proxies
      const given = await mandates.grant(owner.by, scene.terms(group, ipva, { quorum: 2 }))
      assert.equal(given.length, 3)
      assert.equal((await decide(one, owner.ref)).reason, 'quorum')
      const { act } = await acts.open(SEFAZ, { actor: one.ref, represented: owner.ref, role: ipva, about: 'Pagar o IPVA' })
      await acts.approve(one.by, act.id)
      await acts.approve(two.by, act.id)
      assert.equal((await decide(three, owner.ref, ipva, { actId: act.id })).permit, true)
      const second = given.find(({ delegate }) => delegate.document === two.cpf)
      assert.ok(second)
      await mandates.revoke(owner.by, second.id)
      assert.equal((await decide(three, owner.ref, ipva, { actId: act.id })).reason, 'quorum')
      await assert.rejects(acts.approve(two.by, act.id), code('proxies/mandate-not-found'))
      await assert.rejects(acts.open(SEFAZ, { actor: owner.ref, represented: one.ref, role: ipva, about: 'Pagar o IPVA' }), code('proxies/act-not-open'))
    })

    test('a mandate for one thing permits only that, and for one service only there', async () => {
      const [owner, other] = [await scene.addPerson(), await scene.addPerson()]
      const narrow = await scene.addRole('nota.emitir', { services: ['nfa'], acceptance: false })
      await scene.active(owner, other, narrow, { instance: 'Fazenda Boa Vista' })
      const ask = (more: object) => decide(other, owner.ref, narrow, more)
      assert.equal((await ask({ service: 'nfa', instance: 'Fazenda Boa Vista' })).permit, true)
      assert.equal((await ask({ service: 'nfa', instance: 'Outra' })).reason, 'instance')
      assert.equal((await ask({ service: 'nfa' })).reason, 'instance')
      assert.equal((await ask({ service: 'outro', instance: 'Fazenda Boa Vista' })).reason, 'service')
      assert.equal((await scene.proxies.decide({ actor: other.ref, represented: owner.ref, role: { namespace: 'saude', code: 'nota.emitir' } })).reason, 'no-mandate')
    })

    test('revocation and use at the same moment: no use is written after it', async () => {
      const { mandates, uses } = scene.proxies
      const [owner, other] = [await scene.addPerson(), await scene.addPerson()]
      for (let round = 0; round < 8; round += 1) {
        const { id } = await scene.active(owner, other, ipva)
        const ask = { actor: other.ref, represented: owner.ref, role: ipva }
        const order: string[] = []
        const results = await Promise.all([
          ...Array.from({ length: 4 }, () => uses.record(ask, 'portal', { also: async () => void order.push('used') })),
          mandates.revoke(owner.by, id).then(() => void order.push('revoked')),
        ])
        assert.ok(results)
        assert.equal((await uses.record(ask, 'portal')).useId, undefined)
        const [late] = await scene.db.query<{ late: number }>(
          `SELECT count(*)::int AS late FROM audit_event u JOIN audit_event r ON r.data->>'mandateId' = u.data->>'mandateId' AND r.type = 'proxies/revoked'
           WHERE u.type = 'proxies/used' AND u.data->>'mandateId' = $1 AND u.id > r.id`,
          [id],
        )
        assert.equal(late?.late, 0, order.join())
      }
    })

    test('a request: the grantor sees exactly what, gives it, refuses it with one press, or hears no more', async () => {
      const { requests } = scene.proxies
      const [owner, wishes, third] = [await scene.addPerson(), await scene.addPerson(), await scene.addPerson()]
      const terms = (to: Person) => ({ represented: { ref: to.ref, name: to.name }, powers: [multas], validThrough: addDays(scene.today, 10) })
      const asked = await requests.ask(wishes.by, terms(owner))
      assert.deepEqual((await requests.listReceived(owner.by)).map(({ id, powers, delegate }) => [id, powers, delegate.name]), [[asked.id, [multas], wishes.name]])
      assert.equal((await decide(wishes, owner.ref, multas)).permit, false)
      await assert.rejects(requests.ask(wishes.by, terms(owner)), code('proxies/request-refused'), 'once at a time')
      await assert.rejects(requests.grant(wishes.by, asked.id), code('proxies/request-not-found'))
      await assert.rejects(requests.get(third.by, asked.id), code('proxies/request-not-found'))
      await assert.rejects(requests.grant({ accountId: owner.accountId }, asked.id), code('proxies/freshness-needed'))
      assert.equal((await requests.grant(owner.by, asked.id)).state, 'active')
      await assert.rejects(requests.grant(owner.by, asked.id), code('proxies/request-not-found'))
      assert.equal((await decide(wishes, owner.ref, multas)).permit, true)
      const again = await requests.ask(wishes.by, terms(owner))
      await requests.refuse({ accountId: owner.accountId }, again.id, { block: 'delegate' })
      await assert.rejects(requests.ask(wishes.by, terms(owner)), code('proxies/request-refused'))
      await requests.refuse(owner.by, (await requests.ask(third.by, terms(owner))).id, { block: 'everybody' })
      const fourth = await scene.addPerson()
      await assert.rejects(requests.ask(fourth.by, terms(owner)), code('proxies/request-refused'))
      assert.deepEqual((await requests.listBlocks(owner.by)).map(({ isEverybody }) => isEverybody), [false, true])
      await requests.unblock(owner.by)
      await requests.withdraw(fourth.by, (await requests.ask(fourth.by, terms(owner))).id)
      await assert.rejects(requests.ask(fourth.by, { ...terms(owner), represented: { ref: owner.ref, name: 'Outra Pessoa' } }), code('proxies/request-refused'))
    })

    test('a flood of requests: ten a day of one, twenty open to one, sixty tries with names', async () => {
      const { requests } = scene.proxies
      const [victim, flooder] = [await scene.addPerson(), await scene.addPerson()]
      const terms = (to: Person) => ({ represented: { ref: to.ref, name: to.name }, powers: [multas], validThrough: addDays(scene.today, 10) })
      for (let sent = 0; sent < 22; sent += 1) {
        const other = await scene.addPerson()
        const outcome = await requests.ask(other.by, terms(victim)).then(() => 'sent', (error: Problem) => error.code)
        assert.equal(outcome, sent < 20 ? 'sent' : 'proxies/request-refused')
        if (sent < 12) {
          const own = await requests.ask(flooder.by, terms(other)).then(() => 'sent', (error: Problem) => error.code)
          assert.equal(own, sent < 10 ? 'sent' : 'proxies/too-many-requests')
        }
      }
      assert.equal(scene.told.filter(({ accountId, notice }) => accountId === victim.accountId && notice === 'requested').length, 20)
      let refusals = 0
      for (let tries = 12; tries < 70; tries += 1) {
        const wrong = { ...terms(victim), represented: { ref: victim.ref, name: `Nome ${tries}` } }
        const outcome = await requests.ask(flooder.by, wrong).catch((error: Problem) => error.code)
        if (outcome === 'proxies/too-many-requests') refusals += 1
      }
      assert.equal(refusals, 10)
    })

    test('an agency enters what the law gives: with a document, a second person, and an end at eighteen', async () => {
      const { entered, mandates, lifecycle } = scene.proxies
      const roleOf = (kind: string) => scene.addRole(`legal.${kind}`, { kinds: [kind], representedKinds: ['person'], delegateKinds: ['person'], acceptance: false }, 'saude')
      const parents = await roleOf('poder-familiar')
      const [mother, child] = [await scene.addPerson(), await scene.addPerson({ birthDate: '2008-11-24', level: 'bronze' })]
      const first = { clientId: 'saude-client', namespaces: ['saude'], official: '111.444.777-35' }
      const second = { ...first, official: 'MAT-77' }
      const terms = {
        kind: 'poder-familiar', represented: { ref: child.ref, name: child.name }, delegate: { ref: mother.ref, name: mother.name }, powers: [parents],
        document: 'Certidão de nascimento 123',
      } as const
      await assert.rejects(entered.enter({ ...first, namespaces: ['sefaz'] }, terms), code('proxies/namespace-not-yours'))
      await assert.rejects(entered.enter(first, { ...terms, document: ' ' }), code('proxies/terms-refused', 'document'))
      await assert.rejects(entered.enter(first, { ...terms, kind: 'curatela' }), code('proxies/terms-refused', 'kind'))
      const draft = await entered.enter(first, terms)
      assert.deepEqual([draft.state, draft.validThrough], ['draft', '2026-11-23'])
      assert.equal((await decide(mother, child.ref, parents)).reason, 'pending')
      await assert.rejects(entered.approve({ ...first, official: '11144477735' }, draft.id), code('proxies/step-out-of-order', 'second-person'))
      await assert.rejects(entered.approve({ ...second, namespaces: ['sefaz'] }, draft.id), code('proxies/mandate-not-found'))
      assert.equal((await entered.approve(second, draft.id)).state, 'active')
      assert.equal((await decide(mother, child.ref, parents)).permit, true)
      scene.clock.advance(2 * DAY_MS)
      assert.equal((await decide(mother, child.ref, parents)).reason, 'over')
      await lifecycle.sweep()
      assert.equal((await mandates.find(draft.id))?.state, 'expired')
      scene.clock.advance(-2 * DAY_MS)
      const grown = await scene.addPerson()
      await assert.rejects(entered.enter(first, { ...terms, represented: { ref: grown.ref, name: grown.name } }), code('proxies/terms-refused', 'age'))
    })

    test('a court stops and releases; what it stopped nobody else releases; another agency sees nothing', async () => {
      const { entered, mandates } = scene.proxies
      const [owner, other] = [await scene.addPerson(), await scene.addPerson()]
      const { id } = await scene.active(owner, other, multas)
      const court = { clientId: 'sefaz-client', namespaces: ['sefaz'], official: 'juiz-1' }
      await assert.rejects(entered.change({ ...court, clientId: 'saude-client', namespaces: ['saude'] }, id, 'suspended'), code('proxies/mandate-not-found'))
      await assert.rejects(entered.change(court, id, 'terminated'), code('proxies/mandate-not-found'), 'it did not enter it')
      await entered.change(court, id, 'suspended')
      assert.equal((await decide(other, owner.ref, multas)).reason, 'suspended')
      await assert.rejects(mandates.resume(owner.by, id), code('proxies/step-out-of-order'))
      await entered.change(court, id, 'resumed')
      assert.equal((await decide(other, owner.ref, multas)).permit, true)
    })

    test('help at a counter: an organisation, one service, to the end of the day, told each time', async () => {
      const help = await scene.addRole('ajuda', { kinds: ['assistencia'], delegateKinds: ['organisation'], representedKinds: ['person'], longestDays: 1 }, 'saude')
      const citizen = await scene.addPerson({ level: 'bronze' })
      const agency = { clientId: 'saude-client', namespaces: ['saude'], official: 'atendente-9' }
      const organisation = { code: 'ganha-tempo-cpa', name: 'Ganha Tempo CPA' }
      const terms = { organisation, citizen: { ref: citizen.ref, name: citizen.name }, powers: [help], consent: 'assinatura 55' }
      const mandate = await scene.proxies.entered.help(agency, terms)
      assert.deepEqual([mandate.state, mandate.validThrough, mandate.delegate.name], ['active', scene.today, organisation.name])
      const ask = { actor: { kind: 'organisation', code: organisation.code }, represented: citizen.ref, role: help } as const
      assert.equal((await scene.proxies.decide(ask)).permit, true)
      for (const _ of [1, 2]) assert.ok((await scene.proxies.uses.record(ask, 'saude-client')).useId)
      assert.equal(scene.told.filter(({ accountId, notice }) => accountId === citizen.accountId && notice === 'used').length, 2)
      await scene.proxies.mandates.suspend({ accountId: citizen.accountId }, mandate.id, 'not-me')
      assert.equal((await scene.proxies.decide(ask)).reason, 'suspended')
      for (const change of [{ longestDays: 2 }, { subDepth: 1, kinds: ['tutela'], delegateKinds: ['person'] }, { delegateKinds: ['organisation'], kinds: ['procuracao'] }]) {
        const faulty = definition({ kinds: ['assistencia'], delegateKinds: ['organisation'], longestDays: 1, ...change })
        await assert.rejects(scene.proxies.roles.draft({ namespace: 'saude', code: 'outra', definition: faulty }, SYSTEM), code('proxies/role-invalid'))
      }
    })
  })
}

/** What somebody tries who knows the order in which things are judged. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Problem } from '../../src/platform/problem.ts'
import { type PartyRef, type Power, parsePartyRef } from '../../src/proxies/index.ts'
import { openPgliteTestDatabase } from '../support/database.ts'
import { cpfOf, openScene, type ProxyScene } from './support/scene.ts'

const SEFAZ = { id: 'sefaz-client', namespaces: ['sefaz'] }
const DAY_MS = 86_400_000
const code = (wanted: string) => (error: unknown) => error instanceof Problem && error.code === wanted

let scene: ProxyScene
let sale: Power
before(async () => {
  scene = await openScene(await openPgliteTestDatabase())
  sale = await scene.addRole('imovel.vender', { joint: 'allowed', acceptance: false })
})
after(() => scene.close())

function company(text: string): PartyRef {
  const ref = parsePartyRef(text)
  if (ref === undefined) throw new Error(text)
  return ref
}

/** Does something right before the next transaction begins. */
function beforeNextTransaction(work: () => Promise<unknown>): void {
  const { transaction } = scene.db
  Object.assign(scene.db, {
    transaction: async (inside: Parameters<typeof transaction>[0]) => {
      Object.assign(scene.db, { transaction })
      await work()
      return scene.db.transaction(inside)
    },
  })
}

test('a yes that is taken back between the decision and the use counts no more, of a company as of a group', async () => {
  const { acts, uses, mandates } = scene.proxies
  const [one, two, three, owner] = [await scene.addPerson(), await scene.addPerson(), await scene.addPerson(), await scene.addPerson()]
  const firm = scene.addCompany([one, two, three], { quorum: 2, cnpj: '11444777000161', name: 'Tres Socios' })
  await mandates.grant(owner.by, scene.terms([one, two, three], sale, { quorum: 2 }))
  for (const represented of [company(firm.cnpj), owner.ref]) {
    const ask = { actor: one.ref, represented, role: sale }
    const { act } = await acts.open(SEFAZ, { ...ask, about: 'Vender a sede' })
    for (const { by } of [one, two]) await acts.approve(by, act.id)
    assert.equal((await scene.proxies.decide({ ...ask, actId: act.id })).permit, true)
    beforeNextTransaction(() => acts.refuse(two.by, act.id))
    const used = await uses.record({ ...ask, actId: act.id }, SEFAZ.id).catch((error: unknown) => error)
    assert.ok(used instanceof Problem ? used.code === 'proxies/act-not-open' : (used as { useId?: number }).useId === undefined)
    assert.equal((await acts.find(SEFAZ, act.id)).state, 'open')
    await acts.approve(two.by, act.id)
    // Who approved read which system asks.
    await assert.rejects(uses.record({ ...ask, actId: act.id }, 'other-client'), code('proxies/act-not-open'))
    assert.ok((await uses.record({ ...ask, actId: act.id }, SEFAZ.id)).useId)
  }
})

test('the no of somebody who is of the group no more ends nothing for those who are left', async () => {
  const { acts, mandates } = scene.proxies
  const [one, two, three, owner] = [await scene.addPerson(), await scene.addPerson(), await scene.addPerson(), await scene.addPerson()]
  const granted = await mandates.grant(owner.by, scene.terms([one, two, three], sale, { quorum: 2 }))
  const { act } = await acts.open(SEFAZ, { actor: one.ref, represented: owner.ref, role: sale, about: 'Vender o lote' })
  assert.equal((await acts.refuse(three.by, act.id)).state, 'open')
  const last = granted.find(({ delegate }) => delegate.document === three.cpf)
  assert.ok(last)
  await mandates.revoke(owner.by, last.id)
  assert.equal((await acts.approve(one.by, act.id)).state, 'open')
  assert.equal((await acts.approve(two.by, act.id)).state, 'approved')
})

test('an administrator who is dead, or whose CPF is suspended, acts for no company, whatever the company register still says', async () => {
  const [admin, owner] = [await scene.addPerson(), await scene.addPerson()]
  const firm = scene.addCompany([admin], { cnpj: '11222333000181', name: 'Chapada Contabilidade' })
  const ipva = await scene.addRole('ipva.consultar', { acceptance: false })
  await scene.proxies.mandates.grant(owner.by, { ...scene.terms([], ipva), delegates: [{ ref: company(firm.cnpj), name: firm.name }] })
  const decide = (represented: PartyRef) => scene.proxies.decide({ actor: admin.ref, represented, role: ipva })
  for (const represented of [company(firm.cnpj), owner.ref]) assert.equal((await decide(represented)).permit, true)
  const record = scene.register.get(admin.cpf)
  assert.ok(record)
  for (const situation of ['deceased', 'suspended'] as const) {
    scene.register.set(admin.cpf, { ...record, situation })
    scene.clock.advance(DAY_MS)
    for (const represented of [company(firm.cnpj), owner.ref]) {
      const { permit, reason } = await decide(represented)
      assert.deepEqual([permit, reason], [false, 'standing'])
    }
  }
})

test('the manager of a team tries no more numbers in a day than a citizen', async () => {
  const { team } = scene.proxies
  const manager = await scene.addPerson()
  await team.add({ namespace: 'sefaz', cpf: manager.cpf, role: 'manager' }, { actorId: 'mt', isDemo: true })
  const add = (number: number) => team.add({ namespace: 'sefaz', cpf: cpfOf(500_000 + number), role: 'editor' }, { accountId: manager.accountId })
  for (let number = 0; number < 60; number += 1) await assert.rejects(add(number), code('proxies/staff-unfit'))
  await assert.rejects(add(60), code('proxies/too-many-requests'))
})

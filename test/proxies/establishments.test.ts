/** Companies in several places: a mandate is for the whole company or for one establishment, and neither is a dead end. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Cnpj } from '../../src/accounts/index.ts'
import { Problem } from '../../src/platform/problem.ts'
import { type CompanyRecord, openCompanyRegisterFile, parsePartyRef, type PartyRef, type Power } from '../../src/proxies/index.ts'
import { testDatabases } from '../support/database.ts'
import { openScene, type Person, type ProxyScene } from './support/scene.ts'

const DAY_MS = 86_400_000
const [HEAD, SINOP, CACERES, UNKNOWN] = ['12ABC34501DE35', '12ABC345000269', '12ABC345000340', '12ABC345000420'] as const
const NAME = 'Pantanal Sementes'
const code = (wanted: string) => (error: unknown) => error instanceof Problem && error.code === wanted

function firm(text: string): PartyRef {
  return parsePartyRef(text) ?? assert.fail(text)
}

for (const { label, open } of testDatabases()) {
  describe(`establishments on ${label}`, () => {
    let scene: ProxyScene
    let ipva: Power
    let [admin, clerk, owner]: Person[] = []
    let record: CompanyRecord
    const as = (cnpj: string) => ({ ...(admin ?? assert.fail()).by, company: cnpj })
    const decide = async (actor: Person | undefined, represented: PartyRef) => scene.proxies.decide({ actor: (actor ?? assert.fail()).ref, represented, role: ipva })
    const renew = (standing: 'regular' | 'dissolved') => {
      scene.companies[0] = { ...record, establishments: record.establishments.map((one) => (one.cnpj === SINOP ? { ...one, standing } : one)) }
      scene.clock.advance(DAY_MS)
    }
    before(async () => {
      scene = await openScene(await open())
      ipva = await scene.addRole('ipva', { acceptance: false, subDepth: 1 })
      ;[admin, clerk, owner] = [await scene.addPerson(), await scene.addPerson(), await scene.addPerson()]
      record = scene.addCompany([admin], {
        cnpj: HEAD, name: NAME, establishments: [{ cnpj: SINOP as Cnpj, name: 'Filial Sinop', standing: 'regular' }, { cnpj: CACERES as Cnpj, name: 'Filial Cáceres', standing: 'dissolved' }],
      })
    })
    after(() => scene.close())

    test('what is given to an establishment is found and used by whoever binds the company', async () => {
      const { mandates, parties } = scene.proxies
      const [held] = await mandates.grant((owner ?? assert.fail()).by, scene.terms(clerk ?? assert.fail(), ipva, { delegates: [{ ref: firm(SINOP), name: NAME }], subDepth: 1 }))
      assert.equal(held?.delegate.name, 'Pantanal Sementes – Filial Sinop')
      assert.deepEqual((await mandates.listReceived(as(record.root))).map(({ id }) => id), [held?.id])
      assert.equal((await decide(admin, owner?.ref ?? assert.fail())).mandateId, held?.id)
      assert.equal((await parties.representable(admin?.personId ?? '')).find(({ document }) => document === owner?.cpf)?.through, held?.delegate.name)
      const onward = await mandates.subdelegate(as(record.root), held?.id ?? assert.fail(), scene.terms(clerk ?? assert.fail(), ipva))
      assert.equal((await decide(clerk, owner?.ref ?? assert.fail())).mandateId, onward.id)
      await mandates.revoke(owner?.by ?? assert.fail(), held?.id ?? assert.fail())
    })

    test('one establishment gives for itself only; the company gives for all, and sees and ends both', async () => {
      const { mandates } = scene.proxies
      const terms = scene.terms(clerk ?? assert.fail(), ipva)
      const preview = await mandates.preview(as(SINOP), terms)
      assert.equal(preview.represented.name, 'Pantanal Sementes – Filial Sinop')
      const [given] = await mandates.grant(as(SINOP), terms)
      assert.equal((await decide(clerk, firm(SINOP))).permit, true)
      for (const other of [record.root, HEAD, CACERES]) assert.equal((await decide(clerk, firm(other))).permit, false, other)
      assert.ok((await mandates.listGiven(as(record.root))).some(({ id }) => id === given?.id))
      await mandates.revoke(as(record.root), given?.id ?? assert.fail())
      assert.equal((await decide(clerk, firm(SINOP))).permit, false)
      const [whole] = await mandates.grant(as(record.root), terms)
      assert.equal((await decide(clerk, firm(SINOP))).permit, true, 'the whole company')
      await mandates.revoke(as(record.root), whole?.id ?? assert.fail())
    })

    test('a place that the register does not know, or that is closed, gives, receives and is acted for by nobody', async () => {
      const { mandates } = scene.proxies
      for (const place of [UNKNOWN, CACERES]) {
        await assert.rejects(mandates.grant(as(place), scene.terms(clerk ?? assert.fail(), ipva)), code('proxies/company-not-bound'), place)
        const to = { delegates: [{ ref: firm(place), name: NAME }] }
        await assert.rejects(mandates.grant(owner?.by ?? assert.fail(), scene.terms(clerk ?? assert.fail(), ipva, to)), code('proxies/delegate-not-confirmed'), place)
        const { permit, reason } = await decide(admin, firm(place))
        assert.deepEqual([permit, reason], [false, 'standing'], place)
      }
      assert.equal((await decide(admin, firm(SINOP))).reason, 'register')
      const [whole] = await mandates.grant(as(record.root), scene.terms(clerk ?? assert.fail(), ipva))
      const answers = await Promise.all([SINOP, HEAD, CACERES, UNKNOWN].map(async (place) => (await decide(clerk, firm(place))).permit))
      assert.deepEqual(answers, [true, true, false, false], 'nor by what the whole company gave')
      await scene.db.transaction(async (tx) => {
        const ask = { actor: clerk?.ref ?? assert.fail(), represented: firm(CACERES), role: ipva }
        assert.equal((await scene.proxies.decide(ask, tx)).permit, false, 'nor where something is issued by it')
      })
      await mandates.revoke(as(record.root), whole?.id ?? assert.fail())
    })

    test('a place that closes ends what it gave; what the whole company gave stands', async () => {
      const { mandates } = scene.proxies
      const terms = scene.terms(clerk ?? assert.fail(), ipva)
      const [[own], [whole]] = [await mandates.grant(as(SINOP), terms), await mandates.grant(as(record.root), terms)]
      renew('dissolved')
      await scene.proxies.lifecycle.refreshParties()
      assert.deepEqual([(await mandates.find(own?.id as never))?.state, (await mandates.find(whole?.id as never))?.state], ['terminated', 'active'])
      assert.equal((await decide(clerk, firm(HEAD))).permit, true)
    })
  })
}

test('the register file: establishments are of the same root, each once', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'mt-register-'))
  const file = path.join(folder, 'register.json')
  const write = (establishments: unknown) => writeFile(file, JSON.stringify([{ cnpj: HEAD, name: NAME, qsa: [], establishments }]))
  try {
    await write([{ cnpj: '12.ABC.345/0002-69', name: 'Filial Sinop' }])
    const found = await (await openCompanyRegisterFile(file)).find('12ABC345' as never)
    assert.deepEqual(found?.establishments, [{ cnpj: SINOP, name: 'Filial Sinop', standing: 'regular' }])
    for (const faulty of [[{ cnpj: '11222333000181', name: 'De outra' }], [{ cnpj: '12ABC345000268', name: 'Dígito' }], [{ cnpj: HEAD, name: 'A própria' }], [{ cnpj: SINOP, name: 'Uma' }, { cnpj: SINOP, name: 'Duas' }]]) {
      await write(faulty)
      await assert.rejects(openCompanyRegisterFile(file), /position 0/, JSON.stringify(faulty))
    }
  } finally {
    await rm(folder, { recursive: true })
  }
})

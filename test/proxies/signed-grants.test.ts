/** Powers that want an advanced signature: given by it, in the very words that were shown, or not at all. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { Problem } from '../../src/platform/problem.ts'
import type { InstrumentSigner, Power, SignedGrants, Unsigned } from '../../src/proxies/index.ts'
import { testDatabases } from '../support/database.ts'
import { definition, openScene, type Person, type ProxyScene, SYSTEM } from './support/scene.ts'

const code = (wanted: string, detail?: string) => (error: unknown) =>
  error instanceof Problem && error.code === wanted && (detail === undefined || error.detail === detail)
const PROOF = { idToken: 'proof' }

for (const { label, open } of testDatabases()) {
  describe(`signed grants on ${label}`, () => {
    let scene: ProxyScene
    let sale: Power
    let owner: Person
    let holder: Person
    let grants: SignedGrants
    /** What happens while the key is used. */
    let meanwhile: () => Promise<void> = async () => {}
    const signed: Unsigned[] = []
    const signer: InstrumentSigner = {
      open: async () => ({ activationId: randomUUID(), nonce: 'nonce' }),
      async sign(unsigned) {
        signed.push(unsigned)
        await meanwhile()
        return unsigned.pdfs.map((pdf) => Buffer.concat([pdf, Buffer.from('signed')]))
      },
    }
    before(async () => {
      scene = await openScene(await open())
      sale = await scene.addRole('veiculo.vender', { signature: 'avancada', subDepth: 1 })
      owner = await scene.addPerson()
      holder = await scene.addPerson()
      grants = scene.proxies.signedBy(signer)
    })
    after(() => scene.close())

    const permits = async (power = sale) => (await scene.proxies.decide({ actor: holder.ref, represented: owner.ref, role: power })).permit
    const given = async () => (await scene.proxies.mandates.listGiven(owner.by)).length
    /** Read and confirmed: only the proof is missing. */
    async function confirmed(power = sale): Promise<string> {
      const id = await grants.prepare(owner.by, scene.terms(holder, power))
      await grants.begin(owner.by, id)
      return id
    }

    test('without the signature nothing gives it: not a press, not a request, not an agency', async () => {
      await assert.rejects(scene.proxies.mandates.grant(owner.by, scene.terms(holder, sale)), code('proxies/signature-needed'))
      const asked = {
        represented: { ref: owner.ref, name: owner.name },
        powers: [sale],
        validThrough: scene.terms(owner, sale).validThrough,
      }
      await assert.rejects(scene.proxies.requests.ask(holder.by, asked), code('proxies/terms-refused', 'powers'))
      const id = await grants.prepare(owner.by, scene.terms(holder, sale))
      await assert.rejects(grants.finish(owner.by, id, PROOF), code('proxies/signing-over'), 'nothing was confirmed')
      assert.equal(await given(), 0)
      assert.equal(signed.length, 0)
    })

    test('signed, it is given with exactly the instrument that was read, once', async () => {
      const id = await confirmed()
      const [shown] = (await grants.get(owner.by, id)).texts
      const [mandate] = await grants.finish(owner.by, id, PROOF)
      assert.ok(mandate && shown)
      assert.equal(mandate.state, 'pending_acceptance')
      await scene.proxies.mandates.accept(holder.by, mandate.id)
      assert.equal(await permits(), true)
      const { pdf, code: printed } = await scene.proxies.instruments.get(holder.by, mandate.id)
      assert.deepEqual(pdf, Buffer.concat([shown.pdf, Buffer.from('signed')]))
      assert.equal((await scene.proxies.instruments.verify(printed)).validity, 'valid')
      await assert.rejects(grants.finish(owner.by, id, PROOF), code('proxies/signing-over'))
      await scene.proxies.mandates.revoke(owner.by, mandate.id)
      assert.equal(await permits(), false)
    })

    test('nobody else finds what waits for a signature', async () => {
      const id = await confirmed()
      for (const call of [() => grants.get(holder.by, id), () => grants.begin(holder.by, id), () => grants.finish(holder.by, id, PROOF)])
        await assert.rejects(call(), code('proxies/signing-over'))
    })

    test('a version published between the summary and the signature, or while the key is used, gives nothing', async () => {
      const power = await scene.addRole('veiculo.trocar', { signature: 'avancada' })
      const [open, before] = [await given(), signed.length]
      const publish = async (title: string) => {
        await scene.proxies.roles.draft(
          {
            namespace: 'sefaz',
            code: 'veiculo.trocar',
            definition: definition({ signature: 'avancada', title: { 'pt-BR': title, en: title, es: title } }),
          },
          SYSTEM,
        )
        return { ...power, version: await scene.proxies.roles.publish({ namespace: 'sefaz', code: 'veiculo.trocar' }, SYSTEM) }
      }
      const early = await confirmed(power)
      const next = await publish('Outra coisa')
      await assert.rejects(grants.finish(owner.by, early, PROOF), code('proxies/role-changed'))
      assert.equal(signed.length, before, 'no key was used')
      const late = await confirmed(next)
      meanwhile = async () => void (await publish('Mais uma coisa'))
      await assert.rejects(grants.finish(owner.by, late, PROOF), code('proxies/role-changed')).finally(() => {
        meanwhile = async () => {}
      })
      assert.equal(await given(), open)
    })

    test('a name that the register changed since is read again before anything is signed', async () => {
      const id = await confirmed()
      const record = scene.register.get(owner.cpf)
      assert.ok(record)
      scene.register.set(owner.cpf, { ...record, socialName: 'Outro Nome Qualquer' })
      const before = signed.length
      await assert
        .rejects(grants.finish(owner.by, id, PROOF), code('proxies/role-changed'))
        .finally(() => scene.register.set(owner.cpf, record))
      assert.equal(signed.length, before)
    })

    test('what stops after the key and before the transaction ends has given nothing; of two at once one gives', async () => {
      const open = await given()
      const id = await confirmed()
      meanwhile = () => Promise.reject(new Error('killed'))
      await assert.rejects(grants.finish(owner.by, id, PROOF), /killed/).finally(() => {
        meanwhile = async () => {}
      })
      assert.equal(await given(), open)
      const lost = async () => (await scene.audit.ledger(owner.accountId, { limit: 100 })).filter(({ type }) => type === 'proxies/signing-lost').length
      const before = await lost()
      assert.ok(before > 0, 'on record at once')
      await grants.begin(owner.by, id)
      const twice = await Promise.allSettled([grants.finish(owner.by, id, PROOF), grants.finish(owner.by, id, PROOF)])
      assert.deepEqual(twice.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
      assert.equal(await given(), open + 1)
      assert.equal(await lost(), before, 'what gave is not lost')
    })

    test('each person of several gets an instrument of their own; what is passed on is signed too', async () => {
      const other = await scene.addPerson()
      const giver = await scene.addPerson()
      const id = await grants.prepare(giver.by, scene.terms([holder, other], sale, { subDepth: 1 }))
      await grants.begin(giver.by, id)
      const [first, second] = await grants.finish(giver.by, id, PROOF)
      assert.ok(first && second)
      assert.equal(signed.at(-1)?.pdfs.length, 2)
      await scene.proxies.mandates.accept(holder.by, first.id)
      const clerk = await scene.addPerson()
      await assert.rejects(
        scene.proxies.mandates.subdelegate(holder.by, first.id, scene.terms(clerk, sale)),
        code('proxies/signature-needed'),
      )
      const passing = await grants.prepare(holder.by, scene.terms(clerk, sale), first.id)
      await grants.begin(holder.by, passing)
      const [passed] = await grants.finish(holder.by, passing, PROOF)
      assert.equal(passed?.parentId, first.id)
    })

    test('a company that several bind together cannot give it; ten wait at most, and what nobody signs is forgotten', async () => {
      const partner = await scene.addPerson()
      const firm = scene.addCompany([owner, partner], { quorum: 2 })
      await assert.rejects(
        grants.prepare({ ...owner.by, company: firm.cnpj }, scene.terms(holder, sale)),
        code('proxies/terms-refused', 'hands'),
      )
      const giver = await scene.addPerson()
      for (let index = 0; index < 10; index += 1) await grants.prepare(giver.by, scene.terms(holder, sale))
      await assert.rejects(grants.prepare(giver.by, scene.terms(holder, sale)), code('proxies/too-many-requests'))
      scene.clock.advance(3_600_001)
      assert.ok((await grants.purge()) >= 10)
      const [left] = await scene.db.query<{ n: number }>('SELECT count(*)::int AS n FROM mandate_signing')
      assert.equal(left?.n, 0)
    })
  })
}

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Problem } from '../../src/platform/problem.ts'
import type { Power } from '../../src/proxies/index.ts'
import { addDays, endOfDay } from '../../src/proxies/mandate/day.ts'
import { testDatabases } from '../support/database.ts'
import { openScene, type Person, type ProxyScene, SYSTEM } from './support/scene.ts'

const HOUR_MS = 3_600_000
const code = (wanted: string, detail?: string) => (error: unknown) =>
  error instanceof Problem && error.code === wanted && (detail === undefined || error.detail === detail)

for (const { label, open } of testDatabases()) {
  describe(`mandates on ${label}`, () => {
    let scene: ProxyScene
    let ipva: Power
    let maria: Person
    let joao: Person
    before(async () => {
      scene = await openScene(await open())
      ipva = await scene.addRole('ipva.consultar', { subDepth: 2 })
      maria = await scene.addPerson()
      joao = await scene.addPerson()
    })
    after(() => scene.close())

    const decide = (actor: Person, represented: Person, role: Power = ipva, more: object = {}) =>
      scene.proxies.decide({ actor: actor.ref, represented: represented.ref, role, ...more })

    test('a mandate counts once its delegate has taken it on, and is told to both', async () => {
      const { mandates } = scene.proxies
      const [given] = await mandates.grant(maria.by, scene.terms(joao, ipva))
      assert.equal(given?.state, 'pending_acceptance')
      assert.equal((await decide(joao, maria)).reason, 'pending')
      const accepted = await mandates.accept(joao.by, given.id)
      assert.equal(accepted.state, 'active')
      const decision = await decide(joao, maria)
      assert.deepEqual([decision.permit, decision.reason, decision.mandateId, decision.until], [true, 'mandate', given.id, given.validThrough])
      assert.deepEqual(decision.chain, [{ mandateId: given.id, depth: 0 }])
      assert.deepEqual((await mandates.history(maria.by, given.id)).map(({ type }) => type), ['granted', 'accepted'])
      for (const { accountId } of [maria, joao]) {
        const types = (await scene.audit.ledger(accountId, { limit: 10 })).map(({ type }) => type)
        assert.ok(types.includes('proxies/granted') && types.includes('proxies/accepted'))
      }
      assert.ok(scene.told.some(({ accountId, notice, everywhere }) => accountId === maria.accountId && notice === 'granted' && everywhere))
      assert.deepEqual((await mandates.listGiven(maria.by)).map(({ id }) => id), [given.id])
      assert.deepEqual((await mandates.listReceived(joao.by)).map(({ id }) => id), [given.id])
      const [choice] = await scene.proxies.parties.representable(joao.personId)
      assert.deepEqual([choice?.document, choice?.mandateId, choice?.powers], [maria.cpf, given.id, [ipva]])
      assert.deepEqual(await scene.proxies.parties.representable(joao.personId, { roles: ['saude:agenda'] }), [])
      assert.equal((await decide(maria, joao)).permit, false, 'nothing flows back')
      await mandates.revoke(maria.by, given.id)
      assert.equal((await decide(joao, maria)).reason, 'ended')
      assert.deepEqual(await scene.proxies.parties.representable(joao.personId), [])
      assert.ok(scene.ended.includes(given.id))
    })

    test('a link to a mandate is no key: another CPF is told that there is none', async () => {
      const { mandates } = scene.proxies
      const eva = await scene.addPerson()
      const [given] = await mandates.grant(maria.by, scene.terms(joao, ipva))
      assert.ok(given)
      for (const attempt of ['accept', 'refuse', 'revoke', 'renounce', 'resume'] as const) {
        await assert.rejects(mandates[attempt](eva.by, given.id), code('proxies/mandate-not-found'), attempt)
      }
      await assert.rejects(mandates.get(eva.by, given.id), code('proxies/mandate-not-found'))
      await assert.rejects(mandates.accept(maria.by, given.id), code('proxies/step-out-of-order'), 'the grantor cannot take it on for them')
      assert.equal((await mandates.refuse(joao.by, given.id)).state, 'refused')
      await assert.rejects(mandates.accept(joao.by, given.id), code('proxies/step-out-of-order'))
    })

    test('a grantor has prata, has just proved who they are, and has not just been taken over', async () => {
      const { grant } = scene.proxies.mandates
      const terms = scene.terms(joao, ipva)
      await assert.rejects(grant((await scene.addPerson({ level: 'bronze' })).by, terms), code('proxies/level-needed'))
      const before = (minutes: number) => new Date(scene.clock.now().getTime() - minutes * 60_000)
      const old = await scene.addSession(maria, { at: before(6) })
      await assert.rejects(grant(old, terms), code('proxies/freshness-needed'))
      await assert.rejects(grant(await scene.addSession(maria, { aal: 1 }), terms), code('proxies/freshness-needed'))
      await assert.rejects(grant({ accountId: maria.accountId }, terms), code('proxies/freshness-needed'), 'no session')
      await assert.rejects(grant({ ...maria.by, sessionId: joao.by.sessionId }, terms), code('proxies/freshness-needed'), 'of somebody else')
      await grant(await scene.addSession(maria, { aal: 1, at: before(60), faceAt: before(4) }), terms)
      const rui = await scene.addPerson()
      for (const column of ['recovered_at', 'credentials_changed_at']) {
        await scene.db.execute(`UPDATE account SET ${column} = $2 WHERE id = $1`, [rui.accountId, before(60 * 23)])
        await assert.rejects(grant(rui.by, terms), code('proxies/held'), column)
        await scene.db.execute(`UPDATE account SET ${column} = $2 WHERE id = $1`, [rui.accountId, before(60 * 24)])
        await grant(rui.by, terms)
      }
      await scene.db.execute(`UPDATE account SET status = 'suspended' WHERE id = $1`, [rui.accountId])
      await assert.rejects(grant(rui.by, terms), code('accounts/account-not-active'))
    })

    test('a delegate is named by number and name: neither gives the other away', async () => {
      const { grant } = scene.proxies.mandates
      const named = (person: Person, name: string) => scene.terms({ ...person, name }, ipva)
      await assert.rejects(grant(maria.by, named(joao, 'Outra Pessoa')), code('proxies/delegate-not-confirmed'))
      const unknown = { ...joao, ref: { kind: 'person', cpf: '52998224725' as never } } as const
      await assert.rejects(grant(maria.by, scene.terms(unknown, ipva)), code('proxies/delegate-not-confirmed'))
      await assert.rejects(grant(maria.by, scene.terms(maria, ipva)), code('proxies/terms-refused', 'delegates'), 'oneself')
    })

    test('terms stay within what the role allows', async () => {
      const { grant } = scene.proxies.mandates
      const agenda = await scene.addRole('agenda', { longestDays: 30, subDepth: 0, delegateKinds: ['person'] }, 'saude')
      const refused: [object, string][] = [
        [{ validThrough: addDays(scene.today, 30) }, 'term'],
        [{ validThrough: addDays(scene.today, -1) }, 'term'],
        [{ validFrom: addDays(scene.today, -1) }, 'term'],
        [{ subDepth: 1 }, 'subDepth'],
        [{ subDepth: -1 }, 'subDepth'],
        [{ quorum: 2 }, 'quorum'],
        [{ kind: 'advocaticia' }, 'kind'],
        [{ powers: [agenda, ipva] }, 'powers'],
        [{ powers: [agenda, agenda] }, 'powers'],
        [{ powers: [] }, 'powers'],
        [{ delegates: [] }, 'delegates'],
        [{ instance: ' ' }, 'instance'],
      ]
      for (const [change, detail] of refused) {
        const terms = scene.terms(joao, agenda, { validThrough: addDays(scene.today, 29), ...change })
        await assert.rejects(grant(maria.by, terms), code('proxies/terms-refused', detail), JSON.stringify(change))
      }
      await assert.rejects(grant(maria.by, scene.terms(joao, { ...agenda, version: 9 })), code('proxies/role-not-found'))
      await grant(maria.by, scene.terms(joao, agenda, { validThrough: addDays(scene.today, 29) }))
    })

    test('a role that changed between summary and signature is not signed for', async () => {
      const { mandates, roles } = scene.proxies
      const shown = await scene.addRole('nota.consultar')
      const terms = scene.terms(joao, shown)
      const preview = await mandates.preview(maria.by, terms)
      assert.deepEqual([preview.delegates, preview.isBroad, preview.needsAcceptance], [[{ name: joao.name, kind: 'person' }], false, true])
      const newer = await scene.addRole('nota.consultar', { description: { 'pt-BR': 'vender a casa', en: 'sell the house', es: 'vender la casa' } })
      assert.equal(newer.version, shown.version + 1)
      await assert.rejects(mandates.grant(maria.by, terms), code('proxies/role-changed'))
      await assert.rejects(scene.db.execute(`UPDATE proxy_role SET definition = '{}'::jsonb WHERE code = 'nota.consultar' AND version = $1`, [newer.version]))
      await assert.rejects(scene.db.execute(`DELETE FROM proxy_role WHERE code = 'nota.consultar' AND version = $1`, [shown.version]))
      assert.equal((await roles.find(shown))?.definition.description['pt-BR'], 'consultar e pagar o IPVA')
      await assert.rejects(roles.publish({ namespace: 'sefaz', code: 'nota.consultar' }, SYSTEM), code('proxies/role-not-found'), 'there is no draft')
    })

    test('the last day counts to its end in Mato Grosso, and then the mandate is over before any job has seen it', async () => {
      const [one, two] = [await scene.addPerson(), await scene.addPerson()]
      const mandate = await scene.active(one, two, ipva, { validThrough: addDays(scene.today, 2) })
      assert.ok(mandate.validThrough)
      const end = endOfDay(mandate.validThrough)
      const now = scene.clock.now()
      scene.clock.set(new Date(end.getTime() - 1))
      assert.equal((await decide(two, one)).permit, true)
      scene.clock.set(end)
      assert.equal((await decide(two, one)).reason, 'over')
      assert.ok((await scene.proxies.lifecycle.sweep()) >= 1)
      assert.equal((await scene.proxies.mandates.find(mandate.id))?.state, 'expired')
      assert.ok(scene.ended.includes(mandate.id))
      scene.clock.set(now)
    })

    test('broad powers count after 24 hours, and are told on every channel', async () => {
      const broad = await scene.addRole('tudo', { broad: true })
      const [one, two] = [await scene.addPerson(), await scene.addPerson()]
      await scene.active(one, two, broad)
      assert.ok(scene.told.some((told) => told.accountId === one.accountId && told.notice === 'broad' && told.everywhere))
      assert.equal((await decide(two, one, broad)).reason, 'cooling-off')
      scene.clock.advance(24 * HOUR_MS - 1)
      assert.equal((await decide(two, one, broad)).reason, 'cooling-off')
      scene.clock.advance(1)
      assert.equal((await decide(two, one, broad)).permit, true)
      scene.clock.advance(-24 * HOUR_MS)
    })

    test('"não fui eu" stops it at once; only a fresh proof of whoever stopped it lets it count again', async () => {
      const [one, two] = [await scene.addPerson(), await scene.addPerson()]
      const { mandates } = scene.proxies
      const { id } = await scene.active(one, two, ipva)
      assert.equal((await mandates.suspend({ accountId: one.accountId }, id, 'not-me')).state, 'suspended')
      assert.equal((await decide(two, one)).reason, 'suspended')
      assert.ok(scene.ended.includes(id))
      await assert.rejects(mandates.resume(two.by, id), code('proxies/step-out-of-order'))
      await assert.rejects(mandates.resume({ accountId: one.accountId }, id), code('proxies/freshness-needed'))
      await mandates.resume(one.by, id)
      assert.equal((await decide(two, one)).permit, true)
      assert.equal((await mandates.renounce(two.by, id)).state, 'renounced')
      assert.equal((await decide(two, one)).reason, 'ended')
    })

    test('a grantor whose level fell gives nothing any more; a deceased delegate or grantor ends it', async () => {
      const [one, two, three] = [await scene.addPerson(), await scene.addPerson(), await scene.addPerson()]
      const first = await scene.active(one, two, ipva)
      await scene.db.execute('UPDATE evidence SET withdrawn_at = $2 WHERE person_id = $1', [one.personId, scene.clock.now()])
      assert.equal((await decide(two, one)).reason, 'grantor-level')
      await scene.db.execute('UPDATE evidence SET withdrawn_at = NULL WHERE person_id = $1', [one.personId])
      assert.equal((await decide(two, one)).permit, true)
      const second = await scene.active(three, one, ipva)
      const record = scene.register.get(one.cpf)
      assert.ok(record)
      scene.register.set(one.cpf, { ...record, situation: 'deceased' })
      scene.clock.advance(24 * HOUR_MS)
      // No job has run: the decision itself asks the register again after a day.
      assert.equal((await decide(two, one)).permit, false)
      assert.equal((await decide(one, three)).permit, false)
      for (const { id } of [first, second]) assert.equal((await scene.proxies.mandates.find(id))?.state, 'terminated')
      await assert.rejects(scene.proxies.mandates.grant(three.by, scene.terms(one, ipva)), code('proxies/delegate-not-confirmed'))
      scene.clock.advance(-24 * HOUR_MS)
    })

    test('a death that the counter noted ends what the person gave and holds, the same day', async () => {
      const [one, two, three] = [await scene.addPerson(), await scene.addPerson(), await scene.addPerson()]
      const [given, held, others] = [await scene.active(one, two, ipva), await scene.active(three, one, ipva), await scene.active(two, three, ipva)]
      const record = scene.register.get(one.cpf)
      assert.ok(record)
      await scene.proxies.lifecycle.refreshPerson(one.cpf)
      assert.equal((await scene.proxies.mandates.find(given.id))?.state, 'active')
      scene.register.set(one.cpf, { ...record, situation: 'deceased' })
      await scene.proxies.lifecycle.refreshPerson(one.cpf)
      for (const { id } of [given, held]) assert.equal((await scene.proxies.mandates.find(id))?.state, 'terminated')
      assert.equal((await scene.proxies.mandates.find(others.id))?.state, 'active')
      scene.register.set(one.cpf, record)
      await scene.proxies.lifecycle.refreshPerson(one.cpf)
      assert.ok(await scene.active(three, one, ipva), 'taken back, the person may be given power again')
    })

    test('a mandate that nobody takes on lapses after 30 days', async () => {
      const [one, two] = [await scene.addPerson(), await scene.addPerson()]
      const [given] = await scene.proxies.mandates.grant(one.by, scene.terms(two, ipva, { validThrough: addDays(scene.today, 90) }))
      assert.ok(given)
      scene.clock.advance(30 * 24 * HOUR_MS)
      await scene.proxies.lifecycle.sweep()
      assert.equal((await scene.proxies.mandates.find(given.id))?.state, 'lapsed')
      scene.clock.advance(-30 * 24 * HOUR_MS)
    })

    test('a use is decided and written in one transaction, and both see it', async () => {
      const [one, two] = [await scene.addPerson(), await scene.addPerson()]
      const { mandates, uses } = scene.proxies
      const { id } = await scene.active(one, two, ipva)
      const ask = { actor: two.ref, represented: one.ref, role: ipva }
      const { useId } = await uses.record(ask, 'portal')
      assert.ok(useId)
      const seen = await uses.listOf(one.by, id)
      assert.deepEqual(seen.map(({ actorName, clientId }) => [actorName, clientId]), [[two.name, 'portal']])
      assert.equal((await uses.listFor(one.by)).length, 1)
      assert.equal((await scene.audit.ledger(one.accountId, { limit: 1 }))[0]?.type, 'proxies/used')
      assert.ok(scene.told.some(({ accountId, notice }) => accountId === one.accountId && notice === 'used'))
      await mandates.revoke(one.by, id)
      const late = await uses.record(ask, 'portal')
      assert.deepEqual([late.useId, late.decision.permit], [undefined, false])
      await assert.rejects(uses.listOf((await scene.addPerson()).by, id), code('proxies/mandate-not-found'))
    })
  })
}

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { assuranceEvents, createAssurance } from '../../src/assurance/index.ts'
import { createAudit } from '../../src/audit/index.ts'
import { openKeyring } from '../../src/platform/keyring.ts'
import { silentLog } from '../../src/platform/log.ts'
import { fixedClock } from '../support/clock.ts'
import { testDatabases } from '../support/database.ts'

const YEAR_MS = 365 * 86_400_000
const SYSTEM = { kind: 'system' } as const

for (const { label, open } of testDatabases()) {
  test(`assurance on ${label}`, async (t) => {
    const db = await open()
    const clock = fixedClock()
    const keyring = await openKeyring({ db, clock, dataDir: 'memory' })
    t.after(async () => {
      await keyring.close()
      await db.close()
    })
    const audit = createAudit({ db, clock, keyring, log: silentLog, settings: { catalogs: [assuranceEvents] } })
    const assurance = createAssurance({ db, audit, clock, demo: true })
    const strict = createAssurance({ db, audit, clock, demo: false })

    async function addPerson(cpf: string): Promise<{ personId: string; accountId: string }> {
      const [personId, accountId] = [randomUUID(), randomUUID()]
      const now = clock.now()
      await db.execute('INSERT INTO person (id, cpf, name, birth_date, created_at) VALUES ($1, $2, $3, $4, $5)', [personId, cpf, 'Fulana', '1980-01-01', now])
      await db.execute(`INSERT INTO account (id, person_id, status, created_at) VALUES ($1, $2, 'active', $3)`, [accountId, personId, now])
      return { personId, accountId }
    }
    /** The level by the rule and by the statement that every request asks: they must never differ. */
    async function levelOf(accountId: string) {
      const level = await assurance.levelOf(accountId)
      assert.equal((await assurance.findStanding(accountId, undefined))?.level, level)
      return level
    }
    const face = { method: 'face-match', livenessClass: 'basic', referenceTrusted: true, source: 'image-store', actor: SYSTEM } as const

    await t.test('evidence raises the level in its own transaction and is cited in the ledger', async () => {
      const who = await addPerson('00000000001')
      assert.equal(await levelOf(who.accountId), 'bronze')
      await assert.rejects(db.transaction(async (tx) => {
        await assurance.add(tx, { ...face, ...who })
        throw new Error('the caller failed')
      }))
      assert.equal(await levelOf(who.accountId), 'bronze', 'nothing of a failed transaction counts')
      await db.transaction((tx) => assurance.add(tx, { ...face, ...who, details: { threshold: 0.43 } }))
      assert.equal(await levelOf(who.accountId), 'prata')
      const [entry] = await audit.ledger(who.accountId, { limit: 1 })
      assert.equal(entry?.type, 'assurance/evidence-added')
      assert.equal(entry?.data['policyRow'], 'face-basic-demo')
    })

    await t.test('a standing has the session of its own account only', async () => {
      const [own, other] = [await addPerson('00000000011'), await addPerson('00000000012')]
      const text = `INSERT INTO sign_in_session (id, account_id, amr, aal, authenticated_at, created_at, last_seen_at) VALUES ($1, $2, $3, 1, $4, $4, $4)`
      for (const { accountId } of [own, other]) await db.execute(text, [`session-of-${accountId}`, accountId, ['pwd'], clock.now()])
      const found = await assurance.findStanding(own.accountId, `session-of-${own.accountId}`)
      assert.equal(found?.account.id, own.accountId)
      assert.deepEqual([found.session?.id, found.session?.accountId, found.session?.amr], [`session-of-${own.accountId}`, own.accountId, ['pwd']])
      assert.equal((await assurance.findStanding(own.accountId, `session-of-${other.accountId}`))?.session, undefined)
      assert.equal(await assurance.findStanding('not-an-id', undefined), undefined)
    })

    await t.test('outside the demonstration a basic face check adds nothing', async () => {
      const who = await addPerson('00000000002')
      assert.equal(await db.transaction((tx) => strict.add(tx, { ...face, ...who })), undefined)
      assert.equal(await strict.levelOf(who.accountId), 'bronze')
    })

    await t.test('a face seal lowers the level by itself when its five years are over, and stays listed', async () => {
      const who = await addPerson('00000000003')
      await db.transaction((tx) => assurance.add(tx, { ...face, ...who }))
      clock.advance(5 * YEAR_MS - 1000)
      assert.equal(await levelOf(who.accountId), 'prata')
      clock.advance(1000)
      assert.equal(await levelOf(who.accountId), 'bronze')
      const { evidence } = await assurance.explain(who.accountId, { hasReferenceImage: true, faceCheckGrants: 'prata' })
      assert.deepEqual(evidence.map(({ state }) => state), ['expired'])
    })

    await t.test('a withdrawn seal counts no more, once', async () => {
      const who = await addPerson('00000000004')
      const item = await db.transaction((tx) => assurance.add(tx, { ...face, ...who }))
      const withdraw = () => db.transaction((tx) => assurance.withdraw(tx, { id: item?.id ?? '', accountId: who.accountId, reason: 'test', actor: SYSTEM }))
      assert.deepEqual(await Promise.all([withdraw(), withdraw()]).then((all) => all.sort()), [false, true])
      assert.equal(await levelOf(who.accountId), 'bronze')
    })

    await t.test('"não fui eu" doubts face checks since a day, not what is older or was not remote', async () => {
      const who = await addPerson('00000000005')
      await db.transaction((tx) => assurance.add(tx, { ...face, ...who }))
      clock.advance(40 * 86_400_000)
      const since = clock.now()
      await db.transaction((tx) => assurance.add(tx, { ...face, ...who }))
      await db.transaction((tx) => assurance.add(tx, { method: 'counter-documents', source: 'counter', actor: SYSTEM, ...who }))
      const done = await db.transaction((tx) => assurance.withdrawRemote(tx, { ...who, since, reason: 'not-me', actor: SYSTEM }))
      assert.equal(done, 1)
      assert.equal(await levelOf(who.accountId), 'prata')
    })

    await t.test('every explanation offers a way up without a camera', async () => {
      const who = await addPerson('00000000006')
      const { level, ways } = await assurance.explain(who.accountId, { hasReferenceImage: false, faceCheckGrants: 'prata' })
      assert.equal(level, 'bronze')
      for (const target of ['prata', 'ouro'] as const) assert.ok(ways.some((way) => way.target === target && !way.needsCamera))
      assert.deepEqual(ways.filter(({ needsCamera }) => needsCamera), [{ target: 'prata', way: 'face-check', needsCamera: true, obstacle: 'no-reference-image' }])
    })
  })
}

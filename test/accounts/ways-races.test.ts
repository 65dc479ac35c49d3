/** What an owner does in one browser while another signs in, proves or recovers: the other's answer is held until it is done. No alarm, and nothing twice. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { generateSync } from 'otplib'
import { type Account, type AccountId, parsePersonId, type PersonId, type RegistrationConfirmation } from '../../src/accounts/index.ts'
import { hashPassword } from '../../src/accounts/password/argon2id.ts'
import { testDatabases } from '../support/database.ts'
import { beside as runBeside, holdable } from '../support/held-statements.ts'
import { Authenticator } from './support/authenticator.ts'
import { addPerson, CHEAP, counter, cpfNumber, FACTS, FORM, GOOD_PASSWORD, openRoom, registerCitizen, type Room, strangers } from './support/room.ts'

const OTHER_PASSWORD = 'outra-senha-boa-83'
/** Read with what is judged by them. */
const BY_CPF = /AS ways\b[\s\S]*WHERE p\.cpf = /
const BY_ID = /AS ways\b[\s\S]*WHERE a\.id = /

for (const database of testDatabases()) {
  const held = holdable(database)
  const inTransactions = { skip: database.label === 'PGlite' && 'one transaction at a time' }

  describe(`ways in that change while they are judged, on ${database.label}`, () => {
    let room: Room
    before(async () => {
      room = await openRoom(held)
    })
    after(() => room.close())

    const next = counter()
    const elsewhere = strangers(71)
    async function newCitizen(): Promise<{ account: Account; id: AccountId; cpf: string; mail: string }> {
      const cpf = cpfNumber(1200 + next())
      const account = await registerCitizen(room, cpf)
      return { account, id: account.id, cpf, mail: `c${cpf}@example.org` }
    }
    const changer = (id: AccountId, sessionId?: string) => ({ accountId: id, authenticatedAt: room.clock.now(), facts: FACTS, sessionId })
    const signIn = (cpf: string, password = GOOD_PASSWORD) => room.accounts.signIn({ cpf, password, facts: elsewhere(), binding: 'b' })
    const makeCodes = (id: AccountId) => room.accounts.factors.recoveryCodes.make(changer(id))
    async function enableTotp(id: AccountId): Promise<() => string> {
      const { totp } = room.accounts.factors
      const { factorId, secret } = await totp.start(changer(id))
      const code = () => generateSync({ secret, epoch: room.clock.now().getTime() / 1000 })
      await totp.confirm(changer(id), { factorId, code: code() })
      room.clock.advance(30_000)
      return code
    }
    async function noAlarm(id: AccountId): Promise<void> {
      assert.deepEqual((await room.events('accounts/ways-broken')).filter(({ subject_id: subject }) => subject === id), [])
    }
    /** Whether the session was opened by its owner's own ways: only then may it change them. */
    const isSealed = async (id: AccountId, sessionId: string) =>
      room.accounts.factors.totp.start(changer(id, sessionId)).then(() => true, () => false)

    /** Runs `work`, and `meanwhile` once the statement of `work` is answered. */
    async function during<T>(text: RegExp, work: () => Promise<T>, meanwhile: () => Promise<unknown>): Promise<T> {
      const statement = held.hold(text)
      const [working] = [work()]
      await statement.reached
      await meanwhile()
      statement.release()
      return working
    }

    const beside = <A, B>(text: RegExp, first: () => Promise<A>, second: () => Promise<B>) => runBeside({ hold: held.hold, db: room.db }, text, first, second)

    test('a password is judged while another browser makes paper codes', async () => {
      const { id, cpf } = await newCitizen()
      const entered = await during(BY_CPF, () => signIn(cpf), () => makeCodes(id))
      assert.ok(entered.kind === 'signed-in')
      assert.equal(await isSealed(id, entered.session.id), true)
      await noAlarm(id)
    })

    test('the former password is refused without an alarm when it changes while it is judged', async () => {
      const { id, cpf } = await newCitizen()
      const change = () => room.accounts.changePassword(changer(id), { current: GOOD_PASSWORD, next: OTHER_PASSWORD })
      const statement = held.hold(BY_CPF)
      const signing = signIn(cpf)
      await statement.reached
      room.clock.advance(1000)
      assert.equal((await change()).kind, 'changed')
      statement.release()
      assert.equal((await signing).kind, 'refused')
      await noAlarm(id)
    })

    test('a second factor is judged while another browser makes paper codes', async () => {
      const { id, cpf } = await newCitizen()
      const code = await enableTotp(id)
      const owed = await during(BY_CPF, () => signIn(cpf), () => makeCodes(id))
      assert.ok(owed.kind === 'second-factor')
      const entered = await during(BY_ID, () => room.accounts.steps.verifySecondFactor({ ticket: owed.ticket, binding: 'b', proof: { method: 'totp', code: code() }, facts: FACTS }), () => makeCodes(id))
      assert.ok(entered.kind === 'signed-in')
      room.clock.advance(30_000)
      assert.equal(await isSealed(id, entered.session.id), true)
      await noAlarm(id)
    })

    test('whoever signs, proves more or shows their face meanwhile is still the owner', inTransactions, async () => {
      const { id, cpf } = await newCitizen()
      const { sessions } = room.accounts
      const entered = await signIn(cpf)
      assert.ok(entered.kind === 'signed-in')
      const sessionId = entered.session.id
      assert.equal(await during(BY_ID, () => room.accounts.hasOwnWays(id), () => makeCodes(id)), true)
      await during(BY_ID, () => room.db.transaction((tx) => sessions.addFactor(tx, sessionId, { accountId: id, added: ['otp'], nonce: 'n' })), () => makeCodes(id))
      await during(BY_ID, () => room.db.transaction((tx) => sessions.recordFace(tx, sessionId, { accountId: id, livenessClass: 'active', nonce: 'n' })), () => makeCodes(id))
      const proved = await sessions.findProved(id, sessionId, 'n')
      assert.deepEqual([proved.secondFactorAt !== undefined, proved.faceAt !== undefined], [true, true])
      await noAlarm(id)
    })

    test('a password that was right before it changed owes no second factor any more', async () => {
      const { id, cpf } = await newCitizen()
      const code = await enableTotp(id)
      const change = async () => {
        room.clock.advance(1000)
        await room.accounts.changePassword(changer(id), { current: GOOD_PASSWORD, next: OTHER_PASSWORD })
      }
      const owed = await during(BY_CPF, () => signIn(cpf), change)
      assert.ok(owed.kind === 'second-factor')
      const end = await room.accounts.steps.verifySecondFactor({ ticket: owed.ticket, binding: 'b', proof: { method: 'totp', code: code() }, facts: FACTS })
      assert.equal(end.kind, 'gone')
    })

    test('nobody is signed in by what opened an account before the counter made it anew, or took a lost device out', async () => {
      const { steps, sessions, counter: acts, counterAccess, factors } = room.accounts
      const isOut = async (id: AccountId, of: number) => assert.equal((await sessions.list(id)).length, of)
      const anew = ({ account }: { account: Account }) => room.db.transaction((tx) => counterAccess.open(tx, { personId: account.personId, locale: 'pt-BR' }))

      const [byPassword, justRegistered, byPasskey] = [await newCitizen(), await newCitizen(), await newCitizen()]
      assert.equal((await during(BY_CPF, () => signIn(byPassword.cpf), () => anew(byPassword))).kind, 'refused')
      await isOut(byPassword.id, 1)
      await noAlarm(byPassword.id)

      await anew(justRegistered)
      assert.equal(await steps.signInRegistered({ account: justRegistered.account, facts: FACTS }), undefined)
      await isOut(justRegistered.id, 1)

      const key = new Authenticator()
      const started = await factors.passkeys.startRegistration(changer(byPasskey.id))
      const passkey = await factors.passkeys.finishRegistration(changer(byPasskey.id), { ceremonyId: started.id, response: key.create(started.options), label: 'x' })
      const asked = await steps.startPasskey('b')
      const lost = () => room.db.transaction((tx) => acts.endLost(tx, byPasskey.id, { passkeyIds: [passkey.id], totp: false, phone: false }, { kind: 'system' }))
      const end = await during(BY_ID, () => steps.signInWithPasskey({ ceremonyId: asked.id, binding: 'b', response: key.get(asked.options), facts: FACTS }), lost)
      assert.equal(end.kind, 'refused')
      await isOut(byPasskey.id, 0)
      await noAlarm(byPasskey.id)
    })

    test('two browsers sign in at once while the password is hashed at another cost', async () => {
      const { id, cpf } = await newCitizen()
      await room.db.execute('UPDATE account SET password_hash = $2 WHERE id = $1', [id, hashPassword(GOOD_PASSWORD, { ...CHEAP, memoryKib: 32 })])
      assert.equal((await during(BY_CPF, () => signIn(cpf), () => signIn(cpf))).kind, 'signed-in')
    })

    test('a recovery is proved while the owner makes paper codes', async () => {
      const { id, cpf, mail } = await newCitizen()
      const started = await room.accounts.recovery.start({ cpf, method: 'email', binding: 'r', facts: FACTS })
      assert.ok(started.kind === 'started')
      const code = (await room.sent(mail)).at(-1)?.code ?? ''
      const proved = await during(BY_ID, () => room.accounts.recovery.proveByCode({ id: started.id, binding: 'r' }, code, FACTS), () => makeCodes(id))
      assert.equal(proved.kind, 'next')
      await noAlarm(id)
    })

    describe('a registration beside the counter', inTransactions, () => {
      /** Whom a counter knows, by a former name, and who has no account. */
      async function newPerson(): Promise<{ personId: PersonId; cpf: string; confirm: () => Promise<RegistrationConfirmation> }> {
        const cpf = cpfNumber(1200 + next())
        const email = `c${cpf}@example.org`
        addPerson(room, cpf)
        const [row] = await room.db.query<{ id: string }>(
          "INSERT INTO person (id, cpf, name, birth_date, created_at) VALUES (gen_random_uuid(), $1, 'Maria Aparecida', '1985-03-12', now()) RETURNING id", [cpf])
        const started = await room.accounts.registration.start({ form: { ...FORM, cpf, email }, locale: 'pt-BR', binding: 'browser', facts: elsewhere() })
        const personId = parsePersonId(row?.id ?? '')
        assert.ok(started.kind === 'started' && personId)
        const code = (await room.sent(email)).at(-1)?.code ?? ''
        return { personId, cpf, confirm: () => room.accounts.registration.confirm({ id: started.id, binding: 'browser', code }) }
      }

      async function accountOf(personId: PersonId): Promise<{ id: AccountId; status: string } | undefined> {
        return (await room.db.query<{ id: AccountId; status: string }>('SELECT id, status FROM account WHERE person_id = $1', [personId]))[0]
      }
      const open = (personId: PersonId) => room.db.transaction((tx) => room.accounts.counterAccess.open(tx, { personId, locale: 'pt-BR' }))
      const WHOSE = /^SELECT id FROM account WHERE person_id/

      test('whichever is first, there is one account whose ways are its owner\'s', async () => {
        const orders = [
          ({ personId, confirm }: Awaited<ReturnType<typeof newPerson>>) => beside(WHOSE, () => open(personId), confirm),
          async ({ personId, confirm }: Awaited<ReturnType<typeof newPerson>>) => (await beside(/^INSERT INTO person/, confirm, () => open(personId))).reverse(),
        ]
        for (const order of orders) {
          const person = await newPerson()
          const ends = await order(person)
          assert.deepEqual(ends.map(({ status }) => status), ['fulfilled', 'fulfilled'])
          const account = await accountOf(person.personId)
          assert.equal(account && (await room.accounts.hasOwnWays(account.id)), true)
        }
      })

      test('two cases of a person open one account', async () => {
        const { personId } = await newPerson()
        const ends = await beside(WHOSE, () => open(personId), () => open(personId))
        assert.deepEqual(ends.map(({ status }) => status), ['fulfilled', 'fulfilled'])
        assert.equal(await room.accounts.hasOwnWays((await accountOf(personId))?.id ?? assert.fail()), true)
      })

      test('a record that is corrected meanwhile is sealed with the account', async () => {
        const { personId, confirm } = await newPerson()
        const correct = () => room.db.transaction((tx) => room.accounts.counter.correctRecord(tx, personId, { name: 'Maria da Silva', birthDate: '1985-03-12' }))
        assert.deepEqual((await beside(WHOSE, correct, confirm)).map(({ status }) => status), ['fulfilled', 'fulfilled'])
        assert.equal(await room.accounts.hasOwnWays((await accountOf(personId))?.id ?? assert.fail()), true)
      })

      test('nobody opens an account with a registration from before a death was noted', async () => {
        const note = (personId: PersonId) => room.db.transaction((tx) => room.accounts.counter.noteDeath(tx, personId, { kind: 'system' }))
        const [earlier, meanwhile] = [await newPerson(), await newPerson()]
        await note(earlier.personId)
        assert.equal((await earlier.confirm()).kind, 'gone')
        await beside(WHOSE, () => note(meanwhile.personId), meanwhile.confirm)
        assert.notEqual((await accountOf(meanwhile.personId))?.status, 'active')
      })
    })

    describe('two processes that seal accounts from before there were seals', inTransactions, () => {
      const sealFirst = () => room.accounts.sealFirst()
      const forget = 'UPDATE account SET ways_seal = NULL, ways_version = 0 WHERE id = $1'
      async function fromBefore(...ids: AccountId[]): Promise<void> {
        await room.db.execute('ALTER TABLE audit_event DISABLE TRIGGER USER')
        await room.db.execute("DELETE FROM audit_event WHERE type IN ('accounts/ways-sealed', 'accounts/ways-first-sealed')")
        await room.db.execute('ALTER TABLE audit_event ENABLE TRIGGER USER')
        for (const id of ids) await room.db.execute(forget, [id])
      }

      test('what its owner stops while an account is read is sealed as it is then', async () => {
        const { id } = await newCitizen()
        await fromBefore(id)
        const [sealed] = await beside(/AS ways\b/, sealFirst, () => room.accounts.safety.suspend(id, { reason: 'operator', actor: { kind: 'system' } }))
        assert.equal(sealed.status, 'fulfilled')
        assert.equal(await room.accounts.hasOwnWays(id), true)
      })

      test('the slower one seals nothing that was written after the quicker one was done', async () => {
        const [before, written] = [await newCitizen(), await newCitizen()]
        await fromBefore(before.id)
        const write = async () => {
          assert.equal(await sealFirst(), true)
          await room.db.execute(forget, [written.id])
        }
        const [slower] = await beside(/AS highest/, sealFirst, write)
        assert.ok(slower.status === 'fulfilled' && !slower.value)
        assert.deepEqual([await room.accounts.hasOwnWays(before.id), await room.accounts.hasOwnWays(written.id)], [true, false])
      })
    })
  })
}

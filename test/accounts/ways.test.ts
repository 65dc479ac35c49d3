/**
 * An operator reads and writes every row, and has what the citizen gave away; the ways into an account are sealed, so what they write opens
 * nothing that needs its owner alone.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { generateSync } from 'otplib'
import { type Account, ACCOUNTS_PROBLEMS } from '../../src/accounts/index.ts'
import { isProblem } from '../../src/platform/problem.ts'
import { testDatabases } from '../support/database.ts'
import { Authenticator } from './support/authenticator.ts'
import { addPerson, counter, cpfNumber, FACTS, FORM, GOOD_PASSWORD, openRoom, parallel, registerCitizen, type Room, strangers } from './support/room.ts'

const OPERATORS_PASSWORD = 'jacare-do-operador-31'
const isUnconfirmed = (error: unknown) => isProblem(error, ACCOUNTS_PROBLEMS.waysUnconfirmed)

interface Person {
  readonly account: Account
  readonly cpf: string
  readonly mail: string
}

for (const database of testDatabases()) {
  describe(`sealed ways in on ${database.label}`, () => {
    let room: Room
    before(async () => {
      room = await openRoom(database)
    })
    after(() => room.close())

    const next = counter()
    const elsewhere = strangers(69)
    async function newCitizen(): Promise<Person> {
      const cpf = cpfNumber(900 + next())
      return { account: await registerCitizen(room, cpf), cpf, mail: `c${cpf}@example.org` }
    }
    const changer = ({ account }: Person, sessionId?: string) => ({ accountId: account.id, authenticatedAt: room.clock.now(), facts: FACTS, sessionId })
    const signIn = (cpf: string, password = GOOD_PASSWORD, sessionId?: string) => room.accounts.signIn({ cpf, password, facts: elsewhere(), binding: 'b', sessionId })
    const own = ({ account }: Person) => room.accounts.hasOwnWays(account.id)
    const codeNow = (secret: string) => generateSync({ secret, epoch: room.clock.now().getTime() / 1000 })
    const hashOf = async ({ account }: Person) => (await room.db.query<{ hash: string }>('SELECT password_hash AS hash FROM account WHERE id = $1', [account.id]))[0]?.hash

    async function enableTotp(person: Person): Promise<string> {
      const { factorId, secret } = await room.accounts.factors.totp.start(changer(person))
      await room.accounts.factors.totp.confirm(changer(person), { factorId, code: codeNow(secret) })
      room.clock.advance(30_000)
      return secret
    }

    /** The account's row and its rows of factors, to be put back later. */
    async function rowOf({ account }: Person): Promise<() => Promise<void>> {
      const [row] = await room.db.query<{ password_hash: string; password_changed_at: Date; recovered_at: Date | null; status: string; ways_version: number; ways_seal: Buffer }>(
        'SELECT password_hash, password_changed_at, recovered_at, status, ways_version, ways_seal FROM account WHERE id = $1', [account.id],
      )
      assert.ok(row)
      return async () => {
        await room.db.execute('UPDATE account SET password_hash = $2, password_changed_at = $3, recovered_at = $4, status = $5, ways_version = $6, ways_seal = $7 WHERE id = $1', [
          account.id, row.password_hash, row.password_changed_at, row.recovered_at, row.status, row.ways_version, row.ways_seal,
        ])
      }
    }

    test('every change through the pages leaves the ways sealed', async () => {
      const person = await newCitizen()
      const { factors, contacts } = room.accounts
      const check = async (what: string) => assert.equal(await own(person), true, what)
      await check('registration')
      const secret = await enableTotp(person)
      await check('app on')
      const [code = ''] = await factors.recoveryCodes.make(changer(person))
      await check('codes made')
      const key = new Authenticator()
      const started = await factors.passkeys.startRegistration(changer(person))
      const passkey = await factors.passkeys.finishRegistration(changer(person), { ceremonyId: started.id, response: key.create(started.options), label: 'x' })
      await check('passkey added')
      const ticket = await signIn(person.cpf)
      assert.ok(ticket.kind === 'second-factor')
      await room.accounts.steps.verifySecondFactor({ ticket: ticket.ticket, binding: 'b', proof: { method: 'recovery-code', code }, facts: FACTS })
      await check('code used')
      const asked = await room.accounts.steps.startPasskey('b')
      assert.equal((await room.accounts.steps.signInWithPasskey({ ceremonyId: asked.id, binding: 'b', response: key.get(asked.options), facts: FACTS })).kind, 'signed-in')
      await check('passkey used')
      const { id } = await contacts.start(changer(person), { kind: 'email', value: `nova${person.mail}` })
      await contacts.confirm(changer(person), { id, code: (await room.sent(`nova${person.mail}`)).at(-1)?.code ?? '' })
      await check('address changed')
      assert.equal((await room.accounts.changePassword(changer(person), { current: GOOD_PASSWORD, next: 'outra-senha-boa-83' })).kind, 'changed')
      await check('password changed')
      await factors.passkeys.remove(changer(person), passkey.id)
      await factors.totp.remove(changer(person))
      await check(`factors off ${secret.length}`)
      await room.db.transaction((tx) => room.accounts.counter.endLost(tx, person.account.id, { passkeyIds: [], totp: false, phone: false }, { kind: 'system' }))
      await check('counter')
      await room.accounts.safety.suspend(person.account.id, { reason: 'not-me', actor: { kind: 'system' } })
      await check('suspended')
      const kept = (await contacts.list(person.account.id)).map(({ id: contactId }) => contactId)
      await room.db.transaction((tx) => room.accounts.counter.unblock(tx, person.account.id, { passkeyIds: [], certificateIds: [], contactIds: kept, totp: false, recoveryCodes: false, doubtedSince: room.clock.now() }, { kind: 'system' }))
      await check('unblocked')
      assert.equal((await room.events('accounts/ways-broken')).length, 0)
    })

    test('changes at the same time are sealed one after the other', async () => {
      const person = await newCitizen()
      await parallel(6, () => room.accounts.factors.recoveryCodes.make(changer(person)))
      assert.equal(await own(person), true)
    })

    test('a password that somebody wrote signs in, but gives no proof and changes nothing, also once the row is put back', async () => {
      const [victim, operator] = [await newCitizen(), await newCitizen()]
      await room.accounts.changePassword(changer(operator), { current: GOOD_PASSWORD, next: OPERATORS_PASSWORD })
      const putBack = await rowOf(victim)
      await room.db.execute('UPDATE account SET password_hash = $2 WHERE id = $1', [victim.account.id, await hashOf(operator)])
      assert.equal(await own(victim), false)
      const entered = await signIn(victim.cpf, OPERATORS_PASSWORD)
      assert.ok(entered.kind === 'signed-in')
      assert.deepEqual((await room.events('accounts/ways-broken')).map(({ data, subject_id: id }) => [data['place'], id]).at(-1), ['sign-in', victim.account.id])
      await assert.rejects(room.accounts.factors.totp.start(changer(victim)), isUnconfirmed)
      await assert.rejects(room.accounts.factors.recoveryCodes.make(changer(victim)), isUnconfirmed)
      // Put back, the ways are the owner's again; the session that the operator got is not.
      await putBack()
      assert.equal(await own(victim), true)
      await assert.rejects(room.accounts.factors.totp.start(changer(victim, entered.session.id)), (error) => isProblem(error, ACCOUNTS_PROBLEMS.reauthenticationNeeded))
      const { sessions } = room.accounts
      await room.db.transaction((tx) => sessions.addFactor(tx, entered.session.id, { accountId: victim.account.id, added: ['otp'], nonce: 'n' }))
      await room.db.transaction((tx) => sessions.recordFace(tx, entered.session.id, { accountId: victim.account.id, livenessClass: 'active', nonce: 'n' }))
      assert.deepEqual(await sessions.findProved(victim.account.id, entered.session.id, 'n'), { secondFactorAt: undefined, faceAt: undefined })
    })

    test('nothing of the ways can be written: no factor taken away, address, hold, state, number or seal', async () => {
      const writings = [
        'UPDATE totp_factor SET removed_at = now() WHERE account_id = $1',
        'UPDATE recovery_code SET removed_at = now() WHERE account_id = $1',
        "UPDATE contact SET value = 'operador@example.org' WHERE account_id = $1",
        "INSERT INTO contact (id, account_id, kind, value, is_primary, verified_at, created_at) VALUES (gen_random_uuid(), $1, 'phone', '65999990000', true, now(), now())",
        'UPDATE account SET password_hash = NULL WHERE id = $1',
        "UPDATE account SET recovered_at = now() - interval '2 days' WHERE id = $1",
        "UPDATE account SET status = 'suspended' WHERE id = $1",
        'UPDATE account SET ways_version = ways_version + 1 WHERE id = $1',
        'UPDATE account SET ways_seal = NULL WHERE id = $1',
      ]
      const victims = await Promise.all(writings.map(newCitizen))
      for (const [index, text] of writings.entries()) {
        const victim = victims[index]
        assert.ok(victim)
        if (index === 0) await enableTotp(victim)
        if (index === 1) await room.accounts.factors.recoveryCodes.make(changer(victim))
        assert.equal(await own(victim), true)
        await room.db.execute(text, [victim.account.id])
        assert.equal(await own(victim), false, text)
      }
    })

    test('an older state that was sealed once does not come back', async () => {
      const victim = await newCitizen()
      // The operator knows the password, and keeps the row from before the app was there.
      const putBack = await rowOf(victim)
      await enableTotp(victim)
      await putBack()
      await room.db.execute('UPDATE totp_factor SET removed_at = now() WHERE account_id = $1', [victim.account.id])
      const entered = await signIn(victim.cpf)
      assert.ok(entered.kind === 'signed-in', 'the row says that the password is enough')
      assert.equal(await own(victim), false)
      await assert.rejects(room.accounts.factors.totp.start(changer(victim, entered.session.id)), isUnconfirmed)
      const { sessions } = room.accounts
      await room.db.transaction((tx) => sessions.addFactor(tx, entered.session.id, { accountId: victim.account.id, added: ['otp'], nonce: 'n' }))
      assert.equal((await sessions.findProved(victim.account.id, entered.session.id, 'n')).secondFactorAt, undefined)
    })

    test('recovery by an address that somebody wrote ends without a new password; a counter that makes all anew seals it', async () => {
      const victim = await newCitizen()
      await room.db.execute("UPDATE contact SET value = 'operador2@example.org' WHERE account_id = $1", [victim.account.id])
      const { recovery } = room.accounts
      const started = await recovery.start({ cpf: victim.cpf, method: 'email', binding: 'b', facts: elsewhere() })
      assert.ok(started.kind === 'started')
      const handle = { id: started.id, binding: 'b' }
      await assert.rejects(recovery.proveByCode(handle, (await room.sent('operador2@example.org')).at(-1)?.code ?? '', FACTS), isUnconfirmed)
      assert.equal((await signIn(victim.cpf)).kind, 'signed-in', 'the password is what it was')
      assert.equal((await room.events('accounts/ways-broken')).some(({ data }) => data['place'] === 'recovery'), true)
      // What only closes doors goes on, and blesses nothing.
      await room.accounts.safety.suspend(victim.account.id, { reason: 'not-me', actor: { kind: 'system' } })
      assert.equal(await own(victim), false)
      const opened = await room.db.transaction((tx) => room.accounts.counterAccess.open(tx, { personId: victim.account.personId, locale: 'pt-BR' }))
      assert.equal(opened?.accountId, victim.account.id)
      assert.equal(await own(victim), true)
    })

    test('a recovery that somebody wrote a step further, or gave to another browser or account, is gone', async () => {
      const [victim, operator] = [await newCitizen(), await newCitizen()]
      const { recovery } = room.accounts
      for (const text of [
        "UPDATE one_time_token SET state = 'new-password' WHERE id = $1",
        "UPDATE one_time_token SET binding = 'of the operator' WHERE id = $1",
        'UPDATE one_time_token SET account_id = $2 WHERE id = $1',
      ]) {
        const started = await recovery.start({ cpf: victim.cpf, method: 'email', binding: 'b', facts: elsewhere() })
        assert.ok(started.kind === 'started')
        assert.ok(await recovery.find({ id: started.id, binding: 'b' }))
        await room.db.execute(text, text.includes('$2') ? [started.id, operator.account.id] : [started.id])
        for (const binding of ['b', 'of the operator']) {
          assert.equal(await recovery.find({ id: started.id, binding }), undefined, text)
          assert.equal((await recovery.setPassword({ id: started.id, binding }, OPERATORS_PASSWORD, FACTS)).kind, 'gone')
        }
        room.clock.advance(600_000)
      }
    })

    test('counters that are set back give no more codes to guess', async () => {
      const victim = await newCitizen()
      const secret = await enableTotp(victim)
      const entered = await signIn(victim.cpf)
      assert.ok(entered.kind === 'second-factor')
      const wrong = codeNow(secret) === '000000' ? '000001' : '000000'
      const guess = async (code: string) => (await room.accounts.steps.verifySecondFactor({ ticket: entered.ticket, binding: 'b', proof: { method: 'totp', code }, facts: FACTS })).kind
      for (let index = 0; index < 10; index += 1) {
        assert.equal(await guess(wrong), 'wrong')
        await room.db.execute('DELETE FROM throttle')
      }
      assert.equal(await guess(wrong), 'wait')
      assert.equal(await guess(codeNow(secret)), 'wait', 'for right ones too')
    })

    test('an address or a factor that is another for a moment recovers nothing', async () => {
      const { recovery } = room.accounts
      const victim = await newCitizen()
      const setAddress = (value: string) => room.db.execute('UPDATE contact SET value = $2 WHERE account_id = $1', [victim.account.id, value])
      const begin = async () => {
        const started = await recovery.start({ cpf: victim.cpf, method: 'email', binding: 'b', facts: elsewhere() })
        assert.ok(started.kind === 'started')
        return { id: started.id, binding: 'b' }
      }
      const codeTo = async (address: string) => (await room.sent(address)).at(-1)?.code ?? ''
      // The code goes to the operator; then the address is the owner's again.
      await setAddress('operador4@example.org')
      const misled = await begin()
      const code = await codeTo('operador4@example.org')
      await setAddress(victim.mail)
      assert.equal(await own(victim), true)
      assert.equal((await recovery.proveByCode(misled, code, FACTS)).kind, 'gone')
      assert.equal((await recovery.resend(misled)).kind, 'gone')
      // The same at another sending of the code.
      const begun = await begin()
      await setAddress('operador5@example.org')
      assert.equal((await recovery.resend(begun)).kind, 'gone')
      assert.equal((await room.sent('operador5@example.org')).length, 0)
      await setAddress(victim.mail)
      // The operator reads the mail, but has no second factor, which is away for the moment that asks whether there is one.
      await enableTotp(victim)
      const unowed = await begin()
      await room.db.execute('UPDATE totp_factor SET confirmed_at = NULL WHERE account_id = $1', [victim.account.id])
      await assert.rejects(recovery.proveByCode(unowed, await codeTo(victim.mail), FACTS), isUnconfirmed)
    })

    test('the link of another recovery leads to none', async () => {
      const [victim, operator] = [await newCitizen(), await newCitizen()]
      const { recovery } = room.accounts
      const begin = async ({ cpf }: Person) => {
        const started = await recovery.start({ cpf, method: 'email', binding: 'b', facts: elsewhere() })
        assert.ok(started.kind === 'started')
        return started.id
      }
      const [theirs, own] = [await begin(victim), await begin(operator)]
      const link = (await room.sent(operator.mail)).at(-1)?.link ?? ''
      const [row] = await room.db.query<{ hash: Buffer }>('SELECT link_hash AS hash FROM one_time_token WHERE id = $1', [own])
      await room.db.execute('UPDATE one_time_token SET link_hash = NULL WHERE id = $1', [own])
      await room.db.execute('UPDATE one_time_token SET link_hash = $2 WHERE id = $1', [theirs, row?.hash])
      assert.equal((await recovery.proveByLink(link, 'of the operator')).kind, 'gone')
    })

    test('who signs is sealed: another name, CPF or person is nobody\'s account', async () => {
      for (const text of [
        "UPDATE person SET name = 'Nome de Outra Pessoa' WHERE id = $1",
        "UPDATE person SET social_name = 'Nome de Outra Pessoa' WHERE id = $1",
        `UPDATE person SET cpf = '${cpfNumber(899)}' WHERE id = $1`,
        "WITH other AS (INSERT INTO person (id, cpf, name, birth_date, created_at) VALUES (gen_random_uuid(), '00000000000', 'Outra', '1980-01-01', now()) RETURNING id) UPDATE account SET person_id = other.id FROM other WHERE person_id = $1",
      ]) {
        const person = await newCitizen()
        await room.db.execute(text, [person.account.personId])
        assert.equal(await own(person), false, text)
      }
      const married = await newCitizen()
      const { birthDate } = married.account.citizen.reveal()
      await room.db.transaction((tx) => room.accounts.counter.correctRecord(tx, married.account.personId, { name: 'Nome de Casada', birthDate }))
      assert.equal(await own(married), true)
      assert.equal((await room.accounts.get(married.account.id)).citizen.reveal().name, 'Nome de Casada')
    })

    test('a password that was another for the moment of the first step gives no proof after the second', async () => {
      const [victim, operator] = [await newCitizen(), await newCitizen()]
      const secret = await enableTotp(victim)
      await room.accounts.changePassword(changer(operator), { current: GOOD_PASSWORD, next: OPERATORS_PASSWORD })
      const [theirs, other] = [await hashOf(victim), await hashOf(operator)]
      const second = async (ticket: string) => room.accounts.steps.verifySecondFactor({ ticket, binding: 'b', proof: { method: 'totp', code: codeNow(secret) }, facts: FACTS, nonce: 'n' })
      const setHash = (hash: string | undefined) => room.db.execute('UPDATE account SET password_hash = $2 WHERE id = $1', [victim.account.id, hash])
      await setHash(other)
      const entered = await signIn(victim.cpf, OPERATORS_PASSWORD)
      await setHash(theirs)
      assert.ok(entered.kind === 'second-factor')
      const false_ = await second(entered.ticket)
      assert.ok(false_.kind === 'signed-in')
      assert.equal((await room.accounts.sessions.findProved(victim.account.id, false_.session.id, 'n')).secondFactorAt, undefined)
      room.clock.advance(30_000)
      const again = await signIn(victim.cpf)
      assert.ok(again.kind === 'second-factor')
      const right = await second(again.ticket)
      assert.ok(right.kind === 'signed-in')
      assert.ok((await room.accounts.sessions.findProved(victim.account.id, right.session.id, 'n')).secondFactorAt)
    })

    test('who signs in while an older state is there has no proof when the newer one is back', async () => {
      const victim = await newCitizen()
      const secret = await enableTotp(victim)
      const older = await rowOf(victim)
      // The owner's new password is unknown to who knows the old one, and has the phone.
      await room.accounts.changePassword(changer(victim), { current: GOOD_PASSWORD, next: 'outra-senha-boa-83' })
      room.clock.advance(30_000)
      const newer = await rowOf(victim)
      await older()
      const entered = await signIn(victim.cpf)
      assert.ok(entered.kind === 'second-factor')
      const done = await room.accounts.steps.verifySecondFactor({ ticket: entered.ticket, binding: 'b', proof: { method: 'totp', code: codeNow(secret) }, facts: FACTS, nonce: 'n' })
      assert.ok(done.kind === 'signed-in')
      await newer()
      assert.equal(await own(victim), true)
      assert.equal((await room.accounts.sessions.findProved(victim.account.id, done.session.id, 'n')).secondFactorAt, undefined)
    })

    test('paper codes prove a second factor, also under a seal that they change', async () => {
      const victim = await newCitizen()
      await enableTotp(victim)
      const [code = ''] = await room.accounts.factors.recoveryCodes.make(changer(victim))
      const entered = await signIn(victim.cpf)
      assert.ok(entered.kind === 'second-factor')
      const done = await room.accounts.steps.verifySecondFactor({ ticket: entered.ticket, binding: 'b', proof: { method: 'recovery-code', code }, facts: FACTS, nonce: 'n' })
      assert.ok(done.kind === 'signed-in')
      assert.ok((await room.accounts.sessions.findProved(victim.account.id, done.session.id, 'n')).secondFactorAt)
    })

    async function register(cpf: string, mail: string) {
      addPerson(room, cpf)
      const started = await room.accounts.registration.start({ form: { ...FORM, cpf, email: mail }, locale: 'pt-BR', binding: 'browser', facts: elsewhere() })
      assert.ok(started.kind === 'started')
      return room.accounts.registration.confirm({ id: started.id, binding: 'browser', code: (await room.sent(mail)).at(-1)?.code ?? '' })
    }

    test('an account that somebody wrote closed, moved away or laid things into is not taken over by registering its CPF', async () => {
      for (const [index, text] of [
        "UPDATE account SET status = 'closed' WHERE id = $1",
        "WITH other AS (INSERT INTO person (id, cpf, name, birth_date, created_at) VALUES (gen_random_uuid(), '00000000001', 'Outra', '1980-01-01', now()) RETURNING id) UPDATE account SET person_id = other.id FROM other WHERE account.id = $1",
      ].entries()) {
        const victim = await newCitizen()
        await room.db.execute(text, [victim.account.id])
        await assert.rejects(register(victim.cpf, `operador${6 + index}@example.org`), isUnconfirmed, text)
      }
      const closed = await newCitizen()
      await room.accounts.safety.close(changer(closed))
      await room.db.execute("UPDATE contact SET removed_at = NULL, is_primary = false, value = 'operador3@example.org' WHERE account_id = $1", [closed.account.id])
      await assert.rejects(register(closed.cpf, closed.mail), isUnconfirmed)
    })

    test('an account that its owner closed opens again when its CPF registers', async () => {
      const person = await newCitizen()
      await room.accounts.safety.close(changer(person))
      assert.equal((await register(person.cpf, person.mail)).kind, 'confirmed')
      assert.equal(await own(person), true)
    })

    test('accounts from before seals are sealed once, as they are; afterwards one without a seal is nobody\'s', async () => {
      const [before, late] = [await newCitizen(), await newCitizen()]
      const forget = "UPDATE account SET ways_seal = NULL, ways_version = 0 WHERE id = $1"
      for (const person of [before, late]) await room.db.execute(forget, [person.account.id])
      await room.db.execute('ALTER TABLE audit_event DISABLE TRIGGER USER')
      await room.db.execute("DELETE FROM audit_event WHERE type = 'accounts/ways-sealed'")
      await room.db.execute('ALTER TABLE audit_event ENABLE TRIGGER USER')
      assert.equal(await own(before), false)
      assert.equal(await room.accounts.sealFirst(), true)
      assert.deepEqual([await own(before), await own(late)], [true, true])
      await room.accounts.factors.recoveryCodes.make(changer(before))
      assert.equal(await own(before), true)
      await room.db.execute(forget, [late.account.id])
      assert.equal(await room.accounts.sealFirst(), false)
      assert.equal(await own(late), false)
    })
  })
}

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { generateSync } from 'otplib'
import { type Account, ACCOUNTS_PROBLEMS, type Changer, type SignedIn } from '../../src/accounts/index.ts'
import { isProblem, type ProblemKind } from '../../src/platform/problem.ts'
import { testDatabases } from '../support/database.ts'
import { addPerson, counter, cpfNumber, FACTS, FORM, GOOD_PASSWORD, openRoom, parallel, registerCitizen, type Room, strangers } from './support/room.ts'

const NEW_PASSWORD = 'ipê-roxo na janela 3'
const MINUTE_MS = 60_000

const refuses = (kind: ProblemKind) => (error: unknown) => isProblem(error, kind)

for (const database of testDatabases()) {
  describe(`changes of an account on ${database.label}`, () => {
    let room: Room
    before(async () => {
      room = await openRoom(database)
    })
    after(() => room.close())

    const next = counter()
    const elsewhere = strangers(67)
    async function newCitizen() {
      const cpf = cpfNumber(5000 + next())
      return { cpf, account: await registerCitizen(room, cpf), mail: `c${cpf}@example.org` }
    }
    const changer = (account: Account): Changer => ({ accountId: account.id, authenticatedAt: room.clock.now(), facts: FACTS })
    async function signIn(cpf: string, password = GOOD_PASSWORD, facts = elsewhere()): Promise<SignedIn> {
      const result = await room.accounts.signIn({ cpf, password, facts, binding: 'b' })
      assert.ok(result.kind === 'signed-in', result.kind)
      return result
    }

    test('every sensitive change needs a sign-in of the last 20 minutes and a live session (checklist 22)', async () => {
      const { cpf, account } = await newCitizen()
      const { session } = await signIn(cpf)
      const { factors, contacts, changePassword, safety } = room.accounts
      const changes: ((who: Changer) => Promise<unknown>)[] = [
        (who) => factors.totp.start(who), (who) => factors.totp.remove(who), (who) => factors.recoveryCodes.make(who),
        (who) => factors.passkeys.startRegistration(who), (who) => factors.passkeys.remove(who, account.id),
        (who) => contacts.start(who, { kind: 'email', value: 'other@example.org' }), (who) => contacts.remove(who, 'email'),
        (who) => changePassword(who, { current: GOOD_PASSWORD, next: NEW_PASSWORD }), (who) => safety.close(who),
      ]
      const stale = { ...changer(account), authenticatedAt: new Date(room.clock.now().getTime() - 20 * MINUTE_MS - 1000) }
      const foreign = { ...changer(account), sessionId: 'somebody else’s' }
      await room.accounts.sessions.end(account.id, session.id, 'citizen')
      const ended = { ...changer(account), sessionId: session.id }
      for (const who of [stale, foreign, ended]) {
        for (const change of changes) await assert.rejects(change(who), refuses(ACCOUNTS_PROBLEMS.reauthenticationNeeded))
      }
      await room.accounts.safety.suspend(account.id, { reason: 'operator', actor: { kind: 'operator', id: 'op' } })
      for (const change of changes) await assert.rejects(change(changer(account)), refuses(ACCOUNTS_PROBLEMS.accountNotActive))
    })

    test('a new password needs the current one, ends the other sessions and is announced', async () => {
      const { cpf, account, mail } = await newCitizen()
      const [here, there] = [await signIn(cpf), await signIn(cpf)]
      const who = { ...changer(account), sessionId: here.session.id }
      assert.deepEqual(await room.accounts.changePassword(who, { current: 'errada', next: NEW_PASSWORD }), { kind: 'wrong' })
      assert.deepEqual(await room.accounts.changePassword(who, { current: GOOD_PASSWORD, next: 'curta' }), { kind: 'refused', fault: 'too-short' })
      assert.deepEqual(await room.accounts.changePassword(who, { current: GOOD_PASSWORD, next: NEW_PASSWORD }), { kind: 'changed' })
      assert.ok(await room.accounts.sessions.findLive(here.session.id))
      assert.equal(await room.accounts.sessions.findLive(there.session.id), undefined)
      assert.deepEqual(room.ended.at(-1), { accountId: account.id, sessionIds: [there.session.id], reason: 'password-changed', offlineToo: false })
      assert.equal((await room.sent(mail)).at(-1)?.purpose, 'password-changed')
      assert.equal((await room.accounts.signIn({ cpf, password: GOOD_PASSWORD, facts: elsewhere(), binding: 'b' })).kind, 'refused')
      room.clock.advance(1000)
      await signIn(cpf, NEW_PASSWORD)
    })

    test('whoever sits at an open session cannot guess the password for ever', async () => {
      const { account } = await newCitizen()
      for (let index = 0; index < 10; index += 1) await room.accounts.changePassword(changer(account), { current: `x${index}`, next: NEW_PASSWORD })
      await assert.rejects(room.accounts.changePassword(changer(account), { current: GOOD_PASSWORD, next: NEW_PASSWORD }), refuses(ACCOUNTS_PROBLEMS.tooManyAttempts))
    })

    test('a second factor does not survive a password that changed since', async () => {
      const { cpf, account } = await newCitizen()
      const { factorId, secret } = await room.accounts.factors.totp.start(changer(account))
      await room.accounts.factors.totp.confirm(changer(account), { factorId, code: generateSync({ secret, epoch: room.clock.now().getTime() / 1000 }) })
      const step = await room.accounts.signIn({ cpf, password: GOOD_PASSWORD, facts: elsewhere(), binding: 'b' })
      assert.ok(step.kind === 'second-factor')
      room.clock.advance(1000)
      await room.accounts.changePassword(changer(account), { current: GOOD_PASSWORD, next: NEW_PASSWORD })
      const proof = { method: 'totp', code: '000000' } as const
      assert.equal((await room.accounts.steps.verifySecondFactor({ ticket: step.ticket, binding: 'b', proof, facts: FACTS })).kind, 'gone')
    })

    test('a new mail address counts after its code; the former one is told and kept as history', async () => {
      const { account, mail } = await newCitizen()
      const { contacts } = room.accounts
      const { id, address } = await contacts.start(changer(account), { kind: 'email', value: ' Nova@Example.org ' })
      assert.equal(address.value, 'nova@example.org')
      assert.equal((await room.accounts.get(account.id)).citizen.reveal().email, mail)
      const code = (await room.sent('nova@example.org')).at(-1)?.code ?? ''
      assert.deepEqual(await contacts.confirm(changer(account), { id, code: 'x' }), { kind: 'wrong', attemptsLeft: 9 })
      assert.deepEqual(await contacts.confirm(changer(account), { id, code }), { kind: 'confirmed' })
      assert.equal((await room.accounts.get(account.id)).citizen.reveal().email, 'nova@example.org')
      assert.equal((await room.sent(mail)).at(-1)?.purpose, 'contact-changed')
      assert.deepEqual((await contacts.list(account.id)).map(({ value }) => value), ['nova@example.org'])
      assert.equal((await contacts.list(account.id, { former: true })).length, 2)
      assert.deepEqual(await contacts.confirm(changer(account), { id, code }), { kind: 'gone' })
    })

    test('of twenty confirmations of one address at once exactly one counts', async () => {
      const { account } = await newCitizen()
      const value = `race${account.id}@example.org`
      const { id } = await room.accounts.contacts.start(changer(account), { kind: 'email', value })
      const code = (await room.sent(value)).at(-1)?.code ?? ''
      const results = await parallel(10, () => room.accounts.contacts.confirm(changer(account), { id, code }).catch((error: unknown) => error))
      assert.equal(results.filter((result) => typeof result === 'object' && result !== null && 'kind' in result && result.kind === 'confirmed').length, 1)
    })

    test('a phone beside the mail address; the last contact stays', async () => {
      const { account } = await newCitizen()
      const { contacts } = room.accounts
      await assert.rejects(contacts.remove(changer(account), 'email'), refuses(ACCOUNTS_PROBLEMS.lastContact))
      await assert.rejects(contacts.start(changer(account), { kind: 'phone', value: '3312-3456' }), refuses(ACCOUNTS_PROBLEMS.contactRefused))
      const { id } = await contacts.start(changer(account), { kind: 'phone', value: '(65) 99123-4567' })
      const [sms] = (await room.sent('+5565991234567')).slice(-1)
      assert.equal(sms?.channel, 'sms')
      assert.ok((sms?.text.length ?? 999) <= 160, 'one SMS')
      await contacts.confirm(changer(account), { id, code: sms?.code ?? '' })
      await contacts.remove(changer(account), 'email')
      const { email, phone } = (await room.accounts.get(account.id)).citizen.reveal()
      assert.deepEqual([email, phone], [undefined, '+5565991234567'])
    })

    test('a code for an address belongs to its account', async () => {
      const [one, two] = [await newCitizen(), await newCitizen()]
      const { id } = await room.accounts.contacts.start(changer(one.account), { kind: 'email', value: 'mine@example.org' })
      const code = (await room.sent('mine@example.org')).at(-1)?.code ?? ''
      assert.deepEqual(await room.accounts.contacts.confirm(changer(two.account), { id, code }), { kind: 'gone' })
    })

    test('sessions end one by one, all at once, by device, by rest and by age (checklist 19, 20)', async () => {
      const { cpf, account } = await newCitizen()
      const other = await newCitizen()
      const { sessions } = room.accounts
      const [one, two, three] = [await signIn(cpf), await signIn(cpf), await signIn(cpf)]
      assert.equal((await sessions.list(account.id)).length, 3)
      assert.equal(await sessions.end(other.account.id, one.session.id, 'citizen'), false, 'not somebody else’s')
      assert.equal(await sessions.end(account.id, one.session.id, 'citizen'), true)
      assert.equal(await sessions.end(account.id, one.session.id, 'citizen'), false)
      assert.equal(await sessions.findLive(one.session.id), undefined)
      assert.equal(await sessions.endDevice(account.id, two.session.deviceId ?? ''), true)
      assert.equal(await sessions.findLive(two.session.id), undefined)
      assert.equal((await room.accounts.listDevices(account.id)).length, 2)
      room.clock.advance(59 * MINUTE_MS)
      assert.ok(await sessions.findLive(three.session.id))
      room.clock.advance(60 * MINUTE_MS)
      assert.ok(await sessions.findLive(three.session.id), 'its use was noted')
      room.clock.advance(61 * MINUTE_MS)
      assert.equal(await sessions.findLive(three.session.id), undefined, 'an hour of rest')
      const long = await signIn(cpf)
      for (let hour = 0; hour < 24; hour += 1) {
        room.clock.advance(59 * MINUTE_MS)
        assert.ok(await sessions.findLive(long.session.id), `hour ${hour}`)
      }
      room.clock.advance(30 * MINUTE_MS)
      assert.equal(await sessions.findLive(long.session.id), undefined, 'a day in all')
    })

    test('a removed device is a new one when it comes back', async () => {
      const { cpf, account, mail } = await newCitizen()
      const first = await signIn(cpf)
      const again = await signIn(cpf, GOOD_PASSWORD, { ...elsewhere(), deviceCookie: first.deviceCookie })
      assert.equal(again.session.deviceId, first.session.deviceId)
      await room.accounts.sessions.endDevice(account.id, first.session.deviceId ?? '')
      await signIn(cpf, GOOD_PASSWORD, { ...elsewhere(), deviceCookie: first.deviceCookie })
      assert.equal((await room.sent(mail)).at(-1)?.purpose, 'new-device')
    })

    test('a face check is noted in a live session only', async () => {
      const { cpf, account } = await newCitizen()
      const { session } = await signIn(cpf)
      const { sessions } = room.accounts
      const noted = await room.db.transaction((tx) => sessions.recordFace(tx, session.id, { accountId: session.accountId, livenessClass: 'active' }))
      assert.deepEqual([noted.amr, noted.aal, noted.faceClass], [['pwd', 'face'], 1, 'active'])
      await sessions.end(account.id, session.id, 'signed-out')
      await assert.rejects(room.db.transaction((tx) => sessions.recordFace(tx, session.id, { accountId: session.accountId, livenessClass: 'active' })), refuses(ACCOUNTS_PROBLEMS.unknownSession))
    })

    test('no session opens beside a suspension, however close (checklist 21)', async () => {
      const { cpf, account } = await newCitizen()
      const results = await parallel<unknown>(12, (index) =>
        index === 6
          ? room.accounts.safety.suspend(account.id, { reason: 'not-me', actor: { kind: 'system' } })
          : room.accounts.signIn({ cpf, password: GOOD_PASSWORD, facts: elsewhere(), binding: 'b' }))
      assert.ok(results.includes(true))
      assert.deepEqual(await room.accounts.sessions.list(account.id), [])
    })

    test('a closed account lets nobody in, tells its owner, and the CPF may register again', async () => {
      const { cpf, account, mail } = await newCitizen()
      const { session } = await signIn(cpf)
      await room.accounts.safety.close(changer(account))
      assert.equal((await room.sent(mail)).at(-1)?.purpose, 'closed')
      assert.equal(await room.accounts.sessions.findLive(session.id), undefined)
      assert.equal((await room.accounts.signIn({ cpf, password: GOOD_PASSWORD, facts: elsewhere(), binding: 'b' })).kind, 'refused')
      assert.deepEqual(await room.accounts.contacts.list(account.id), [])
      addPerson(room, cpf)
      const started = await room.accounts.registration.start({ form: { ...FORM, cpf, email: 'back@example.org' }, locale: 'es', binding: 'b', facts: elsewhere() })
      assert.ok(started.kind === 'started')
      const [sent] = await room.sent('back@example.org')
      assert.match(sent?.text ?? '', /^Hola, Maria\./)
      const confirmed = await room.accounts.registration.confirm({ id: started.id, binding: 'b', code: sent?.code ?? '' })
      assert.ok(confirmed.kind === 'confirmed' && confirmed.account.id === account.id && confirmed.account.status === 'active')
      room.clock.advance(1000)
      await signIn(cpf)
    })

    test('a stored hash at an old cost is renewed at sign-in (checklist 10)', async () => {
      const { cpf, account } = await newCitizen()
      const { hashPassword } = await import('../../src/accounts/password/argon2id.ts')
      await room.db.execute('UPDATE account SET password_hash = $2 WHERE id = $1', [account.id, hashPassword(GOOD_PASSWORD, { memoryKib: 32, passes: 1, parallelism: 1 })])
      await signIn(cpf)
      const [row] = await room.db.query<{ password_hash: string }>('SELECT password_hash FROM account WHERE id = $1', [account.id])
      assert.match(row?.password_hash ?? '', /m=64,t=1,p=1/)
    })

    test('an account and its audit record show nothing of the person', async () => {
      const { cpf, account } = await newCitizen()
      const { inspect } = await import('node:util')
      for (const text of [inspect(account, { depth: 5 }), JSON.stringify(account)]) assert.doesNotMatch(text, /Maria|example\.org|1985-03/)
      const events = JSON.stringify(await room.events())
      for (const text of [cpf, 'Maria', 'example.org', '1985-03-12', GOOD_PASSWORD, 'argon2', FACTS.ip]) assert.equal(events.includes(text), false, text)
    })
  })
}

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { generateSync } from 'otplib'
import { type Account, ACCOUNTS_PROBLEMS, type RecoveryMethod } from '../../src/accounts/index.ts'
import { nextStep, RECOVERY_STEPS, type RecoveryEvent } from '../../src/accounts/recovery/step.ts'
import { isProblem } from '../../src/platform/problem.ts'
import { testDatabases } from '../support/database.ts'
import { counter, cpfNumber, FACTS, GOOD_PASSWORD, openRoom, parallel, registerCitizen, type Room, strangers } from './support/room.ts'

const NEW_PASSWORD = 'ipê-roxo na janela 3'
const HOUR_MS = 3_600_000

test('no step of the table leads past the second factor but its proof', () => {
  const events: RecoveryEvent[] = ['resent', 'proved', 'proved-owing-factor', 'factor-proved', 'password-set']
  const ways = RECOVERY_STEPS.flatMap((step) => events.map((event) => {
    try {
      return `${step} ${event} ${nextStep(step, event)}`
    } catch (error) {
      assert.ok(isProblem(error, ACCOUNTS_PROBLEMS.stepOutOfOrder))
      return ''
    }
  })).filter((way) => way !== '')
  assert.deepEqual(ways, [
    'email-sent resent email-sent', 'email-sent proved new-password', 'email-sent proved-owing-factor second-factor',
    'recovery-code proved new-password', 'recovery-code proved-owing-factor second-factor',
    'face proved new-password', 'face proved-owing-factor second-factor',
    'second-factor factor-proved new-password', 'new-password password-set done',
  ])
})

for (const database of testDatabases()) {
  describe(`recovery on ${database.label}`, () => {
    let room: Room
    before(async () => {
      room = await openRoom(database)
    })
    after(() => room.close())

    const next = counter()
    const elsewhere = strangers(66)
    async function newCitizen() {
      const cpf = cpfNumber(2000 + next())
      return { cpf, account: await registerCitizen(room, cpf), mail: `c${cpf}@example.org` }
    }
    async function begin(cpf: string, method: RecoveryMethod) {
      const started = await room.accounts.recovery.start({ cpf, method, binding: 'browser', facts: elsewhere() })
      assert.ok(started.kind === 'started')
      const [mail] = (await room.sent(`c${cpf}@example.org`)).filter(({ purpose }) => purpose === 'recovery-code').slice(-1)
      return { handle: { id: started.id, binding: 'browser' }, code: mail?.code ?? '', link: mail?.link ?? '', step: started.step }
    }
    const changer = (account: Account) => ({ accountId: account.id, authenticatedAt: room.clock.now(), facts: FACTS })
    const signIn = (cpf: string, password: string) => room.accounts.signIn({ cpf, password, facts: elsewhere(), binding: 'b' })
    const code = (secret: string) => generateSync({ secret, epoch: room.clock.now().getTime() / 1000 })
    async function enableTotp(account: Account): Promise<string> {
      const { factorId, secret } = await room.accounts.factors.totp.start(changer(account))
      await room.accounts.factors.totp.confirm(changer(account), { factorId, code: code(secret) })
      room.clock.advance(30_000)
      return secret
    }
    const setPassword = (handle: { id: string; binding: string }, password = NEW_PASSWORD) => room.accounts.recovery.setPassword(handle, password, FACTS)

    test('by mail: code, new password, all sessions dead, every address told, changes held for 24 hours', async () => {
      const { cpf, account, mail } = await newCitizen()
      const session = await signIn(cpf, GOOD_PASSWORD)
      assert.ok(session.kind === 'signed-in')
      const { handle, code: sent } = await begin(cpf, 'email')
      assert.deepEqual(await room.accounts.recovery.proveByCode(handle, sent, FACTS), { kind: 'next', id: handle.id, step: 'new-password', factors: [] })
      assert.deepEqual(await setPassword(handle, 'curta'), { kind: 'refused', fault: 'too-short' })
      assert.equal((await setPassword(handle)).kind, 'recovered')
      assert.equal(await room.accounts.sessions.findLive(session.session.id), undefined)
      assert.deepEqual(room.ended.at(-1), { accountId: account.id, sessionIds: [session.session.id], reason: 'recovered', offlineToo: true })
      assert.equal((await room.sent(mail)).at(-1)?.purpose, 'recovered')
      assert.equal((await signIn(cpf, GOOD_PASSWORD)).kind, 'refused')
      assert.equal((await signIn(cpf, NEW_PASSWORD)).kind, 'signed-in')
      const { factors } = room.accounts
      await assert.rejects(factors.totp.start(changer(account)), (error) => isProblem(error, ACCOUNTS_PROBLEMS.changesHeld))
      assert.equal(room.accounts.canChangeSensitive(await room.accounts.get(account.id)), false)
      room.clock.advance(24 * HOUR_MS)
      assert.equal(room.accounts.canChangeSensitive(await room.accounts.get(account.id)), true)
      assert.ok((await factors.totp.start(changer(account))).secret)
    })

    test('by the mail’s link, which moves the recovery to the browser that opens it, once', async () => {
      const { cpf } = await newCitizen()
      const { handle, link, code: sent } = await begin(cpf, 'email')
      const results = await parallel(20, (index) => room.accounts.recovery.proveByLink(link, `phone${index}`))
      const winners = results.flatMap((result, index) => (result.kind === 'next' ? [index] : []))
      assert.equal(winners.length, 1)
      assert.equal((await room.accounts.recovery.proveByCode(handle, sent, FACTS)).kind, 'gone', 'the first browser is out')
      assert.equal((await setPassword({ id: handle.id, binding: `phone${winners[0]}` })).kind, 'recovered')
    })

    test('an account with a second factor is asked for it, whatever the way (checklist 15)', async () => {
      for (const method of ['email', 'face', 'recovery-code'] as const) {
        const { cpf, account } = await newCitizen()
        const secret = await enableTotp(account)
        const [paper = '', other = ''] = await room.accounts.factors.recoveryCodes.make(changer(account))
        const { handle, code: sent } = await begin(cpf, method)
        const { recovery } = room.accounts
        const proved = method === 'email' ? await recovery.proveByCode(handle, sent, FACTS)
          : method === 'face' ? await recovery.proveByFace(handle, 'right face', FACTS)
          : await recovery.proveByRecoveryCode(handle, paper, FACTS)
        assert.ok(proved.kind === 'next' && proved.step === 'second-factor', method)
        assert.deepEqual(proved.factors, method === 'recovery-code' ? ['totp'] : ['totp', 'recovery-code'])
        await assert.rejects(setPassword(handle), (error) => isProblem(error, ACCOUNTS_PROBLEMS.stepOutOfOrder))
        if (method === 'recovery-code') {
          assert.equal((await recovery.proveSecondFactor(handle, { method: 'recovery-code', code: other }, FACTS)).kind, 'wrong', 'the same sheet is no second factor')
        }
        const done = await recovery.proveSecondFactor(handle, { method: 'totp', code: code(secret) }, FACTS)
        assert.ok(done.kind === 'next' && done.step === 'new-password')
        assert.equal((await setPassword(handle)).kind, 'recovered')
        const after = await signIn(cpf, NEW_PASSWORD)
        assert.equal(after.kind, 'second-factor', 'the second factor is still on')
      }
    })

    test('by a code on paper, which is used up only with the step that it opens', async () => {
      const { cpf, account } = await newCitizen()
      const [paper = ''] = await room.accounts.factors.recoveryCodes.make(changer(account))
      const { handle } = await begin(cpf, 'recovery-code')
      const results = await parallel(9, () => room.accounts.recovery.proveByRecoveryCode(handle, paper, FACTS).catch((error: unknown) => error))
      assert.equal(results.filter((result) => typeof result === 'object' && result !== null && 'kind' in result && result.kind === 'next').length, 1)
      assert.equal(await room.accounts.factors.recoveryCodes.countLeft(account.id), 9)
      assert.equal((await setPassword(handle)).kind, 'recovered')
    })

    test('by face: only the right one', async () => {
      const { cpf } = await newCitizen()
      const { handle, step } = await begin(cpf, 'face')
      assert.equal(step, 'face')
      assert.equal((await room.accounts.recovery.proveByFace(handle, 'another face', FACTS)).kind, 'wrong')
      assert.equal((await room.accounts.recovery.proveByFace(handle, 'right face', FACTS)).kind, 'next')
    })

    test('an unknown CPF walks the same steps to nowhere (checklist 6)', async () => {
      const { cpf } = await newCitizen()
      for (const method of ['email', 'recovery-code', 'face'] as const) {
        const [known, unknown] = [await begin(cpf, method), await begin(cpfNumber(88_000), method)]
        assert.equal(unknown.step, known.step)
        const { recovery } = room.accounts
        const tries = [known, unknown].map(({ handle }) =>
          method === 'email' ? recovery.proveByCode(handle, '0', FACTS)
            : method === 'face' ? recovery.proveByFace(handle, 'another face', FACTS)
            : recovery.proveByRecoveryCode(handle, 'AAAA', FACTS))
        assert.deepEqual(await Promise.all(tries), [{ kind: 'wrong' }, { kind: 'wrong' }])
        assert.equal((await recovery.find(unknown.handle))?.subject, undefined)
        assert.deepEqual(await setPassword(unknown.handle).catch((error: unknown) => error), { kind: 'gone' })
      }
      assert.equal((await room.accounts.recovery.start({ cpf: '1', method: 'email', binding: 'b', facts: FACTS })).kind, 'invalid-cpf')
    })

    test('ten wrong codes over all recoveries of a CPF, then a wait that grows', async () => {
      const { cpf } = await newCitizen()
      const kinds: string[] = []
      for (let index = 0; index < 4; index += 1) {
        const { handle } = await begin(cpf, 'email')
        for (let guess = 0; guess < 4; guess += 1) kinds.push((await room.accounts.recovery.proveByCode(handle, 'x', FACTS)).kind)
      }
      assert.deepEqual([kinds.filter((kind) => kind === 'wrong').length, kinds.filter((kind) => kind === 'wait').length], [10, 6])
    })

    test('five mails to one person in ten minutes, whoever asks', async () => {
      const { cpf, mail } = await newCitizen()
      const kinds: string[] = []
      for (let index = 0; index < 8; index += 1) {
        kinds.push((await room.accounts.recovery.start({ cpf, method: 'email', binding: 'b', facts: elsewhere() })).kind)
      }
      assert.equal(kinds.filter((kind) => kind === 'started').length, 5)
      assert.equal((await room.sent(mail)).filter(({ purpose }) => purpose === 'recovery-code').length, 5)
    })

    test('a recovery belongs to its browser and lives an hour; a resent code replaces the first', async () => {
      const { cpf, mail } = await newCitizen()
      const { handle, code: first } = await begin(cpf, 'email')
      assert.equal((await room.accounts.recovery.proveByCode({ ...handle, binding: 'another' }, first, FACTS)).kind, 'gone')
      assert.deepEqual(await room.accounts.recovery.resend(handle), { kind: 'sent' })
      const second = (await room.sent(mail)).at(-1)?.code ?? ''
      if (first !== second) assert.equal((await room.accounts.recovery.proveByCode(handle, first, FACTS)).kind, 'wrong')
      assert.equal((await room.accounts.recovery.proveByCode(handle, second, FACTS)).kind, 'next')
      room.clock.advance(HOUR_MS + 1)
      assert.deepEqual(await setPassword(handle), { kind: 'gone' })
    })

    test('of twenty new passwords at once one is set', async () => {
      const { cpf } = await newCitizen()
      const { handle, code: sent } = await begin(cpf, 'email')
      await room.accounts.recovery.proveByCode(handle, sent, FACTS)
      const passwords = Array.from({ length: 20 }, (_, index) => `${NEW_PASSWORD} número ${index}`)
      const ends = await Promise.all(passwords.map((password) => setPassword(handle, password)))
      const winner = ends.findIndex(({ kind }) => kind === 'recovered')
      assert.equal(ends.filter(({ kind }) => kind === 'recovered').length, 1)
      assert.equal((await signIn(cpf, passwords[winner] ?? '')).kind, 'signed-in')
    })

    test('after "não fui eu" the right password says suspended, and recovery opens the account again', async () => {
      const { cpf, account, mail } = await newCitizen()
      const session = await signIn(cpf, GOOD_PASSWORD)
      assert.ok(session.kind === 'signed-in')
      assert.ok(await room.accounts.safety.suspend(account.id, { reason: 'not-me', actor: { kind: 'citizen', id: account.id } }))
      assert.equal(await room.accounts.safety.suspend(account.id, { reason: 'not-me', actor: { kind: 'citizen', id: account.id } }), false)
      assert.equal(await room.accounts.sessions.findLive(session.session.id), undefined)
      assert.equal(room.ended.at(-1)?.offlineToo, true)
      assert.equal((await room.sent(mail)).at(-1)?.purpose, 'suspended')
      assert.equal((await signIn(cpf, GOOD_PASSWORD)).kind, 'suspended')
      assert.equal((await signIn(cpf, 'errada')).kind, 'refused')
      const { handle, code: sent } = await begin(cpf, 'email')
      await room.accounts.recovery.proveByCode(handle, sent, FACTS)
      assert.equal((await setPassword(handle)).kind, 'recovered')
      assert.equal((await room.accounts.get(account.id)).status, 'active')
      assert.equal((await signIn(cpf, NEW_PASSWORD)).kind, 'signed-in')
    })

    test('an operator’s suspension is not lifted by recovery', async () => {
      const { cpf, account, mail } = await newCitizen()
      const actor = { kind: 'operator', id: 'op' } as const
      await room.accounts.safety.suspend(account.id, { reason: 'operator', actor })
      await begin(cpf, 'email')
      assert.deepEqual((await room.sent(mail)).filter(({ purpose }) => purpose === 'recovery-code'), [])
      assert.ok(await room.accounts.safety.resume(account.id, actor))
      assert.equal((await signIn(cpf, GOOD_PASSWORD)).kind, 'signed-in')
    })

    test('recovery ends a lockout', async () => {
      const { cpf } = await newCitizen()
      for (let index = 0; index < 12; index += 1) await signIn(cpf, 'errada')
      assert.equal((await signIn(cpf, GOOD_PASSWORD)).kind, 'refused')
      const { handle, code: sent } = await begin(cpf, 'email')
      await room.accounts.recovery.proveByCode(handle, sent, FACTS)
      await setPassword(handle)
      assert.equal((await signIn(cpf, NEW_PASSWORD)).kind, 'signed-in')
    })
  })
}

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { generateSync } from 'otplib'
import { type Account, ACCOUNTS_PROBLEMS, type FactorProof, type SignInResult } from '../../src/accounts/index.ts'
import { makeTotpSecret, matchingStep, totpUri } from '../../src/accounts/factors/totp-code.ts'
import { isProblem } from '../../src/platform/problem.ts'
import { testDatabases } from '../support/database.ts'
import { Authenticator } from './support/authenticator.ts'
import { counter, cpfNumber, FACTS, GOOD_PASSWORD, openRoom, parallel, registerCitizen, type Room, strangers } from './support/room.ts'

const STEP_MS = 30_000

describe('TOTP codes', () => {
  test('are those of RFC 6238, appendix B (SHA-1, last six digits)', () => {
    const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
    const vectors = [[59, '287082', 1], [1_111_111_109, '081804', 37_037_036], [1_234_567_890, '005924', 41_152_263], [2_000_000_000, '279037', 66_666_666]] as const
    for (const [seconds, code, step] of vectors) assert.equal(matchingStep(secret, code, new Date(seconds * 1000)), step)
  })
  test('one step either way counts, two do not (checklist 13)', () => {
    const secret = makeTotpSecret()
    const now = new Date('2026-11-22T12:00:10Z')
    const codeAt = (steps: number) => generateSync({ secret, epoch: (now.getTime() + steps * STEP_MS) / 1000 })
    const base = matchingStep(secret, codeAt(0), now) ?? 0
    for (const steps of [-1, 0, 1]) assert.equal(matchingStep(secret, codeAt(steps), now), base + steps)
    for (const steps of [-3, -2, 2, 3]) if (![-1, 0, 1].some((near) => codeAt(near) === codeAt(steps))) assert.equal(matchingStep(secret, codeAt(steps), now), undefined)
    for (const code of ['', '12345', '1234567', 'abcdef', ' ']) assert.equal(matchingStep(secret, code, now), undefined)
  })
  test('the QR code names the service and the account', () => {
    const secret = makeTotpSecret()
    assert.equal(secret.length, 32)
    const uri = new URL(totpUri(secret, 'MT Login', '529.982.247-25'))
    assert.deepEqual([uri.protocol, uri.host, uri.searchParams.get('secret'), uri.searchParams.get('issuer')], ['otpauth:', 'totp', secret, 'MT Login'])
  })
})

for (const database of testDatabases()) {
  describe(`second factors on ${database.label}`, () => {
    let room: Room
    before(async () => {
      room = await openRoom(database)
    })
    after(() => room.close())

    const next = counter()
    const elsewhere = strangers(68)
    async function newCitizen(): Promise<{ account: Account; cpf: string }> {
      const cpf = cpfNumber(next())
      const account = await registerCitizen(room, cpf)
      return { account, cpf }
    }
    const changer = (account: Account) => ({ accountId: account.id, authenticatedAt: room.clock.now(), facts: FACTS })
    const signIn = (cpf: string): Promise<SignInResult> => room.accounts.signIn({ cpf, password: GOOD_PASSWORD, facts: elsewhere(), binding: 'b' })
    const codeNow = (secret: string) => generateSync({ secret, epoch: room.clock.now().getTime() / 1000 })
    const prove = (ticket: string, proof: FactorProof) => room.accounts.steps.verifySecondFactor({ ticket, binding: 'b', proof, facts: FACTS })

    async function enableTotp(account: Account): Promise<string> {
      const { factorId, secret } = await room.accounts.factors.totp.start(changer(account))
      await room.accounts.factors.totp.confirm(changer(account), { factorId, code: codeNow(secret) })
      room.clock.advance(STEP_MS)
      return secret
    }

    async function ticketOf(cpf: string): Promise<string> {
      const result = await signIn(cpf)
      assert.ok(result.kind === 'second-factor', result.kind)
      return result.ticket
    }

    async function addPasskey(account: Account, key = new Authenticator()): Promise<Authenticator> {
      const { id, options } = await room.accounts.factors.passkeys.startRegistration(changer(account))
      await room.accounts.factors.passkeys.finishRegistration(changer(account), { ceremonyId: id, response: key.create(options), label: 'Meu celular' })
      return key
    }

    test('a provisional TOTP secret counts for nothing until a code confirms it', async () => {
      const { account, cpf } = await newCitizen()
      const { factorId, secret } = await room.accounts.factors.totp.start(changer(account))
      assert.equal((await signIn(cpf)).kind, 'signed-in')
      const wrong = codeNow(secret) === '000000' ? '000001' : '000000'
      const { totp } = room.accounts.factors
      await assert.rejects(totp.confirm(changer(account), { factorId, code: wrong }), (error) => isProblem(error, ACCOUNTS_PROBLEMS.wrongCode))
      await totp.confirm(changer(account), { factorId, code: codeNow(secret) })
      assert.ok(await totp.isEnabled(account.id))
      const [mail] = (await room.sent(`c${cpf}@example.org`)).slice(-1)
      assert.equal(mail?.purpose, 'totp-enabled')
      const result = await signIn(cpf)
      assert.deepEqual(result.kind === 'second-factor' && result.methods, ['totp'])
      const [row] = await room.db.query<{ secret: Buffer }>('SELECT secret FROM totp_factor WHERE id = $1', [factorId])
      assert.equal(row?.secret.includes(secret), false, 'sealed')
    })

    test('password and code are aal2; the code that confirmed the secret is used up', async () => {
      const { account, cpf } = await newCitizen()
      const { factorId, secret } = await room.accounts.factors.totp.start(changer(account))
      const code = codeNow(secret)
      await room.accounts.factors.totp.confirm(changer(account), { factorId, code })
      const ticket = await ticketOf(cpf)
      assert.equal((await prove(ticket, { method: 'totp', code })).kind, 'wrong')
      room.clock.advance(STEP_MS)
      const result = await prove(ticket, { method: 'totp', code: codeNow(secret) })
      assert.ok(result.kind === 'signed-in')
      assert.deepEqual([result.session.amr, result.session.aal], [['pwd', 'otp', 'mfa'], 2])
    })

    test('of twenty uses of one TOTP code at once exactly one wins', async () => {
      const { account } = await newCitizen()
      const secret = await enableTotp(account)
      for (let round = 0; round < 3; round += 1) {
        const code = codeNow(secret)
        const wins = await parallel(20, () => room.accounts.factors.totp.use(account.id, code))
        assert.equal(wins.filter(Boolean).length, 1)
        room.clock.advance(STEP_MS)
      }
    })

    test('one ticket gives one session, in its own browser, for ten minutes', async () => {
      const { account, cpf } = await newCitizen()
      const secret = await enableTotp(account)
      const ticket = await ticketOf(cpf)
      const other = await room.accounts.steps.verifySecondFactor({ ticket, binding: 'another', proof: { method: 'totp', code: codeNow(secret) }, facts: FACTS })
      assert.equal(other.kind, 'gone')
      assert.equal((await prove(ticket, { method: 'totp', code: codeNow(secret) })).kind, 'signed-in')
      room.clock.advance(STEP_MS)
      assert.equal((await prove(ticket, { method: 'totp', code: codeNow(secret) })).kind, 'gone')
      const late = await ticketOf(cpf)
      room.clock.advance(600_001)
      assert.equal((await prove(late, { method: 'totp', code: codeNow(secret) })).kind, 'gone')
    })

    test('ten wrong codes, then a wait of ten minutes for right ones too, whatever the ticket (checklist 12)', async () => {
      const { account, cpf } = await newCitizen()
      const secret = await enableTotp(account)
      const wrong = codeNow(secret) === '000000' ? '000001' : '000000'
      const kinds: string[] = []
      for (let index = 0; index < 12; index += 1) kinds.push((await prove(await ticketOf(cpf), { method: 'totp', code: wrong })).kind)
      assert.deepEqual([kinds.filter((kind) => kind === 'wrong').length, kinds.filter((kind) => kind === 'wait').length], [10, 2])
      assert.equal((await prove(await ticketOf(cpf), { method: 'totp', code: codeNow(secret) })).kind, 'wait')
      room.clock.advance(600_001)
      assert.equal((await prove(await ticketOf(cpf), { method: 'totp', code: codeNow(secret) })).kind, 'signed-in')
    })

    test('recovery codes: ten, 80 bits, hashed, each works once, however typed (checklist 14)', async () => {
      const { account, cpf } = await newCitizen()
      await enableTotp(account)
      const codes = await room.accounts.factors.recoveryCodes.make(changer(account))
      assert.equal(new Set(codes).size, 10)
      for (const code of codes) assert.match(code, /^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/)
      const [code = ''] = codes
      const rows = await room.db.query<{ text: string }>('SELECT r::text AS text FROM recovery_code r WHERE account_id = $1', [account.id])
      assert.ok(rows.every(({ text }) => !text.includes(code) && !text.includes(code.replaceAll('-', ''))))
      const typed = code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')
      assert.equal((await prove(await ticketOf(cpf), { method: 'recovery-code', code: typed })).kind, 'signed-in')
      assert.equal((await prove(await ticketOf(cpf), { method: 'recovery-code', code })).kind, 'wrong')
      assert.equal(await room.accounts.factors.recoveryCodes.countLeft(account.id), 9)
      assert.match((await room.sent(`c${cpf}@example.org`)).find(({ purpose }) => purpose === 'recovery-code-used')?.text ?? '', /Restam 9/)
    })

    test('of twenty uses of one recovery code at once exactly one wins; new codes kill the old', async () => {
      const { account } = await newCitizen()
      const { recoveryCodes } = room.accounts.factors
      const [code = '', other = ''] = await recoveryCodes.make(changer(account))
      const wins = await parallel(20, () => room.db.transaction((tx) => recoveryCodes.use(tx, account, code)))
      assert.equal(wins.filter(Boolean).length, 1)
      await recoveryCodes.make(changer(account))
      const sealed = (await room.events('accounts/ways-sealed')).length
      assert.equal(await room.db.transaction((tx) => recoveryCodes.use(tx, account, other)), false)
      assert.equal((await room.events('accounts/ways-sealed')).length, sealed, 'a wrong code seals nothing anew')
    })

    test('a passkey signs in without CPF or password, at aal2', async () => {
      const { account, cpf } = await newCitizen()
      const key = await addPasskey(account)
      const { id, options } = await room.accounts.steps.startPasskey('b')
      assert.deepEqual([options.userVerification, options.allowCredentials ?? [], options.rpId], ['required', [], 'localhost'])
      const result = await room.accounts.steps.signInWithPasskey({ ceremonyId: id, binding: 'b', response: key.get(options), facts: FACTS })
      assert.ok(result.kind === 'signed-in')
      assert.equal(result.account.id, account.id)
      assert.deepEqual([result.session.amr, result.session.aal], [['pop', 'user', 'mfa', 'hwk'], 2])
      const password = await signIn(cpf)
      assert.deepEqual(password.kind === 'second-factor' && password.methods, ['passkey'])
    })

    test('a passkey as the second factor after the password', async () => {
      const { account, cpf } = await newCitizen()
      const key = await addPasskey(account, new Authenticator({ isSynced: true }))
      const ticket = await ticketOf(cpf)
      const ceremony = await room.accounts.steps.startTicketPasskey(ticket, 'b')
      assert.ok(ceremony)
      assert.deepEqual(ceremony.options.allowCredentials?.map(({ id }) => id), [key.id.toString('base64url')])
      const response = key.get(ceremony.options)
      const result = await prove(ticket, { method: 'passkey', ceremonyId: ceremony.id, binding: 'b', response })
      assert.ok(result.kind === 'signed-in')
      assert.deepEqual(result.session.amr, ['pwd', 'pop', 'user', 'mfa', 'swk'])
    })

    test('a passkey answer is refused without user verification, from another site, another challenge, twice, or by a copy', async () => {
      const { account } = await newCitizen()
      const key = await addPasskey(account)
      const answer = async (faults: Parameters<Authenticator['get']>[1], binding = 'b') => {
        const { id, options } = await room.accounts.steps.startPasskey('b')
        const step = { ceremonyId: id, binding, response: key.get(options, faults), facts: elsewhere() }
        return { first: await room.accounts.steps.signInWithPasskey(step), again: await room.accounts.steps.signInWithPasskey(step) }
      }
      for (const faults of [{ isVerified: false }, { origin: 'http://evil.example' }, { rpId: 'evil.example' }, { challenge: 'AAAA' }]) {
        assert.equal((await answer(faults)).first.kind, 'refused', JSON.stringify(faults))
      }
      assert.equal((await answer({}, 'another')).first.kind, 'refused', 'another browser')
      const { first, again } = await answer({})
      assert.deepEqual([first.kind, again.kind], ['signed-in', 'refused'])
      assert.equal((await answer({ counter: 1 })).first.kind, 'refused', 'a counter that went back')
      assert.equal((await room.events('accounts/passkey-suspect')).at(-1)?.subject_id, account.id)
    })

    test('malformed passkey answers are refused, not thrown', async () => {
      const { account } = await newCitizen()
      for (const response of [undefined, null, 'x', {}, { id: 'AAAA', rawId: 'AAAA', type: 'public-key', clientExtensionResults: {}, response: { clientDataJSON: '', authenticatorData: '', signature: '' } }]) {
        const { id } = await room.accounts.steps.startPasskey('b')
        assert.equal((await room.accounts.steps.signInWithPasskey({ ceremonyId: id, binding: 'b', response, facts: elsewhere() })).kind, 'refused')
        const ceremony = await room.accounts.factors.passkeys.startRegistration(changer(account))
        await assert.rejects(
          room.accounts.factors.passkeys.finishRegistration(changer(account), { ceremonyId: ceremony.id, response, label: '' }),
          (error) => isProblem(error, ACCOUNTS_PROBLEMS.passkeyRefused),
        )
      }
    })

    test('one challenge serves one of twenty answers', async () => {
      const { account } = await newCitizen()
      const key = await addPasskey(account, new Authenticator({ isSynced: true }))
      const { id, options } = await room.accounts.steps.startPasskey('b')
      const response = key.get(options)
      const results = await parallel(20, () => room.accounts.steps.signInWithPasskey({ ceremonyId: id, binding: 'b', response, facts: elsewhere() }))
      assert.equal(results.filter(({ kind }) => kind === 'signed-in').length, 1)
    })

    test('a passkey belongs to one account; a removed one no longer works', async () => {
      const [one, two] = [await newCitizen(), await newCitizen()]
      const key = await addPasskey(one.account)
      await assert.rejects(addPasskey(two.account, key), (error) => isProblem(error, ACCOUNTS_PROBLEMS.passkeyRefused))
      const [passkey] = await room.accounts.factors.passkeys.list(one.account.id)
      assert.equal(passkey?.label, 'Meu celular')
      const { passkeys } = room.accounts.factors
      await assert.rejects(passkeys.remove(changer(two.account), passkey?.id ?? ''), (error) => isProblem(error, ACCOUNTS_PROBLEMS.unknownFactor))
      await passkeys.remove(changer(one.account), passkey?.id ?? '')
      const { id, options } = await room.accounts.steps.startPasskey('b')
      assert.equal((await room.accounts.steps.signInWithPasskey({ ceremonyId: id, binding: 'b', response: key.get(options), facts: FACTS })).kind, 'refused')
      assert.equal((await signIn(one.cpf)).kind, 'signed-in', 'the password alone is enough again')
    })

    test('what somebody wrote into the tables is no factor: a passkey moved to another account, a session made stronger', async () => {
      const [victim, operator] = [await newCitizen(), await newCitizen()]
      const key = await addPasskey(operator.account)
      await room.db.execute('UPDATE passkey SET account_id = $1 WHERE account_id = $2', [victim.account.id, operator.account.id])
      const { id, options } = await room.accounts.steps.startPasskey('b')
      assert.equal((await room.accounts.steps.signInWithPasskey({ ceremonyId: id, binding: 'b', response: key.get(options), facts: FACTS })).kind, 'refused')
      await room.db.execute('UPDATE passkey SET account_id = $2 WHERE account_id = $1', [victim.account.id, operator.account.id])
      const signedIn = await signIn(victim.cpf)
      assert.ok(signedIn.kind === 'signed-in')
      const proved = () => room.accounts.sessions.findProved(victim.account.id, signedIn.session.id, 'n')
      await room.db.execute('UPDATE sign_in_session SET aal = 2, face_at = now(), authenticated_at = now() WHERE id = $1', [signedIn.session.id])
      assert.deepEqual(await proved(), { secondFactorAt: undefined, faceAt: undefined })
      const face = { accountId: victim.account.id, livenessClass: 'active', nonce: 'n' }
      await room.db.transaction((tx) => room.accounts.sessions.recordFace(tx, signedIn.session.id, face))
      assert.equal((await proved()).faceAt, undefined, 'a session that somebody wrote in bears no face')
      const again = await signIn(victim.cpf)
      assert.ok(again.kind === 'signed-in')
      await room.db.transaction((tx) => room.accounts.sessions.recordFace(tx, again.session.id, face))
      const { findProved } = room.accounts.sessions
      assert.ok((await findProved(victim.account.id, again.session.id, 'n')).faceAt, 'what the server saw counts')
      assert.equal((await findProved(victim.account.id, again.session.id, 'another')).faceAt, undefined, 'for that request alone')
      assert.deepEqual(await findProved(operator.account.id, again.session.id, 'n'), { secondFactorAt: undefined, faceAt: undefined })
    })

    test('a proof is noted in no session that was given to another account meanwhile', async () => {
      const [victim, operator] = [await newCitizen(), await newCitizen()]
      const [theirs, own] = [await signIn(victim.cpf), await signIn(operator.cpf)]
      assert.ok(theirs.kind === 'signed-in' && own.kind === 'signed-in')
      const { sessions } = room.accounts
      // The operator shows their own face and their own factor, and gives the session to the victim while they are judged.
      await room.db.execute('UPDATE sign_in_session SET account_id = $2 WHERE id = $1', [own.session.id, victim.account.id])
      const accountId = operator.account.id
      const isRefused = (error: unknown) => isProblem(error, ACCOUNTS_PROBLEMS.unknownSession)
      await assert.rejects(room.db.transaction((tx) => sessions.recordFace(tx, own.session.id, { accountId, livenessClass: 'active' })), isRefused)
      await assert.rejects(room.db.transaction((tx) => sessions.addFactor(tx, own.session.id, { accountId, added: ['otp'] })), isRefused)
      assert.deepEqual(await sessions.findProved(victim.account.id, own.session.id, ''), { secondFactorAt: undefined, faceAt: undefined })
    })

    test('a session is stepped up by a second factor, and is fresh then', async () => {
      const { account, cpf } = await newCitizen()
      const signedIn = await signIn(cpf)
      assert.ok(signedIn.kind === 'signed-in')
      const secret = await enableTotp(account)
      assert.deepEqual(await room.accounts.steps.factorsOf(account.id), ['totp'])
      const step = { sessionId: signedIn.session.id, accountId: account.id, facts: FACTS }
      const wrong = codeNow(secret) === '000000' ? '000001' : '000000'
      assert.equal((await room.accounts.steps.stepUp({ ...step, proof: { method: 'totp', code: wrong } })).kind, 'wrong')
      const result = await room.accounts.steps.stepUp({ ...step, proof: { method: 'totp', code: codeNow(secret) } })
      assert.ok(result.kind === 'proved')
      assert.deepEqual([result.session.aal, result.session.authenticatedAt], [2, room.clock.now()])
      const stranger = await newCitizen()
      room.clock.advance(STEP_MS)
      const foreign = await room.accounts.steps.stepUp({ ...step, accountId: stranger.account.id, proof: { method: 'totp', code: codeNow(secret) } })
      assert.equal(foreign.kind, 'gone')
    })
  })
}

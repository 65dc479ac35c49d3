import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { Facts, SignInResult } from '../../src/accounts/index.ts'
import { Problem } from '../../src/platform/problem.ts'
import { testDatabases } from '../support/database.ts'
import { CPF, cpfNumber, FACTS, GOOD_PASSWORD, openRoom, parallel, registerCitizen, type Room, strangers } from './support/room.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

for (const database of testDatabases()) {
  describe(`sign-in on ${database.label}`, () => {
    let room: Room
    before(async () => {
      room = await openRoom(database)
      await registerCitizen(room)
    })
    after(() => room.close())

    const elsewhere = strangers(64)
    const signIn = (password: string, facts: Facts, cpf = CPF): Promise<SignInResult> => room.accounts.signIn({ cpf, password, facts, binding: 'browser' })
    /** Passwords that were compared, from the record: each evaluated refusal is an event. */
    const evaluated = async () => (await room.events('accounts/sign-in-refused')).length
    async function guess(times: number, facts: () => Facts, cpf = CPF): Promise<number> {
      const start = await evaluated()
      for (let index = 0; index < times; index += 1) assert.notEqual((await signIn(`wrong-${index}`, facts(), cpf)).kind, 'signed-in')
      return (await evaluated()) - start
    }
    /** A citizen with counters of their own. */
    const citizenNumber = async (index: number) => {
      const cpf = cpfNumber(index)
      await registerCitizen(room, cpf)
      return cpf
    }

    test('the right password gives a live session, a device cookie and a record', async () => {
      const result = await signIn(GOOD_PASSWORD, elsewhere())
      assert.ok(result.kind === 'signed-in')
      assert.deepEqual([result.session.amr, result.session.aal], [['pwd'], 1])
      assert.match(result.deviceCookie, /^[\w-]{43}$/)
      assert.equal((await room.accounts.sessions.findLive(result.session.id))?.accountId, result.account.id)
      const [event] = (await room.events('accounts/signed-in')).slice(-1)
      assert.equal(event?.subject_id, result.account.id)
      assert.equal(event?.data['sessionId'], result.session.id)
    })

    test('CPF with punctuation is fine, one with a wrong digit is named', async () => {
      assert.equal((await signIn(GOOD_PASSWORD, elsewhere(), '529.982.247-25')).kind, 'signed-in')
      assert.equal((await signIn(GOOD_PASSWORD, elsewhere(), '529.982.247-24')).kind, 'invalid-cpf')
    })

    test('wrong password, unknown CPF, closed account and locked account answer the same (checklist 1, 6)', async () => {
      const cpf = await citizenNumber(1)
      const attacker = elsewhere()
      const wrong = await signIn('wrong', attacker, cpf)
      const unknown = await signIn('wrong', elsewhere(), cpfNumber(9999))
      await guess(10, () => attacker, cpf)
      const locked = await signIn(GOOD_PASSWORD, attacker, cpf)
      await room.db.execute("UPDATE account SET status = 'closed' WHERE person_id = (SELECT id FROM person WHERE cpf = $1)", [cpf])
      const closed = await signIn(GOOD_PASSWORD, elsewhere(), cpf)
      for (const result of [wrong, unknown, locked, closed]) assert.deepEqual(result, { kind: 'refused' })
    })

    test('one address evaluates five guesses at one account, then waits a minute that grows (checklist 1)', async () => {
      const cpf = await citizenNumber(2)
      const attacker = elsewhere()
      assert.equal(await guess(12, () => attacker, cpf), 5)
      room.clock.advance(MINUTE_MS - 1000)
      assert.equal(await guess(1, () => attacker, cpf), 0)
      room.clock.advance(1001)
      assert.equal(await guess(3, () => attacker, cpf), 1)
      room.clock.advance(MINUTE_MS)
      assert.equal(await guess(1, () => attacker, cpf), 0)
      room.clock.advance(MINUTE_MS + 1)
      assert.equal(await guess(1, () => attacker, cpf), 1)
    })

    test('fifty addresses together evaluate ten guesses, then one after 30 s, one after a minute… (checklist 4)', async () => {
      const cpf = await citizenNumber(3)
      assert.equal(await guess(50, elsewhere, cpf), 10)
      for (const waitMs of [30_000, 60_000, 120_000, 240_000]) {
        room.clock.advance(waitMs - 1)
        assert.equal(await guess(2, elsewhere, cpf), 0)
        room.clock.advance(2)
        assert.equal(await guess(2, elsewhere, cpf), 1)
      }
    })

    test('the wait never exceeds an hour and is forgotten after a day', async () => {
      const cpf = await citizenNumber(4)
      await guess(10, elsewhere, cpf)
      for (let index = 0; index < 12; index += 1) {
        room.clock.advance(HOUR_MS + 1)
        assert.equal(await guess(2, elsewhere, cpf), 1)
      }
      room.clock.advance(HOUR_MS + 1)
      assert.equal((await signIn(GOOD_PASSWORD, elsewhere(), cpf)).kind, 'signed-in')
      await guess(10, elsewhere, cpf)
      room.clock.advance(25 * HOUR_MS)
      assert.equal(await guess(12, elsewhere, cpf), 10)
    })

    test('a hundred failures in a row stop guessing for a day (checklist 1)', async () => {
      const cpf = await citizenNumber(13)
      let total = await guess(10, elsewhere, cpf)
      for (let hour = 0; hour < 95; hour += 1) {
        room.clock.advance(HOUR_MS + 1)
        total += await guess(1, elsewhere, cpf)
      }
      assert.equal(total, 100)
      room.clock.advance(24 * HOUR_MS)
      assert.equal((await signIn(GOOD_PASSWORD, elsewhere(), cpf)).kind, 'signed-in', 'and not for ever')
    })

    test('parallel guesses cannot slip by', async () => {
      const cpf = await citizenNumber(5)
      const start = await evaluated()
      await parallel(40, () => signIn('wrong', elsewhere(), cpf))
      assert.equal((await evaluated()) - start, 10)
    })

    test('who knows the account from a known device gets in while others are locked out (checklist 2)', async () => {
      const cpf = await citizenNumber(6)
      const home = elsewhere()
      const first = await signIn(GOOD_PASSWORD, home, cpf)
      assert.ok(first.kind === 'signed-in')
      await guess(20, elsewhere, cpf)
      assert.equal((await signIn(GOOD_PASSWORD, elsewhere(), cpf)).kind, 'refused', 'another place is locked')
      const known = { ...elsewhere(), deviceCookie: first.deviceCookie }
      assert.equal((await signIn(GOOD_PASSWORD, known, cpf)).kind, 'signed-in', 'the known device is not')
      assert.equal((await signIn(GOOD_PASSWORD, { ...elsewhere(), deviceCookie: randomBytes(32).toString('base64url') }, cpf)).kind, 'refused', 'a made-up cookie')
    })

    test('an attacker at one address does not lock the owner out elsewhere (checklist 2)', async () => {
      const cpf = await citizenNumber(7)
      const attacker = elsewhere()
      await guess(20, () => attacker, cpf)
      assert.equal((await signIn(GOOD_PASSWORD, attacker, cpf)).kind, 'refused')
      assert.equal((await signIn(GOOD_PASSWORD, elsewhere(), cpf)).kind, 'signed-in')
    })

    test('a stolen device cookie has ten guesses of its own', async () => {
      const cpf = await citizenNumber(8)
      const first = await signIn(GOOD_PASSWORD, elsewhere(), cpf)
      assert.ok(first.kind === 'signed-in')
      assert.equal(await guess(20, () => ({ ...elsewhere(), deviceCookie: first.deviceCookie }), cpf), 10)
    })

    test('success forgives the failures of the same place, not those of others (checklist 2)', async () => {
      const cpf = await citizenNumber(9)
      const home = elsewhere()
      for (let round = 0; round < 4; round += 1) {
        assert.equal(await guess(4, () => home, cpf), 4)
        assert.equal((await signIn(GOOD_PASSWORD, home, cpf)).kind, 'signed-in')
      }
      assert.equal(await guess(8, elsewhere, cpf), 8)
      assert.equal((await signIn(GOOD_PASSWORD, home, cpf)).kind, 'signed-in')
      assert.equal(await guess(8, elsewhere, cpf), 2)
    })

    test('a thousand accounts from one address: twenty evaluated in a minute, the rest told to wait (checklist 3)', async () => {
      room.clock.advance(2 * MINUTE_MS)
      const attacker = elsewhere()
      const start = await evaluated()
      const results = await parallel(100, (index) => signIn('wrong', attacker, cpfNumber(20_000 + index)).catch((error: unknown) => error))
      assert.equal((await evaluated()) - start, 20)
      const busy = results.filter((result) => result instanceof Problem)
      for (const problem of busy) assert.deepEqual([problem.code, problem.status], ['platform/busy', 503])
      const waits = results.filter((result) => isWait(result))
      assert.equal(waits.length + busy.length, 80)
      for (const { retryAfterSeconds } of waits) assert.ok(retryAfterSeconds >= 1 && retryAfterSeconds <= 60)
      room.clock.advance(MINUTE_MS + 1)
      assert.equal((await signIn('wrong', attacker, cpfNumber(30_000))).kind, 'refused')
    })

    test('one subscriber’s IPv6 addresses are one', async () => {
      const start = await evaluated()
      for (let index = 0; index < 30; index += 1) await signIn('wrong', { ...FACTS, ip: `2001:db8:1:2::${index.toString(16)}` }, cpfNumber(21_000 + index))
      assert.equal((await evaluated()) - start, 20)
    })

    test('right sign-ins of many people at one address are not throttled', async () => {
      const office = elsewhere()
      for (let index = 0; index < 30; index += 1) assert.equal((await signIn(GOOD_PASSWORD, office)).kind, 'signed-in', `sign-in ${index}`)
    })

    test('the table of counters holds no CPF and no address', async () => {
      await guess(1, () => ({ ...FACTS, ip: '198.51.100.77' }))
      const rows = await room.db.query<{ key: string }>('SELECT key FROM throttle')
      assert.ok(rows.length > 0)
      for (const { key } of rows) assert.doesNotMatch(key, /198\.51|52998224725|\d{11}/)
    })

    test('of two sign-ins, a new device is announced and the first one is not', async () => {
      const cpf = await citizenNumber(10)
      const mail = `c${cpf}@example.org`
      const first = await signIn(GOOD_PASSWORD, elsewhere(), cpf)
      assert.ok(first.kind === 'signed-in')
      const notices = async () => (await room.sent(mail)).filter(({ purpose }) => purpose === 'new-device')
      assert.equal((await notices()).length, 0)
      await signIn(GOOD_PASSWORD, { ...elsewhere(), deviceCookie: first.deviceCookie }, cpf)
      assert.equal((await notices()).length, 0)
      await signIn(GOOD_PASSWORD, { ...elsewhere(), userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0' }, cpf)
      assert.match((await notices())[0]?.text ?? '', /Firefox · Linux/)
      for (let index = 0; index < 8; index += 1) await signIn(GOOD_PASSWORD, elsewhere(), cpf)
      assert.equal((await notices()).length, 4, 'the mailbox is not flooded: five new devices an hour, the first one silent')
    })

    test('a session id of the caller’s is taken, refreshed by its owner and by nobody else', async () => {
      const [one, two] = [await citizenNumber(11), await citizenNumber(12)]
      const attempt = (cpf: string) => room.accounts.signIn({ cpf, password: GOOD_PASSWORD, facts: elsewhere(), binding: 'b', sessionId: 'chosen-by-oidc' })
      const first = await attempt(one)
      assert.ok(first.kind === 'signed-in' && first.session.id === 'chosen-by-oidc')
      room.clock.advance(MINUTE_MS)
      const again = await attempt(one)
      assert.ok(again.kind === 'signed-in' && again.session.authenticatedAt > first.session.authenticatedAt)
      assert.equal((await attempt(two)).kind, 'refused')
      await room.accounts.sessions.end(first.account.id, 'chosen-by-oidc', 'signed-out')
      assert.equal((await attempt(one)).kind, 'refused', 'an ended session does not come back')
    })
  })
}

function isWait(result: unknown): result is { kind: 'wait'; retryAfterSeconds: number } {
  return typeof result === 'object' && result !== null && 'kind' in result && result.kind === 'wait'
}

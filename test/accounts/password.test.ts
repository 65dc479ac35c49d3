import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { hashPassword, isOutdatedHash, verifyPassword } from '../../src/accounts/password/argon2id.ts'
import { createPasswords, type Passwords } from '../../src/accounts/password/passwords.ts'
import { findSimpleFault } from '../../src/accounts/password/policy.ts'
import { DEFAULT_SETTINGS } from '../../src/accounts/index.ts'
import { Problem } from '../../src/platform/problem.ts'
import { isAsLong, typicalTime } from '../support/timing.ts'
import { CHEAP, GOOD_PASSWORD, parallel } from './support/room.ts'

const OWNER = { cpf: '52998224725', names: ['Maria Aparecida da Silva'], emails: ['maria.silva@example.org'], birthDate: '1985-03-12' }
const STANDARD = DEFAULT_SETTINGS.password.cost

describe('the hash', () => {
  test('is argon2id at the asked cost, with 16 bytes of salt, never twice the same (checklist 10)', () => {
    const [one, two] = [hashPassword('senha', STANDARD), hashPassword('senha', STANDARD)]
    assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    assert.notEqual(one, two)
    assert.ok(verifyPassword('senha', one))
    assert.equal(verifyPassword('senhá', one), false)
  })

  test('is what other implementations make (argon2 reference, RFC 9106 parameters)', () => {
    const reference = '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4'
    assert.ok(verifyPassword('password', reference))
    assert.equal(verifyPassword('Password', reference), false)
  })

  test('is outdated when made at another cost, and when it cannot be read', () => {
    const old = hashPassword('senha', CHEAP)
    assert.ok(isOutdatedHash(old, STANDARD))
    assert.equal(isOutdatedHash(old, CHEAP), false)
    for (const broken of ['', 'plain', '$argon2i$v=19$m=64,t=1,p=1$AAAA$AAAA', '$2b$10$abc']) {
      assert.ok(isOutdatedHash(broken, CHEAP))
      assert.equal(verifyPassword('', broken), false)
    }
  })

  test('takes all of a long password and any script; composed and decomposed letters are one (checklist 8)', () => {
    const long = 'ã'.repeat(120)
    const hash = hashPassword(`${long}1`, CHEAP)
    assert.ok(verifyPassword(`${long}1`, hash))
    assert.equal(verifyPassword(`${long}2`, hash), false, 'no truncation')
    assert.ok(verifyPassword('cora\u0063\u0327a\u0303o', hashPassword('coração', CHEAP)))
    assert.ok(verifyPassword('密碼🔒 مرور', hashPassword('密碼🔒 مرور', CHEAP)))
  })
})

describe('password rules', () => {
  let passwords: Passwords
  before(async () => {
    passwords = createPasswords({ ...DEFAULT_SETTINGS.password, cost: CHEAP, slots: 1 })
    await passwords.ready()
  })
  after(() => passwords.close())

  const good = [GOOD_PASSWORD, 'cavalo bateria grampo certo', 'xK9#mQ2vLp', 'minúscula sem nada mais', 'ipê-roxo na janela 3', 'açaí com farinha d’água', '🦜🌵🐟🛶🌅🐊🦦🍉', 'v7ejkq3nt2xw9p4c'.repeat(4)]
  for (const password of good) test(`"${password.slice(0, 40)}" is accepted`, async () => assert.equal(await passwords.findFault(password, OWNER), undefined))

  const bad: [string, string][] = [
    ['abc', 'too-short'], ['1234567', 'too-short'], ['x'.repeat(1025), 'too-long'], ['é'.repeat(513), 'too-long'],
    ['password', 'common'], ['12345678', 'common'], ['qwertyuiop', 'common'], ['PassWord', 'common'], ['iloveyou', 'common'], ['flamengo', 'common'],
    ['mtlogin123', 'guessable'], ['matogrosso2026', 'guessable'], ['senha1234', 'guessable'], ['aaaaaaaaaaaaaaaa', 'guessable'], ['abcdefghijkl', 'guessable'],
    ['12031985mm', 'guessable'], ['mtloginmtlogin', 'personal'], ['MatoGrosso!!', 'personal'],
    ['52998224725', 'personal'], ['cpf529.982.247', 'personal'], ['maria silva', 'personal'], ['Maria-Aparecida', 'personal'], ['maria.silva@example.org', 'personal'],
    ['SilvaMaria12', 'personal'], ['x'.repeat(300), 'guessable'],
  ]
  for (const [password, fault] of bad) {
    test(`"${password.slice(0, 40)}" is refused (checklist 9)`, async () => {
      const found = await passwords.findFault(password, OWNER)
      assert.ok(found !== undefined, 'accepted')
      if (fault !== 'guessable' && fault !== 'common') assert.equal(found, fault)
    })
  }

  test('three thousand of the commonest passwords are all refused', async () => {
    const { dictionary } = await import('@zxcvbn-ts/language-common')
    const common = dictionary['passwords-common'].map(String).filter((word) => word.length >= 8).slice(0, 3000)
    assert.equal(common.length, 3000)
    for (const password of common.filter((_, index) => index % 30 === 0)) assert.ok(await passwords.findFault(password, OWNER), password)
  })

  test('the shortest length is the operator’s, counted in characters', () => {
    assert.equal(findSimpleFault('á'.repeat(14), OWNER, 15), 'too-short')
    assert.equal(findSimpleFault('a\u0301'.repeat(15), OWNER, 15), undefined)
    assert.equal(findSimpleFault('🦜'.repeat(7), OWNER, 8), 'too-short')
  })

  test('the strength of a hostile password is known within a second', async () => {
    for (const password of ['aB3$'.repeat(250), [...Array(250)].map((_, index) => String.fromCharCode(33 + ((index * 37) % 90))).join('')]) {
      // Time of the processor: what else the machine does is no matter.
      const started = process.cpuUsage()
      await passwords.findFault(password, OWNER)
      const { user } = process.cpuUsage(started)
      assert.ok(user < 1e6, `${Math.round(user / 1000)} ms`)
    }
  })
})

describe('the hash threads', () => {
  test('a right password at an old cost comes back with a new hash', async (t) => {
    const passwords = createPasswords({ ...DEFAULT_SETTINGS.password, cost: { ...CHEAP, passes: 2 }, slots: 1 })
    t.after(() => passwords.close())
    const old = hashPassword('senha antiga', CHEAP)
    const { matches, rehash = '' } = await passwords.verify('senha antiga', old)
    assert.ok(matches)
    assert.match(rehash, /m=64,t=2,p=1/)
    assert.ok(verifyPassword('senha antiga', rehash))
    assert.deepEqual(await passwords.verify('outra', old), { matches: false, rehash: undefined })
    assert.equal((await passwords.verify('senha antiga', rehash)).rehash, undefined)
  })

  test('two hundred at once: the queue is bounded, the rest is told to come back, memory stays (checklist 11)', async (t) => {
    const passwords = createPasswords({ ...DEFAULT_SETTINGS.password, slots: 1, maxQueue: 8 })
    t.after(() => passwords.close())
    await passwords.ready()
    const hash = await passwords.hash('senha')
    const before = process.memoryUsage.rss()
    const results = await parallel(200, () => passwords.verify('senha', hash).catch((error: unknown) => error))
    const refused = results.filter((result) => result instanceof Problem)
    assert.equal(results.length - refused.length, 9)
    for (const problem of refused) assert.deepEqual([problem.code, problem.status, (problem.retryAfterSeconds ?? 0) > 0], ['platform/busy', 503, true])
    assert.ok(process.memoryUsage.rss() - before < 60e6, `${Math.round((process.memoryUsage.rss() - before) / 1e6)} MB`)
  })

  test('more than a kilobyte is refused without hashing', async (t) => {
    const passwords = createPasswords({ ...DEFAULT_SETTINGS.password, slots: 1, maxQueue: 1 })
    t.after(() => passwords.close())
    const results = await parallel(100, () => passwords.verify('x'.repeat(1025), null))
    assert.ok(results.every(({ matches }) => !matches), 'none of them met the queue')
  })

  test('an unknown account takes as long as a wrong password (checklist 7)', async (t) => {
    const passwords = createPasswords({ ...DEFAULT_SETTINGS.password, slots: 1 })
    t.after(() => passwords.close())
    await passwords.ready()
    const hash = await passwords.hash('senha')
    const seen: string[] = []
    for (let chance = 0; chance < 5; chance += 1) {
      const times = { wrong: [] as number[], unknown: [] as number[], locked: [] as number[] }
      for (let round = 0; round < 14; round += 1) {
        times.wrong.push(await milliseconds(() => passwords.verify('errada', hash)))
        times.unknown.push(await milliseconds(() => passwords.verify('errada', null)))
        times.locked.push(await milliseconds(() => passwords.idle()))
      }
      // A locked account waits as long as the mean of what verifications took, other work of the machine included.
      const pairs = [[typicalTime(times.wrong), typicalTime(times.unknown)], [mean(times.wrong), mean(times.locked)]] as const
      seen.push(pairs.map(([wrong, other]) => `${wrong.toFixed(1)} against ${other.toFixed(1)} ms`).join(', '))
      if (pairs.every(([wrong, other]) => isAsLong(wrong, other))) return
    }
    assert.fail(seen.join('; '))
  })
})

async function milliseconds(run: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await run()
  return performance.now() - started
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createGate } from '../../src/accounts/throttle/gate.ts'
import { type Limit, networkOf } from '../../src/accounts/throttle/limits.ts'
import { createThrottle, type Throttle } from '../../src/accounts/throttle/throttle.ts'
import type { Database } from '../../src/platform/db.ts'
import { Problem } from '../../src/platform/problem.ts'
import { fixedClock } from '../support/clock.ts'
import { testDatabases } from '../support/database.ts'
import { CPF, cpfNumber, GOOD_PASSWORD, openRoom, parallel, registerCitizen, strangers } from './support/room.ts'

const window = (key: string, free: number): Limit => ({ kind: 'window', key, free, spanMs: 60_000, delayMs: 0, maxDelayMs: 0 })
const backoff = (key: string, free: number): Limit => ({ kind: 'backoff', key, free, spanMs: 86_400_000, delayMs: 30_000, maxDelayMs: 3_600_000 })

test('a network is one IPv4 address or one IPv6 /64, however written', () => {
  const same = [['::ffff:10.1.2.3', '10.1.2.3'], ['2001:db8::1', '2001:DB8:0:0:ffff::'], ['fe80::1%eth0', 'fe80:0:0:0:1::'], ['::1', '::2']] as const
  for (const [one, other] of same) assert.equal(networkOf(one), networkOf(other), one)
  assert.notEqual(networkOf('2001:db8:0:1::1'), networkOf('2001:db8:0:2::1'))
})

test('a gate lets so many in at a time, keeps the order, and refuses a line that is too long', async () => {
  const gate = createGate({ width: 2, maxWaiting: 3 })
  const order: number[] = []
  let inside = 0
  let most = 0
  const results = await parallel(8, (index) =>
    gate.run('key', async () => {
      inside += 1
      most = Math.max(most, inside)
      await new Promise((resolve) => setTimeout(resolve, 5))
      inside -= 1
      order.push(index)
    }).catch((error: unknown) => error))
  assert.equal(most, 2)
  assert.deepEqual(order, [0, 1, 2, 3, 4])
  assert.deepEqual(results.filter((result) => result instanceof Problem).map((problem) => problem.code), ['platform/busy', 'platform/busy', 'platform/busy'])
  await assert.rejects(gate.run('key', async () => { throw new Error('work failed') }), /work failed/)
  assert.equal(await gate.run('key', async () => 'open again'), 'open again')
})

for (const database of testDatabases()) {
  describe(`counters on ${database.label}`, () => {
    let db: Database
    let throttle: Throttle
    const clock = fixedClock()
    before(async () => {
      db = await database.open()
      throttle = createThrottle({ db, clock })
    })
    after(() => db.close())

    const admitted = async (...limits: Limit[]) => (await throttle.admit(limits)).admitted
    const times = async (count: number, ...limits: Limit[]) => {
      let passed = 0
      for (let index = 0; index < count; index += 1) passed += (await admitted(...limits)) ? 1 : 0
      return passed
    }

    test('a window admits its number, says how long the rest waits, and opens again', async () => {
      const limit = window('w1', 3)
      assert.equal(await times(5, limit), 3)
      clock.advance(20_000)
      const refused = await throttle.admit([limit])
      assert.deepEqual(refused, { admitted: false, refusedBy: ['w1'], waitSeconds: 40 })
      clock.advance(40_001)
      assert.equal(await times(5, limit), 3)
    })

    test('a backoff waits twice as long after each failure, to its longest', async () => {
      const limit = backoff('b1', 2)
      assert.equal(await times(3, limit), 2)
      for (const waitSeconds of [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]) {
        const refused = await throttle.admit([limit])
        assert.equal(!refused.admitted && refused.waitSeconds, waitSeconds)
        clock.advance(waitSeconds * 1000 + 1)
        assert.equal(await times(2, limit), 1)
      }
    })

    test('an attempt that one counter refuses is counted on none', async () => {
      const [open, shut] = [window('open', 100), window('shut', 1)]
      await admitted(shut)
      assert.equal(await times(5, open, shut), 0)
      const [row] = await db.query<{ points: number }>("SELECT points FROM throttle WHERE key = 'open'")
      assert.equal(row?.points, 0)
    })

    test('of a hundred at once as many pass as may', async () => {
      const results = await parallel(100, () => admitted(window('p1', 20), backoff('p2', 7)))
      assert.equal(results.filter(Boolean).length, 7)
    })

    test('crossing sets of counters do not deadlock', async () => {
      const sets = [['x', 'y', 'z'], ['z', 'x', 'y'], ['y', 'z', 'x']] as const
      await parallel(60, async (index) => {
        const limits = (sets[index % 3] ?? []).map((key) => window(key, 1000))
        await throttle.admit(limits)
        if (index % 2 === 0) await throttle.giveBack(limits)
        else if (index % 5 === 0) await throttle.clear(limits)
      })
    })

    test('what is given back can be spent again; what is cleared is forgotten', async () => {
      const limit = backoff('g1', 3)
      await times(3, limit)
      await throttle.giveBack([limit])
      assert.equal(await times(3, limit), 1)
      await throttle.clear([limit])
      assert.equal(await times(5, limit), 3)
    })

    test('another process sees the same counters, and a restart forgets nothing (checklist 5)', async () => {
      const limit = backoff('r1', 4)
      assert.equal(await times(3, limit), 3)
      const other = createThrottle({ db, clock })
      assert.deepEqual([(await other.admit([limit])).admitted, (await other.admit([limit])).admitted, await admitted(limit)], [true, false, false])
    })

    test('a database that does not answer admits nobody (checklist 5)', async () => {
      const dead = createThrottle({ db: { query: () => Promise.reject(new Error('down')), execute: () => Promise.reject(new Error('down')) }, clock })
      await assert.rejects(dead.admit([window('d1', 100)]))
    })
  })

  describe(`many sign-ins at once on ${database.label}`, () => {
    test('right ones never refuse each other, nor deadlock: of one account, of many at one address, among wrong ones', async (t) => {
      const room = await openRoom(database)
      t.after(() => room.close())
      const cpfs = [CPF, cpfNumber(1), cpfNumber(2)]
      for (const cpf of cpfs) await registerCitizen(room, cpf)
      const [office] = [strangers(70)()]
      const elsewhere = strangers(71)
      const right = await parallel(45, (index) =>
        room.accounts.signIn({ cpf: cpfs[index % 3] ?? CPF, password: GOOD_PASSWORD, facts: index % 2 === 0 ? office : elsewhere(), binding: 'b' }))
      assert.deepEqual([...new Set(right.map(({ kind }) => kind))], ['signed-in'])
      const mixed = await parallel(45, (index) =>
        room.accounts.signIn({ cpf: cpfs[index % 3] ?? CPF, password: index % 4 === 0 ? 'errada' : GOOD_PASSWORD, facts: office, binding: 'b' }))
      assert.ok(mixed.every(({ kind }) => ['signed-in', 'refused', 'wait'].includes(kind)))
    })
  })
}

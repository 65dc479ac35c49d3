import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { testDatabases } from '../support/database.ts'
import { openRoom, parallel, type Room } from './support/room.ts'

const HOUR_MS = 3_600_000

for (const database of testDatabases()) {
  describe(`one-time tokens on ${database.label}`, () => {
    let room: Room
    before(async () => {
      room = await openRoom(database)
    })
    after(() => room.close())

    const create = (more = {}) => room.accounts.tokens.create(room.db, { kind: 'test', ttlSeconds: 86_400, binding: 'browser', payload: 'secret payload', ...more })
    const wrong = (code: string) => (code === '000000' ? '000001' : '000000')

    test('a code has six digits, a link 256 bits, and the table holds neither', async () => {
      const { id, code, link } = await create()
      assert.match(code, /^\d{6}$/)
      assert.equal(Buffer.from(link, 'base64url').length, 32)
      const [row] = await room.db.query<{ text: string }>('SELECT t::text AS text FROM one_time_token t WHERE id = $1', [id])
      assert.ok(row)
      for (const secret of [link, Buffer.from(link, 'base64url').toString('hex'), Buffer.from('secret payload').toString('hex')]) {
        assert.equal(row.text.includes(secret), false)
      }
    })

    test('the right code gives the payload, with spaces or without', async () => {
      const { id, code } = await create()
      const check = await room.accounts.tokens.checkCode({ kind: 'test', id, binding: 'browser', code: `${code.slice(0, 3)} ${code.slice(3)}` })
      assert.equal(check.kind === 'right' && check.token.payload, 'secret payload')
    })

    test('a code is bound to its kind, its token and its browser', async () => {
      const [one, two] = [await create(), await create()]
      const { tokens } = room.accounts
      assert.deepEqual(await tokens.checkCode({ kind: 'other', id: one.id, binding: 'browser', code: one.code }), { kind: 'gone' })
      assert.deepEqual(await tokens.checkCode({ kind: 'test', id: one.id, binding: 'another', code: one.code }), { kind: 'gone' })
      assert.deepEqual(await tokens.checkCode({ kind: 'test', id: one.id, code: one.code }), { kind: 'gone' })
      assert.deepEqual(await tokens.checkCode({ kind: 'test', id: 'not-a-uuid', binding: 'browser', code: one.code }), { kind: 'gone' })
      if (one.code !== two.code) assert.equal((await tokens.checkCode({ kind: 'test', id: two.id, binding: 'browser', code: one.code })).kind, 'wrong')
    })

    test('after ten wrong codes the right one is dead, also when they come at once', async () => {
      for (const run of [parallel, inTurn]) {
        const { id, code } = await create()
        const checks = await run(20, () => room.accounts.tokens.checkCode({ kind: 'test', id, binding: 'browser', code: wrong(code) }))
        assert.equal(checks.filter((check) => check.kind === 'wrong').length, 10)
        assert.deepEqual(await room.accounts.tokens.checkCode({ kind: 'test', id, binding: 'browser', code }), { kind: 'gone' })
      }
    })

    test('a code lives ten minutes, its link as long as was asked', async () => {
      const { id, code, link } = await create()
      room.clock.advance(600_001)
      assert.deepEqual(await room.accounts.tokens.checkCode({ kind: 'test', id, binding: 'browser', code }), { kind: 'gone' })
      assert.equal((await room.accounts.tokens.findByLink('test', link))?.id, id)
      room.clock.advance(24 * HOUR_MS)
      assert.equal(await room.accounts.tokens.findByLink('test', link), undefined)
      room.clock.advance(-24 * HOUR_MS - 600_001)
    })

    test('of twenty uses at once exactly one wins', async () => {
      for (let round = 0; round < 5; round += 1) {
        const { id } = await create()
        const wins = await parallel(20, () => room.db.transaction((tx) => room.accounts.tokens.consume(tx, id)))
        assert.equal(wins.filter(Boolean).length, 1)
      }
    })

    test('a use whose transaction fails is not used up', async () => {
      const { id, link } = await create()
      await assert.rejects(room.db.transaction(async (tx) => {
        assert.ok(await room.accounts.tokens.consume(tx, id))
        throw new Error('the effect failed')
      }))
      assert.ok(await room.accounts.tokens.findByLink('test', link))
    })

    test('of twenty moves from one state at once exactly one wins', async () => {
      const { id } = await create({ state: 'one' })
      const moves = await parallel(20, () => room.accounts.tokens.move(room.db, { id, from: 'one', to: 'two' }))
      assert.equal(moves.filter(Boolean).length, 1)
    })

    test('a renewed code kills the one before it', async () => {
      const first = await create()
      const second = await room.accounts.tokens.renew(room.db, first.id)
      assert.ok(second)
      assert.equal(await room.accounts.tokens.findByLink('test', first.link), undefined)
      assert.equal((await room.accounts.tokens.checkCode({ kind: 'test', id: first.id, binding: 'browser', code: second.code })).kind, 'right')
    })

    test('purging leaves nothing of what is over', async () => {
      const { id } = await create()
      room.clock.advance(72 * HOUR_MS)
      await room.accounts.purge()
      assert.deepEqual(await room.db.query('SELECT 1 FROM one_time_token WHERE id = $1', [id]), [])
      room.clock.advance(-72 * HOUR_MS)
    })
  })
}

async function inTurn<T>(times: number, run: () => Promise<T>): Promise<T[]> {
  const results: T[] = []
  for (let index = 0; index < times; index += 1) results.push(await run())
  return results
}

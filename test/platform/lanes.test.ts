import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { createLanes } from '../../src/platform/database/lanes.ts'
import { createPostgresDatabase } from '../support/database.ts'
import { findPostgresBinaries } from '../support/postgres.ts'

const skip = findPostgresBinaries() || process.env['MT_TEST_POSTGRES_URL'] ? false : 'no PostgreSQL found'
const number = (value: number) => ({ name: 'number', text: 'SELECT $1::int AS number', values: [value] })

async function setUp(t: TestContext, count: number) {
  const { url, drop } = await createPostgresDatabase()
  const lanes = createLanes({ connectionString: url.reveal() }, count)
  t.after(async () => {
    await lanes.close()
    await drop()
  })
  return { url, lanes }
}

test('answers go to whoever asked, with many on one lane', { skip }, async (t) => {
  const { lanes } = await setUp(t, 1)
  const answers = await Promise.all(Array.from({ length: 200 }, (_, index) => lanes.query<{ number: number }>(number(index))))
  assert.deepEqual(answers.map(({ rows }) => rows[0]?.number), Array.from({ length: 200 }, (_, index) => index))
})

test('an error stays with its statement', { skip }, async (t) => {
  const { lanes } = await setUp(t, 1)
  const results = await Promise.allSettled([
    lanes.query(number(1)),
    lanes.query({ name: 'fault', text: 'SELECT 1 / $1::int', values: [0] }),
    lanes.query({ text: 'SELECT no_such_column', values: [] }),
    lanes.query(number(2)),
  ])
  assert.deepEqual(results.map(({ status }) => status), ['fulfilled', 'rejected', 'rejected', 'fulfilled'])
  assert.equal((await lanes.query<{ number: number }>(number(3))).rows[0]?.number, 3)
})

test('a statement that waits holds up no other lane', { skip }, async (t) => {
  const { lanes } = await setUp(t, 2)
  await Promise.all([lanes.query(number(0)), lanes.query(number(0))])
  let isAwake = false
  const sleeping = lanes.query({ text: 'SELECT pg_sleep(1.5)', values: [] }).then(() => (isAwake = true))
  for (let index = 0; index < 50; index += 1) await lanes.query(number(index))
  assert.equal(isAwake, false)
  await sleeping
})

test('each statement is committed by itself', { skip }, async (t) => {
  const { lanes } = await setUp(t, 1)
  const key = (text: string) => ({ text: 'INSERT INTO throttle (key) VALUES ($1)', values: [text] })
  const results = await Promise.allSettled([lanes.query(key('a')), lanes.query(key('a')), lanes.query(key('b'))])
  assert.deepEqual(results.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled'])
  assert.equal((await lanes.query({ text: 'SELECT key FROM throttle', values: [] })).rows.length, 2)
})

test('a lost connection fails what was on it, and the next statement opens another', { skip }, async (t) => {
  const { url } = await setUp(t, 1)
  const target = new URL(url.reveal())
  const real = { port: Number(target.port), host: target.hostname }
  const open = new Set<Socket>()
  const relay = createServer((near) => {
    const far = connect(real)
    for (const socket of [near, far]) open.add(socket.on('error', () => {}))
    near.pipe(far).pipe(near)
  })
  relay.listen(0, '127.0.0.1')
  await once(relay, 'listening')
  target.port = String((relay.address() as AddressInfo).port)
  const lanes = createLanes({ connectionString: target.href }, 1)
  await lanes.query(number(1))
  const lost = assert.rejects(lanes.query({ text: 'SELECT pg_sleep(5)', values: [] }))
  const behind = assert.rejects(lanes.query(number(2)))
  setTimeout(() => open.forEach((socket) => void socket.destroy()), 100)
  await Promise.all([lost, behind])
  assert.equal((await lanes.query<{ number: number }>(number(3))).rows[0]?.number, 3)
  await lanes.close()
  relay.close()
})

test('without a server each statement fails, and none hangs', async () => {
  const unused = createServer().listen(0, '127.0.0.1')
  await once(unused, 'listening')
  const { port } = unused.address() as AddressInfo
  unused.close()
  await once(unused, 'close')
  const lanes = createLanes({ connectionString: `postgres://mt@127.0.0.1:${port}/x`, connectionTimeoutMillis: 2000 }, 2)
  for (let time = 0; time < 3; time += 1) await assert.rejects(lanes.query(number(1)), /ECONNREFUSED/)
  await lanes.close()
})

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { isProblem, Problem } from '../../src/platform/problem.ts'
import { PLATFORM_PROBLEMS } from '../../src/platform/problems.ts'
import type { WorkerPool, WorkerPoolOptions } from '../../src/platform/worker-pool.ts'
import { createWorkerPool, WorkError } from '../../src/platform/worker-pool.ts'
import { until } from '../support/until.ts'

interface Task {
  readonly do: string
  readonly ms?: number
  readonly bytes?: Uint8Array
}

const pools: WorkerPool<Task, unknown>[] = []
after(() => Promise.all(pools.map((pool) => pool.close())))

function open(options: Partial<WorkerPoolOptions> = {}): WorkerPool<Task, unknown> {
  const pool = createWorkerPool<Task, unknown>({
    file: new URL('./echo.worker.ts', import.meta.url),
    size: 1,
    maxQueue: 8,
    deadlineMs: 5000,
    ...options,
  })
  pools.push(pool)
  return pool
}

const of = (kind: keyof typeof PLATFORM_PROBLEMS) => (error: unknown) => isProblem(error, PLATFORM_PROBLEMS[kind])

test('a task gets its own answer, many at a time', async () => {
  const pool = open({ size: 2, maxQueue: 50 })
  await pool.ready()
  const tasks = Array.from({ length: 30 }, (_, index) => `task-${index}`)
  assert.deepEqual(await Promise.all(tasks.map((name) => pool.run({ do: name }))), tasks)
  assert.deepEqual(pool.stats(), { size: 2, busy: 0, queued: 0, done: 30, failed: 0, refused: 0, replaced: 0 })
})

test('tasks given before the workers have started wait for them', async () => {
  assert.equal(await open().run({ do: 'early' }), 'early')
})

test('the deadline of a first task begins when the first worker is up: a slow start is not the task’s fault', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const startGate = new Int32Array(new SharedArrayBuffer(4))
  const pool = open({ deadlineMs: 5000, workerData: { startGate } })
  const early = pool.run({ do: 'early' })
  t.mock.timers.tick(6000)
  Atomics.store(startGate, 0, 1)
  Atomics.notify(startGate, 0)
  assert.equal(await early, 'early')
})

test('a worker that never comes up keeps nobody waiting for ever', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const startGate = new Int32Array(new SharedArrayBuffer(4))
  const pool = open({ deadlineMs: 5000, workerData: { startGate } })
  const lost = assert.rejects(pool.run({ do: 'early' }), of('deadline'))
  t.mock.timers.tick(30_000)
  await lost
  Atomics.store(startGate, 0, 1)
  Atomics.notify(startGate, 0)
  await pool.ready()
})

test('a worker’s own error keeps its code', async () => {
  await assert.rejects(open().run({ do: 'fail' }), (error) => error instanceof WorkError && error.code === 'too-dark')
})

test('an answer may be empty', async () => {
  assert.equal(await open().run({ do: 'nothing' }), undefined)
})

for (const way of ['crash', 'exit']) {
  test(`a worker that ends by ${way} loses its own task only and is replaced`, async () => {
    const pool = open()
    await pool.ready()
    const lost = assert.rejects(pool.run({ do: way }), of('workerLost'))
    assert.equal(await pool.run({ do: 'next' }), 'next')
    await lost
    assert.equal(pool.stats().replaced, 1)
  })
}

test('a task over its deadline fails, its worker is replaced and the rest goes on', async () => {
  // The next task waits for the replacement to start, within the same deadline: it must be long enough for a busy machine.
  const pool = open({ deadlineMs: 2_000 })
  await pool.ready()
  await assert.rejects(pool.run({ do: 'spin', ms: 60_000 }), of('deadline'))
  assert.equal(await pool.run({ do: 'next' }), 'next')
})

test('a worker past its deadline is replaced at once and finishes what it has in hand: a library cut off halfway would end the process', async () => {
  const gate = new Int32Array(new SharedArrayBuffer(8))
  const pool = open({ deadlineMs: 2_000, workerData: { gate } })
  await pool.ready()
  await assert.rejects(pool.run({ do: 'hold' }), of('deadline'))
  assert.equal(await pool.run({ do: 'next' }), 'next')
  assert.equal(gate[1], 0)
  Atomics.store(gate, 0, 1)
  Atomics.notify(gate, 0)
  await until(() => gate[1] === 1)
  assert.equal(pool.stats().replaced, 1)
})

test('a task that waits past its deadline never starts', async () => {
  const pool = open({ deadlineMs: 250 })
  await pool.ready()
  const first = assert.rejects(pool.run({ do: 'spin', ms: 10_000 }), of('deadline'))
  await assert.rejects(pool.run({ do: 'queued' }), of('deadline'))
  await first
})

test('beyond the queue the answer is busy, with a time to come back', async () => {
  const pool = open({ maxQueue: 2 })
  await pool.ready()
  const running = [1, 2, 3].map(() => pool.run({ do: 'wait', ms: 100 }))
  await assert.rejects(
    pool.run({ do: 'one too many' }),
    (error) => of('busy')(error) && error instanceof Problem && (error.retryAfterSeconds ?? 0) >= 1,
  )
  assert.deepEqual(await Promise.all(running), ['waited', 'waited', 'waited'])
  assert.equal(await pool.run({ do: 'room again' }), 'room again')
  assert.equal(pool.stats().refused, 1)
})

test('a given-up task leaves the queue, or is no longer waited for', async () => {
  const pool = open()
  await pool.ready()
  const [running, queued] = [new AbortController(), new AbortController()]
  const first = assert.rejects(pool.run({ do: 'wait', ms: 150 }, { signal: running.signal }), of('aborted'))
  const second = assert.rejects(pool.run({ do: 'queued' }, { signal: queued.signal }), of('aborted'))
  queued.abort()
  await second
  assert.equal(pool.stats().queued, 0)
  running.abort()
  await first
  assert.equal(pool.stats().busy, 1)
  assert.equal(await pool.run({ do: 'after' }), 'after')
  await assert.rejects(pool.run({ do: 'never' }, { signal: AbortSignal.abort() }), of('aborted'))
})

test('bytes are handed over, not copied', async () => {
  const bytes = new Uint8Array(1000)
  assert.equal(await open().run({ do: 'size', bytes }, { transfer: [bytes.buffer] }), 1000)
  assert.equal(bytes.length, 0)
})

test('a task that cannot be sent fails alone', async () => {
  const pool = open()
  await pool.ready()
  await assert.rejects(pool.run(Object.assign({ do: 'x' }, { callback: () => 1 })), of('workFailed'))
  assert.equal(await pool.run({ do: 'next' }), 'next')
})

test('a worker that cannot start is reported and retried with patience', async () => {
  const pool = open({ workerData: { failToStart: true }, deadlineMs: 400 })
  await assert.rejects(pool.ready(), /cannot start/)
  await assert.rejects(pool.run({ do: 'x' }))
  assert.ok(pool.stats().replaced < 8)
})

test('what waits for a worker that cannot start is told why, long before its deadline', async () => {
  const pool = open({ workerData: { failToStart: true }, deadlineMs: 3_600_000 })
  const told = (error: unknown) => isProblem(error, PLATFORM_PROBLEMS.workerMissing) && error instanceof Error && error.cause instanceof Error && error.cause.message === 'cannot start'
  await Promise.all([1, 2, 3].map((number) => assert.rejects(pool.run({ do: `${number}` }), told)))
  assert.equal(pool.stats().queued, 0)
  await assert.rejects(pool.run({ do: 'later' }), told)
})

test('workers see nothing of our environment, but where compiled code is kept', async () => {
  const seen = await open().run({ do: 'env' })
  assert.ok(Array.isArray(seen))
  assert.deepEqual(seen.filter((name) => name !== 'NODE_COMPILE_CACHE'), [])
})

test('closing fails what is open and refuses what comes', async () => {
  const pool = open()
  await pool.ready()
  const open1 = assert.rejects(pool.run({ do: 'wait', ms: 10_000 }), of('workerLost'))
  const open2 = assert.rejects(pool.run({ do: 'queued' }), of('workerLost'))
  await pool.close()
  await Promise.all([open1, open2])
  await assert.rejects(pool.run({ do: 'x' }), of('workerLost'))
})

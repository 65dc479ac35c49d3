import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { downloadOnce, forgetFailure } from '../../src/biometrics/nets/first-download.ts'
import type { FetchedNet } from '../../src/biometrics/nets/manifest.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'mt-login-first-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const CONTENT = Buffer.alloc(100_000, 'weights ')
const sum = createHash('sha256').update(CONTENT).digest('hex')

/** A small net of a publisher who does not exist; taken as it is. */
const net = (name: string): FetchedNet => ({
  name,
  file: `${name}.onnx`,
  set: 'standard',
  form: 'onnx',
  sha256: sum,
  licence: 'none',
  publisher: 'nobody',
  version: '1',
  provenance: 'bytes of this test, not a net',
  originals: [{ folder: 'x', file: `${name}.bin`, url: `https://publisher.example/${name}.bin`, bytes: CONTENT.length, sha256: sum }],
  input: { name: 'image', shape: ['batch', 3, 8, 8], colour: 'RGB', mean: [0, 0, 0], divisor: 1 },
  outputs: [{ name: 'descriptors', shape: ['batch', 8], meaning: 'none' }],
})
const nets = [net('one'), net('two')]

async function publisher(answer: RequestListener) {
  let asked = 0
  const server = createServer((request, response) => {
    asked++
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  after(() => server.close().closeAllConnections())
  const address = server.address()
  assert.ok(typeof address === 'object' && address)
  const openAddress = (url: string, signal: AbortSignal) => fetch(`http://127.0.0.1:${address.port}${new URL(url).pathname}`, { signal })
  return { openAddress, firstPauseMs: 1, nets, asked: () => asked }
}

/** As a closed network answers at once. */
const unreachable = () => {
  let asked = 0
  const openAddress = async () => {
    asked++
    throw new TypeError('fetch failed', { cause: Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }) })
  }
  return { openAddress, firstPauseMs: 1, nets, asked: () => asked }
}

async function timed<T>(work: () => Promise<T>): Promise<{ value: T; ms: number }> {
  const started = performance.now()
  const value = await work()
  return { value, ms: performance.now() - started }
}

test('the first start fetches the missing nets with progress, and the next asks nobody', async () => {
  const modelsDir = path.join(folder, 'fetched')
  const server = await publisher((_, response) => response.end(CONTENT))
  const seen = new Set<string>()
  const options = {
    modelsDir,
    publisher: server,
    onProgress: ({ name, step }: { name: string; step: string }) => void seen.add(`${name} ${step}`),
  }
  assert.deepEqual(await downloadOnce(options), { state: 'installed' })
  assert.ok(seen.has('one fetching') && seen.has('two done'))
  assert.deepEqual(readdirSync(modelsDir).sort(), ['one.onnx', 'two.onnx'])
  assert.deepEqual(await downloadOnce(options), { state: 'present' })
  assert.equal(server.asked(), 2)
})

test('a closed network costs one quick try a day, and the reason names host and cause', async () => {
  const modelsDir = path.join(folder, 'closed')
  const closed = unreachable()
  const { value, ms } = await timed(() => downloadOnce({ modelsDir, publisher: closed }))
  assert.deepEqual(value, { state: 'failed', reason: 'publisher.example: ENOTFOUND' })
  assert.ok(ms < 500, `${ms} ms`)
  const asked = closed.asked()
  assert.deepEqual(await downloadOnce({ modelsDir, publisher: closed }), { state: 'not-now' })
  assert.equal(closed.asked(), asked)
  const dayAgo = Date.now() / 1000 - 86_401
  utimesSync(path.join(modelsDir, '.download-tried'), dayAgo, dayAgo)
  const server = await publisher((_, response) => response.end(CONTENT))
  assert.deepEqual(await downloadOnce({ modelsDir, publisher: server }), { state: 'installed' })
})

test('a failed try is forgotten by the command, and a marker from the future counts for nothing', async () => {
  const modelsDir = path.join(folder, 'forgotten')
  await downloadOnce({ modelsDir, publisher: unreachable() })
  await forgetFailure(modelsDir)
  assert.equal((await downloadOnce({ modelsDir, publisher: unreachable() })).state, 'failed')
  const tomorrow = Date.now() / 1000 + 90_000
  utimesSync(path.join(modelsDir, '.download-tried'), tomorrow, tomorrow)
  assert.equal((await downloadOnce({ modelsDir, publisher: unreachable() })).state, 'failed')
})

test('a network that swallows everything delays the start by less than a second', async () => {
  const modelsDir = path.join(folder, 'silent')
  const silent = await publisher(() => undefined)
  const { value, ms } = await timed(() => downloadOnce({ modelsDir, publisher: silent }))
  assert.deepEqual(value, { state: 'failed', reason: 'no answer within 900 ms' })
  assert.ok(ms < 1500, `${ms} ms`)
})

test('wrong bytes are told with both sums and never installed', async () => {
  const modelsDir = path.join(folder, 'wrong')
  const server = await publisher((_, response) => response.end(Buffer.alloc(CONTENT.length, 'x')))
  const outcome = await downloadOnce({ modelsDir, publisher: server })
  assert.ok(outcome.state === 'failed' && outcome.reason.includes(sum))
  assert.equal(existsSync(path.join(modelsDir, 'one.onnx')), false)
})

test('Ctrl-C ends the download at once, leaves nothing half-done and is no failure to remember', async () => {
  const modelsDir = path.join(folder, 'stopped')
  const stop = new AbortController()
  const slow = await publisher((_, response) => {
    response.write(CONTENT.subarray(0, 1000))
    stop.abort()
  })
  const { value, ms } = await timed(() => downloadOnce({ modelsDir, publisher: slow, signal: stop.signal }))
  assert.deepEqual(value, { state: 'stopped' })
  assert.ok(ms < 800, `${ms} ms`)
  assert.equal(existsSync(modelsDir), false)
})

test('with the built-in nets asked for, a start looks for nothing', async () => {
  const dataDir = path.join(folder, 'builtin')
  const words = ['--disable-warning=ExperimentalWarning', path.resolve(import.meta.dirname, '../../scripts/start.ts')]
  const env = { ...process.env, DATA_DIR: dataDir, FACE_MODELS: 'builtin', PORT: 'none' }
  const stopped = await promisify(execFile)(process.execPath, words, { env }).catch((error: { code: number; stderr: string }) => error)
  assert.match(stopped.stderr, /PORT/)
  assert.doesNotMatch(stopped.stderr, /face nets/)
  assert.equal(existsSync(path.join(dataDir, 'models')), false)
})

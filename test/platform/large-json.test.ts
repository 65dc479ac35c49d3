/** Large bodies: read in memory that follows what has come, and parsed where nobody waits for it. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { after, before, test } from 'node:test'
import Router from '@koa/router'
import { z } from 'zod'
import { type Base64File, base64File, readBase64 } from '../../src/platform/http/body/base64-file.ts'
import { readBody } from '../../src/platform/http/body/body.ts'
import { guard } from '../../src/platform/http/guard.ts'
import type { HttpContext } from '../../src/platform/http/request-facts.ts'
import { startSite, type TestSite } from '../support/http-app.ts'

const MIB = 1024 * 1024
const body = z.strictObject({ arquivo: base64File(16 * MIB), nome: z.string().max(200_000) })
let site: TestSite
let got: { arquivo: Base64File; nome: string } | undefined

before(async () => {
  site = await startSite(() => {
    const router = new Router()
    router.post('/large', guard({ consumes: 'json', csrf: false, limitBytes: 16 * MIB, isLarge: true, body }, (ctx, input) => {
      got = input.body
      ctx.status = 204
    }))
    return [router.routes()]
  })
})
after(() => site.stop())

async function send(text: string | Buffer): Promise<number> {
  got = undefined
  const sent = typeof text === 'string' ? text : new Uint8Array(text)
  return (await fetch(`${site.url}/large`, { method: 'POST', headers: { 'Content-Type': 'application/json', Accept: 'application/json' }, body: sent })).status
}

for (const [label, length] of [['short', 20], ['long', 3 * MIB]] as const) {
  test(`a ${label} file comes as its bytes, with their digest`, async () => {
    const bytes = randomBytes(length)
    assert.equal(await send(JSON.stringify({ nome: 'ofício', arquivo: bytes.toString('base64') })), 204)
    assert.ok(got && Buffer.from(got.arquivo.bytes).equals(bytes))
    assert.equal(got.arquivo.sha256, createHash('sha256').update(bytes).digest('hex'))
    assert.deepEqual([got.arquivo.isWhole, got.arquivo.isCanonical, got.nome], [true, true, 'ofício'])
  })
}

test('what is no base64, or another spelling of it, is told apart', () => {
  const spelling = (text: string) => {
    const { isWhole, isCanonical } = readBase64(text)
    return [isWhole, isCanonical]
  }
  assert.deepEqual(spelling('AQI='), [true, true])
  for (const text of ['AQI', 'AQJ=', '_-8=']) assert.deepEqual(spelling(text), [true, false], text)
  for (const text of ['####', 'AQ I=', 'AQI=AQI=', `${'='.repeat(5 * MIB)}x`]) assert.deepEqual(spelling(text), [false, false], text.slice(0, 9))
})

test('a large body is refused for what a small one is refused for', async () => {
  const arquivo = randomBytes(MIB).toString('base64')
  const good = JSON.stringify({ arquivo, nome: 'x' })
  assert.equal(await send(good), 204)
  assert.equal(await send(good.slice(0, -1)), 400)
  assert.equal(await send(good.replace('"x"', '"\\u0000"')), 400)
  assert.equal(await send(good.replace('"nome"', '"__proto__"')), 400)
  assert.equal(await send(Buffer.concat([Buffer.from(good.slice(0, -3)), Buffer.from([0xff]), Buffer.from('"}')])), 400)
  assert.equal(await send(good.replace('"nome"', '"outro"')), 422)
  assert.equal(await send(JSON.stringify({ arquivo, nome: 'x'.repeat(100_000) })), 422, 'only what is declared as a file may be as long as one')
  assert.equal(await send(JSON.stringify({ arquivo: `${arquivo}${'A'.repeat(16 * MIB)}`, nome: 'x' })), 413)
})

test('nobody can send what only the reader makes', async () => {
  for (const arquivo of [{ bytes: [1], sha256: 'a', characters: 1, isWhole: true, isCanonical: true }, { bytes: 'AQ==' }, [], 7, null]) assert.equal(await send(JSON.stringify({ arquivo, nome: 'x' })), 422)
  assert.equal(await send(JSON.stringify({ arquivo: '', nome: 'x' })), 422)
})

test('a body of very many values is refused before it is handed over', async () => {
  assert.equal(await send(`{"nome":"x","arquivo":[${'1,'.repeat(MIB)}1]}`), 400)
})

test('a body that comes byte by byte costs what it is long, not a hundred times as much', async () => {
  const size = MIB
  const request = Object.assign(new EventEmitter(), { readableEnded: false, resume() {} })
  const context = { get: () => '', req: request } as unknown as HttpContext
  const reading = readBody(context, 2 * size)
  const [before, byte] = [memory(), Buffer.from('x')]
  // As the parser hands them over: each is a buffer of its own.
  for (let sent = 0; sent < size; sent += 1) request.emit('data', Buffer.from(byte))
  const held = memory() - before
  request.emit('end')
  assert.equal((await reading).length, size)
  assert.ok(held < 40 * size, `${(held / MIB).toFixed(0)} MiB`)
})

function memory(): number {
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

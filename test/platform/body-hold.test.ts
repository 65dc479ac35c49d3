/** A dozen who send slowly, and somebody who wants to get through. Time passes only as the test says. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type ClientRequest, request } from 'node:http'
import { after, beforeEach, test } from 'node:test'
import Router from '@koa/router'
import { createBodyHold } from '../../src/platform/http/body/hold.ts'
import { bytes, guard } from '../../src/platform/http/guard.ts'
import { startSite, type TestSite } from '../support/http-app.ts'
import { until } from '../support/until.ts'

const KIB = 1024
const LONGEST = 256 * KIB
let site: TestSite | undefined
let now = 0
/** What the server has read, by sender. */
let read = new Map<string, number>()

beforeEach(async () => {
  await site?.stop()
  ;[now, read] = [0, new Map()]
  const hold = createBodyHold({ bytes: 1024 * KIB, bytesEach: LONGEST, bodiesEach: 2, longest: LONGEST }, () => now)
  site = await startSite(() => {
    const router = new Router()
    router.post('/', (ctx, next) => hold(ctx, ctx.get('X-Who'), () => {
      const who = ctx.get('X-Who')
      const { emit } = ctx.req
      ctx.req.emit = (...event: Parameters<typeof emit>) => {
        const [name, chunk] = event as [string, Buffer]
        if (name === 'data') read.set(who, (read.get(who) ?? 0) + chunk.length)
        return emit.apply(ctx.req, event)
      }
      return next()
    }), guard({ consumes: 'bytes', contentTypes: ['application/pdf'], csrf: false, limitBytes: LONGEST, body: bytes }, (ctx, { body }) => {
      ctx.body = String(body.length)
    }))
    return [router.routes()]
  })
})
after(() => site?.stop())

interface Sender {
  /** Sent, and read by the server unless it answered. */
  send(kib: number): Promise<void>
  readonly answer: Promise<number>
  readonly request: ClientRequest
  status: number | undefined
}

function begin(who: string, kib: number): Sender {
  const sent = request(`${site?.url}/`, { method: 'POST', agent: false, headers: { 'X-Who': who, 'Content-Type': 'application/pdf', Accept: 'application/json', 'Content-Length': kib * KIB } })
  sent.on('error', () => {})
  const answer = once(sent, 'response').then(([response]) => {
    response.resume()
    sender.status = Number(response.statusCode)
    return sender.status
  })
  answer.catch(() => {})
  let total = 0
  const sender: Sender = {
    answer, request: sent, status: undefined,
    async send(more) {
      total += more * KIB
      sent.write(Buffer.alloc(more * KIB))
      await until(() => sender.status !== undefined || (read.get(who) ?? 0) >= total)
    },
  }
  return sender
}

test('a dozen hoarders, each with all that one may announce, keep out nobody who sends', async () => {
  const hoarders = Array.from({ length: 12 }, (_, index) => begin(`hoarder ${index}`, 256))
  for (const hoarder of hoarders) await hoarder.send(80)
  for (let window = 0; window < 4; window += 1) {
    now += 5000
    for (const hoarder of hoarders) await hoarder.send(1)
  }
  assert.ok(hoarders.every(({ status }) => status === undefined), 'while there is place nobody is cut')
  const honest = begin('honest', 200)
  for (let piece = 0; piece < 5; piece += 1) {
    now += 1000
    await honest.send(40)
  }
  honest.request.end()
  assert.equal(await honest.answer, 200)
  const cut = hoarders.filter(({ status }) => status !== undefined)
  assert.deepEqual([...new Set(cut.map(({ status }) => status))], [503])
  assert.ok(cut.length >= 1 && cut.length <= 3, `${cut.length}: no more than the place that was wanted`)
  for (const { request: each } of hoarders) each.destroy()
})

test('a slow line gets through among hoarders: it holds little for how fast it comes', async () => {
  const hoarders = Array.from({ length: 12 }, (_, index) => begin(`hoarder ${index}`, 256))
  for (const hoarder of hoarders) await hoarder.send(78)
  const phone = begin('phone', 180)
  for (let piece = 0; piece < 18; piece += 1) {
    now += 2500
    await phone.send(10)
    for (const hoarder of hoarders) if (piece % 2 === 0 && hoarder.status === undefined) await hoarder.send(1)
  }
  phone.request.end()
  assert.equal(await phone.answer, 200)
  assert.ok(hoarders.some(({ status }) => status === 503))
  for (const { request: each } of hoarders) each.destroy()
})

test('one sender is bounded by what they announce, before a byte of it comes; others are not', async () => {
  const first = begin('one', 200)
  await first.send(1)
  const second = begin('one', 100)
  second.request.flushHeaders()
  assert.equal(await second.answer, 503)
  const other = begin('other', 100)
  await other.send(100)
  other.request.end()
  assert.equal(await other.answer, 200)
  first.request.destroy()
})

test('what one gave up is free again', async () => {
  for (let round = 0; round < 8; round += 1) {
    const gone = begin('gone', 256)
    await gone.send(200)
    gone.request.destroy()
    read.delete('gone')
  }
  const last = begin('last', 256)
  await last.send(256)
  last.request.end()
  assert.equal(await last.answer, 200)
})

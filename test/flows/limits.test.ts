/** What may be tried how often, by whom and how large: lines 1–5, 11, 48–50 and 66 of the checklist, through the whole server. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import sharp from 'sharp'
import { BrowserClient } from '../support/browser-client.ts'
import { begin, cpfOfNobody, type Journey, newBrowser, typePassword } from '../support/citizen-journey.ts'
import { createPostgresDatabase } from '../support/database.ts'
import { findPostgresBinaries } from '../support/postgres.ts'
import type { TestRelyingParty } from '../support/relying-party.ts'
import { addCitizen, addRelyingParty, people, type Person, startWatchedApp, type WatchedApp } from '../support/watched-app.ts'

const { register, all: citizens } = people(6)
const WRONG = 'errada-mesmo-99'

let app: WatchedApp
let rp: TestRelyingParty
let drop: () => Promise<void> = async () => {}

before(async () => {
  const postgres = process.env['MT_TEST_POSTGRES_URL'] || findPostgresBinaries() ? await createPostgresDatabase() : undefined
  drop = postgres?.drop ?? drop
  app = await startWatchedApp({ register, ...(postgres && { env: { DATABASE_URL: postgres.url.reveal() } }) })
  rp = await addRelyingParty(app)
  for (const citizen of citizens) await addCitizen(app, citizen)
})
after(async () => {
  await app.stop()
  await drop()
})

const person = (index: number): Person => citizens[index] ?? assert.fail()
const at = (path: string): URL => new URL(path, app.publicUrl)
const isIn = ({ page }: Journey): boolean => page.status === 0 || page.forms.some(({ action }) => action.pathname.endsWith('/consentir'))
const hashes = async (): Promise<number> => {
  const line = /mtlogin_worker_pool\{pool="passwords",state="done"\} (\d+)/.exec(await app.foundation.metrics.text())
  return Number(line?.[1] ?? assert.fail('the hash threads are not watched'))
}

function from(address: string): BrowserClient {
  const browser = new BrowserClient({ 'X-Forwarded-For': address })
  browser.stopAt = (url) => url.port === '9'
  return browser
}

async function attempt(address: string, cpf: string, password: string): Promise<Journey> {
  return typePassword(await begin(rp, {}, from(address)), { cpf, password })
}

test('line 1: after ten wrong passwords from many addresses the right one is refused with the same page', async () => {
  const { cpf, password } = person(0)
  const seen = new Set<number>()
  const before = await hashes()
  for (let index = 0; index < 14; index += 1) seen.add((await attempt(`10.1.${index}.1`, cpf, WRONG)).page.status)
  assert.deepEqual([...seen], [422])
  assert.ok((await hashes()) - before <= 10, `${(await hashes()) - before} hashes for 14 attempts`)
  const right = await attempt('10.1.99.1', cpf, password)
  assert.equal(right.page.status, 422)
  assert.match(right.page.text, /O CPF ou a senha não confere/)
})

test('line 2: whoever locks an account out does not lock out its owner’s own device; the wait grows and ends', async () => {
  const { cpf, password } = person(1)
  const owner = await attempt('10.2.0.1', cpf, password)
  assert.ok(isIn(owner))
  for (let index = 0; index < 14; index += 1) await attempt('10.2.66.6', cpf, WRONG)
  assert.ok(!isIn(await attempt('10.2.66.6', cpf, password)), 'locked where the attacker is')
  const again = await typePassword(await begin(rp, { prompt: 'login' }, owner.browser), { cpf, password })
  assert.ok(isIn(again), 'open on the device that is known')
  app.clock.advance(3_600_000)
  assert.ok(isIn(await attempt('10.2.67.1', cpf, password)), 'open everywhere after the wait')
})

test('line 3: a thousand accounts from one address cost twenty hashes; the rest get 429 and Retry-After', async () => {
  const before = await hashes()
  const journey = await begin(rp, {}, from('10.3.0.1'))
  const statuses: number[] = []
  for (let batch = 0; batch < 40; batch += 1) {
    const answers = await Promise.all(Array.from({ length: 25 }, (_, index) => typePassword(journey, { cpf: cpfOfNobody(5000 + batch * 25 + index), password: WRONG })))
    for (const { page } of answers) {
      statuses.push(page.status)
      if (page.status === 429) assert.ok(Number(page.headers.get('Retry-After')) > 0)
    }
  }
  assert.equal(statuses.length, 1000)
  assert.ok((await hashes()) - before <= 20, `${(await hashes()) - before} hashes`)
  assert.equal(statuses.filter((status) => status === 429).length, 980)
})

test('line 4: the cap of an account holds for attempts that come from fifty addresses', async () => {
  const before = await hashes()
  await Promise.all(Array.from({ length: 50 }, (_, index) => attempt(`10.4.${index}.1`, person(2).cpf, WRONG)))
  assert.ok((await hashes()) - before <= 10, `${(await hashes()) - before} hashes`)
})

test('a forged X-Forwarded-For does not give an attacker new addresses', async () => {
  const statuses: number[] = []
  for (let index = 0; index < 24; index += 1) {
    const browser = new BrowserClient({ 'X-Forwarded-For': `203.0.113.${index}, 10.5.0.1` })
    const journey = await typePassword(await begin(rp, {}, browser), { cpf: cpfOfNobody(9000 + index), password: WRONG })
    statuses.push(journey.page.status)
  }
  assert.ok(statuses.includes(429), statuses.join(' '))
})

test('counters of messages: one destination gets five in ten minutes, whatever asks for them', async () => {
  const browser = newBrowser()
  let last = 0
  for (let index = 0; index < 8; index += 1) {
    const page = await browser.submit(await browser.get(at('/recuperar')), { cpf: person(3).cpf, way: 'email' }, { action: '/recuperar' })
    last = page.status
  }
  assert.equal(last, 429)
  assert.equal((await app.messages()).filter(({ to, text }) => to === person(3).email && /recuperar\/link/.test(text)).length, 5)
})

test('line 11: two hundred sign-ins at once are answered by a bounded queue; a password over 1 KiB costs no hash', async () => {
  const journeys = await Promise.all(Array.from({ length: 200 }, (_, index) => begin(rp, {}, from(`10.11.${index}.1`))))
  const rss = process.memoryUsage.rss()
  const answers = await Promise.all(journeys.map((journey, index) => typePassword(journey, { cpf: cpfOfNobody(20_000 + index), password: WRONG })))
  const statuses = new Set(answers.map(({ page }) => page.status))
  for (const status of statuses) assert.ok([422, 429, 503].includes(status), `${status}`)
  for (const { page } of answers) if (page.status === 503) assert.ok(Number(page.headers.get('Retry-After')) > 0)
  assert.ok(process.memoryUsage.rss() - rss < 300 * 1024 * 1024)
  const before = await hashes()
  const long = await attempt('10.11.250.1', person(4).cpf, 'x'.repeat(1025))
  assert.equal(long.page.status, 422)
  assert.equal(await hashes(), before)
})

async function send(method: string, path: string, headers: Record<string, string>, body: Uint8Array<ArrayBuffer>): Promise<Response> {
  return area.fetch(at(path), { method, headers: { 'X-CSRF-Token': token, Accept: 'application/json', ...headers }, body })
}

let area: BrowserClient
let token = ''

test('lines 48–50: pictures that are bombs, lies or names are refused in a second and cost no memory', async () => {
  area = newBrowser()
  area.stopAt = () => false
  await area.submit(await area.get(at('/conta/entrar')), { cpf: person(5).cpf, password: person(5).password }, { action: '/entrar' })
  token = /name="csrf-token" content="([^"]+)"/.exec((await area.get(at('/demo/foto'))).html)?.[1] ?? assert.fail('no photo page')
  const rss = process.memoryUsage.rss()
  const jpeg = await sharp({ create: { width: 64, height: 64, channels: 3, background: '#808080' } }).jpeg().toBuffer()
  const bomb = await sharp({ create: { width: 16_000, height: 16_000, channels: 3, background: '#000' }, limitInputPixels: false }).png({ compressionLevel: 9 }).toBuffer()
  const pictures: [string, string, Buffer, readonly number[]][] = [
    ['a PNG of 256 Mpx', 'image/png', bomb, [413, 415, 422]],
    ['a header that says 60,000 × 60,000', 'image/jpeg', lyingJpeg(60_000), [413, 415, 422]],
    ['a truncated JPEG', 'image/jpeg', jpeg.subarray(0, jpeg.length >> 1), [415, 422]],
    ['an SVG with an entity', 'image/png', Buffer.from('<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>'), [415, 422]],
    ['HTML under a JPEG’s name', 'image/jpeg', Buffer.from('<script>alert(1)</script>'), [415, 422]],
    ['a polyglot', 'image/jpeg', Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.from('<?php system("id") ?>')]), [415, 422]],
    ['a PDF', 'image/jpeg', Buffer.from('%PDF-1.7\n'), [415, 422]],
    ['nothing', 'image/jpeg', Buffer.alloc(0), [415, 422]],
    ['an SVG that says so', 'image/svg+xml', Buffer.from('<svg/>'), [415]],
    ['a GIF', 'image/gif', Buffer.from('GIF89a'), [415]],
    ['30 MB', 'image/jpeg', Buffer.alloc(30 << 20, 1), [413]],
  ]
  for (const [name, type, bytes, wanted] of pictures) {
    const begun = performance.now()
    const response = await send('POST', '/demo/foto', { 'Content-Type': type }, new Uint8Array(bytes)).catch((error: unknown) => String(error))
    const took = performance.now() - begun
    if (typeof response === 'string') assert.equal(name, '30 MB', response)
    else assert.ok(wanted.includes(response.status), `${name}: ${response.status} ${(await response.text()).slice(0, 200)}`)
    assert.ok(took < 7000, `${name}: ${Math.round(took)} ms`)
  }
  const zipped = await send('POST', '/demo/foto', { 'Content-Type': 'image/jpeg', 'Content-Encoding': 'gzip' }, new Uint8Array(gzipSync(Buffer.alloc(50 << 20))))
  assert.equal(zipped.status, 415)
  assert.ok(process.memoryUsage.rss() - rss < 400 * 1024 * 1024, 'memory')
  assert.deepEqual(await app.foundation.db.query("SELECT 1 FROM stored_image"), [])
  assert.equal((await fetch(at('/saude'))).status, 200)
})

/** The start of a JPEG that claims this many pixels on each side. */
function lyingJpeg(side: number): Buffer {
  const frame = [0xff, 0xc0, 0, 17, 8, side >> 8, side & 255, side >> 8, side & 255, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]
  return Buffer.concat([Buffer.from([0xff, 0xd8, ...frame]), Buffer.alloc(200), Buffer.from([0xff, 0xd9])])
}

/** Writes raw bytes to the server and answers everything that came back until it hung up. */
function raw(chunks: readonly (string | Buffer)[], options: { everyMs?: number; giveUpMs?: number } = {}): Promise<{ text: string; ms: number }> {
  const begun = performance.now()
  return new Promise((resolve) => {
    let text = ''
    const socket = connect(app.port, '127.0.0.1')
    const done = () => {
      socket.destroy()
      resolve({ text, ms: performance.now() - begun })
    }
    socket.on('data', (chunk) => {
      text += String(chunk)
    })
    socket.on('close', done)
    socket.on('error', done)
    setTimeout(done, options.giveUpMs ?? 20_000).unref()
    void (async () => {
      for (const chunk of chunks) {
        if (socket.destroyed) return
        socket.write(chunk)
        await sleep(options.everyMs ?? 0)
      }
    })()
  })
}

test('line 66: 64 KB of header is 431, 100 MB of body 413, and the server lives', async () => {
  const header = await raw([`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(64 * 1024)}\r\n\r\n`])
  assert.match(header.text, /^HTTP\/1\.1 431 /)
  const many = await raw([`GET / HTTP/1.1\r\nHost: x\r\n${Array.from({ length: 3000 }, (_, n) => `X${n}: 1\r\n`).join('')}\r\n`])
  assert.match(many.text, /^HTTP\/1\.1 (431|4\d\d) /)
  for (const path of ['/token', '/recuperar', '/interacao/abcdefghijklmnopqrstu/entrar', '/conta/dados/email', '/logout', '/authorize', '/reg']) {
    const announced = await raw([`POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${app.port}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${100 << 20}\r\nConnection: close\r\n\r\n`, 'a=b&'.repeat(4000)], { giveUpMs: 15_000 })
    assert.match(announced.text, /^HTTP\/1\.1 4\d\d /, `${path}: ${announced.text.slice(0, 100)}`)
    const chunked = await raw([`POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${app.port}\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`, ...Array.from({ length: 40 }, () => `4000\r\n${'a=b&'.repeat(4096)}\r\n`)], { giveUpMs: 15_000 })
    assert.match(chunked.text, /^HTTP\/1\.1 4\d\d /, `${path} in chunks: ${chunked.text.slice(0, 100)}`)
  }
  assert.equal((await fetch(at('/saude'))).status, 200)
})

test('line 66: whoever sends a header letter by letter is cut off, while others are served', async () => {
  const slow = Array.from({ length: 50 }, () => raw(['GET / HTTP/1.1\r\nHost: x\r\n', ...Array.from({ length: 40 }, (_, n) => `X-${n}: y\r\n`)], { everyMs: 500, giveUpMs: 18_000 }))
  await sleep(500)
  const begun = performance.now()
  assert.equal((await fetch(at('/saude'))).status, 200)
  assert.ok(performance.now() - begun < 8000, 'while the slow ones are still let')
  for (const { text, ms } of await Promise.all(slow)) {
    assert.ok(ms < 16_000, `${Math.round(ms)} ms`)
    assert.ok(text === '' || /^HTTP\/1\.1 408 /.test(text), text.slice(0, 60))
  }
})

test('smuggled requests: two lengths, a length and chunks, a bare line feed, no Host', async () => {
  const bad = [
    'POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde',
    'POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /conta HTTP/1.1\r\nHost: x\r\n\r\n',
    'POST /token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\nabc',
    'GET / HTTP/1.1\n Host: x\n\n', 'GET / HTTP/1.1\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 'GET / HTTP/9.9\r\nHost: x\r\n\r\n',
  ]
  for (const request of bad) {
    const { text } = await raw([request], { giveUpMs: 3000 })
    assert.match(text, /^HTTP\/1\.1 [345]\d\d /, JSON.stringify(request.slice(0, 60)))
    assert.equal(text.match(/HTTP\/1\.1 \d\d\d /g)?.length, 1, 'one answer')
  }
})

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { crc32 } from 'node:zlib'
import sharp from 'sharp'
import { SAMPLE_REGISTER } from '../../src/demo/sample-register.ts'
import { ConfigError } from '../../src/platform/config.ts'
import { assertHeading, openArea, type TestArea, type TestCitizen } from '../portal/support/area.ts'
import { startTestApp } from '../support/app.ts'
import type { BrowserClient, Page } from '../support/browser-client.ts'
import { frameOf, HEADS } from '../support/face-samples.ts'

let area: TestArea

before(async () => {
  area = await openArea()
})
after(() => area.close())

async function atPhoto(): Promise<{ citizen: TestCitizen; browser: BrowserClient; page: Page }> {
  const citizen = await area.citizen()
  return { citizen, ...(await area.signIn(citizen, { path: '/demo/foto' })) }
}

async function send({ browser, page }: { browser: BrowserClient; page: Page }, body: Uint8Array, type = 'application/octet-stream') {
  const token = /name="csrf-token" content="([^"]+)"/.exec(page.html)?.[1] ?? ''
  const headers = { 'Content-Type': type, 'X-CSRF-Token': token, Accept: 'application/json' }
  const response = await browser.fetch(new URL('/demo/foto', area.url), { method: 'POST', headers, body: new Uint8Array(body) })
  return { status: response.status, ...((await response.json()) as { stored?: boolean; reasons?: string[] }) }
}

const references = (citizen: TestCitizen) => area.app.rooms.images.findReference(citizen.personId, area.app.rooms.faces.rule.modelId)

test('what was sent can be read, newest first, with its links; nothing of it runs', async () => {
  await area.app.foundation.db.transaction((tx) =>
    area.app.foundation.outbox.send(tx, {
      channel: 'mail',
      to: 'x@example.org',
      purpose: 'test',
      subject: '<b>Oi</b>',
      text: 'Veja http://127.0.0.1:9/a. <script>alert(1)</script>',
    }),
  )
  await area.app.messages()
  const page = await area.open(area.browser(), '/demo/mensagens')
  assertHeading(page, /Mensagens da demonstração/)
  assert.match(page.text, /<b>Oi<\/b>.*Para x@example\.org/)
  assert.ok(
    page.links.some(({ href }) => href.href === 'http://127.0.0.1:9/a'),
    'the full stop is not part of the link',
  )
  assert.ok(!page.html.includes('<script>alert'))
  assert.match(page.text, /DEMONSTRAÇÃO/)
})

test('the photo page wants a sign-in and comes back', async () => {
  const { page } = await atPhoto()
  assert.equal(page.url.pathname, '/demo/foto')
  assertHeading(page, /Sua foto de referência/)
  assert.match(page.text, /precisa de JavaScript/)
})

test('a good photo becomes the reference; a second one takes its place; the level page then offers the face check', async () => {
  const visit = await atPhoto()
  const first = await send(visit, await frameOf(HEADS.other))
  assert.deepEqual(first, { status: 201, stored: true, reasons: [] })
  const before = await references(visit.citizen)
  assert.ok(before)
  assert.equal((await send(visit, await frameOf(HEADS.third), 'image/jpeg')).status, 201)
  const after = await references(visit.citizen)
  assert.notEqual(after?.imageId, before.imageId)
  const level = await area.open(visit.browser, '/conta/nivel')
  assert.ok(level.links.some(({ href }) => href.searchParams.get('nivel') === 'prata'))
})

test('a picture that does not serve is refused with what to do better, and nothing is stored', async () => {
  const visit = await atPhoto()
  const two = await sharp(await frameOf(HEADS.third))
    .extend({ right: 640, background: '#888' })
    .composite([{ input: await frameOf(HEADS.other), left: 640, top: 0 }])
    .jpeg()
    .toBuffer()
  const refused: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['dark', await frameOf(HEADS.other, { brightness: 0.25 }), /luz|escuro/i],
    ['two faces', two, /mais de um rosto/],
    [
      'no face',
      await sharp({ create: { width: 640, height: 480, channels: 3, background: '#7a8' } })
        .jpeg()
        .toBuffer(),
      /rosto/i,
    ],
    ['a PDF named .jpg', Buffer.from('%PDF-1.7\n%âãÏÓ\n1 0 obj\n<<>>\nendobj\n'), /não é uma foto/],
    ['empty', Buffer.alloc(0), /está vazio/],
    ['cut off', (await frameOf(HEADS.first)).subarray(0, 4000), /incompleta|não é uma foto/],
    ['200 megapixels', pngHeader(20_000, 10_000), /pontos demais/],
    ['a GIF', Buffer.from('GIF89a\x01\x00\x01\x00\x00\x00\x00;', 'latin1'), /não serve|não é uma foto/],
    ['an SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'), /não é uma foto|não serve/],
  ]
  for (const [name, picture, says] of refused) {
    const answer = await send(visit, picture)
    assert.equal(answer.status, 422, `${name}: ${JSON.stringify(answer)}`)
    assert.equal(answer.stored, false)
    assert.match(answer.reasons?.join(' ') ?? '', says, name)
  }
  assert.equal(await references(visit.citizen), undefined)
})

test('more than 15 MB is refused before it is read; another type likewise; a form without the token too', async () => {
  const visit = await atPhoto()
  assert.equal((await send(visit, Buffer.alloc(15_000_001))).status, 413)
  assert.equal((await send(visit, Buffer.from('x'), 'application/pdf')).status, 415)
  const response = await visit.browser.fetch(new URL('/demo/foto', area.url), {
    method: 'POST',
    headers: { 'Content-Type': 'image/jpeg', Accept: 'application/json' },
    body: 'x',
  })
  assert.equal(response.status, 403)
})

test('a session that ended meanwhile is told to sign in again', async () => {
  const visit = await atPhoto()
  await area.app.rooms.accounts.safety.suspend(visit.citizen.accountId, { reason: 'operator', actor: { kind: 'system' } })
  const answer = await send(visit, await frameOf(HEADS.first))
  assert.equal(answer.status, 401)
  assert.match(answer.reasons?.[0] ?? '', /Entre de novo/)
})

test('without the demonstration and without a base register nothing starts, and the reason says what to set', async () => {
  await assert.rejects(startTestApp({ env: { DEMO: 'false' } }), (error: unknown) => {
    assert.ok(error instanceof ConfigError)
    assert.match(error.message, /BASE_REGISTER_FILE.*columns cpf,name.*DEMO=true/)
    return true
  })
})

test('without the demonstration there are no such pages, no portal, no seeded citizens, no banner', async () => {
  const app = await startTestApp({ env: { DEMO: 'false', BASE_REGISTER_FILE: SAMPLE_REGISTER } })
  try {
    for (const path of ['/demo/mensagens', '/demo/foto']) assert.equal((await fetch(`${app.publicUrl}${path}`)).status, 404, path)
    assert.equal((await fetch(`${app.publicUrl}/demo/foto`, { method: 'POST' })).status, 404)
    assert.equal(app.demo, undefined)
    assert.deepEqual(await app.foundation.db.query('SELECT id FROM account'), [])
    assert.doesNotMatch(await (await fetch(`${app.publicUrl}/conta`)).text(), /DEMONSTRAÇÃO/)
  } finally {
    await app.stop()
  }
})

/** A PNG that says this size of itself and has no pixels. */
function pngHeader(width: number, height: number): Buffer {
  const header = Buffer.alloc(17)
  header.write('IHDR', 'latin1')
  header.writeUInt32BE(width, 4)
  header.writeUInt32BE(height, 8)
  header.set([8, 2, 0, 0, 0], 12)
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(header))
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13]),
    header,
    sum,
    Buffer.from('0000000049454e44ae426082', 'hex'),
  ])
}

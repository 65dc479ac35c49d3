import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import Router from '@koa/router'
import { z } from 'zod'
import { bytes, type FieldErrors, guard, listOf, type Typed } from '../../src/platform/http/guard.ts'
import { startSite, type TestSite } from '../support/http-app.ts'

const HTML = { Accept: 'text/html' }
let site: TestSite
let shown: { errors: FieldErrors; typed: Typed } | undefined
let received: unknown

const form = z.object({
  cpf: z
    .string()
    .refine((text) => /^\d{11}$/.test(text), 'platform.field.invalid')
    .transform(Number),
  password: z.string().min(1),
  scopes: listOf(z.string()),
})

before(async () => {
  site = await startSite(({ views }) => {
    const router = new Router()
    const keep = (_: unknown, input: unknown) => {
      received = input
    }
    router.get(
      '/token',
      guard({}, (ctx) => {
        ctx.body = views.html(ctx, 'partials/csrf')
      }),
    )
    router.post(
      '/form',
      guard(
        {
          body: form,
          keep: ['cpf'],
          onInvalid: (ctx, invalid) => {
            shown = invalid
            ctx.body = 'again'
          },
        },
        (ctx, input) => {
          received = input.body
          ctx.body = { ok: true }
        },
      ),
    )
    router.post(
      '/plain-form',
      guard({ body: form }, (ctx) => {
        ctx.body = { ok: true }
      }),
    )
    router.post(
      '/empty',
      guard({}, (ctx) => {
        ctx.body = { ok: true }
      }),
    )
    router.post(
      '/json',
      guard(
        { consumes: 'json', csrf: false, body: z.object({ name: z.string().max(5), inner: z.object({ n: z.number() }).optional() }) },
        (ctx, input) => {
          received = input.body
          ctx.body = { ok: true }
        },
      ),
    )
    router.post(
      '/bytes',
      guard({ consumes: 'bytes', csrf: false, contentTypes: ['image/jpeg'], limitBytes: 1000, body: bytes }, (ctx, input) => {
        ctx.body = { size: input.body.length }
      }),
    )
    router.get(
      '/query',
      guard({ query: z.object({ page: z.coerce.number().int().default(1) }) }, (ctx, input) => {
        keep(ctx, input)
        ctx.body = { page: input.query.page }
      }),
    )
    router.get(
      '/things/:id',
      guard({ params: z.object({ id: z.uuid() }) }, (ctx, input) => {
        ctx.body = { id: input.params.id }
      }),
    )
    router.get(
      '/leaky',
      guard({ response: z.object({ id: z.string() }) }, (ctx) => {
        ctx.body = { id: 'a', password_hash: 'secret' }
      }),
    )
    router.get(
      '/tight',
      guard({ response: z.object({ id: z.string() }) }, (ctx) => {
        ctx.body = { id: 'a' }
      }),
    )
    return [router.routes()]
  })
})
after(() => site.stop())

/** A browser's cookie and token. */
async function visit(): Promise<{ cookie: string; token: string }> {
  const answer = await fetch(`${site.url}/token`, { headers: HTML })
  return {
    cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? '',
    token: /value="([^"]+)"/.exec(await answer.text())?.[1] ?? '',
  }
}

async function send(path: string, fields: [string, string][], headers: Record<string, string> = {}) {
  const { cookie, token } = await visit()
  const body = new URLSearchParams([...fields, ['_csrf', token]])
  return fetch(site.url + path, { method: 'POST', body, headers: { ...HTML, cookie, ...headers } })
}

test('a valid form reaches the handler as domain values, a repeated field as a list', async () => {
  const answer = await send('/form', [
    ['cpf', '52998224725'],
    ['password', 'x'],
    ['scopes', 'a'],
    ['scopes', 'b'],
  ])
  assert.equal(answer.status, 200)
  assert.deepEqual(received, { cpf: 52998224725, password: 'x', scopes: ['a', 'b'] })
  await send('/form', [
    ['cpf', '52998224725'],
    ['password', 'x'],
  ])
  assert.deepEqual(received, { cpf: 52998224725, password: 'x', scopes: [] })
})

test('a bad form is shown again with an error for each field and what was typed, never the password', async () => {
  const answer = await send('/form', [
    ['cpf', '123'],
    ['password', ''],
  ])
  assert.equal(answer.status, 422)
  assert.equal(await answer.text(), 'again')
  assert.deepEqual(shown?.errors, { cpf: 'platform.field.invalid', password: 'platform.field.required' })
  assert.deepEqual(shown?.typed, { cpf: '123' })
  await send('/form', [
    ['cpf', '123'],
    ['password', 'my secret'],
  ])
  assert.doesNotMatch(JSON.stringify(shown), /my secret/)
})

test('the same bad form from a JSON caller is a problem with a pointer and a code for each field', async () => {
  const answer = await send(
    '/form',
    [
      ['cpf', '123'],
      ['password', 'x'],
    ],
    { Accept: 'application/json' },
  )
  assert.equal(answer.status, 422)
  assert.equal(answer.headers.get('content-type'), 'application/problem+json')
  const problem = await answer.json()
  assert.equal(problem.type, `${site.url}/problems/platform/invalid-input`)
  assert.deepEqual(problem.errors, [{ pointer: '#/cpf', code: 'platform.field.invalid' }])
  assert.match(problem.instance, /^urn:uuid:[0-9a-f-]{36}$/)
})

test('an unknown field is refused, also where no field at all is expected', async () => {
  await send('/form', [
    ['cpf', '52998224725'],
    ['password', 'x'],
    ['role', 'admin'],
  ])
  assert.deepEqual(shown?.errors, { role: 'platform.field.unknown' })
  assert.equal((await send('/empty', [['role', 'admin']])).status, 422)
  assert.equal((await send('/empty', [])).status, 200)
  assert.equal((await send('/plain-form', [['__proto__', 'x']])).status, 422)
})

test("a form without its token, with another browser's token or from another site changes nothing", async () => {
  const [mine, other] = [await visit(), await visit()]
  const good = new URLSearchParams({ _csrf: mine.token })
  const post = (body: URLSearchParams, headers: Record<string, string>) =>
    fetch(`${site.url}/empty`, { method: 'POST', body, headers: { ...HTML, ...headers } })
  assert.equal((await post(good, { cookie: mine.cookie })).status, 200)
  assert.equal((await post(good, { cookie: mine.cookie, Origin: site.url, 'Sec-Fetch-Site': 'same-origin' })).status, 200)
  const refused = [
    await post(new URLSearchParams(), { cookie: mine.cookie }),
    await post(good, {}),
    await post(good, { cookie: other.cookie }),
    await post(new URLSearchParams({ _csrf: `${mine.token}x` }), { cookie: mine.cookie }),
    await post(good, { cookie: mine.cookie, Origin: 'https://evil.example' }),
    await post(good, { cookie: mine.cookie, Origin: 'null' }),
    await post(good, { cookie: mine.cookie, 'Sec-Fetch-Site': 'cross-site' }),
    await post(good, { cookie: mine.cookie, 'Sec-Fetch-Site': 'same-site' }),
    await post(good, { cookie: 'mt_csrf=guessed' }),
  ]
  for (const answer of refused) {
    assert.equal(answer.status, 403)
    assert.match(await answer.text(), /Nada foi alterado/)
  }
})

test('every token differs, all of one browser are good, and the cookie cannot be read by scripts', async () => {
  const first = await fetch(`${site.url}/token`, { headers: HTML })
  const cookie = first.headers.get('set-cookie') ?? ''
  assert.match(cookie, /^mt_csrf=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/)
  const again = await fetch(`${site.url}/token`, { headers: { ...HTML, cookie: cookie.split(';')[0] ?? '' } })
  assert.equal(again.headers.get('set-cookie'), null)
  assert.notEqual(await again.text(), await first.text())
})

test('JSON: wrong shapes, unknown members, broken text and NUL are refused with a reason', async () => {
  const post = (body: string | Uint8Array<ArrayBuffer>, type = 'application/json') =>
    fetch(`${site.url}/json`, { method: 'POST', body, headers: { 'Content-Type': type } })
  assert.equal((await post('{"name":"Ana","inner":{"n":1}}')).status, 200)
  assert.deepEqual(received, { name: 'Ana', inner: { n: 1 } })
  assert.deepEqual((await (await post('{"name":"Anabela"}')).json()).errors, [{ pointer: '#/name', code: 'platform.field.too-long' }])
  assert.deepEqual((await (await post('{"name":"Ana","inner":{"n":"1"}}')).json()).errors, [
    { pointer: '#/inner/n', code: 'platform.field.invalid' },
  ])
  assert.deepEqual((await (await post('{}')).json()).errors, [{ pointer: '#/name', code: 'platform.field.required' }])
  assert.deepEqual((await (await post('{"name":"Ana","admin":true}')).json()).errors, [
    { pointer: '#/admin', code: 'platform.field.unknown' },
  ])
  for (const body of ['{', '[]x', '{"name":"\\u0000"}', '{"name":"\\ud800"}', '{"__proto__":{}}', new Uint8Array([0x7b, 0xff])]) {
    assert.equal((await post(body)).status, 400, String(body))
  }
  assert.equal((await post('[]')).status, 422)
  assert.equal((await post('null')).status, 422)
  assert.equal((await post('name=Ana', 'application/x-www-form-urlencoded')).status, 415)
})

test('raw bytes: only the named content types, and nothing above the limit', async () => {
  const post = (body: Uint8Array<ArrayBuffer>, type: string, headers: Record<string, string> = {}) =>
    fetch(`${site.url}/bytes`, { method: 'POST', body, headers: { 'Content-Type': type, ...headers } })
  assert.deepEqual(await (await post(new Uint8Array(1000), 'image/jpeg')).json(), { size: 1000 })
  assert.equal((await post(new Uint8Array(10), 'image/svg+xml')).status, 415)
  assert.equal((await post(new Uint8Array(1001), 'image/jpeg')).status, 413)
  assert.equal((await post(new Uint8Array(10), 'image/jpeg', { 'Content-Encoding': 'gzip' })).status, 415)
})

test('a body above the limit is answered 413, also when its length is not announced', async () => {
  const big = new ReadableStream({
    start(controller) {
      for (let chunk = 0; chunk < 64; chunk += 1) controller.enqueue(new Uint8Array(64 * 1024))
      controller.close()
    },
  })
  const request: RequestInit & { duplex: 'half' } = { method: 'POST', body: big, duplex: 'half', headers: { 'Content-Type': 'image/jpeg' } }
  const answer = await fetch(`${site.url}/bytes`, request)
  assert.equal(answer.status, 413)
  assert.equal((await answer.json()).title, 'The request is too large')
  const announced = await fetch(`${site.url}/form`, {
    method: 'POST',
    body: 'x'.repeat(3_000_000),
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  })
  assert.equal(announced.status, 413)
})

test('a form with more than 200 fields or a NUL is refused', async () => {
  const many = Array.from({ length: 201 }, (_, index): [string, string] => [`f${index}`, ''])
  assert.equal((await send('/form', many)).status, 400)
  assert.equal(
    (
      await send('/form', [
        ['cpf', '\0'],
        ['password', 'x'],
      ])
    ).status,
    400,
  )
})

test('query: parsed, defaulted, unknown members refused', async () => {
  assert.deepEqual(await (await fetch(`${site.url}/query`)).json(), { page: 1 })
  assert.deepEqual(await (await fetch(`${site.url}/query?page=3`)).json(), { page: 3 })
  assert.equal((await fetch(`${site.url}/query?page=x`)).status, 400)
  assert.deepEqual((await (await fetch(`${site.url}/query?evil=1`)).json()).errors, [
    { pointer: '#/query/evil', code: 'platform.field.unknown' },
  ])
  assert.equal((await fetch(`${site.url}/query?page=1&page=2`)).status, 400)
})

test('a path parameter of the wrong shape is not found', async () => {
  assert.equal((await fetch(`${site.url}/things/7d9a6e5c-5f1c-4a5b-9e55-0a7b6f0f7a11`)).status, 200)
  assert.equal((await fetch(`${site.url}/things/1%20or%201=1`)).status, 404)
})

test('an answer that holds more than its contract is a failure and not a leak', async () => {
  assert.deepEqual(await (await fetch(`${site.url}/tight`)).json(), { id: 'a' })
  const answer = await fetch(`${site.url}/leaky`)
  assert.equal(answer.status, 500)
  assert.doesNotMatch(await answer.text(), /secret|password_hash/)
})

test('a guard over something that is not an object is refused when the program starts', () => {
  assert.throws(() => guard({ body: z.string() }, () => {}), /object schemas/)
})

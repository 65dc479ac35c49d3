import assert from 'node:assert/strict'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { createLoopbackFetch } from '../../src/portal/index.ts'
import { openArea, type TestArea } from './support/area.ts'

const PUBLIC = 'https://login.example.test'

let area: TestArea
let echo: Server

before(async () => {
  area = await openArea({ PUBLIC_URL: PUBLIC, DEMO: 'force' })
  echo = createServer((incoming, answer) => {
    if (incoming.url === '/conta/silencio') return void answer.writeHead(204).end()
    answer
      .setHeader('Set-Cookie', ['a=1', 'b=2'])
      .end(JSON.stringify({ url: incoming.url, method: incoming.method, host: incoming.headers.host }))
  })
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
})
after(async () => {
  echo?.close()
  await area?.close()
})

const echoPort = (): number => (echo.address() as AddressInfo).port

test('behind a load balancer the area reaches its own server and sends browsers to the public address', async () => {
  const answer = await new Promise<{ status?: number; location?: string; cookies: string[] }>((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port: area.app.port,
      path: '/conta/entrar?para=/conta/dados',
      headers: { host: 'login.example.test' },
    }
    const outgoing = request(options, ({ statusCode, headers }) => {
      resolve({
        ...(statusCode !== undefined && { status: statusCode }),
        ...(headers.location !== undefined && { location: headers.location }),
        cookies: headers['set-cookie'] ?? [],
      })
    })
    outgoing.on('error', reject).end()
  })
  assert.equal(answer.status, 302)
  assert.match(answer.location ?? '', /^https:\/\/login\.example\.test\/authorize\?/)
  assert.match(decodeURIComponent(answer.location ?? ''), /redirect_uri=https:\/\/login\.example\.test\/conta\/retorno/)
  assert.ok(
    answer.cookies.some((cookie) => /^__Host-mt_conta=.*; HttpOnly; Secure; SameSite=Lax/.test(cookie)),
    answer.cookies.join('\n'),
  )
})

test('the fetch of the area keeps the public host, passes answers on, and speaks to nobody else', async () => {
  const own = createLoopbackFetch(PUBLIC, () => ({ host: '127.0.0.1', port: echoPort() }))
  const options = { method: 'GET', headers: {}, redirect: 'manual', body: undefined } as const
  const answer = await own(`${PUBLIC}/conta/x?y=1`, options)
  assert.deepEqual(await answer.json(), { url: '/conta/x?y=1', method: 'GET', host: 'login.example.test' })
  assert.deepEqual(answer.headers.getSetCookie(), ['a=1', 'b=2'])
  assert.equal((await own(`${PUBLIC}/conta/silencio`, options)).status, 204)
  for (const url of [
    'https://evil.example/',
    'http://login.example.test/',
    'https://login.example.test:444/',
    'https://login.example.test@evil.example/',
  ]) {
    await assert.rejects(async () => own(url, options), /its own server only/, url)
  }
  const nobody = createLoopbackFetch(PUBLIC, () => ({ host: '127.0.0.1', port: 1 }))
  await assert.rejects(async () => nobody(`${PUBLIC}/x`, options), /ECONNREFUSED/)
})

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { DEADLINE_MS, guardedFetch, MOST_BODY_BYTES } from '../../src/oidc/net/guarded-fetch.ts'
import { isSpecialAddress } from '../../src/oidc/net/special-addresses.ts'

let hits = 0
let body = Buffer.from('{"keys":[]}')
let delayMs = 0
let redirect: string | undefined
const canary = createServer((_request, response) => {
  hits += 1
  if (redirect) return void response.writeHead(302, { location: redirect }).end()
  setTimeout(() => response.end(body), delayMs).unref()
})
let host = ''
before(async () => {
  await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve))
  host = `127.0.0.1:${(canary.address() as AddressInfo).port}`
})
after(() => {
  canary.closeAllConnections()
  canary.close()
})

for (const address of [
  '127.0.0.1',
  '10.1.2.3',
  '169.254.169.254',
  '172.31.0.1',
  '192.168.1.1',
  '100.64.0.1',
  '0.0.0.0',
  '224.0.0.1',
  '::1',
  '::',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  'fe80::1',
  'fd00::1',
  '64:ff9b::7f00:1',
  '2002:7f00:1::',
  'not-an-address',
]) {
  test(`${address} is special`, () => assert.ok(isSpecialAddress(address)))
}
for (const address of ['8.8.8.8', '200.198.1.1', '2001:4860:4860::8888', '2804:14c::1']) {
  test(`${address} is public`, () => assert.ok(!isSpecialAddress(address)))
}

for (const [name, address] of [
  ['this machine', () => `https://${host}/`],
  ['this machine by IPv6', () => `https://[::1]:${host.split(':')[1]}/`],
  ['an IPv4 address inside an IPv6 one', () => `https://[::ffff:127.0.0.1]:${host.split(':')[1]}/`],
  ['any address', () => `https://0.0.0.0:${host.split(':')[1]}/`],
  ['a number', () => `https://2130706433:${host.split(':')[1]}/`],
  ['hexadecimal', () => `https://0x7f.1:${host.split(':')[1]}/`],
  ['a name that leads here', () => `https://localhost:${host.split(':')[1]}/`],
  ['the cloud’s metadata', () => 'https://169.254.169.254/latest/'],
  ['a private network', () => 'https://10.0.0.1/'],
  ['clear text', () => `http://${host}/`],
  ['credentials in it', () => `https://user:pass@${host}/`],
] as const) {
  test(`an address with ${name} is not fetched`, async () => {
    hits = 0
    await assert.rejects(guardedFetch(address(), { allowedHosts: [] }))
    assert.equal(hits, 0)
  })
}

test('an operator can allow a host, and only that one', async () => {
  const response = await guardedFetch(`http://${host}/`, { allowedHosts: [host] })
  assert.deepEqual(await response.json(), { keys: [] })
  await assert.rejects(guardedFetch(`http://${host}/`, { allowedHosts: ['127.0.0.1:1'] }))
})

test('redirects are not followed', async () => {
  redirect = `http://${host}/secret`
  hits = 0
  const response = await guardedFetch(`http://${host}/`, { allowedHosts: [host] })
  assert.equal(response.status, 302)
  assert.equal(hits, 1)
  redirect = undefined
})

test('a large answer is cut off, a slow one given up', async () => {
  body = Buffer.alloc(MOST_BODY_BYTES + 1)
  await assert.rejects(guardedFetch(`http://${host}/`, { allowedHosts: [host] }), /too large/)
  body = Buffer.from('{}')
  delayMs = DEADLINE_MS * 4
  const begun = Date.now()
  await assert.rejects(guardedFetch(`http://${host}/`, { allowedHosts: [host] }), /no answer/)
  assert.ok(Date.now() - begun < delayMs, 'before the answer came')
  delayMs = 0
})

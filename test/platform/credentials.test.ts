/** One reader of what calls show in their Authorization header. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readBearer, readCredentials } from '../../src/platform/http/credentials.ts'
import type { HttpContext } from '../../src/platform/http/request-facts.ts'

const showing = (authorization: string) => ({ get: (name: string) => (name === 'Authorization' ? authorization : '') }) as HttpContext
const EVERY = 'AZaz09-._~+/'

test('a token of every letter that RFC 6750 allows is read, whatever the case of its scheme', () => {
  for (const text of [EVERY, `${EVERY}=`, `${EVERY}==`, 'a']) for (const scheme of ['Bearer', 'bearer', 'BEARER']) assert.equal(readBearer(showing(`${scheme} ${text}`), 200), text)
})

test('the scheme is told as its reader names it, and one that is not asked for is no credential', () => {
  assert.deepEqual(readCredentials(showing('dpop x'), ['Bearer', 'DPoP'], 200), { scheme: 'DPoP', token: 'x' })
  for (const header of ['DPoP x', 'Basic x', 'SAD x', 'Bearers x', 'x']) assert.equal(readBearer(showing(header), 200), '', header)
})

test('what is no token, or two, or longer than the reader says, is not read', () => {
  for (const header of ['', 'Bearer', 'Bearer ', 'Bearer a b', 'Bearer a,b', 'Bearer =', 'Bearer a=b', 'Bearer ação', 'Bearer "a"', 'Bearer a\tb', ' Bearer a', 'Bearer a ']) {
    assert.equal(readBearer(showing(header), 200), '', JSON.stringify(header))
  }
  assert.equal(readBearer(showing(`Bearer ${'a'.repeat(200)}`), 200).length, 200)
  assert.equal(readBearer(showing(`Bearer ${'a'.repeat(201)}`), 200), '')
  assert.equal(readBearer(showing(`Bearer ${'a'.repeat(15_000)}`), 200), '')
})

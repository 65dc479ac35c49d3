import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { createCookieSigner } from '../../src/oidc/keys/cookie-signer.ts'

test('a signature is HMAC-SHA-256 under the newest key', () => {
  const expected = createHmac('sha256', 'new').update('mt_session=abc').digest('base64url')
  assert.equal(createCookieSigner(['new', 'old']).sign('mt_session=abc'), expected)
})

test('signatures of older keys still count, with their place, so that the cookie is signed anew', () => {
  const old = createCookieSigner(['old']).sign('mt_session=abc')
  const signer = createCookieSigner(['new', 'old'])
  assert.equal(signer.index('mt_session=abc', old), 1)
  assert.equal(signer.index('mt_session=abc', signer.sign('mt_session=abc')), 0)
  assert.ok(signer.verify('mt_session=abc', old))
})

test('another value, another name, another key, a cut or empty signature: refused', () => {
  const signer = createCookieSigner(['key'])
  const signature = signer.sign('mt_session=abc')
  for (const [data, given] of [
    ['mt_session=abd', signature],
    ['mt_resume=abc', signature],
    ['mt_session=abc', signature.slice(1)],
    ['mt_session=abc', `${signature}A`],
    ['mt_session=abc', ''],
    ['mt_session=abc', 'ç'.repeat(43)],
    ['mt_session=abc', createCookieSigner(['other']).sign('mt_session=abc')],
  ] as const) {
    assert.equal(signer.index(data, given), -1, given)
    assert.equal(signer.verify(data, given), false)
  }
})

test('without a key there is no signer', () => {
  assert.throws(() => createCookieSigner([]))
})

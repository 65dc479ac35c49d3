import assert from 'node:assert/strict'
import test from 'node:test'
import { aalOf, addMethods } from '../../src/accounts/sessions/session.ts'

test('a password alone, or with a face, is aal1; a code or a verified passkey makes aal2', () => {
  assert.equal(aalOf(['pwd']), 1)
  assert.equal(aalOf(['pwd', 'face']), 1)
  assert.equal(aalOf(['otp']), 1)
  assert.equal(aalOf(['pop']), 1)
  assert.equal(aalOf(['pwd', 'otp']), 2)
  assert.equal(aalOf(['pop', 'user', 'mfa', 'swk']), 2)
})

test('adding a factor keeps the methods once each and says mfa when two kinds make aal2', () => {
  assert.deepEqual(addMethods(['pwd'], ['otp']), ['pwd', 'otp', 'mfa'])
  assert.deepEqual(addMethods(['pwd', 'face'], ['face']), ['pwd', 'face'])
})

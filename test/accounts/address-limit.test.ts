import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAddressLimit } from '../../src/accounts/throttle/address-limit.ts'
import { Problem } from '../../src/platform/problem.ts'

function limitAt(time: { ms: number }, mostAddresses = 100) {
  return createAddressLimit({ allowance: { burst: 3, perSecond: 2 }, networkOf: (address) => address, now: () => time.ms, mostAddresses })
}

function refusal(work: () => void): Problem {
  try {
    work()
  } catch (error) {
    if (error instanceof Problem) return error
  }
  return assert.fail('not refused')
}

test('an address has its burst, then what time gives back', () => {
  const time = { ms: 0 }
  const limit = limitAt(time)
  for (let index = 0; index < 3; index += 1) {
    limit.check('a')
    limit.spend('a')
  }
  const refused = refusal(() => limit.check('a'))
  assert.equal(refused.code, 'platform/too-many')
  assert.equal(refused.retryAfterSeconds, 1)
  limit.check('b')
  time.ms = 500
  limit.check('a')
  limit.spend('a')
  refusal(() => limit.check('a'))
})

test('what ran at the same time is paid for afterwards, and rest never gives more than the burst', () => {
  const time = { ms: 0 }
  const limit = limitAt(time)
  for (let index = 0; index < 9; index += 1) limit.spend('a')
  assert.equal(refusal(() => limit.check('a')).retryAfterSeconds, 4)
  time.ms = 3_499
  refusal(() => limit.check('a'))
  time.ms = 3_600_000
  for (let index = 0; index < 3; index += 1) limit.spend('a')
  refusal(() => limit.check('a'))
})

test('a flood of addresses is remembered only up to the bound, the latest of them', () => {
  const limit = limitAt({ ms: 0 }, 10)
  for (let index = 0; index < 1000; index += 1) limit.spend(`address ${index}`)
  assert.equal(limit.size(), 10)
  for (let index = 0; index < 2; index += 1) limit.spend('address 999')
  refusal(() => limit.check('address 999'))
  limit.check('address 1')
})

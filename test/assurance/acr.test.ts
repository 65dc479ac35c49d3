import assert from 'node:assert/strict'
import test from 'node:test'
import {
  acrFor, combineRequirements, findShortfall, parseRequirement, type SessionAssurance,
} from '../../src/assurance/index.ts'

const PRATA = 'urn:mt-login:nivel:prata'
const OURO = 'urn:mt-login:nivel:ouro'
const AAL2 = 'urn:mt-login:aal:2'
const FACE = 'urn:mt-login:face'
const NOW = new Date('2026-11-22T12:00:00Z')
const ago = (seconds: number): Date => new Date(NOW.getTime() - seconds * 1000)
const session = (more: Partial<SessionAssurance> = {}): SessionAssurance => ({ level: 'bronze', aal: 1, authenticatedAt: ago(60), ...more })
const shortfall = (values: string[], state: SessionAssurance, maxAge?: number) => findShortfall(parseRequirement(values, maxAge), state, NOW)

test('within an axis any listed value satisfies, so the weakest is the demand', () => {
  assert.deepEqual(parseRequirement([OURO, PRATA]), { level: 'prata' })
  assert.equal(shortfall([OURO, PRATA], session({ level: 'prata' })), undefined)
})

test('every axis that is named must be met', () => {
  assert.equal(shortfall([PRATA, AAL2], session({ level: 'ouro' })), 'aal')
  assert.equal(shortfall([PRATA, AAL2], session({ aal: 2 })), 'level')
  assert.equal(shortfall([PRATA, AAL2], session({ level: 'prata', aal: 2 })), undefined)
})

test('a face check is fresh for max_age seconds, or five minutes where none is named', () => {
  assert.equal(shortfall([FACE], session()), 'face')
  assert.equal(shortfall([FACE], session({ faceAt: ago(300) })), undefined)
  assert.equal(shortfall([FACE], session({ faceAt: ago(301) })), 'face')
  assert.equal(shortfall([FACE], session({ faceAt: ago(31) }), 30), 'face')
  assert.equal(shortfall([FACE], session({ faceAt: ago(301) }), 600), undefined)
})

test('max_age 0 with a face demand asks for a face check in this very request', () => {
  assert.deepEqual(parseRequirement([FACE], 0), { face: { maxAgeSeconds: 0 } })
  assert.equal(shortfall([FACE], session({ faceAt: ago(1) }), 0), 'face')
})

test('values of other systems are ignored beside ours and can never be satisfied on their own', () => {
  assert.equal(shortfall(['https://refeds.org/profile/mfa', PRATA], session({ level: 'prata' })), undefined)
  assert.equal(shortfall(['https://refeds.org/profile/mfa'], session({ level: 'ouro', aal: 2 })), 'impossible')
  assert.equal(shortfall(['urn:mt-login:nivel:diamante'], session({ level: 'ouro' })), 'impossible')
  assert.equal(shortfall([], session()), undefined)
})

test('aal3 is not offered, so nothing satisfies it', () => {
  assert.equal(shortfall(['urn:mt-login:aal:3'], session({ aal: 2 })), 'aal')
})

test('a client\'s own minimum and the request combine to the stronger demand on each axis', () => {
  const combined = combineRequirements(parseRequirement([PRATA, FACE], 600), parseRequirement([OURO, AAL2, FACE], 60))
  assert.deepEqual(combined, { level: 'ouro', aal: 2, face: { maxAgeSeconds: 60 } })
  assert.deepEqual(combineRequirements({}, { level: 'prata' }), { level: 'prata' })
})

test('acr states the highest level that the session bears, not the one that was asked', () => {
  assert.equal(acrFor(session({ level: 'ouro' }), NOW), OURO)
})

test('where the request lists the only values it accepts, acr is the strongest of these that is true', () => {
  const gold = session({ level: 'ouro', faceAt: ago(10) })
  assert.equal(acrFor(gold, NOW, [PRATA]), PRATA)
  assert.equal(acrFor(gold, NOW, [FACE]), FACE)
  assert.equal(acrFor(gold, NOW, [FACE, PRATA]), PRATA)
  assert.equal(acrFor(session(), NOW, [PRATA]), undefined)
  assert.equal(acrFor(session(), NOW, [AAL2]), undefined)
})

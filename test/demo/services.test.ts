import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PortalSessions } from '../../src/demo/portal-sessions.ts'
import { findService, isMet, SERVICES, waysIn } from '../../src/demo/services.ts'

const NOW = new Date('2026-11-22T12:00:00Z')
const SECONDS = NOW.getTime() / 1000
const acr = (level: string) => `urn:mt-login:nivel:${level}`

function isOpen(id: string, claims: Record<string, unknown>): boolean {
  const service = findService(id)
  assert.ok(service)
  return isMet(service, claims, NOW)
}

test('a service opens for a token that bears what it demands, and for no weaker one', () => {
  assert.ok(isOpen('segunda-via', { acr: acr('bronze') }))
  assert.ok(!isOpen('carteira', { acr: acr('bronze') }))
  assert.ok(!isOpen('carteira', {}))
  assert.ok(isOpen('carteira', { acr: acr('prata') }))
  assert.ok(isOpen('carteira', { acr: acr('ouro') }))
  assert.ok(isOpen('conta-bancaria', { acr: acr('prata'), face_time: SECONDS - 200 }))
  assert.ok(!isOpen('conta-bancaria', { acr: acr('prata'), face_time: SECONDS - 400 }), 'too old')
  assert.ok(!isOpen('conta-bancaria', { acr: acr('prata') }), 'no face')
  assert.ok(!isOpen('conta-bancaria', { acr: acr('bronze'), face_time: SECONDS }))
})

test('services are found by their id only', () => {
  assert.equal(findService(undefined), undefined)
  assert.equal(findService('toString'), undefined)
  assert.equal(new Set(SERVICES.map(({ id }) => id)).size, SERVICES.length)
})

test('ways of signing in are said in words; what has none is left out', () => {
  assert.deepEqual(waysIn({ amr: ['pwd', 'otp', 'mfa', 'toString'] }), ['senha', 'código do aplicativo'])
  assert.deepEqual(waysIn({}), [])
})

test('the portal’s sessions end by sid, by subject where there is none, and the oldest goes when there are too many', () => {
  const sessions = new PortalSessions()
  const add = (subject: string, sid: string | undefined) =>
    Object.assign(sessions.create(), { citizen: { subject, sid, idToken: '', claims: {} } })
  const [first, second] = [add('a', '1'), add('a', '2')]
  assert.equal(sessions.endMatching({ sid: '1', subject: 'a' }), 1)
  assert.equal(sessions.find(first.id), undefined)
  assert.ok(sessions.find(second.id))
  assert.equal(sessions.endMatching({ sid: '9' }), 0)
  assert.equal(sessions.endMatching({ subject: 'a' }), 1)
  assert.equal(sessions.endMatching({}), 0)
  const oldest = sessions.create()
  for (let count = 0; count < 10_000; count += 1) sessions.create()
  assert.equal(sessions.find(oldest.id), undefined)
})

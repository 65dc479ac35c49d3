import assert from 'node:assert/strict'
import test from 'node:test'
import { type Evidence, findPolicyRow, type Level, levelAt, POLICY, type Proof } from '../../src/assurance/index.ts'

/** One proof for every row of the policy: adding a row without saying here what earns it fails. */
const EARNED_BY: Record<string, Proof> = {
  registration: { method: 'registration' },
  'face-basic-demo': { method: 'face-match', livenessClass: 'basic', referenceTrusted: true },
  'face-bound-in-person': { method: 'face-match', livenessClass: 'active+bound', referenceTrusted: true, referenceInPerson: true },
  'face-bound': { method: 'face-match', livenessClass: 'active+bound', referenceTrusted: true, referenceInPerson: false },
  'face-active': { method: 'face-match', livenessClass: 'active', referenceTrusted: true, referenceInPerson: true },
  'attended-dual-control': { method: 'attended', livenessClass: 'attended', dualControl: true },
  'counter-documents': { method: 'counter-documents' },
  'govbr-ouro': { method: 'govbr', federalLevel: 'ouro' },
  'govbr-prata': { method: 'govbr', federalLevel: 'prata' },
  'icp-brasil': { method: 'icp-brasil' },
}

for (const row of POLICY) {
  test(`policy row ${row.id} grants ${row.grants} to exactly the proof that earns it`, () => {
    const proof = EARNED_BY[row.id]
    assert.ok(proof, 'say which proof earns this row')
    assert.equal(findPolicyRow(proof, { demo: true })?.id, row.id)
  })
}

test('the levels of the design, row by row', () => {
  const granted: Record<string, Level> = Object.fromEntries(POLICY.map((row) => [row.id, row.grants]))
  assert.deepEqual(granted, {
    registration: 'bronze', 'face-basic-demo': 'prata', 'face-bound-in-person': 'ouro', 'face-bound': 'prata', 'face-active': 'prata',
    'attended-dual-control': 'ouro', 'counter-documents': 'prata', 'govbr-ouro': 'ouro', 'govbr-prata': 'prata', 'icp-brasil': 'ouro',
  })
})

const WORTHLESS: [string, Proof, boolean][] = [
  ['a basic face check outside the demonstration', { method: 'face-match', livenessClass: 'basic', referenceTrusted: true }, false],
  ['a face check against a reference nobody vouches for', { method: 'face-match', livenessClass: 'active+bound', referenceTrusted: false }, true],
  ['a face check that states no liveness class', { method: 'face-match', referenceTrusted: true }, true],
  ['an attendance that one person did alone', { method: 'attended', livenessClass: 'attended', dualControl: false }, true],
  ['a federal login that states bronze', { method: 'govbr', federalLevel: 'bronze' }, true],
]
for (const [name, proof, demo] of WORTHLESS) {
  test(`${name} raises nothing`, () => assert.equal(findPolicyRow(proof, { demo }), undefined))
}

test('no remote face check reaches ouro without a device key and a reference taken in person', () => {
  for (const livenessClass of ['basic', 'active', 'active+bound'] as const) {
    for (const referenceInPerson of [true, false]) {
      const grants = findPolicyRow({ method: 'face-match', livenessClass, referenceTrusted: true, referenceInPerson }, { demo: true })?.grants
      assert.equal(grants === 'ouro', livenessClass === 'active+bound' && referenceInPerson)
    }
  }
})

const NOW = new Date('2026-11-22T12:00:00Z')
const evidence = (grants: Level, more: Partial<Evidence> = {}): Evidence => ({
  id: 'e', personId: 'p', method: 'face-match', source: 'image-store', grants, obtainedAt: new Date('2026-01-01T00:00:00Z'), ...more,
})

test('the highest live evidence decides the level, and bronze is the floor', () => {
  assert.equal(levelAt([], NOW), 'bronze')
  assert.equal(levelAt([evidence('bronze'), evidence('prata')], NOW), 'prata')
  assert.equal(levelAt([evidence('ouro'), evidence('bronze')], NOW), 'ouro')
})

test('evidence stops counting in the millisecond in which it expires or is withdrawn', () => {
  const later = new Date(NOW.getTime() + 1)
  assert.equal(levelAt([evidence('prata', { expiresAt: later })], NOW), 'prata')
  assert.equal(levelAt([evidence('prata', { expiresAt: NOW })], NOW), 'bronze')
  assert.equal(levelAt([evidence('ouro', { withdrawnAt: NOW }), evidence('prata')], NOW), 'prata')
})

/** The attribute that says as whose representative somebody signed: what is written is read again, and nothing else is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { child, NotDer, readDer } from '../../src/signatures/asn1/reader.ts'
import { seq } from '../../src/signatures/asn1/der.ts'
import { readRepresentation } from '../../src/signatures/cms/representation.ts'
import { type Representation, representationAttribute, REPRESENTATION_OID } from '../../src/signatures/index.ts'
import { oidText } from '../../src/signatures/asn1/reader.ts'

const COMPANY: Representation = { mandateId: '0b0f7c0e-5a3e-4c58-9a5c-8f7f5a3f1c11', represented: { kind: 'company', name: 'Padaria São José Ltda', identifier: '12ABC34501DE35' }, role: 'representante legal' }
const writtenFor = (said: Representation) => child(child(readDer(representationAttribute(said)), 1, 0x31), 0, 0x30)

test('what is said of a representative is read again', () => {
  assert.equal(oidText(child(readDer(representationAttribute(COMPANY)), 0)), REPRESENTATION_OID)
  assert.deepEqual(readRepresentation(writtenFor(COMPANY)), COMPANY)
  const person: Representation = { ...COMPANY, represented: { kind: 'person', name: 'Maria', identifier: '***.456.789-**' } }
  assert.deepEqual(readRepresentation(writtenFor(person)), person)
})

test('characters that turn or hide text are left out, and texts have an end', () => {
  const said = readRepresentation(writtenFor({ ...COMPANY, role: `a\u202eb\u0000c${'x'.repeat(500)}` }))
  assert.match(said.role, /^abcx+$/)
  assert.equal(said.role.length, 200)
})

test('another shape is refused', () => {
  assert.throws(() => readRepresentation(readDer(seq())), NotDer)
  assert.throws(() => readRepresentation(readDer(seq(...writtenFor(COMPANY).children().slice(1).map(({ raw }) => raw)))), NotDer)
})

/** What an ICP-Brasil certificate is worth, against a chain, OCSP and lists that OpenSSL makes. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createRevocationChecks, type FetchBytes, type RevocationVerdict } from '../../src/signatures/icp/revocation.ts'
import { isNamed } from '../../src/signatures/icp/holder.ts'
import { judgeCertificate } from '../../src/signatures/icp/judge.ts'
import type { TrustAnchor } from '../../src/signatures/verification/trust.store.ts'
import { movableClock } from '../support/clock.ts'
import { type IcpChain, openIcpChain, personNames } from '../support/icp-chain.ts'

const CPF = '52998224725'
const MARIA = { name: 'MARIA APARECIDA DA SILVA', cpf: CPF }
const MINUTE = 60_000
const DAY = 86_400_000

let chain: IcpChain
let other: IcpChain
let anchors: TrustAnchor[]
const soon = () => new Date(Date.now() + MINUTE)
const anchor = (der: Buffer, rest: Partial<TrustAnchor> = {}): TrustAnchor => ({ sha256: '', title: 'x', kind: 'icp-brasil', level: 'qualified', der, ...rest })

before(async () => {
  chain = await openIcpChain()
  other = await openIcpChain()
  anchors = [anchor(chain.root), anchor(chain.issuing)]
})
after(async () => {
  await Promise.all([chain?.close(), other?.close()])
})

const faultOf = (der: Uint8Array, { at = soon(), trusted = anchors, given = [] as Uint8Array[] } = {}) => {
  const judged = judgeCertificate([der, ...given], trusted, at)
  return judged.kind === 'unfit' ? judged.fault : 'fit'
}

test('an e-CPF below a root that an operator marked is fit: CPF from otherName, name from the common name', () => {
  const { der } = chain.issue(MARIA)
  const judged = judgeCertificate([der, chain.issuing], [anchor(chain.root)], soon())
  assert.ok(judged.kind === 'fit')
  assert.deepEqual({ ...judged.certificate.holder }, { cpf: CPF, name: 'MARIA APARECIDA DA SILVA', isCut: false })
  assert.equal(judged.certificate.path.length, 3)
  assert.ok(isNamed(judged.certificate.holder, 'Maria Aparecida da Silva') && !isNamed(judged.certificate.holder, 'Maria Aparecida da Silva Souza'))
  assert.equal(faultOf(der), 'fit', 'a token that sends no chain: the operator’s intermediate one helps')
  const printable = personNames(CPF).map((line) => line.replace('OCT:', 'PRINTABLE:'))
  assert.equal(faultOf(chain.issue({ ...MARIA, altNames: printable }).der), 'fit', 'as some authorities write it')
})

test('a name that was cut at 64 characters is compared as far as it goes, any other in full', () => {
  const long = 'MARIA APARECIDA DA CONCEICAO DE ALBUQUERQUE CAVALCAN'
  const judged = judgeCertificate([chain.issue({ ...MARIA, commonName: `${long}:${CPF}` }).der], anchors, soon())
  assert.ok(judged.kind === 'fit' && judged.certificate.holder.isCut)
  assert.ok(isNamed(judged.certificate.holder, 'Maria Aparecida da Conceição de Albuquerque Cavalcanti'))
  assert.ok(!isNamed(judged.certificate.holder, 'Maria Aparecida da Conceição de Almeida Cavalcanti'))
})

test('unknown roots, self-signed twins, roots of another kind, and an intermediate alone are not believed', () => {
  const { der } = chain.issue(MARIA)
  assert.equal(faultOf(other.issue(MARIA).der, { given: [other.issuing, other.root] }), 'unknown-issuer', 'the same names below another root')
  assert.equal(faultOf(chain.issue({ ...MARIA, selfSigned: true }).der), 'unknown-issuer')
  assert.equal(faultOf(der, { trusted: [anchor(chain.root, { kind: 'other' }), anchor(chain.issuing, { kind: 'gov-br' })] }), 'unknown-issuer')
  assert.equal(faultOf(der, { trusted: [anchor(chain.root, { level: 'advanced' })], given: [chain.issuing] }), 'unknown-issuer')
  assert.equal(faultOf(der, { trusted: [anchor(chain.issuing)] }), 'unknown-issuer')
  assert.equal(faultOf(der, { trusted: [] }), 'unknown-issuer')
  assert.equal(faultOf(chain.root), 'unknown-issuer', 'a root is nobody')
  assert.notEqual(faultOf(chain.issuing), 'fit')
})

test('outside its time, for another purpose, of a company, or saying two things, it proves nothing', () => {
  const { der } = chain.issue(MARIA)
  assert.equal(faultOf(der, { at: new Date(Date.now() + 366 * DAY) }), 'not-in-time')
  assert.equal(faultOf(der, { at: new Date(Date.now() - DAY) }), 'not-in-time')
  assert.equal(faultOf(chain.issue({ ...MARIA, usage: 'keyEncipherment' }).der), 'purpose')
  assert.equal(faultOf(chain.issue({ ...MARIA, purposes: 'serverAuth' }).der), 'purpose')
  assert.equal(faultOf(chain.issue({ ...MARIA, policy: '2.16.76.1.2.303.1' }).der), 'purpose', 'a policy of time-stamps')
  const company = ['2.16.76.1.3.4;FORMAT:ASCII,OCT:0405199052998224725000000000000000001234567', '2.16.76.1.3.3;FORMAT:ASCII,OCT:11222333000181']
  assert.equal(faultOf(chain.issue({ ...MARIA, altNames: company }).der), 'not-a-person')
  assert.equal(faultOf(chain.issue({ ...MARIA, altNames: [...personNames(CPF), ...company] }).der), 'not-a-person')
  assert.equal(faultOf(chain.issue({ ...MARIA, altNames: [...personNames(CPF), ...personNames('11144477735')] }).der), 'not-a-person')
  assert.equal(faultOf(chain.issue({ ...MARIA, altNames: personNames('11111111111') }).der), 'not-a-person', 'no CPF at all')
  assert.equal(faultOf(chain.issue({ ...MARIA, commonName: 'MARIA APARECIDA DA SILVA:11144477735' }).der), 'not-a-person', 'two CPFs')
})

test('what is no certificate is unreadable, wherever it is cut or changed', () => {
  const { der } = chain.issue(MARIA)
  for (const bytes of [Buffer.alloc(0), Buffer.from('não'), der.subarray(0, 100), Buffer.concat([der, Buffer.from([0])]), Buffer.from([0x30, 0x02, 0x30, 0x00])]) assert.equal(faultOf(bytes), 'unreadable')
  for (let at = 8; at < der.length; at += 13) {
    const forged = Buffer.from(der)
    forged[at] = (forged[at] ?? 0) ^ 0x01
    assert.notEqual(faultOf(forged), 'fit', `byte ${at}`)
  }
  assert.equal(judgeCertificate([], anchors, soon()).kind, 'unfit')
})

const fetchBytes: FetchBytes = async (address, { body }) => {
  const response = await fetch(address, { ...(body && { method: 'POST', body: new Uint8Array(body) }) })
  if (!response.ok) throw new Error(String(response.status))
  return Buffer.from(await response.arrayBuffer())
}

async function verdictOf(der: Buffer, checks = createRevocationChecks({ clock: movableClock(), fetchBytes })): Promise<RevocationVerdict> {
  const judged = judgeCertificate([der], anchors, soon())
  assert.ok(judged.kind === 'fit')
  return checks.check(judged.certificate.path)
}

test('revocation: OCSP first, the list when it does not answer, and nobody vouching is no yes', async () => {
  const [good, bad] = [chain.issue(MARIA), chain.issue(MARIA)]
  chain.revoke(bad)
  for (const answers of ['all', 'lists'] as const) {
    chain.answers = answers
    assert.equal(await verdictOf(good.der), 'good', answers)
    assert.equal(await verdictOf(bad.der), 'revoked', answers)
  }
  chain.answers = 'none'
  assert.equal(await verdictOf(good.der), 'unchecked')
  chain.answers = 'all'
  assert.ok(chain.asked.includes('POST /ocsp') && chain.asked.includes('GET /root.crl'), 'the intermediate one is asked about too')
})

test('an answer by another authority, or rubbish, counts for nothing', async () => {
  const { der } = chain.issue(MARIA)
  const lying: FetchBytes = (address, ask) => fetchBytes(address.replace(chain.host, other.host), ask)
  assert.equal(await verdictOf(der, createRevocationChecks({ clock: movableClock(), fetchBytes: lying })), 'unchecked')
  assert.equal(await verdictOf(der, createRevocationChecks({ clock: movableClock(), fetchBytes: async () => Buffer.from('<html>') })), 'unchecked')
})

test('a list is fetched once until the next is due; an old good word is not taken, and it is asked for anew', async () => {
  const { der } = chain.issue(MARIA)
  chain.answers = 'lists'
  const clock = movableClock()
  const checks = createRevocationChecks({ clock, fetchBytes })
  const lists = () => chain.asked.filter((each) => each.endsWith('.crl')).length
  const start = lists()
  assert.equal(await verdictOf(der, checks), 'good')
  assert.equal(await verdictOf(der, checks), 'good')
  assert.equal(lists() - start, 2, 'one of each authority')
  clock.advance(3 * DAY)
  assert.equal(await verdictOf(der, checks), 'unchecked')
  assert.equal(lists() - start, 4)
  chain.answers = 'all'
})

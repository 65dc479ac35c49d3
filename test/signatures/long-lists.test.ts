/** A list of a hundred thousand: whole, accepted by OpenSSL, and made while others have their turns. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { child, readDer } from '../../src/signatures/asn1/reader.ts'
import { newSerial } from '../../src/signatures/authority/certificate.ts'
import { revokedSerials } from '../../src/signatures/authority/chain.ts'
import { issueCrl, REVOCATION_REASONS, type RevocationReason } from '../../src/signatures/authority/crl.ts'
import { createCrlThread, unpackEntries } from '../../src/signatures/status/crl-thread.ts'
import { createKeySigner, makeKey, makeRoot, parseCertificate } from '../../src/signatures/index.ts'
import { openSignatureScene, openssl, pem } from '../support/signature-scene.ts'
import { issueTestSigner } from '../support/test-signers.ts'

const AT = new Date('2026-11-28T12:00:00Z')
const REASONS = Object.keys(REVOCATION_REASONS) as RevocationReason[]
const revokedOf = (count: number) => Array.from({ length: count }, (_, i) => ({ serial: newSerial(), at: new Date(AT.getTime() - i * 1000), reason: REASONS[i % REASONS.length] ?? 'unspecified' }))

test('a list of a hundred thousand is what the short way would make of it, and others have their turns meanwhile', async () => {
  const scene = await openSignatureScene({ demo: false })
  const lists = createCrlThread()
  try {
    const signer = createKeySigner(makeKey('P-384'))
    const root = await makeRoot({ commonName: 'Raiz', organization: 'Teste' }, signer, AT)
    const issuer = { name: parseCertificate(root).subject, signer }
    const request = { number: 7, thisUpdate: AT, nextUpdate: new Date(AT.getTime() + 86_400_000), partition: 'http://ac.example/1.crl' }
    const revoked = revokedOf(100_000)
    let turns = 0
    let isDone = false
    const count = () => {
      turns += 1
      if (!isDone) setImmediate(count)
    }
    setImmediate(count)
    const list = await lists.issue({ ...request, revoked }, issuer)
    isDone = true
    // One at least for each piece that is packed, whatever the machine does beside it.
    assert.ok(turns >= 50, `${turns}`)
    const plain = await issueCrl({ ...request, revoked }, issuer)
    const signedPart = (der: Buffer) => child(readDer(der), 0).raw
    assert.ok(signedPart(list).equals(signedPart(plain)), 'the same but for the signature')
    const checked = await openssl('crl', '-in', scene.write('long.crl', pem('X509 CRL', list)), '-noout', '-CAfile', scene.write('root.pem', pem('CERTIFICATE', root)), '-verify', '-crlnumber')
    assert.match(checked.text, /verify OK/)
    assert.match(checked.text, /crlNumber=0x0?7/i)
  } finally {
    await lists.close()
    await scene.close()
  }
})

test('what goes to the thread comes out as it was', () => {
  assert.throws(() => unpackEntries('00 1 nobody'))
  assert.deepEqual(unpackEntries('4a 1000 superseded\n4b 2000 unspecified'), [{ serial: '4a', at: new Date(1000), reason: 'superseded' }, { serial: '4b', at: new Date(2000), reason: 'unspecified' }])
})

test("a full part's list is made in the thread, and is right at once", async () => {
  const scene = await openSignatureScene()
  try {
    const { authority, statuses } = scene.signatures
    const { id } = await authority.active()
    await scene.db.execute(
      `INSERT INTO pki_certificate (authority_id, serial, shard, profile, key_id, der, not_before, not_after, issued_at, revoked_at, revocation_reason)
       SELECT authority_id, '4' || lpad(to_hex(g), 31, '0'), 0, profile, key_id, der, not_before, not_after, issued_at, issued_at, 'superseded' FROM pki_certificate, generate_series(1, 2500) AS g WHERE profile = 'seal'`,
    )
    const by = await issueTestSigner(scene)
    await authority.revoke({ serial: by.serial, reason: 'keyCompromise', actor: { kind: 'system' } })
    const list = revokedSerials((await statuses.crl(id, 0)) ?? assert.fail())
    assert.equal(list.size, 2501)
    assert.ok(list.has(by.serial))
  } finally {
    await scene.close()
  }
})

/** Whole signatures and time-stamps by the CSC API: what the SAD names is signed, whoever judges it; nothing else is, and a refusal costs nothing. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { draftCms, parseCertificate } from '../../src/signatures/index.ts'
import { OID } from '../../src/signatures/asn1/oids.ts'
import { algorithmOfKey } from '../../src/signatures/authority/signer.ts'
import { embed } from '../../src/signatures/pdf/place.ts'
import { pdf } from '../portal/support/signing.ts'
import { type CscScene, digestOf, ES_256, openCscScene, SHA_256 } from '../support/csc-scene.ts'
import { openssl, pem, run } from '../support/signature-scene.ts'
import { announceBody } from '../support/unsent-body.ts'

let scene: CscScene
let folder: string
before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'mt-csc-'))
  scene = await openCscScene()
})
after(async () => {
  await scene.area.close()
  rmSync(folder, { recursive: true, force: true })
})

const write = (name: string, bytes: Uint8Array | string) => {
  writeFileSync(path.join(folder, name), bytes)
  return path.join(folder, name)
}
const bytesOf = (found: unknown): Buffer[] => (Array.isArray(found) ? found.map((each) => Buffer.from(String(each), 'base64')) : [])
const named = (...contents: (string | Uint8Array)[]) => contents.map((content, index) => ({ hash: digestOf(content), label: `${index}.pdf` }))
const document = (content: string | Uint8Array, more: object) => ({ document: Buffer.from(content).toString('base64'), signAlgo: ES_256, ...more })
const signDoc = (body: object, token?: string) => scene.post('signatures/signDoc', { credentialID: scene.credentialID, ...body }, token)

/** Poppler's word: every signature is good; `total` when the last one covers the whole file. */
async function poppler(file: Buffer): Promise<{ signatures: number; good: number; total: boolean }> {
  const { text } = await run('pdfsig', ['-no-ocsp', '-nocert', write('judged.pdf', file)])
  return { signatures: text.match(/^Signature #/gm)?.length ?? 0, good: text.match(/Signature is Valid\./g)?.length ?? 0, total: /- Total document signed/.test(text) }
}

async function chain(): Promise<{ root: string; issuing: string; both: string; at: string }> {
  const [authority] = await scene.area.app.rooms.signatures.authority.list()
  assert.ok(authority)
  const [root, issuing] = [pem('CERTIFICATE', authority.root), pem('CERTIFICATE', authority.certificate)]
  return { root: write('root.pem', root), issuing: write('issuing.pem', issuing), both: write('both.pem', root + issuing), at: String(Math.floor(scene.area.clock.now().getTime() / 1000)) }
}

async function opensslSays(cms: Buffer, content?: string): Promise<boolean> {
  const { both, at } = await chain()
  const beside = content === undefined ? [] : ['-content', write('content.bin', content)]
  const { ok } = await openssl('cms', '-verify', '-cades', '-binary', '-inform', 'DER', '-in', write('s.der', cms), ...beside, '-CAfile', both, '-purpose', 'any', '-attime', at, '-out', path.join(folder, 'out'))
  return ok
}

test('documents are signed in each form; Poppler, OpenSSL and our verifier take them; the SAD is spent once, and by no refusal', async () => {
  const [certified, revised, archived] = [await pdf('certified'), await pdf('revised'), await pdf('archived')]
  const [attached, beside] = ['o arquivo inteiro', 'o arquivo ao lado']
  const sad = await scene.sad(...named(certified, revised, archived, attached, beside))
  const all = [
    document(certified, { signature_format: 'P', conformance_level: 'Ades-B-LT' }),
    document(revised, { signature_format: 'P', signed_envelope_property: 'Revision' }),
    document(archived, { signature_format: 'P', conformance_level: 'AdES-B-LTA', signed_envelope_property: 'Revision' }),
    document(attached, { signature_format: 'C', conformance_level: 'Ades-B-T' }),
    document(beside, { signature_format: 'C', signed_envelope_property: 'Detached' }),
  ]
  const refused: [object, RegExp][] = [
    [{}, /Empty documentDigests and documents objects/],
    [{ documents: [document('outro', { signature_format: 'C' })] }, /not authorized by the SAD/],
    [{ documents: [all[3], all[3]] }, /not authorized by the SAD/],
    [{ documents: all, documentDigests: [{ hashes: [digestOf(beside).toString('base64')], signature_format: 'C', signAlgo: ES_256 }] }, /Both documentDigests and documents/],
    [{ documents: [document(attached, { signature_format: 'X' })] }, /Invalid parameter signature_format/],
    [{ documents: [document(attached, { signature_format: 'C', conformance_level: 'Ades-B-LT' })] }, /Invalid parameter conformance_level/],
    [{ documents: [document(attached, { signature_format: 'C', signed_envelope_property: 'Revision' })] }, /Invalid parameter signed_envelope_property/],
    [{ documents: [document(attached, { signature_format: 'C', signed_props: [{ attribute_name: 'Reason', attribute_value: 'QQ==' }] })] }, /Invalid parameter signed_props/],
    [{ documents: [document(attached, { signature_format: 'C', signAlgo: '1.2.840.113549.1.1.11' })] }, /Invalid parameter signAlgo/],
    [{ documents: [document(attached, { signature_format: 'P' })] }, /The document cannot be signed: unreadable/],
    [{ documents: [{ ...all[3], document: `${all[3]?.document}=` }] }, /Invalid Base64 documents/],
    [{ documentDigests: [{ hashes: [digestOf(beside).toString('base64')], signature_format: 'C', signed_envelope_property: 'Attached', signAlgo: ES_256 }] }, /Invalid parameter signed_envelope_property/],
  ]
  for (const [body, expected] of refused) {
    const { status, json } = await signDoc(body, sad)
    assert.deepEqual([status, json['error']], [400, 'invalid_request'], String(expected))
    assert.match(String(json['error_description']), expected)
  }
  assert.equal((await signDoc({ documents: all })).status, 401)
  const { status, json } = await signDoc({ documents: all }, sad)
  assert.equal(status, 200, JSON.stringify(json).slice(0, 300))
  const [first, second, third, inside] = bytesOf(json['DocumentWithSignature'])
  const [apart] = bytesOf(json['SignatureObject'])
  assert.ok(first && second && third && inside && apart)
  assert.equal(json['validationInfo'], undefined, 'nobody asked')
  for (const [signed, original, form] of [[first, certified, 'B-LT'], [second, revised, 'B-B'], [third, archived, 'B-LTA']] as const) {
    assert.ok(signed.subarray(0, original.length).equals(original), 'the document itself is there to the byte')
    const word = await poppler(signed)
    assert.equal(word.good, 1, form)
    const verdict = await scene.area.app.rooms.signatures.verifier.verify(signed)
    assert.deepEqual(verdict.signatures.map(({ verdict: each, form: found }) => [each, found]), [['valid', form]])
  }
  assert.match(first.toString('latin1'), /\/DocMDP/)
  assert.doesNotMatch(second.toString('latin1'), /\/DocMDP/)
  assert.ok(await opensslSays(inside))
  assert.ok(await opensslSays(apart, beside))
  assert.equal(await opensslSays(apart, attached), false)
  assert.equal((await signDoc({ documents: [all[4]] }, sad)).status, 401, 'replayed')
})

test('a system that keeps its PDF has a digest signed, gets the evidence, and what it puts together is a good signature; so with signHash', async () => {
  const { signing } = scene.area.app.rooms.signatures
  const place = { reason: 'x', name: 'Rosa', at: scene.area.clock.now() }
  const [mine, other] = [await signing.preparePdf(await pdf('dela'), place), await signing.preparePdf(await pdf('outra'), place)]
  const service = await scene.serviceToken()
  const { json: about } = await scene.post('credentials/info', { credentialID: scene.credentialID, certificates: 'chain' }, service)
  const certificates = bytesOf((about['cert'] as { certificates: string[] }).certificates) as [Buffer, ...Buffer[]]
  const draft = draftCms({ messageDigest: Buffer.from(other.digest), contentType: OID.data, certificates }, algorithmOfKey(parseCertificate(certificates[0]).spki))
  const [first, second] = [{ hash: Buffer.from(mine.digest), label: 'dela.pdf' }, { hash: digestOf(draft.toBeSigned), label: 'outra.pdf' }]
  const digests = { hashes: first.hash.toString('base64'), hashAlgorithmOID: SHA_256, signature_format: 'P', conformance_level: 'AdES-B-LT', signAlgo: ES_256 }

  const { status, json } = await signDoc({ documentDigests: [digests], SAD: await scene.sad(first) }, service)
  assert.equal(status, 200, JSON.stringify(json))
  const [cms = Buffer.alloc(0)] = bytesOf(json['SignatureObject'])
  assert.deepEqual(await poppler(embed(mine, cms)), { signatures: 1, good: 1, total: true })
  const evidence = json['validationInfo'] as Record<string, unknown>
  for (const kind of ['ocsp', 'crl', 'certificates']) assert.ok(bytesOf(evidence[kind]).length > 0, kind)
  const lasting = await signDoc({ documentDigests: [{ ...digests, conformance_level: 'Ades-B-LTA' }], SAD: await scene.sad(first) }, service)
  assert.match(String(lasting.json['error_description']), /conformance_level/, 'a time over evidence that is not in the file yet')

  const { json: hashed } = await scene.post('signatures/signHash', { credentialID: scene.credentialID, SAD: await scene.sad(second), hashes: [second.hash.toString('base64')], signAlgo: ES_256 }, service)
  const [signature = Buffer.alloc(0)] = bytesOf(hashed['signatures'])
  assert.deepEqual(await poppler(embed(other, await draft.complete(signature))), { signatures: 1, good: 1, total: true })
})

test('a time-stamp by our authority, for a client that a citizen let in, within its month', async () => {
  await scene.system('carimbador', ['--por-mes', '1'])
  const token = await scene.serviceToken('carimbador')
  const asked = { hash: digestOf('o que foi assinado').toString('base64'), hashAlgo: SHA_256, nonce: 'abc' }
  for (const [changes, expected] of [[{ hash: 'AAAA' }, /Invalid digest value length/], [{ hash: '*' }, /Invalid Base64/], [{ hashAlgo: '1.3.14.3.2.26' }, /Invalid parameter hashAlgo/], [{ nonce: 'não' }, /Invalid parameter nonce/], [{ hash: undefined }, /Missing .* string parameter hash/]] as const) {
    const { status, json } = await scene.post('signatures/timestamp', { ...asked, ...changes }, token)
    assert.equal(status, 400)
    assert.match(String(json['error_description']), expected)
  }
  assert.equal((await scene.post('signatures/timestamp', asked)).status, 401)
  const { status, json } = await scene.post('signatures/timestamp', asked, token)
  assert.equal(status, 200, JSON.stringify(json))
  const [stamp = Buffer.alloc(0)] = bytesOf([json['timestamp']])
  const { root, issuing, at } = await chain()
  const verified = await openssl('ts', '-verify', '-attime', at, '-token_in', '-in', write('t.der', stamp), '-data', write('d.bin', 'o que foi assinado'), '-CAfile', root, '-untrusted', issuing)
  assert.match(verified.text, /Verification: OK/)
  assert.match((await openssl('ts', '-reply', '-token_in', '-in', write('t.der', stamp), '-text', '-token_out')).text, /Nonce: 0x0ABC/i)
  assert.equal((await scene.post('signatures/timestamp', asked, token)).status, 429)
})

test('bodies that one system sends at once are bounded before a byte of them is read, and each is a call of its minute', async () => {
  await scene.system('pesado', ['--por-minuto', '6'])
  const token = await scene.serviceToken('pesado')
  const announce = () => announceBody(`${scene.base}/signatures/signDoc`, { bytes: 14 * 1024 * 1024, headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' } })
  const calls = await Promise.all([1, 2, 3, 4, 5].map(announce))
  assert.equal(await Promise.any(calls.map(({ status }) => status)), 503)
  const { json } = await signDoc({ SAD: 'x' }, await scene.serviceToken())
  assert.match(String(json['error_description']), /^Invalid parameter SAD$/, 'another system is read')
  assert.equal(await (await announce()).status, 429)
  for (const { end } of calls) end()
})

/** The authority as OpenSSL sees it: chain, lists, answers, time-stamps; and what a revocation changes. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { SERVICES } from '../../src/signatures/authority/profiles.ts'
import { parseCertificate } from '../../src/signatures/index.ts'
import { openSignatureScene, openssl, pem, type SignatureScene, STAMP_CLIENT, writeChain } from '../support/signature-scene.ts'

let scene: SignatureScene
before(async () => {
  scene = await openSignatureScene()
})
after(() => scene.close())

const active = () => scene.signatures.authority.active()

async function certificateOf(service: (typeof SERVICES)[number]): Promise<{ file: string; serial: string; der: Buffer }> {
  const { certificates, serial } = await scene.signatures.authority.service(service)
  return { file: scene.write(`${service}.pem`, pem('CERTIFICATE', certificates[0])), serial, der: certificates[0] }
}

test('every certificate passes the strict check of another program, with the lists of both authorities', async () => {
  const { root, issuing, crls } = await writeChain(scene, await active())
  const strict = ['verify', '-x509_strict', '-check_ss_sig', '-CAfile', root]
  assert.match((await openssl(...strict, issuing)).text, /OK/)
  for (const service of SERVICES) {
    const { file } = await certificateOf(service)
    const checked = await openssl(...strict, '-untrusted', issuing, ...(service === 'ocsp' ? [] : ['-crl_check_all', '-CRLfile', crls, '-extended_crl']), file)
    assert.ok(checked.ok, `${service}: ${checked.text}`)
  }
  assert.ok((await openssl('verify', '-purpose', 'timestampsign', '-CAfile', root, '-untrusted', issuing, (await certificateOf('tsa')).file)).ok)
  assert.ok((await openssl('verify', '-purpose', 'smimesign', '-CAfile', root, '-untrusted', issuing, (await certificateOf('seal')).file)).ok)
  assert.ok(!(await openssl('verify', '-CAfile', root, (await certificateOf('seal')).file)).ok, 'not without the issuing authority')
})

test('certificates say what the profile says, and name addresses that answer', async () => {
  const { file } = await certificateOf('seal')
  const { text } = await openssl('x509', '-in', file, '-noout', '-text')
  for (const part of [/Digital Signature, Non Repudiation/, /E-mail Protection, 1\.3\.6\.1\.5\.5\.7\.3\.36/, /Policy: 2\.25\.\d+\.1\.0/, /CPS: http/, /SEM VALOR/]) assert.match(text, part)
  assert.doesNotMatch(text, /2\.16\.76\.1\.2/, 'no policy of ICP-Brasil')
  const addresses = [...text.matchAll(/URI:(\S+)|CPS: (\S+)/g)].map(([, uri, cps]) => uri ?? cps ?? '')
  assert.equal(addresses.length, 4)
  for (const address of addresses.filter((each) => !each.endsWith('/ocsp'))) assert.equal((await fetch(address)).status, 200, address)
  const issuing = await scene.get(`/ac/${(await active()).id}/emissora.cer`)
  assert.match((await openssl('x509', '-inform', 'DER', '-in', scene.write('issuing.cer', issuing), '-noout', '-text')).text, /pathlen:0/)
  assert.match((await openssl('x509', '-in', (await certificateOf('ocsp')).file, '-noout', '-text')).text, /OCSP No Check/)
})

test('pages of the authority: fingerprints as OpenSSL computes them, and that it is a demonstration', async () => {
  const html = (await scene.get('/ac')).toString()
  const { root } = await writeChain(scene, await active())
  const [, fingerprint = ''] = /Fingerprint=(\S+)/.exec((await openssl('x509', '-in', root, '-noout', '-fingerprint', '-sha256')).text) ?? []
  assert.ok(html.includes(fingerprint))
  assert.match(html, /Isto é uma demonstração/)
  assert.match((await scene.get('/ac/praticas')).toString(), /Não é assinatura qualificada/)
})

const ask = (certificate: string, chain: { root: string; issuing: string }, ...more: string[]) =>
  openssl('ocsp', '-issuer', chain.issuing, '-cert', certificate, '-url', `${scene.site.url}/api/ac/ocsp`, '-CAfile', chain.root, '-verify_other', chain.issuing, '-nonce', ...more)

test('the responder: good with a nonce, by GET, unknown for what nobody issued, and a clear no for what is no question', async () => {
  const chain = await writeChain(scene, await active())
  const { file } = await certificateOf('seal')
  const good = await ask(file, chain)
  assert.match(good.text, /: good[\s\S]*Response verify OK/)
  assert.doesNotMatch(good.text, /WARNING: no nonce/)
  const bySha256 = await openssl('ocsp', '-issuer', chain.issuing, '-sha256', '-cert', file, '-url', `${scene.site.url}/api/ac/ocsp`, '-CAfile', chain.root, '-verify_other', chain.issuing)
  assert.match(bySha256.text, /: good[\s\S]*Response verify OK/)

  const unknown = await openssl('ocsp', '-issuer', chain.issuing, '-serial', '0x1234', '-url', `${scene.site.url}/api/ac/ocsp`, '-CAfile', chain.root, '-verify_other', chain.issuing)
  assert.match(unknown.text, /: unknown[\s\S]*Response verify OK/)

  const request = `${scene.folder}/request.der`
  await openssl('ocsp', '-issuer', chain.issuing, '-cert', file, '-reqout', request, '-no_nonce')
  const bytes = readFileSync(request)
  for (const path of [encodeURIComponent(bytes.toString('base64')), bytes.toString('base64')]) {
    const answer = scene.write('answer.der', await scene.get(`/api/ac/ocsp/${path}`))
    const read = await openssl('ocsp', '-respin', answer, '-issuer', chain.issuing, '-cert', file, '-CAfile', chain.root, '-verify_other', chain.issuing)
    assert.match(read.text, /: good[\s\S]*Response verify OK/)
  }
  const post = async (body: Uint8Array<ArrayBuffer>) => Buffer.from(await (await fetch(`${scene.site.url}/api/ac/ocsp`, { method: 'POST', headers: { 'Content-Type': 'application/ocsp-request' }, body })).arrayBuffer())
  for (const odd of [Buffer.from('nonsense'), bytes.subarray(0, -3), Buffer.concat([bytes, bytes]), Buffer.alloc(5000, 0x30)]) {
    assert.equal((await post(new Uint8Array(odd))).toString('hex'), '30030a0101', 'malformedRequest')
  }
  assert.equal((await fetch(`${scene.site.url}/api/ac/ocsp`, { method: 'POST', headers: { 'Content-Type': 'application/ocsp-request' }, body: new Uint8Array(20_000) })).status, 413)
})

test('a revocation is in the next answer and the next list, whose number grows; a service so lost gets another certificate', async () => {
  const authority = await active()
  const before = await certificateOf('seal')
  const chain = await writeChain(scene, authority)
  const numberOf = async (file: string) => Number(/Number:\s+(\d+|0x[0-9A-F]+)/i.exec((await openssl('crl', '-in', file, '-noout', '-text')).text)?.[1])
  const first = await numberOf(scene.write('first.crl', pem('X509 CRL', await scene.get(`/ac/${authority.id}/lcr/0.crl`))))

  await scene.signatures.authority.revoke({ serial: before.serial, reason: 'keyCompromise', actor: { kind: 'operator', id: 'teste' } })

  assert.match((await ask(before.file, chain)).text, /: revoked[\s\S]*Reason: keyCompromise/)
  const list = scene.write('second.crl', pem('X509 CRL', await scene.get(`/ac/${authority.id}/lcr/0.crl`)))
  const shown = await openssl('crl', '-in', list, '-noout', '-text', '-CAfile', chain.issuing, '-verify')
  assert.match(shown.text, /verify OK/)
  assert.ok(shown.text.toLowerCase().includes(before.serial))
  assert.match(shown.text, /Key Compromise/)
  assert.equal(await numberOf(list), first + 1)
  const { root, issuing, crls } = await writeChain(scene, authority)
  assert.match((await openssl('verify', '-CAfile', root, '-untrusted', issuing, '-crl_check_all', '-CRLfile', crls, '-extended_crl', before.file)).text, /certificate revoked/)

  const later = await certificateOf('seal')
  assert.notEqual(later.serial, before.serial)
  await assert.rejects(scene.signatures.authority.revoke({ serial: before.serial, reason: 'superseded', actor: { kind: 'system' } }), { kind: { code: 'signatures/certificate-revoked', status: 409, title: 'The certificate is revoked already' } })
  assert.deepEqual((await scene.events('signatures/certificate-revoked')).map(({ data }) => data['serial']), [before.serial])
})

async function stampRequest(...more: string[]): Promise<string> {
  const [data, request] = [scene.write('data.txt', 'um documento'), `${scene.folder}/request.tsq`]
  assert.ok((await openssl('ts', '-query', '-data', data, '-out', request, ...more)).ok)
  return request
}

function postStamp(body: Buffer, token = STAMP_CLIENT): Promise<Response> {
  return fetch(`${scene.site.url}/api/carimbo`, { method: 'POST', headers: { 'Content-Type': 'application/timestamp-query', Authorization: `Bearer ${token}` }, body: new Uint8Array(body) })
}

test('a time-stamp is what OpenSSL asked for; only clients get one; each leaves a line', async () => {
  const { root, issuing } = await writeChain(scene, await active())
  for (const options of [['-sha256', '-cert'], ['-sha384', '-cert'], ['-sha512', '-cert', '-no_nonce']]) {
    const request = await stampRequest(...options)
    const response = await postStamp(readFileSync(request))
    assert.equal(response.headers.get('Content-Type'), 'application/timestamp-reply')
    const reply = scene.write('reply.tsr', Buffer.from(await response.arrayBuffer()))
    const checked = await openssl('ts', '-verify', '-queryfile', request, '-in', reply, '-CAfile', root, '-untrusted', issuing)
    assert.match(checked.text, /Verification: OK/, checked.text)
  }
  const other = scene.write('other.txt', 'outro documento')
  assert.match((await openssl('ts', '-verify', '-data', other, '-in', `${scene.folder}/reply.tsr`, '-CAfile', root, '-untrusted', issuing)).text, /FAILED/)
  assert.equal((await postStamp(readFileSync(await stampRequest('-sha256')), 'outro')).status, 401)
  const lines = await scene.events('signatures/time-stamped')
  assert.equal(lines.length, 3)
  assert.equal(new Set(lines.map(({ data }) => data['serial'])).size, 3)
  assert.equal(lines[0]?.client_id, STAMP_CLIENT)
})

test('refusals of the time-stamp authority are answers that OpenSSL reads', async () => {
  const refused = async (body: Buffer) => {
    const reply = scene.write('refusal.tsr', Buffer.from(await (await postStamp(body)).arrayBuffer()))
    return (await openssl('ts', '-reply', '-in', reply, '-text')).text
  }
  assert.match(await refused(readFileSync(await stampRequest('-sha1'))), /unrecognized or unsupported algorithm/i)
  assert.match(await refused(readFileSync(await stampRequest('-sha256', '-tspolicy', '1.2.3.4'))), /policy/i)
  assert.match(await refused(Buffer.from('nonsense')), /data submitted has the wrong format/i)
  scene.clock.advance(-60_000)
  assert.match(await refused(readFileSync(await stampRequest('-sha256'))), /time source is not available/i)
  await assert.rejects(scene.signatures.stamping.stamp(Buffer.alloc(32)), { name: 'Problem' })
  scene.clock.advance(60_000)
  assert.match(await refused(readFileSync(await stampRequest('-sha256', '-cert'))), /Granted/)
})

test('services renew before their end, and a second start makes nothing new', async () => {
  assert.equal(await scene.signatures.authority.renewServices(), 0)
  await scene.signatures.authority.ensureDemonstration()
  assert.equal((await scene.signatures.authority.list()).length, 1)
  const before = await certificateOf('ocsp')
  scene.clock.advance(45 * 86_400_000)
  assert.equal(await scene.signatures.authority.renewServices(), 1, 'the responder alone is near its end')
  const later = await certificateOf('ocsp')
  assert.ok(parseCertificate(later.der).notAfter > parseCertificate(before.der).notAfter)
})

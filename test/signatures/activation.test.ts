/** A citizen's will becomes a signature: of exactly what they confirmed, once, and for nobody else. */
import assert from 'node:assert/strict'
import { createHash, createPublicKey, verify } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { isProblem, type ProblemKind } from '../../src/platform/problem.ts'
import { OID } from '../../src/signatures/asn1/oids.ts'
import { draftCms, parseCertificate, type Represented, SIGNATURE_PROBLEMS, signCms } from '../../src/signatures/index.ts'
import { openPostgresTestDatabase } from '../support/database.ts'
import { documentOf, openSigningScene, type SceneCitizen, type SigningScene } from '../support/signing-scene.ts'
import { openssl, pem, writeChain } from '../support/signature-scene.ts'

const refuses = (kind: ProblemKind, detail?: string) => (error: unknown) => isProblem(error, kind) && (detail === undefined || error.detail === detail)
const { activationOver, activationUnproven, notEntitled, notTheDocuments, mandateRefused, tooManyActivations } = SIGNATURE_PROBLEMS
const MINUTE = 60_000

describe('an activation with a key of its own', () => {
  let scene: SigningScene
  let maria: SceneCitizen
  before(async () => {
    scene = await openSigningScene()
    maria = await scene.addCitizen()
  })
  after(() => scene.close())

  const confirm = async (opened: { id: string; nonce: string }, claims?: Parameters<SigningScene['proof']>[2]) =>
    scene.signing.activations.confirm({ id: opened.id, idToken: await scene.proof(maria, opened.nonce, claims) })

  test('signs what was confirmed; OpenSSL accepts signature, chain, times and names', async () => {
    const content = Buffer.from('um documento qualquer')
    const file = scene.write('documento.txt', content)
    const digest = createHash('sha256').update(content).digest()
    const hex = digest.toString('hex')
    const signer = await confirm(await scene.open(maria, { documents: [{ name: 'documento.txt', form: 'cades', sha256: hex, digest: hex }] }))
    const cms = await signCms({ messageDigest: digest, contentType: OID.data, certificates: signer.certificates, attributes: signer.attributes }, signer.signer)
    const chain = await writeChain(scene, await scene.signatures.authority.active())
    const verdict = await openssl('cms', '-verify', '-cades', '-binary', '-inform', 'DER', '-in', scene.write('a.p7s', cms), '-content', file, '-CAfile', chain.root, '-purpose', 'smimesign', '-x509_strict')
    assert.ok(verdict.ok, verdict.text)
    const certificate = scene.write('maria.pem', pem('CERTIFICATE', signer.certificates[0]))
    const strict = await openssl('verify', '-x509_strict', '-crl_check', '-CAfile', chain.root, '-untrusted', chain.issuing, '-CRLfile', chain.crls, certificate)
    assert.ok(strict.ok, strict.text)
    const { text } = await openssl('x509', '-in', certificate, '-noout', '-text')
    assert.match(text, /Digital Signature, Non Repudiation/)
    assert.match(text, /E-mail Protection.*1\.3\.6\.1\.5\.5\.7\.3\.36/)
    assert.match(text, /CN = Maria da Silva SEM VALOR|CN=Maria da Silva SEM VALOR/)
    const parsed = parseCertificate(signer.certificates[0])
    assert.ok(parsed.notAfter.getTime() - parsed.notBefore.getTime() <= 3_600_000, 'no longer than an hour')
    // CPF where ICP-Brasil's readers look; birth date, NIS and RG are zeros.
    assert.ok(parsed.extension(OID.subjectAltName)?.value.raw.includes(`0000000052998224725${'0'.repeat(26)}`))
    assert.ok(!parsed.subject.includes('52998224725'), 'no CPF where people read it')
  })

  test('is a line of the ledger before anybody has the signature', async () => {
    const before = (await scene.events('signatures/signed')).length
    const signer = await confirm(await scene.open(maria, { documents: [documentOf('b')] }))
    await signer.signer.sign(attributesFor('b', signer))
    const events = await scene.events('signatures/signed')
    assert.equal(events.length, before + 1)
    assert.deepEqual(events.at(-1)?.data['digests'], ['b'.repeat(64)])
    assert.equal(events.at(-1)?.data['serial'], signer.serial)
  })

  function attributesFor(digit: string, signer: { certificates: readonly [Buffer, ...Buffer[]]; attributes: readonly Buffer[]; signer: Parameters<typeof draftCms>[1] }, extra: readonly Buffer[] = signer.attributes) {
    return draftCms({ messageDigest: Buffer.from(digit.repeat(64), 'hex'), contentType: OID.data, certificates: signer.certificates, attributes: extra }, signer.signer).toBeSigned
  }

  test('of fifty confirmations at once one signs', async () => {
    const opened = await scene.open(maria)
    const idToken = await scene.proof(maria, opened.nonce)
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => scene.signing.activations.confirm({ id: opened.id, idToken })))
    const won = outcomes.filter(({ status }) => status === 'fulfilled')
    assert.equal(won.length, 1)
    for (const outcome of outcomes) if (outcome.status === 'rejected') assert.ok(refuses(activationOver)(outcome.reason), String(outcome.reason))
    const [winner] = won
    assert.ok(winner?.status === 'fulfilled')
    await winner.value.signer.sign(attributesFor('a', winner.value))
  })

  test('is refused to proofs that prove something else', async () => {
    const other = await scene.addCitizen()
    const now = scene.clock.now()
    const cases: [string, Parameters<SigningScene['proof']>[2]][] = [
      ['token', { forged: true }],
      ['token', { iss: 'https://outro.example' }],
      ['audience', { aud: 'outro-sistema' }],
      ['token', { aud: ['mt-conta', 'outro-sistema'] }],
      ['nonce', { nonce: 'x'.repeat(43) }],
      ['subject', { sub: other.accountId }],
      ['old', { authAt: new Date(now.getTime() - 2000) }],
      ['old', { authAt: new Date(now.getTime() + 2000) }],
      ['level', { acr: 'urn:mt-login:nivel:bronze' }],
      ['weak', { aal: 'aal1' }],
      ['unseen', { sid: 'written' }],
      ['weak', { aal: undefined }],
      ['weak', { aal: 'aal1', faceAt: new Date(now.getTime() - 2000) }],
    ]
    const opened = await scene.open(maria)
    for (const [fault, claims] of cases) await assert.rejects(confirm(opened, claims), refuses(activationUnproven, fault), JSON.stringify(claims))
    for (const idToken of ['', 'x', 'a.b.c', `${await scene.proof(maria, opened.nonce)}x`]) {
      await assert.rejects(scene.signing.activations.confirm({ id: opened.id, idToken }), refuses(activationUnproven, 'token'))
    }
    // All that was refused used nothing up.
    await confirm(opened, { aal: 'aal1', faceAt: now })
  })

  test('dies after five minutes, and after its use', async () => {
    const late = await scene.open(maria)
    scene.clock.advance(5 * MINUTE)
    await assert.rejects(confirm(late), refuses(activationOver))
    const used = await scene.open(maria)
    await confirm(used)
    await assert.rejects(confirm(used), refuses(activationOver))
    // Even when somebody who writes rows brings it back to life.
    await scene.db.execute('UPDATE signature_activation SET used_at = NULL WHERE id = $1', [used.id])
    await assert.rejects(confirm(used), refuses(activationOver))
  })

  test('covers every word: a row that was changed is not what the citizen proved', async () => {
    const changes = [
      `jsonb_set(content, '{documents,0,digest}', '"${'9'.repeat(64)}"')`,
      `jsonb_set(content, '{documents,0,sha256}', '"${'9'.repeat(64)}"')`,
      `jsonb_set(content, '{documents,0,name}', '"outro.pdf"')`,
      `jsonb_set(content, '{documents,0,form}', '"hash"')`,
      `jsonb_set(content, '{documents}', (content->'documents') || (content->'documents'))`,
    ]
    for (const change of changes) {
      const opened = await scene.open(maria)
      await scene.db.execute(`UPDATE signature_activation SET content = ${change} WHERE id = $1`, [opened.id])
      await assert.rejects(confirm(opened), refuses(activationUnproven, 'nonce'), change)
    }
    const other = await scene.addCitizen()
    const stolen = await scene.open(maria)
    await scene.db.execute('UPDATE signature_activation SET account_id = $2 WHERE id = $1', [stolen.id, other.accountId])
    await assert.rejects(confirm(stolen), refuses(activationUnproven, 'nonce'))
    const elsewhere = await scene.open(maria, { clientId: 'sistema-a' })
    await scene.db.execute(`UPDATE signature_activation SET client_id = 'sistema-b' WHERE id = $1`, [elsewhere.id])
    await assert.rejects(confirm(elsewhere), refuses(activationUnproven, 'nonce'))
    const longer = await scene.open(maria)
    await scene.db.execute(`UPDATE signature_activation SET expires_at = expires_at + interval '1 hour' WHERE id = $1`, [longer.id])
    await assert.rejects(confirm(longer), refuses(activationUnproven, 'nonce'))
  })

  test('signs nothing but its documents, each once, and says nothing more', async () => {
    const signer = await confirm(await scene.open(maria, { documents: [documentOf('c'), documentOf('d')] }))
    const sign = (bytes: Buffer) => signer.sign([bytes])
    await assert.rejects(sign(attributesFor('e', signer)), refuses(notTheDocuments))
    await assert.rejects(sign(Buffer.from('c'.repeat(64), 'hex')), refuses(notTheDocuments))
    await assert.rejects(signer.signHashes([Buffer.from('c'.repeat(64), 'hex')]), refuses(notTheDocuments), 'no raw hash where documents were confirmed')
    const claimed = [Buffer.from('300e06092a864886f70d01090e3101 0500'.replace(' ', ''), 'hex')]
    await assert.rejects(sign(attributesFor('c', signer, claimed)), refuses(notTheDocuments), 'no other attribute')
    await assert.rejects(signer.sign([attributesFor('c', signer), attributesFor('c', signer)]), refuses(notTheDocuments))
    await sign(attributesFor('c', signer))
    await assert.rejects(sign(attributesFor('c', signer)), refuses(notTheDocuments))
    await sign(attributesFor('d', signer))
    await assert.rejects(sign(attributesFor('d', signer)), refuses(activationOver), 'the key is gone with the last document')
  })

  test('signs for a minute after its end, and no longer', async () => {
    const signer = await confirm(await scene.open(maria))
    scene.clock.advance(6 * MINUTE + 1)
    await assert.rejects(signer.sign([attributesFor('a', signer)]), refuses(activationOver))
    await signer.close()
  })

  test('signs raw hashes where they were confirmed as such', async () => {
    const hash = documentOf('7', 'hash')
    const signer = await confirm(await scene.open(maria, { documents: [hash], clientId: 'sistema-a' }))
    const content = Buffer.from('77'.repeat(32), 'hex')
    await assert.rejects(signer.sign([attributesFor('7', signer)]), refuses(notTheDocuments))
    const [signature] = await signer.signHashes([content])
    assert.ok(signature)
    const certificate = scene.write('h.pem', pem('CERTIFICATE', signer.certificates[0]))
    const key = scene.write('h.pub', (await openssl('x509', '-in', certificate, '-noout', '-pubkey')).text)
    const verdict = await openssl('pkeyutl', '-verify', '-pubin', '-inkey', key, '-in', scene.write('h.bin', content), '-sigfile', scene.write('h.sig', signature))
    assert.ok(verdict.ok, verdict.text)
    const [event] = (await scene.events('signatures/signed')).slice(-1)
    assert.equal(event?.client_id, 'sistema-a')
  })

  test('is not for bronze, nor for an account that was stopped, whenever that happens', async () => {
    const joao = await scene.addCitizen()
    const opened = await scene.open(joao)
    const idToken = await scene.proof(joao, opened.nonce)
    scene.setLevel(joao.accountId, 'bronze')
    await assert.rejects(scene.open(joao), refuses(notEntitled, 'level'))
    await assert.rejects(scene.signing.activations.confirm({ id: opened.id, idToken }), refuses(notEntitled, 'level'))
    scene.setLevel(joao.accountId, 'ouro')
    scene.setHeld(joao.accountId, true)
    await assert.rejects(scene.signing.activations.confirm({ id: opened.id, idToken }), refuses(notEntitled, 'recovered'))
    scene.setHeld(joao.accountId, false)
    scene.setStatus(joao.accountId, 'suspended')
    await assert.rejects(scene.signing.activations.confirm({ id: opened.id, idToken }), refuses(notEntitled, 'account'))
  })

  test('as a representative the signature says so, and the mandate is asked at that moment', async () => {
    const signatory: Represented = {
      kind: 'representative', mandateId: 'registro', represented: { kind: 'company', name: 'Padaria Boa Vista', identifier: '11.222.333/0001-81' }, role: 'Administra',
      party: '11222333000181', power: 'mt:assinar',
    }
    const refused = await scene.open(maria, { signatory })
    await assert.rejects(confirm(refused), refuses(mandateRefused))
    scene.allowRepresentation(({ power }) => power === 'mt:assinar')
    const signer = await confirm(await scene.open(maria, { signatory }))
    await assert.rejects(signer.sign([attributesFor('a', signer, [])]), refuses(notTheDocuments), 'not without saying for whom')
    await signer.sign([attributesFor('a', signer)])
    const alone = await confirm(await scene.open(maria))
    await assert.rejects(alone.sign([attributesFor('a', alone, signer.attributes)]), refuses(notTheDocuments), 'nor for somebody who was not confirmed')
  })

  test('is forgotten a day after', async () => {
    await scene.open(maria)
    scene.clock.advance(25 * 60 * MINUTE)
    assert.ok((await scene.signing.activations.purge()) > 0)
    assert.equal((await scene.db.query('SELECT 1 FROM signature_activation')).length, 0)
  })

  test('is begun sixty times an hour, not more', async () => {
    const ana = await scene.addCitizen()
    for (let i = 0; i < 60; i += 1) await scene.open(ana)
    await assert.rejects(scene.open(ana), refuses(tooManyActivations))
  })
})

test('on PostgreSQL, in two processes: of twenty confirmations one signs', async () => {
  const scene = await openSigningScene({ open: openPostgresTestDatabase })
  try {
    const maria = await scene.addCitizen()
    const other = scene.another()
    const opened = await scene.open(maria)
    const idToken = await scene.proof(maria, opened.nonce)
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => (i % 2 ? other : scene.signing).activations.confirm({ id: opened.id, idToken })))
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
  } finally {
    await scene.close()
  }
})

test('RSA keys sign documents and raw hashes', async () => {
  const scene = await openSigningScene({ keyKind: 'RSA-2048' })
  try {
    const maria = await scene.addCitizen()
    const opened = await scene.open(maria, { documents: [documentOf('a'), documentOf('b', 'hash')] })
    const signer = await scene.signing.activations.confirm({ id: opened.id, idToken: await scene.proof(maria, opened.nonce) })
    const draft = draftCms({ messageDigest: Buffer.from('a'.repeat(64), 'hex'), contentType: OID.data, certificates: signer.certificates }, signer.signer)
    const key = createPublicKey({ key: signer.signer.spki, format: 'der', type: 'spki' })
    assert.ok(verify('sha256', draft.toBeSigned, key, await signer.signer.sign(draft.toBeSigned)))
    const hash = Buffer.from('b'.repeat(64), 'hex')
    const [signature] = await signer.signHashes([hash])
    const file = scene.write('key.pem', pem('PUBLIC KEY', signer.signer.spki))
    const verdict = await openssl('pkeyutl', '-verify', '-pubin', '-inkey', file, '-in', scene.write('h', hash), '-sigfile', scene.write('s', signature ?? Buffer.alloc(0)), '-pkeyopt', 'digest:sha256')
    assert.ok(verdict.ok, verdict.text)
  } finally {
    await scene.close()
  }
})

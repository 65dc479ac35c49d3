/** A key that a citizen lends to a relying party: by a code, then a token, for what they agreed to, and readable to nobody who has the database. */
import assert from 'node:assert/strict'
import { createHash, createPublicKey, verify } from 'node:crypto'
import { after, before, beforeEach, describe, test } from 'node:test'
import { isProblem, type ProblemKind } from '../../src/platform/problem.ts'
import { openLentKey } from '../../src/signatures/activation/lent-key.ts'
import { OID } from '../../src/signatures/asn1/oids.ts'
import { draftCms, SIGNATURE_PROBLEMS, signCms } from '../../src/signatures/index.ts'
import { openPostgresTestDatabase } from '../support/database.ts'
import { openSigningScene, type SceneCitizen, type SigningScene } from '../support/signing-scene.ts'

const refuses = (kind: ProblemKind) => (error: unknown) => isProblem(error, kind)
const { activationOver, notTheDocuments, notEntitled } = SIGNATURE_PROBLEMS
const CALLBACK = 'https://sistema.example/volta'
const hash = (digit: string) => ({ name: `${digit}.pdf`, form: 'hash' as const, sha256: digit.repeat(64), digest: digit.repeat(64) })
const hashItem = (digest: Buffer) => ({ kind: 'hash' as const, digest })
const bytes = (digit: string) => Buffer.from(digit.repeat(64), 'hex')

describe('a lent key', () => {
  let scene: SigningScene
  let maria: SceneCitizen
  before(async () => {
    scene = await openSigningScene({ open: openPostgresTestDatabase })
  })
  beforeEach(async () => {
    maria = await scene.addCitizen()
  })
  after(() => scene.close())

  async function lend(what: { open: { count: number } } | { documents: ReturnType<typeof hash>[] }, request: { seconds?: number; codeChallenge?: string } = {}) {
    const opened = await scene.open(maria, { documents: [], clientId: 'sistema-a', ...what })
    const proof = { id: opened.id, idToken: await scene.proof(maria, opened.nonce) }
    return scene.signing.lendings.lend(proof, { seconds: request.seconds ?? 600, redirectUri: CALLBACK, codeChallenge: request.codeChallenge })
  }
  const exchange = (code: string, given: { clientId?: string; redirectUri?: string; verifier?: string } = {}) =>
    scene.signing.lendings.exchange({ code, clientId: 'sistema-a', redirectUri: CALLBACK, ...given })
  async function tokenFor(what: Parameters<typeof lend>[0]) {
    const exchanged = await exchange((await lend(what)).code)
    assert.ok(exchanged)
    return exchanged.token
  }

  test('signs as many open documents as were agreed, and then is gone', async () => {
    const token = await tokenFor({ open: { count: 2 } })
    for (const digit of ['1', '2']) {
      const signer = await scene.signing.lendings.take(token, 1)
      const cms = await signCms({ messageDigest: bytes(digit), contentType: OID.data, certificates: signer.certificates }, signer.signer)
      assert.ok(cms.includes(bytes(digit)))
    }
    await assert.rejects(scene.signing.lendings.take(token, 1), refuses(activationOver))
    const [row] = await scene.db.query<{ wrapped: Buffer | null }>('SELECT wrapped FROM signature_lending WHERE account_id = $1', [maria.accountId])
    assert.equal(row?.wrapped, null, 'nothing of the key is left')
  })

  test('signs the hashes that were agreed, no other, and each once', async () => {
    const token = await tokenFor({ documents: [hash('a'), hash('b')] })
    const signer = await scene.signing.lendings.take(token, 'all')
    await assert.rejects(signer.sign([hashItem(bytes('c'))]), refuses(notTheDocuments))
    await assert.rejects(signer.sign([hashItem(bytes('a')), hashItem(bytes('a'))]), refuses(notTheDocuments))
    await assert.rejects(signer.signer.sign(Buffer.from('3100', 'hex')), refuses(notTheDocuments))
    const signatures = await signer.sign([hashItem(bytes('a')), hashItem(bytes('b'))])
    assert.equal(signatures.length, 2)
    assert.equal((await scene.events('signatures/signed')).at(-1)?.client_id, 'sistema-a')
    await assert.rejects(scene.signing.lendings.take(token, 'all'), refuses(activationOver), 'the token works once')
  })

  test('a token is one text: what decodes to the same bytes is no token', async () => {
    const token = await tokenFor({ open: { count: 1 } })
    assert.ok(await scene.signing.lendings.find(token))
    for (const text of [`${token}=`, `${token}.`, `${token.slice(0, 20)}~${token.slice(20)}`, token.slice(0, -1)]) assert.equal(await scene.signing.lendings.find(text), undefined, text)
  })

  test('what is signed is right by node:crypto over the document whose digest it is', async () => {
    const document = Buffer.from('o documento')
    const digest = createHash('sha256').update(document).digest('hex')
    const token = await tokenFor({ documents: [{ ...hash('0'), sha256: digest, digest }] })
    const signer = await scene.signing.lendings.take(token, 'all')
    const [signature = Buffer.alloc(0)] = await signer.sign([hashItem(Buffer.from(digest, 'hex'))])
    assert.ok(verify('sha256', document, createPublicKey({ key: signer.signer.spki, format: 'der', type: 'spki' }), signature))
  })

  test('an update is signed only of a document that was agreed to, and only by attributes about that very update', async () => {
    const original = Buffer.from('%PDF-1.7 o documento')
    const digest = createHash('sha256').update(original).digest('hex')
    const file = Buffer.concat([original, Buffer.from(' update <0000> end')])
    const from = file.indexOf('<') + 1
    const aroundOf = (whole: Buffer) => createHash('sha256').update(whole.subarray(0, from - 1)).update(whole.subarray(from + 5)).digest()
    const around = aroundOf(file)
    const token = await tokenFor({ documents: [{ ...hash('0'), sha256: digest, digest }] })
    const { certificates, sign, signer } = await scene.signing.lendings.take(token, 'all')
    const update = (changes: object = {}, about = around) => {
      const attributes = draftCms({ messageDigest: about, contentType: OID.data, certificates }, signer).toBeSigned
      return { kind: 'update' as const, attributes, file, documentBytes: original.length, place: { from, digits: 4 }, ...changes }
    }
    const touched = Buffer.from(file)
    touched[0] = 0x26
    const shorter = Buffer.concat([original.subarray(0, 10), Buffer.from('<0000> end')])
    for (const [why, item] of [
      ['another document', update({ file: touched }, aroundOf(touched))],
      ['the update of another document', update({ file: touched })],
      ['attributes about something else', update({}, bytes('a'))],
      ['a place that is none', update({ place: { from: from + 1, digits: 4 } })],
      ['a place inside of the document', update({ file: shorter, place: { from: 11, digits: 4 } })],
      ['a document of more than its bytes', update({ documentBytes: original.length + 1 })],
    ] as const) await assert.rejects(sign([item]), refuses(notTheDocuments), why)
    assert.equal((await sign([update()])).length, 1)
    assert.deepEqual((await scene.events('signatures/signed')).at(-1)?.data['digests'], [digest], 'the ledger has what the citizen was shown')
  })

  test('of twenty uses at once of a token for one, one gets a signer', async () => {
    const token = await tokenFor({ open: { count: 1 } })
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => scene.signing.lendings.take(token, 1)))
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
  })

  test('of ten exchanges at once of a code one gets a token, which the others take away again', async () => {
    const { code } = await lend({ open: { count: 1 } })
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => exchange(code)))
    const tokens = outcomes.flatMap((outcome) => (outcome ? [outcome.token] : []))
    assert.equal(tokens.length, 1)
    await assert.rejects(scene.signing.lendings.take(tokens[0] ?? '', 1), refuses(activationOver), 'a code that came twice was stolen')
  })

  test('a code is worth nothing to another client, at another address, without its verifier, or after a minute', async () => {
    const verifier = 'v'.repeat(43)
    const codeChallenge = createHash('sha256').update(verifier).digest('base64url')
    assert.equal(await exchange((await lend({ open: { count: 1 } })).code, { clientId: 'sistema-b' }), undefined)
    assert.equal(await exchange((await lend({ open: { count: 1 } })).code, { redirectUri: `${CALLBACK}/outra` }), undefined)
    assert.equal(await exchange((await lend({ open: { count: 1 } }, { codeChallenge })).code), undefined)
    assert.equal(await exchange((await lend({ open: { count: 1 } }, { codeChallenge })).code, { verifier: 'x'.repeat(43) }), undefined)
    assert.equal(await exchange((await lend({ open: { count: 1 } })).code, { verifier }), undefined, 'a verifier that nobody announced')
    assert.ok(await exchange((await lend({ open: { count: 1 } }, { codeChallenge })).code, { verifier }))
    const { code } = await lend({ open: { count: 1 } })
    scene.clock.advance(61_000)
    assert.equal(await exchange(code), undefined)
    for (const wrong of ['', 'x', 'a'.repeat(43)]) assert.equal(await exchange(wrong), undefined)
  })

  test('a token dies with its time, the account, the level, the certificate, and when the citizen says that it was not them', async () => {
    const late = await tokenFor({ open: { count: 1 } })
    scene.clock.advance(601_000)
    await assert.rejects(scene.signing.lendings.take(late, 1), refuses(activationOver))
    const revoked = await tokenFor({ open: { count: 1 } })
    const serial = (await scene.signing.lendings.find(revoked))?.serial ?? ''
    await scene.signatures.authority.revoke({ serial, reason: 'cessationOfOperation', actor: { kind: 'system' } })
    await assert.rejects(scene.signing.lendings.take(revoked, 1), refuses(activationOver))
    const ended = await tokenFor({ open: { count: 1 } })
    assert.equal(await scene.signing.lendings.end(maria.accountId) > 0, true)
    await assert.rejects(scene.signing.lendings.take(ended, 1), refuses(activationOver))
    const fallen = await tokenFor({ open: { count: 1 } })
    scene.setLevel(maria.accountId, 'bronze')
    await assert.rejects(scene.signing.lendings.take(fallen, 1), refuses(notEntitled))
  })

  test('whoever writes rows gains nothing: other terms, a copied key or a forged hash open nothing', async () => {
    const token = await tokenFor({ documents: [hash('a')] })
    await scene.db.execute(`UPDATE signature_lending SET terms = jsonb_set(terms, '{allows,digests,0}', '"${'f'.repeat(64)}"') WHERE account_id = $1`, [maria.accountId])
    const signer = await scene.signing.lendings.take(token, 'all')
    await assert.rejects(signer.sign([hashItem(bytes('f'))]), refuses(activationOver), 'the key does not open for other terms')
    const stolen = await tokenFor({ open: { count: 1 } })
    const forged = Buffer.alloc(32, 9)
    await scene.db.execute('UPDATE signature_lending SET token_hash = $2 WHERE token_hash = $1', [
      createHash('sha256').update(Buffer.from(stolen, 'base64url')).digest(), createHash('sha256').update(forged).digest(),
    ])
    const found = await scene.signing.lendings.find(forged.toString('base64url'))
    assert.ok(found)
    assert.equal(openLentKey(found.wrapped, forged, found.terms), undefined)
    const attacker = await scene.signing.lendings.take(forged.toString('base64url'), 1)
    await assert.rejects(signCms({ messageDigest: bytes('1'), contentType: OID.data, certificates: attacker.certificates }, attacker.signer), refuses(activationOver))
  })

  test('an activation of our own pages lends nothing, and what is over is forgotten', async () => {
    const opened = await scene.open(maria, { documents: [], open: { count: 1 } })
    const proof = { id: opened.id, idToken: await scene.proof(maria, opened.nonce) }
    await assert.rejects(scene.signing.lendings.lend(proof, { seconds: 600, redirectUri: CALLBACK, codeChallenge: undefined }), refuses(notTheDocuments))
    await tokenFor({ open: { count: 1 } })
    scene.clock.advance(601_000)
    assert.ok((await scene.signing.lendings.purge()) >= 1)
    assert.deepEqual(await scene.db.query('SELECT 1 FROM signature_lending'), [])
  })
})

/** Certificates that citizens keep: made by a proof and a password, suspended, resumed, replaced and ended, and known as such at once. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { isProblem, type ProblemKind } from '../../src/platform/problem.ts'
import { OID } from '../../src/signatures/asn1/oids.ts'
import { claimTry } from '../../src/signatures/credentials/credential.store.ts'
import { draftCms, MOST_TRIES, SIGNATURE_PROBLEMS } from '../../src/signatures/index.ts'
import { openPostgresTestDatabase } from '../support/database.ts'
import { documentOf, openSigningScene, type SceneCitizen, SIGNING_PASSWORD, type SigningScene } from '../support/signing-scene.ts'
import { openssl, pem, writeChain } from '../support/signature-scene.ts'

const refuses = (kind: ProblemKind, detail?: string) => (error: unknown) => isProblem(error, kind) && (detail === undefined || error.detail === detail)
const { activationOver, activationUnproven, certificateRevoked, credentialUnknown, credentialUnusable, notEntitled, tooManyCertificates, weakSigningPassword, wrongSigningPassword } = SIGNATURE_PROBLEMS
const OPERATOR = { kind: 'operator', id: 'op-1' } as const

describe('a certificate to keep', () => {
  let scene: SigningScene
  let maria: SceneCitizen
  before(async () => {
    scene = await openSigningScene()
  })
  after(() => scene.close())
  const asCitizen = () => ({ accountId: maria.accountId, cause: 'citizen' as const, actor: { kind: 'citizen', id: maria.accountId } as const })

  async function sign(credentialId: string, password: string | undefined = SIGNING_PASSWORD) {
    const opened = await scene.open(maria, { credential: { kind: 'kept', credentialId } })
    const signer = await scene.signing.activations.confirm({ id: opened.id, idToken: await scene.proof(maria, opened.nonce), password })
    const draft = draftCms({ messageDigest: Buffer.from('a'.repeat(64), 'hex'), contentType: OID.data, certificates: signer.certificates }, signer.signer)
    await signer.signer.sign(draft.toBeSigned)
    return signer
  }

  /** What OpenSSL is told by OCSP, and whether the list has the certificate. */
  async function statusOf(credentialId: string): Promise<{ ocsp: string; listed: boolean }> {
    const { serial, certificates } = await scene.signing.credentials.get(credentialId, maria.accountId)
    const authority = await scene.signatures.authority.active()
    const chain = await writeChain(scene, authority)
    const certificate = scene.write('kept.pem', pem('CERTIFICATE', certificates[0]))
    const { text } = await openssl('ocsp', '-issuer', chain.issuing, '-cert', certificate, '-url', `${scene.site.url}/api/ac/ocsp`, '-CAfile', chain.root, '-nonce')
    const list = await openssl('crl', '-inform', 'DER', '-noout', '-text', '-in', scene.write('list.crl', await scene.get(`/ac/${authority.id}/lcr/0.crl`)))
    return { ocsp: /: (good|revoked|unknown)/.exec(text)?.[1] ?? text, listed: list.text.toUpperCase().includes(serial.toUpperCase()) }
  }

  test('signs with its password again and again, under the same certificate', async () => {
    maria = await scene.addCitizen()
    const id = await scene.keep(maria)
    const [first, second] = [await sign(id), await sign(id)]
    assert.equal(first.serial, second.serial)
    const [credential] = await scene.signing.credentials.list(maria.accountId)
    assert.equal(credential?.serial, first.serial)
    assert.equal(credential.state, 'active')
    assert.deepEqual(scene.told.filter((line) => line.startsWith(maria.accountId)), [`${maria.accountId} issued`])
    const days = (credential.notAfter.getTime() - credential.notBefore.getTime()) / 86_400_000
    assert.equal(days, 365)
    assert.equal((await scene.events('signatures/credential-issued')).length, 1)
  })

  test('needs a proof for itself, and a password that is hard to find', async () => {
    maria = await scene.addCitizen()
    const { id, nonce } = await scene.signing.credentials.begin({ accountId: maria.accountId })
    const finish = async (claims: Parameters<SigningScene['proof']>[2], password = SIGNING_PASSWORD) =>
      scene.signing.credentials.finish({ id, idToken: await scene.proof(maria, nonce, claims), password })
    await assert.rejects(finish({ nonce: 'outra' }), refuses(activationUnproven))
    await assert.rejects(finish({ aal: 'aal1' }), refuses(activationUnproven, 'weak'))
    await assert.rejects(finish({}, 'curta'), refuses(weakSigningPassword, 'too-short'))
    await finish({})
    await assert.rejects(finish({}), refuses(activationOver))
    assert.equal((await scene.signing.credentials.list(maria.accountId)).length, 1)
    scene.setLevel(maria.accountId, 'bronze')
    await assert.rejects(scene.signing.credentials.begin({ accountId: maria.accountId }), refuses(notEntitled))
  })

  test('a proof of a signature makes none, and the proof of one signs nothing', async () => {
    maria = await scene.addCitizen()
    const signature = await scene.open(maria)
    await assert.rejects(
      scene.signing.credentials.finish({ id: signature.id, idToken: await scene.proof(maria, signature.nonce), password: SIGNING_PASSWORD }),
      refuses(activationOver),
    )
    const fresh = await scene.signing.credentials.begin({ accountId: maria.accountId })
    await assert.rejects(scene.signing.activations.confirm({ id: fresh.id, idToken: await scene.proof(maria, fresh.nonce), password: SIGNING_PASSWORD }), refuses(activationOver))
  })

  test('rests after five wrong passwords, however many are tried at once', async () => {
    maria = await scene.addCitizen()
    const id = await scene.keep(maria)
    const opened = await scene.open(maria, { credential: { kind: 'kept', credentialId: id } })
    const idToken = await scene.proof(maria, opened.nonce)
    const tryOnce = (password: string) => scene.signing.activations.confirm({ id: opened.id, idToken, password })
    for (let i = 0; i < MOST_TRIES - 1; i += 1) await assert.rejects(tryOnce('errada'), refuses(wrongSigningPassword))
    // The right one takes the wrong ones back, and used the activation up.
    await tryOnce(SIGNING_PASSWORD)
    const again = await scene.open(maria, { credential: { kind: 'kept', credentialId: id } })
    const proof = await scene.proof(maria, again.nonce)
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => scene.signing.activations.confirm({ id: again.id, idToken: proof, password: 'errada' })))
    const wrong = outcomes.filter((outcome) => outcome.status === 'rejected' && refuses(wrongSigningPassword)(outcome.reason))
    assert.equal(wrong.length, MOST_TRIES, 'no more than five were compared')
    assert.equal((await scene.signing.credentials.get(id, maria.accountId)).state, 'suspended')
    assert.ok(scene.told.includes(`${maria.accountId} wrong-password`))
    await assert.rejects(scene.signing.activations.confirm({ id: again.id, idToken: proof, password: SIGNING_PASSWORD }), refuses(credentialUnusable, 'suspended'))
    await scene.signing.credentials.resume({ id, ...asCitizen() })
    await sign(id)
  })

  test('suspended and resumed, OCSP and list say so each time', async () => {
    maria = await scene.addCitizen()
    const id = await scene.keep(maria)
    assert.deepEqual(await statusOf(id), { ocsp: 'good', listed: false })
    await scene.signing.credentials.suspend({ id, ...asCitizen() })
    assert.deepEqual(await statusOf(id), { ocsp: 'revoked', listed: true })
    await assert.rejects(sign(id), refuses(credentialUnusable, 'suspended'))
    await assert.rejects(scene.signing.credentials.suspend({ id, ...asCitizen() }), refuses(credentialUnusable))
    await scene.signing.credentials.resume({ id, ...asCitizen() })
    assert.deepEqual(await statusOf(id), { ocsp: 'good', listed: false })
    await sign(id)
    await assert.rejects(scene.signing.credentials.resume({ id, ...asCitizen() }), refuses(credentialUnusable))
  })

  test('revoked, its key is destroyed and nothing brings it back', async () => {
    maria = await scene.addCitizen()
    const id = await scene.keep(maria)
    await scene.signing.credentials.suspend({ id, ...asCitizen() })
    await scene.signing.credentials.revoke({ id, ...asCitizen() })
    assert.deepEqual(await statusOf(id), { ocsp: 'revoked', listed: true })
    assert.deepEqual(await scene.db.query('SELECT sealed, held_for FROM signature_credential WHERE id = $1', [id]), [{ sealed: null, held_for: null }])
    await assert.rejects(scene.signing.credentials.revoke({ id, ...asCitizen() }), refuses(certificateRevoked))
    await assert.rejects(scene.signing.credentials.resume({ id, ...asCitizen() }), refuses(credentialUnusable))
    await assert.rejects(sign(id), refuses(credentialUnusable, 'revoked'))
  })

  test('an operator who revokes the certificate by its number stops its key too', async () => {
    maria = await scene.addCitizen()
    const id = await scene.keep(maria)
    const { serial } = await scene.signing.credentials.get(id, maria.accountId)
    await scene.signatures.authority.revoke({ serial, reason: 'keyCompromise', actor: OPERATOR })
    assert.equal((await scene.signing.credentials.get(id, maria.accountId)).state, 'revoked')
    await assert.rejects(sign(id), refuses(credentialUnusable, 'revoked'))
  })

  test('is another account\'s to nobody', async () => {
    maria = await scene.addCitizen()
    const id = await scene.keep(maria)
    const joao = await scene.addCitizen()
    const his = { id, accountId: joao.accountId, cause: 'citizen' as const, actor: { kind: 'citizen', id: joao.accountId } as const }
    for (const change of [scene.signing.credentials.suspend, scene.signing.credentials.resume, scene.signing.credentials.revoke]) await assert.rejects(change(his), refuses(credentialUnknown))
    await assert.rejects(scene.signing.credentials.get(id, joao.accountId), refuses(credentialUnknown))
    await assert.rejects(scene.signing.credentials.begin({ accountId: joao.accountId, replaces: id }), refuses(credentialUnknown))
    const opened = await scene.open(joao, { credential: { kind: 'kept', credentialId: id } })
    await assert.rejects(
      scene.signing.activations.confirm({ id: opened.id, idToken: await scene.proof(joao, opened.nonce), password: SIGNING_PASSWORD }),
      refuses(credentialUnknown),
    )
  })

  test('replaced, the old one signs no more and stays good; only one takes its place', async () => {
    maria = await scene.addCitizen()
    const old = await scene.keep(maria)
    const [one, other] = [0, 1].map(() => scene.signing.credentials.begin({ accountId: maria.accountId, replaces: old }))
    const finish = async (begun: ReturnType<typeof scene.signing.credentials.begin> | undefined) => {
      const opened = await begun
      assert.ok(opened)
      return scene.signing.credentials.finish({ id: opened.id, idToken: await scene.proof(maria, opened.nonce), password: SIGNING_PASSWORD })
    }
    const renewed = await finish(one)
    await assert.rejects(finish(other), refuses(credentialUnusable))
    await assert.rejects(sign(old), refuses(credentialUnusable, 'replaced'))
    assert.deepEqual(await statusOf(old), { ocsp: 'good', listed: false })
    await sign(renewed.id)
    assert.ok(scene.told.includes(`${maria.accountId} renewed`))
  })

  test('five at most', async () => {
    maria = await scene.addCitizen()
    for (let i = 0; i < 5; i += 1) await scene.keep(maria)
    await assert.rejects(scene.keep(maria), refuses(tooManyCertificates))
  })

  test('all of a person end together, one-shot ones too', async () => {
    maria = await scene.addCitizen()
    const [kept] = [await scene.keep(maria), await scene.keep(maria)]
    const opened = await scene.open(maria)
    const once = await scene.signing.activations.confirm({ id: opened.id, idToken: await scene.proof(maria, opened.nonce) })
    await once.close()
    const ended = await scene.db.transaction((tx) => scene.signing.credentials.revokeAll(tx, { ...maria, cause: 'not-me', actor: asCitizen().actor }))
    assert.deepEqual(ended, { kept: 2, oneShot: 1 })
    assert.ok(kept)
    assert.equal((await scene.signing.credentials.get(kept, maria.accountId)).endedFor, 'not-me')
    const rows = await scene.db.query<{ revocation_reason: string }>('SELECT revocation_reason FROM pki_certificate WHERE subject_id = $1', [maria.personId])
    assert.deepEqual(rows.map(({ revocation_reason: reason }) => reason), Array(3).fill('keyCompromise'))
  })

  test('ends by itself with the account, a death in the base register, or the level; a stopped account only pauses it', async () => {
    const cases = [
      ['account-closed', (id: string) => scene.setStatus(id, 'closed')],
      ['death', (id: string) => scene.setDeceased(id)],
      ['level', (id: string) => scene.setLevel(id, 'bronze')],
      [undefined, (id: string) => scene.setStatus(id, 'suspended')],
      [undefined, () => {}],
    ] as const
    for (const [cause, happen] of cases) {
      maria = await scene.addCitizen()
      const id = await scene.keep(maria)
      happen(maria.accountId)
      assert.equal(await scene.signing.review.one(maria.accountId), cause === undefined ? 0 : 1)
      const { state, endedFor } = await scene.signing.credentials.get(id, maria.accountId)
      assert.deepEqual({ state, endedFor }, cause === undefined ? { state: 'active', endedFor: undefined } : { state: 'revoked', endedFor: cause })
    }
    // Of earlier tests some are below the level.
    await scene.signing.review.all()
    const swept = await scene.addCitizen()
    await scene.keep(swept)
    scene.setDeceased(swept.accountId)
    assert.equal(await scene.signing.review.all(), 0, 'the base register is not asked each hour')
    assert.equal(await scene.signing.review.all({ deaths: true }), 1)
  })

  test('over, its key is destroyed by the daily work', async () => {
    maria = await scene.addCitizen()
    const id = await scene.keep(maria)
    scene.clock.advance(366 * 86_400_000)
    assert.equal((await scene.signing.credentials.get(id, maria.accountId)).state, 'expired')
    assert.ok((await scene.signing.credentials.purge()) >= 1)
    const [row] = await scene.db.query<{ sealed: Buffer | null }>('SELECT sealed FROM signature_credential WHERE id = $1', [id])
    assert.equal(row?.sealed, null)
  })
})

test('on PostgreSQL: of twenty tries at once five are compared, and of two revocations one counts', async () => {
  const scene = await openSigningScene({ open: openPostgresTestDatabase })
  try {
    const maria = await scene.addCitizen()
    const id = await scene.keep(maria)
    const opened = await scene.open(maria, { credential: { kind: 'kept', credentialId: id }, documents: [documentOf('b')] })
    const idToken = await scene.proof(maria, opened.nonce)
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => scene.signing.activations.confirm({ id: opened.id, idToken, password: 'errada' })))
    const wrong = outcomes.filter((outcome) => outcome.status === 'rejected' && refuses(wrongSigningPassword)(outcome.reason))
    assert.equal(wrong.length, MOST_TRIES)
    assert.equal(await claimTry(scene.db, id), undefined, 'whoever read it before it came to rest gets no more tries')
    const revoke = () => scene.signing.credentials.revoke({ id, accountId: maria.accountId, cause: 'citizen', actor: { kind: 'citizen', id: maria.accountId } })
    const ends = await Promise.allSettled([revoke(), revoke()])
    assert.deepEqual(ends.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  } finally {
    await scene.close()
  }
})

/**
 * Sole control (Lei 14.063/2020, art. 4, II; EN 419 241-1): an operator has the database, the server's files and every function of the room,
 * but not the citizen's factors, and signs nothing in their name. For kept keys not even with the master key.
 */
import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { exportJWK, SignJWT } from 'jose'
import { openKeys } from '../../src/oidc/keys/keys.ts'
import { sealWith } from '../../src/platform/keyring.ts'
import { isProblem, Problem, type ProblemKind } from '../../src/platform/problem.ts'
import { PLATFORM_PROBLEMS } from '../../src/platform/problems.ts'
import { SIGNATURE_PROBLEMS } from '../../src/signatures/index.ts'
import { openSigningScene, type SceneCitizen, SIGNING_PASSWORD, type SigningScene } from '../support/signing-scene.ts'

const refuses = (kind: ProblemKind, detail?: string) => (error: unknown) => isProblem(error, kind) && (detail === undefined || error.detail === detail)
const { activationUnproven, credentialUnusable, wrongSigningPassword } = SIGNATURE_PROBLEMS

let scene: SigningScene
let victim: SceneCitizen
let operator: SceneCitizen
let kept: string

before(async () => {
  scene = await openSigningScene()
  victim = await scene.addCitizen()
  operator = await scene.addCitizen()
  kept = await scene.keep(victim)
})
after(() => scene.close())

const confirm = (id: string, idToken: string, password?: string) => scene.signing.activations.confirm({ id, idToken, password })
const sealedOf = async (id: string) => (await scene.db.query<{ sealed: Buffer }>('SELECT sealed FROM signature_credential WHERE id = $1', [id]))[0]?.sealed ?? Buffer.alloc(0)

test('without a proof every function of the room refuses', async () => {
  for (const credential of [{ kind: 'one-shot' }, { kind: 'kept', credentialId: kept }] as const) {
    const opened = await scene.open(victim, { credential })
    for (const idToken of ['', 'eyJhbGciOiJub25lIn0.e30.']) await assert.rejects(confirm(opened.id, idToken, SIGNING_PASSWORD), refuses(activationUnproven, 'token'))
  }
  const begun = await scene.signing.credentials.begin({ accountId: victim.accountId })
  await assert.rejects(scene.signing.credentials.finish({ id: begun.id, idToken: '', password: 'do-operador-77' }), refuses(activationUnproven))
})

test('tokens that the victim gives elsewhere prove nothing: another sign-in, another client, another signature, the operator\'s own', async () => {
  const opened = await scene.open(victim)
  const other = await scene.open(victim)
  for (const [idToken, fault] of [
    [await scene.proof(victim, randomBytes(32).toString('base64url')), 'nonce'],
    [await scene.proof(victim, opened.nonce, { aud: 'sistema-do-operador' }), 'audience'],
    [await scene.proof(victim, other.nonce), 'nonce'],
    [await scene.proof(operator, opened.nonce), 'subject'],
  ] as const) await assert.rejects(confirm(opened.id, idToken), refuses(activationUnproven, fault))
})

test('a key of the operator\'s among the provider\'s does not come into use', async () => {
  const mine = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...(await exportJWK(mine.publicKey)), kid: 'operador', alg: 'ES256', use: 'sig' }
  const idToken = await new SignJWT({ nonce: (await scene.open(victim)).nonce }).setProtectedHeader({ alg: 'ES256', kid: 'operador' }).sign(mine.privateKey)
  await assert.rejects(confirm((await scene.open(victim)).id, idToken), refuses(activationUnproven, 'token'))
  // A row with a public key is not enough, and a private one has to be under the keyring.
  const now = scene.clock.now()
  const wrapped = Buffer.concat([Buffer.from([1]), Buffer.alloc(8), sealWith(randomBytes(32), JSON.stringify(mine.privateKey.export({ format: 'jwk' })), 'oidc-key:operador')])
  await scene.db.execute(
    "INSERT INTO oidc_key (kid, alg, public_jwk, wrapped, created_at, active_from) VALUES ('operador', 'ES256', $1::jsonb, $2, $3, $3)", [JSON.stringify(jwk), wrapped, now],
  )
  const audit = { record: async () => {}, prepare: () => [] }
  await assert.rejects(openKeys({ db: scene.db, clock: scene.clock, keyring: scene.keyring, audit, rotationDays: 90 }), refuses(PLATFORM_PROBLEMS.sealBroken))
})

test('rows that are written sign nothing: another\'s key, an own key, an own proof under the victim\'s name', async () => {
  // The operator has a certificate, knows its password, and puts its key where the victim's was.
  const own = await scene.keep(operator)
  const before = await sealedOf(kept)
  const [mine] = await scene.db.query<{ spki: Buffer }>('SELECT spki FROM signature_credential WHERE id = $1', [own])
  await scene.db.execute('UPDATE signature_credential SET sealed = $2, spki = $3 WHERE id = $1', [kept, await sealedOf(own), mine?.spki ?? null])
  const swapped = await scene.open(victim, { credential: { kind: 'kept', credentialId: kept } })
  await assert.rejects(confirm(swapped.id, await scene.proof(victim, swapped.nonce), SIGNING_PASSWORD), refuses(PLATFORM_PROBLEMS.sealBroken))
  await scene.db.execute('UPDATE signature_credential SET sealed = $2 WHERE id = $1', [kept, before])
  // The victim's certificate as the operator's own.
  await scene.db.execute('UPDATE signature_credential SET account_id = $2 WHERE id = $1', [kept, operator.accountId])
  const taken = await scene.open(operator, { credential: { kind: 'kept', credentialId: kept } })
  await assert.rejects(confirm(taken.id, await scene.proof(operator, taken.nonce), SIGNING_PASSWORD), (error) => error instanceof Problem)
  await scene.db.execute('UPDATE signature_credential SET account_id = $2 WHERE id = $1', [kept, victim.accountId])
  // An activation that the operator proved, given to the victim.
  const proven = await scene.open(operator)
  const idToken = await scene.proof(operator, proven.nonce)
  await scene.db.execute('UPDATE signature_activation SET account_id = $2 WHERE id = $1', [proven.id, victim.accountId])
  await assert.rejects(confirm(proven.id, idToken), refuses(activationUnproven))
})

test('with the master key, and a proof that was forged by it, a kept key still wants its owner\'s password', async () => {
  const sealed = await sealedOf(kept)
  const context = `signature-credential:${kept}:${victim.accountId}`
  const opened = scene.keyring.open(sealed, context)
  assert.throws(() => createPrivateKey({ key: opened, format: 'der', type: 'pkcs8' }), 'the keyring alone gives no key')
  for (let i = 0; i < 4; i += 1) {
    const activation = await scene.open(victim, { credential: { kind: 'kept', credentialId: kept } })
    await assert.rejects(confirm(activation.id, await scene.proof(victim, activation.nonce), `palpite-${i}`), refuses(wrongSigningPassword))
  }
  const last = await scene.open(victim, { credential: { kind: 'kept', credentialId: kept } })
  await assert.rejects(confirm(last.id, await scene.proof(victim, last.nonce), undefined), refuses(wrongSigningPassword))
  await assert.rejects(confirm(last.id, await scene.proof(victim, last.nonce), 'palpite-5'), refuses(wrongSigningPassword))
  await assert.rejects(confirm(last.id, await scene.proof(victim, last.nonce), SIGNING_PASSWORD), refuses(credentialUnusable, 'suspended'))
})

test('tries that are set back in the rows are no more tries; a right password, or the owner\'s release, begins anew', async () => {
  const owner = await scene.addCitizen()
  const credentialId = await scene.keep(owner)
  const attempt = async (password: string) => {
    const activation = await scene.open(owner, { credential: { kind: 'kept', credentialId } })
    return confirm(activation.id, await scene.proof(owner, activation.nonce), password)
  }
  const setBack = () => scene.db.execute('UPDATE signature_credential SET wrong_tries = 0, held_for = NULL WHERE id = $1', [credentialId])
  const release = () => scene.db.execute('UPDATE pki_certificate SET revoked_at = NULL, revocation_reason = NULL WHERE serial = (SELECT serial FROM signature_credential WHERE id = $1)', [credentialId])
  for (let i = 0; i < 3; i += 1) await assert.rejects(attempt(`palpite-${i}`), refuses(wrongSigningPassword))
  await (await attempt(SIGNING_PASSWORD)).close()
  for (let i = 0; i < 5; i += 1) {
    await assert.rejects(attempt(`outro-${i}`), refuses(wrongSigningPassword))
    await setBack()
  }
  await release()
  for (const password of ['outro-6', SIGNING_PASSWORD]) await assert.rejects(attempt(password), refuses(credentialUnusable, 'suspended'))
  await setBack()
  await release()
  // A line that says "cleared" without our seal clears nothing.
  await scene.db.execute(
    "INSERT INTO audit_event (at, type, actor_kind, subject_id, data, salt) VALUES (now(), 'signatures/tries-cleared', 'system', $1, '{\"total\": 99, \"seal\": \"AAAA\"}', $2)", [credentialId, randomBytes(16)],
  )
  await assert.rejects(attempt(SIGNING_PASSWORD), refuses(credentialUnusable, 'suspended'))
  await scene.signing.credentials.resume({ id: credentialId, accountId: owner.accountId, cause: 'citizen', actor: { kind: 'citizen', id: owner.accountId } })
  await (await attempt(SIGNING_PASSWORD)).close()
})

test('nothing was signed meanwhile, and no certificate issued but those that were kept', async () => {
  assert.equal((await scene.events('signatures/signed')).length, 0)
  const rows = await scene.db.query<{ profile: string }>('SELECT profile FROM pki_certificate WHERE subject_id IS NOT NULL')
  assert.deepEqual(rows.map(({ profile }) => profile), ['citizen', 'citizen', 'citizen'])
})

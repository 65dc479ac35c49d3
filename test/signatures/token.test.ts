/** Keys in a token, by SoftHSM (Debian), an implementation of PKCS #11 that is not ours. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createPublicKey, verify } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, suite, test } from 'node:test'
import { isProblem } from '../../src/platform/problem.ts'
import { Sensitive } from '../../src/platform/sensitive.ts'
import { createAuthorityKeys, createKeyToken, createSignatures, type KeyToken, SIGNATURE_PROBLEMS } from '../../src/signatures/index.ts'
import { KEY_KINDS } from '../../src/signatures/authority/signer.ts'
import { openSignatureScene, type SignatureScene } from '../support/signature-scene.ts'

const MODULE = ['/usr/lib/softhsm/libsofthsm2.so', '/usr/lib64/pkcs11/libsofthsm2.so', '/opt/homebrew/lib/softhsm/libsofthsm2.so'].find((file) => existsSync(file))
const PIN = 'abre-te-sesamo'

const isUnavailable = (error: unknown) => isProblem(error, SIGNATURE_PROBLEMS.keyUnavailable)

/** The package is optional: it is compiled at installation, which needs a compiler. */
function missing(): string | false {
  if (!MODULE) return 'SoftHSM is not here (Debian: apt-get install softhsm2)'
  try {
    createRequire(import.meta.url)('pkcs11js')
    return false
  } catch {
    return 'pkcs11js was not built here: a C++ compiler at npm ci, then again'
  }
}

suite('keys in a token (PKCS #11)', { skip: missing() }, () => {
  let folder: string
  let scene: SignatureScene
  const opened: KeyToken[] = []
  const open = (given: { label?: string; pin?: string } = {}): KeyToken => {
    const token = createKeyToken({ module: MODULE ?? '', label: given.label ?? 'mt-login', pin: new Sensitive(given.pin ?? PIN) })
    opened.push(token)
    return token
  }
  const close = async () => {
    for (const token of opened.splice(0)) await token.close()
  }
  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'mt-token-'))
    mkdirSync(path.join(folder, 'tokens'))
    writeFileSync(path.join(folder, 'softhsm2.conf'), `directories.tokendir = ${path.join(folder, 'tokens')}\nobjectstore.backend = file\nlog.level = ERROR\n`)
    process.env['SOFTHSM2_CONF'] = path.join(folder, 'softhsm2.conf')
    const made = spawnSync('softhsm2-util', ['--init-token', '--free', '--label', 'mt-login', '--so-pin', 'so-12345678', '--pin', PIN], { encoding: 'utf8' })
    assert.equal(made.status, 0, made.stderr)
    scene = await openSignatureScene({ demo: false })
  })
  after(async () => {
    await close()
    await scene?.close()
    rmSync(folder, { recursive: true })
  })

  const isRight = (spki: Buffer, digest: string, bytes: Buffer, signature: Buffer) => verify(digest, bytes, createPublicKey({ key: spki, format: 'der', type: 'spki' }), signature)

  for (const kind of KEY_KINDS) {
    test(`a key (${kind}) is made in it, signs as node:crypto checks, and is found again by its id`, async () => {
      const id = crypto.randomUUID()
      const bytes = Buffer.from('o que se assina')
      const token = open()
      const signer = await token.make(id, kind)
      assert.ok(isRight(signer.spki, signer.digest, bytes, await signer.sign(bytes)))
      await close()
      const again = open().signer(id, signer.spki)
      assert.ok(isRight(signer.spki, signer.digest, bytes, await again.sign(bytes)), 'after the token was closed and opened')
      await close()
    })
  }

  test('more at once than it has sessions: all are right', async () => {
    const signer = await open().make(crypto.randomUUID(), 'P-256')
    const texts = Array.from({ length: 40 }, (_, each) => Buffer.from(`texto ${each}`))
    const signatures = await Promise.all(texts.map((text) => signer.sign(text)))
    assert.ok(texts.every((text, each) => isRight(signer.spki, 'sha256', text, signatures[each] ?? Buffer.alloc(0))))
    await close()
  })

  test('no token of that label, a wrong PIN, a key that is not in it: key-unavailable, and the next try is a new one', async () => {
    await assert.rejects(open({ label: 'outro' }).make(crypto.randomUUID(), 'P-256'), isUnavailable)
    await close()
    await assert.rejects(open({ pin: 'errado' }).make(crypto.randomUUID(), 'P-256'), isUnavailable)
    await close()
    const token = open()
    const made = await token.make(crypto.randomUUID(), 'P-256')
    await assert.rejects(token.signer(crypto.randomUUID(), made.spki).sign(Buffer.from('x')), isUnavailable)
    assert.ok(await made.sign(Buffer.from('x')))
    await close()
  })

  test('an authority whose keys are in it issues, seals and stamps; the database holds nothing to unwrap', async () => {
    const { db, clock, keyring, site } = scene
    const token = open()
    const signatures = createSignatures({ db, clock, keyring, audit: { record: async () => {} }, publicUrl: site.url, token })
    await signatures.authority.ensureDemonstration()
    const { certificates } = await signatures.authority.service('seal')
    const { root, certificate } = await signatures.authority.active()
    const [leaf, issuing, top] = [certificates[0], certificate, root].map((der, index) => {
      const file = scene.write(`token-${index}.pem`, Buffer.from(`-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`))
      return file
    })
    const judged = spawnSync('openssl', ['verify', '-x509_strict', '-CAfile', top ?? '', '-untrusted', issuing ?? '', leaf ?? ''], { encoding: 'utf8' })
    assert.equal(judged.status, 0, judged.stderr)
    assert.ok((await signatures.stamping.stamp(Buffer.alloc(32, 1))).length > 0)
    const rows = await db.query<{ home: string; sealed: Buffer | null }>('SELECT home, sealed FROM pki_key')
    assert.ok(rows.length >= 3 && rows.every(({ home, sealed }) => home === 'token' && sealed === null))
    assert.equal(await signatures.authority.reseal(), 0)
    await signatures.close()
    opened.length = 0
    const without = createAuthorityKeys({ db, clock, keyring })
    const [key] = await db.query<{ id: string }>('SELECT id FROM pki_key LIMIT 1')
    await assert.rejects(without.signer(key?.id ?? ''), isUnavailable, 'a server without the token says so')
  })
})

/** People with certificates of the scene's authority, whose keys the test holds; and signatures of theirs in every form. */
import { createHash } from 'node:crypto'
import type { CmsDraft, Representation, SignatureForm } from '../../src/signatures/index.ts'
import { createKeySigner, makeKey, parseCertificate, representationAttribute, type Signer, type PlaceRequest } from '../../src/signatures/index.ts'
import type { KeyKind } from '../../src/signatures/authority/signer.ts'
import { insertCertificate, type InstalledAuthority } from '../../src/signatures/authority/authority.store.ts'
import { insertKey } from '../../src/signatures/keys/key.store.ts'
import { issueCertificate, nameOf, newSerial } from '../../src/signatures/authority/certificate.ts'
import { placesOf } from '../../src/signatures/authority/places.ts'
import { PROFILES } from '../../src/signatures/authority/profiles.ts'
import type { SignatureScene } from './signature-scene.ts'

export interface TestSigner {
  readonly name: string
  readonly serial: string
  readonly signer: Signer
  readonly certificates: readonly [Buffer, Buffer]
}

export interface TestSignerRequest {
  readonly name?: string
  readonly key?: KeyKind
  /** From now until then, in milliseconds. */
  readonly lastsMs?: number
  readonly authority?: InstalledAuthority
}

const DAY_MS = 86_400_000

/** A certificate as a citizen has one, in the table and in nobody's pages. */
export async function issueTestSigner(scene: SignatureScene, { name = 'MARIA DA SILVA TESTE', key = 'P-256', lastsMs = 365 * DAY_MS, authority }: TestSignerRequest = {}): Promise<TestSigner> {
  const by = authority ?? (await scene.signatures.authority.active())
  const now = scene.clock.now()
  const pkcs8 = makeKey(key)
  const signer = createKeySigner(pkcs8)
  const serial = newSerial()
  const times = { notBefore: new Date(now.getTime() - 60_000), notAfter: new Date(now.getTime() + lastsMs) }
  const issuer = { name: parseCertificate(by.certificate).subject, signer: await scene.signatures.authority.signerOf(by.keyId) }
  const places = placesOf(scene.site.url, by.id, 0)
  const der = await issueCertificate({ profile: PROFILES.seal, serial, subject: nameOf({ commonName: name, organization: 'Pessoas' }), spki: signer.spki, ...times, places }, issuer)
  const keyId = crypto.randomUUID()
  await insertKey(scene.db, { id: keyId, kind: key, spki: signer.spki, sealed: scene.keyring.seal(pkcs8, `pki-key:${keyId}`) }, now)
  // Ends before those of the services, so that no service is signed with it.
  await insertCertificate(scene.db, { authorityId: by.id, serial, shard: 0, profile: 'seal', keyId, der, ...times }, now)
  return { name, serial, signer, certificates: [der, by.certificate] }
}

export interface TestSignature extends Partial<Pick<PlaceRequest, 'reason' | 'stamp' | 'certify'>> {
  readonly form?: SignatureForm
  readonly representation?: Representation
}

/** The document with a signature of this person. */
export async function signTestPdf(scene: SignatureScene, pdf: Uint8Array, by: TestSigner, { form = 'B-T', representation, reason = 'Teste', ...place }: TestSignature = {}): Promise<Buffer> {
  const { signing } = scene.signatures
  const at = scene.clock.now()
  const prepared = await signing.preparePdf(pdf, { reason, name: by.name, at, ...place })
  const draft = signing.draft({ kind: 'pdf', digest: prepared.digest, certificates: by.certificates, attributes: representation && [representationAttribute(representation)], at, form })
  return signing.finishPdf(prepared, { cms: await completed(draft, by), certificates: by.certificates, form })
}

/** A detached signature of any file. */
export async function signTestFile(scene: SignatureScene, file: Uint8Array, by: TestSigner, { form = 'B-T', representation }: TestSignature = {}): Promise<Buffer> {
  const digest = createHash('sha256').update(file).digest()
  const attributes = representation && [representationAttribute(representation)]
  return completed(scene.signatures.signing.draft({ kind: 'file', digest, certificates: by.certificates, attributes, at: scene.clock.now(), form }), by)
}

const completed = async (draft: CmsDraft, { signer }: TestSigner): Promise<Buffer> => draft.complete(await signer.sign(draft.toBeSigned))

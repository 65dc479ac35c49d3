import { createHash } from 'node:crypto'
import { Problem } from '../../platform/problem.ts'
import type { Der } from '../asn1/der.ts'
import { nul, oid, seq } from '../asn1/der.ts'
import { OID } from '../asn1/oids.ts'
import { parseCertificate } from '../authority/certificate.ts'
import { attribute, type CmsDraft, draftCms, type SigningKey } from '../cms/signed-data.ts'
import type { PdfThread } from '../pdf/pdf-thread.ts'
import { embed, type PreparedPdf } from '../pdf/place.ts'
import type { PlaceRequest } from '../pdf/prepare.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import type { TimeStamping } from '../timestamp/time-stamping.ts'
import type { Evidence } from '../pdf/long-term.ts'
import { evidenceFor, type EvidenceDependencies } from './evidence.ts'

/**
 * How long a signature can be judged (EN 319 122-1, EN 319 142-1): by itself, with a time, with the evidence, with a time over the evidence.
 */
export const SIGNATURE_FORMS = ['B-B', 'B-T', 'B-LT', 'B-LTA'] as const
export type SignatureForm = (typeof SIGNATURE_FORMS)[number]

export interface DraftRequest {
  /** In a PDF, or beside a file of any kind. */
  readonly kind: 'pdf' | 'file'
  /** SHA-256: of a prepared PDF, or of the whole file. */
  readonly digest: Uint8Array
  /** First the signer's, then those above it, without the root. */
  readonly certificates: readonly [Buffer, ...Buffer[]]
  /** Signed attributes beside the usual ones: as whose representative, for one. */
  readonly attributes?: readonly Der[] | undefined
  /** The signer's own clock; only `file` carries it. */
  readonly at: Date
  /** `B-B` carries no time-stamp. */
  readonly form: SignatureForm
  /** The whole file, where it travels inside its signature. */
  readonly content?: Buffer | undefined
}

export interface FinishRequest {
  /** What the completed draft answered. */
  readonly cms: Buffer
  readonly certificates: readonly [Buffer, ...Buffer[]]
  readonly form: SignatureForm
  /** What `evidence` answered, for many documents that one key signs at once; gathered for this one without. */
  readonly evidence?: Evidence | undefined
}

/** Signatures in steps, for a key that lives elsewhere: prepare, draft, (sign), complete, finish. */
export interface Signing {
  /** A PDF with a place for a signature. @throws {Problem} signatures/not-signable, platform/busy, platform/deadline */
  preparePdf(pdf: Uint8Array, request: PlaceRequest): Promise<PreparedPdf>
  /** What the key signs, and the CMS once it did; completing asks our own authority for the time-stamp. @throws {Problem} signatures/no-authority, signatures/clock-behind */
  draft(request: DraftRequest): CmsDraft
  /**
   * The PDF with its signature, and with evidence and document time-stamp where the form has them.
   *
   * @throws {Problem} signatures/certificate-revoked, signatures/certificate-unknown for a long-term form of one that we cannot vouch for
   */
  finishPdf(prepared: PreparedPdf, request: FinishRequest): Promise<Buffer>
  /** What long-term forms carry, gathered now. @throws {Problem} as `finishPdf` */
  evidence(certificates: readonly [Buffer, ...Buffer[]]): Promise<Evidence>
}

export interface SigningDependencies extends EvidenceDependencies {
  readonly thread: Pick<PdfThread, 'prepare' | 'addEvidence' | 'prepareStamp'>
  readonly stamping: Pick<TimeStamping, 'stamp'>
}

export function createSigning({ thread, stamping, authority, statuses }: SigningDependencies): Signing {
  const gather = async ([certificate]: readonly [Buffer, ...Buffer[]]): Promise<Evidence> =>
    evidenceFor([certificate, (await authority.service('tsa')).certificates[0]], { authority, statuses })

  async function lasting(signed: Buffer, { certificates, form, evidence: known }: FinishRequest): Promise<Buffer> {
    const evidence = known ?? (await gather(certificates))
    if (form === 'B-LT') return viewOf(await thread.addEvidence(signed, evidence))
    const stamped = await thread.prepareStamp(signed, evidence)
    return embed(stamped, await stamping.stamp(Buffer.from(stamped.digest)))
  }

  return {
    evidence: gather,
    preparePdf: (pdf, request) => thread.prepare(pdf, request),
    draft({ kind, digest, certificates, attributes = [], at, form, content }) {
      return draftCms(
        {
          messageDigest: Buffer.from(digest), contentType: OID.data, certificates, attributes, ...(kind === 'file' && { signingTime: at }), ...(content && { content }),
          ...(form !== 'B-B' && { unsigned: async (signature: Buffer) => [attribute(OID.signatureTimeStamp, await stamping.stamp(createHash('sha256').update(signature).digest()))] }),
        },
        keyOf(certificates[0]),
      )
    },
    async finishPdf(prepared, request) {
      const signed = embed(prepared, request.cms)
      return request.form === 'B-LT' || request.form === 'B-LTA' ? lasting(signed, request) : signed
    },
  }
}

const viewOf = (file: Uint8Array<ArrayBuffer>): Buffer<ArrayBuffer> => Buffer.from(file.buffer, file.byteOffset, file.byteLength)

/** Documents are hashed with SHA-256 before their signer is known, so keys that ask for more are not for people. */
function keyOf(certificate: Buffer): SigningKey {
  const { asymmetricKeyType, asymmetricKeyDetails } = parseCertificate(certificate).x509.publicKey
  if (asymmetricKeyType === 'rsa') return { algorithm: seq(oid(OID.rsaWithSha256), nul), digest: 'sha256' }
  if (asymmetricKeyDetails?.namedCurve === 'prime256v1') return { algorithm: seq(oid(OID.ecdsaWithSha256)), digest: 'sha256' }
  throw new Problem(SIGNATURE_PROBLEMS.certificateUnknown, { detail: 'key' })
}

import { createHash } from 'node:crypto'
import { Problem } from '../../platform/problem.ts'
import type { Der } from '../asn1/der.ts'
import { nul, oid, seq } from '../asn1/der.ts'
import { OID } from '../asn1/oids.ts'
import { parseCertificate } from '../authority/certificate.ts'
import { withTime } from '../cms/late-time.ts'
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
  /**
   * Signatures that were made without a time get one: in a PDF one time-stamp over the whole of it, with the evidence of the long-term forms.
   *
   * @throws {Problem} as `draft` and `finishPdf`
   */
  addTime(pdf: Uint8Array, late: { leaves: readonly Buffer[]; form: SignatureForm }): Promise<Buffer>
  /** As `addTime`, for a detached signature (CAdES B-B to B-T). @throws {Problem} as `draft` */
  addTimeBeside(cms: Buffer): Promise<Buffer>
  /** What long-term forms carry, gathered now. @throws {Problem} as `finishPdf` */
  evidence(certificates: readonly [Buffer, ...Buffer[]]): Promise<Evidence>
}

export interface SigningDependencies extends EvidenceDependencies {
  readonly thread: Pick<PdfThread, 'prepare' | 'addEvidence' | 'prepareStamp'>
  readonly stamping: Pick<TimeStamping, 'stamp'>
}

export function createSigning({ thread, stamping, authority, statuses }: SigningDependencies): Signing {
  const gather = async (leaves: readonly Buffer[]): Promise<Evidence> => evidenceFor([...leaves, (await authority.service('tsa')).certificates[0]], { authority, statuses })

  async function stamped(signed: Uint8Array, evidence: Evidence): Promise<Buffer> {
    const prepared = await thread.prepareStamp(signed, evidence)
    return embed(prepared, await stamping.stamp(Buffer.from(prepared.digest)))
  }

  async function lasting(signed: Buffer, { certificates, form, evidence: known }: FinishRequest): Promise<Buffer> {
    const evidence = known ?? (await gather([certificates[0]]))
    return form === 'B-LT' ? viewOf(await thread.addEvidence(signed, evidence)) : stamped(signed, evidence)
  }

  return {
    evidence: ([certificate]) => gather([certificate]),
    addTime: async (pdf, { leaves, form }) => stamped(pdf, isLongTerm(form) ? await gather(leaves) : NO_EVIDENCE),
    addTimeBeside: (cms) => withTime(cms, stamping.stamp),
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
      return isLongTerm(request.form) ? lasting(signed, request) : signed
    },
  }
}

const NO_EVIDENCE: Evidence = { certificates: [], answers: [], lists: [] }
/** Those that carry their evidence. */
export const isLongTerm = (form: SignatureForm): boolean => form === 'B-LT' || form === 'B-LTA'
const viewOf = (file: Uint8Array<ArrayBuffer>): Buffer<ArrayBuffer> => Buffer.from(file.buffer, file.byteOffset, file.byteLength)

/** Documents are hashed with SHA-256 before their signer is known, so keys that ask for more are not for people. */
function keyOf(certificate: Buffer): SigningKey {
  const { asymmetricKeyType, asymmetricKeyDetails } = parseCertificate(certificate).x509.publicKey
  if (asymmetricKeyType === 'rsa') return { algorithm: seq(oid(OID.rsaWithSha256), nul), digest: 'sha256' }
  if (asymmetricKeyDetails?.namedCurve === 'prime256v1') return { algorithm: seq(oid(OID.ecdsaWithSha256)), digest: 'sha256' }
  throw new Problem(SIGNATURE_PROBLEMS.certificateUnknown, { detail: 'key' })
}

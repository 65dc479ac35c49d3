import type { Base64File } from '../../../platform/http/body/base64-file.ts'
import type { SignatureForm } from '../../signing/signing.ts'
import { SIGNATURE_FORMS } from '../../signing/signing.ts'
import { readHash } from './admission.ts'
import { ENVELOPES, type SignDocRequest } from './contract.ts'
import { invalid, invalidParameter } from './refusal.ts'

/** One signature of a call of `signDoc`, by what the standard's words mean here. */
export interface DocumentPlan {
  /** SHA-256 (hexadecimal) that the citizen must have agreed to: of the document, as it comes. */
  readonly digest: string
  /** The document; absent where the client has it and sends its digest alone. */
  readonly document: Buffer | undefined
  readonly kind: 'pdf' | 'file'
  readonly form: SignatureForm
  /** As the document's first signature (DocMDP 2), or with the document inside (CAdES). */
  readonly certifies: boolean
  readonly attaches: boolean
  readonly signAlgo: string
}

/** What there is for each format: a detached signature has no place for more, and only a whole PDF one for a time over its evidence. */
const FORMS: Readonly<Record<'documents' | 'documentDigests', Readonly<Record<'C' | 'P', readonly SignatureForm[]>>>> = {
  documents: { C: ['B-B', 'B-T'], P: SIGNATURE_FORMS },
  documentDigests: { C: ['B-B', 'B-T'], P: ['B-B', 'B-T', 'B-LT'] },
}

/** Every signature that is asked for, documents or digests but not both. @throws {Refusal} */
export function plansOf({ documents, documentDigests }: SignDocRequest): DocumentPlan[] {
  if (documents && documentDigests) throw invalid('Both documentDigests and documents parameters passed')
  if (documents) return documents.map((asked) => planOf('documents', asked, checked(asked.document)))
  if (documentDigests) return documentDigests.flatMap((asked) => [asked.hashes].flat().map((hash) => planOf('documentDigests', asked, hash)))
  throw invalid('Empty documentDigests and documents objects')
}

type Asked = Pick<NonNullable<SignDocRequest['documents']>[number], 'signature_format' | 'conformance_level' | 'signed_envelope_property' | 'signAlgo'>

function planOf(source: 'documents' | 'documentDigests', asked: Asked, content: Base64File | string): DocumentPlan {
  const { signature_format: format, conformance_level: level, signed_envelope_property: envelope, signAlgo } = asked
  const form = FORMS[source][format].find((one) => level.endsWith(`-${one}`))
  if (!form || level.length !== `Ades-${form}`.length) throw invalidParameter('conformance_level')
  const known: readonly string[] = ENVELOPES[format]
  // Nothing can be inside of a signature under a digest.
  const isPossible = envelope === undefined || (known.includes(envelope) && !(source === 'documentDigests' && envelope === 'Attached'))
  if (!isPossible) throw invalidParameter('signed_envelope_property')
  const isDocument = source === 'documents'
  const file = typeof content === 'string' ? undefined : content
  return {
    document: file && Buffer.from(file.bytes.buffer), form, signAlgo, kind: format === 'P' ? 'pdf' : 'file',
    digest: file ? file.sha256 : readHash(String(content)).toString('hex'),
    certifies: isDocument && format === 'P' && envelope !== 'Revision', attaches: isDocument && format === 'C' && envelope !== 'Detached',
  }
}

function checked(document: Base64File): Base64File {
  // Whoever decodes leniently signs what nobody sent.
  if (document.bytes.length === 0 || !document.isCanonical) throw invalid('Invalid Base64 documents string parameter')
  return document
}

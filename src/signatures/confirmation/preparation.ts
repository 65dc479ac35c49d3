import { newCode } from '../../proxies/index.ts'
import { type OpenedContent, openContent } from '../envelope/contents.ts'
import type { EnvelopeCore } from '../envelope/core.ts'
import type { Envelope, EnvelopeDocument, Person } from '../envelope/envelope.ts'
import { fewAtOnce } from '../few-at-once.ts'
import type { PreparedPdf } from '../pdf/place.ts'
import type { Signing } from '../signing/signing.ts'
import type { SigningChoice, SigningPlan } from './choice.ts'
import { type Represented, shownParty } from '../activation/activation.ts'
import { type PaperTexts, stampOf } from './stamp.ts'

export interface PreparationDependencies {
  readonly signing: Signing
  readonly paper: { readonly texts: PaperTexts; readonly publicUrl: string }
}

/** A document that waits for its signature. */
export interface Prepared {
  readonly document: EnvelopeDocument
  readonly content: OpenedContent
  /** The file with a place for the signature; nothing for a file that is signed beside. */
  readonly pdf: PreparedPdf | undefined
  readonly digest: Buffer
  readonly code: string
}

/** Where a stamp's code is checked. */
export const codeUrl = (publicUrl: string, code: string): string => `${publicUrl}/verificar/${code}`

export function newPlan({ documents }: Envelope, choice: SigningChoice, at: Date): SigningPlan {
  return { at, choice, codes: Object.fromEntries(documents.map(({ id }) => [id, newCode()])) }
}

/**
 * Every document with its stamp and an empty place: the same bytes each time that it is called with the same plan.
 *
 * So nothing has to be kept between the question and its proof, and what the proof names is what is signed.
 */
export function prepareAll(
  core: EnvelopeCore,
  { signing, paper }: PreparationDependencies,
  { envelope, plan, by, represented }: { envelope: Envelope; plan: SigningPlan; by: Person; represented: Represented | undefined },
): Promise<Prepared[]> {
  const inName = represented && shownParty(represented)

  async function prepare(document: EnvelopeDocument): Promise<Prepared> {
    const content = await openContent(core, core.platform.db, document)
    const code = plan.codes[document.id] ?? ''
    if (document.form === 'file') return { document, content, code, pdf: undefined, digest: Buffer.from(document.sha256, 'hex') }
    const place = plan.choice.stamp
    const stamp = place && stampOf(paper.texts, { document, place, person: by, represented: inName, at: plan.at, code, url: codeUrl(paper.publicUrl, code) })
    const reason = paper.texts.text('pt-BR', 'assinaturas.stamp.reason', { code })
    const pdf = await signing.preparePdf(content.bytes, { reason, name: by.name, at: plan.at, stamp })
    return { document, content, code, pdf, digest: Buffer.from(pdf.digest) }
  }
  return fewAtOnce(envelope.documents, prepare)
}

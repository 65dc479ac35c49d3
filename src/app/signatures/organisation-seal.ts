import type { Clock } from '../../platform/clock.ts'
import type { Documents } from '../../platform/documents/documents.ts'
import { isProblem } from '../../platform/problem.ts'
import { SIGNATURE_PROBLEMS, type Signatures } from '../../signatures/index.ts'
import type { Foundation } from '../foundation.ts'

/**
 * Puts the organisation's seal under PDFs of one kind; `reason` is what readers of the PDF show.
 *
 * Before there is a certificate authority they go out as they are: a document that somebody waits for is worth more than its seal.
 */
export function organisationSeal({ seals }: Pick<Signatures, 'seals'>, clock: Clock, reason: string): (pdf: Uint8Array) => Promise<Uint8Array> {
  return async (pdf) => {
    try {
      return await seals.seal(pdf, { reason, at: clock.now() })
    } catch (error) {
      if (isProblem(error, SIGNATURE_PROBLEMS.noAuthority)) return pdf
      throw error
    }
  }
}

/** Documents that bear the organisation's seal, so that a changed one is known as changed. */
export function sealedDocuments({ clock, documents }: Pick<Foundation, 'clock' | 'documents'>, signatures: Pick<Signatures, 'seals'>, reason: string): Pick<Documents, 'render'> {
  const seal = organisationSeal(signatures, clock, reason)
  return { render: async (document) => Buffer.from(await seal(await documents.render(document))) }
}

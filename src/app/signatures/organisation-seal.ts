import type { Clock } from '../../platform/clock.ts'
import { isProblem } from '../../platform/problem.ts'
import { SIGNATURE_PROBLEMS, type Signatures } from '../../signatures/index.ts'

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

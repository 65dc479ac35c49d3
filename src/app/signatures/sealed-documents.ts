import type { Documents } from '../../platform/documents/documents.ts'
import { isProblem } from '../../platform/problem.ts'
import { SIGNATURE_PROBLEMS, type Signatures } from '../../signatures/index.ts'

/**
 * Readable documents with the organisation's seal, for rooms that issue them; `reason` is what readers of the PDF show.
 *
 * Before there is a certificate authority they go out as they are: a receipt that somebody waits for is worth more than its seal.
 */
export function sealedDocuments(documents: Documents, { seals }: Pick<Signatures, 'seals'>, reason: string): Pick<Documents, 'render'> {
  return {
    async render(document) {
      const pdf = await documents.render(document)
      try {
        return await seals.seal(pdf, { reason, at: document.at })
      } catch (error) {
        if (isProblem(error, SIGNATURE_PROBLEMS.noAuthority)) return pdf
        throw error
      }
    },
  }
}

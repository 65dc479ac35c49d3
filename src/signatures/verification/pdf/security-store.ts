/** The document security store (`/DSS`): certificates and evidence that somebody put beside the signatures. */
import { type ParsedCertificate, parseCertificate } from '../../authority/certificate.ts'
import type { RawEvidence } from '../revocation.ts'
import { isKind, type PdfFile } from './pdf-file.ts'
import type { PdfValue } from './pdf-tokens.ts'

export interface SecurityStore extends RawEvidence {
  readonly certificates: readonly ParsedCertificate[]
}

const MOST_PIECES = 200

/** What cannot be read is left out: rubbish there changes nothing. */
export function securityStoreOf(file: PdfFile): SecurityStore {
  const store = file.dict(file.dict(file.trailer.entries.get('Root'))?.entries.get('DSS'))
  const under = (name: string) => (file.array(store?.entries.get(name))?.items ?? []).slice(0, MOST_PIECES).flatMap((item) => bytesOf(file, item) ?? [])
  return {
    certificates: under('Certs').flatMap((der) => {
      try {
        return [parseCertificate(der)]
      } catch {
        return []
      }
    }),
    answers: under('OCSPs'),
    lists: under('CRLs'),
  }
}

function bytesOf(file: PdfFile, item: PdfValue): Buffer | undefined {
  return isKind(item, 'ref') ? file.content(item.number) : undefined
}

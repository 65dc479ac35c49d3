import type { Sql } from '../../platform/db.ts'
import { openWith, sealWith } from '../../platform/keyring.ts'
import { Problem } from '../../platform/problem.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import { findContent } from './content.store.ts'
import type { EnvelopeCore } from './core.ts'

type ContentCore = Pick<EnvelopeCore, 'platform'>

const contextOf = (documentId: string, version: number) => `signing-content:${documentId}:${version}`

/** The bytes of a new document under a new key of its own. */
export function sealContent({ platform: { keyring } }: ContentCore, documentId: string, bytes: Uint8Array): { dataKey: Buffer; sealed: Buffer } {
  const { key, wrapped } = keyring.dataKey(`signing:${documentId}`)
  return { dataKey: wrapped, sealed: sealWith(key, bytes, contextOf(documentId, 0)) }
}

/** What is kept of one document, and its key for the version that follows. */
export interface OpenedContent {
  readonly bytes: Buffer
  /** Seals the next version. */
  reseal(bytes: Uint8Array): Buffer
  /** Seals what goes beside the document. */
  sealBeside(bytes: Uint8Array, id: string): Buffer
  openBeside(sealed: Uint8Array, id: string): Buffer
}

/** @throws {Problem} signatures/document-gone when it was erased */
export async function openContent({ platform: { keyring } }: ContentCore, sql: Sql, document: { id: string; version: number; form: 'pdf' | 'file' }): Promise<OpenedContent> {
  const stored = await findContent(sql, document.id)
  if (!stored) throw new Problem(SIGNATURE_PROBLEMS.documentGone)
  const key = keyring.openDataKey(stored.dataKey, `signing:${document.id}`)
  // What is signed beside stays as it came.
  const version = document.form === 'file' ? 0 : document.version
  const beside = (id: string) => `signing-detached:${id}`
  return {
    bytes: openWith(key, stored.sealed, contextOf(document.id, version)),
    reseal: (bytes) => sealWith(key, bytes, contextOf(document.id, version + 1)),
    sealBeside: (bytes, id) => sealWith(key, bytes, beside(id)),
    openBeside: (sealed, id) => openWith(key, sealed, beside(id)),
  }
}

import { z } from 'zod'
import type { HttpContext } from '../../platform/http/request-facts.ts'

/** Scope of tokens for the API by which relying parties have documents signed, and its address. */
export const DOCUMENTS_SCOPE = 'assinaturas'
export const DOCUMENTS_PATH = '/api/assinaturas/v1'

/** What an operator grants to a client that may have documents signed; absent = nothing. */
export const documentsPolicySchema = z.strictObject({
  perMinute: z.int().min(1).max(10_000).default(120),
  perMonth: z.int().min(1).max(100_000_000).default(100_000),
})
export type DocumentsPolicy = z.output<typeof documentsPolicySchema>

/** A client of the API in one request. */
export interface DocumentsClient {
  readonly id: string
  readonly policy: DocumentsPolicy
  /** Addresses that an operator registered for it: its signers go back to these sites and to no others. */
  readonly redirectUris: readonly string[]
}

/**
 * The client behind the request's access token, if it may have documents signed now: `app.ts` hands in what the protocol server knows.
 * @throws {Problem} with status 401 or 403, and the header WWW-Authenticate set.
 */
export type RequireDocumentsClient = (ctx: HttpContext) => Promise<DocumentsClient>

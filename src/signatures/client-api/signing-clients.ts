import { z } from 'zod'

/** The APIs by which a relying party signs with keys that citizens lend it. */
export const SIGNING_APIS = ['govbr', 'csc'] as const
export type SigningApi = (typeof SIGNING_APIS)[number]

/** Where the API of the Cloud Signature Consortium is, and its authorization server. */
export const CSC_BASE = '/csc/v2'

/** Both hosts of the federal service in one place: `…/oauth2.0/…` and `…/externo/v2/…` follow. */
export const GOVBR_BASE = '/assinatura'

/** What an operator grants to a client that may be lent keys; absent = nothing. */
export const signingApiPolicySchema = z.strictObject({
  apis: z.array(z.enum(SIGNING_APIS)).min(1).max(SIGNING_APIS.length),
  perMinute: z.int().min(1).max(10_000).default(120),
  /** The CSC API's `explicit` mode: it may ask a citizen in their own area, without a redirect. */
  explicit: z.boolean().default(false),
  /** Signatures. */
  perMonth: z.int().min(1).max(100_000_000).default(100_000),
})
export type SigningApiPolicy = z.output<typeof signingApiPolicySchema>

/** A client that may be lent keys now. */
export interface SigningClient {
  readonly id: string
  readonly name: string
  readonly redirectUris: readonly string[]
  /** It has no secret: its code is worth something only with PKCE. */
  readonly isPublic: boolean
  readonly policy: SigningApiPolicy
}

/** Clients of these APIs, as `app.ts` hands them in; read at each call, so that what an operator takes away is gone at once. */
export interface SigningClients {
  /** Undefined for who is unknown, disabled, or may not use this API. */
  find(id: string, api: SigningApi): Promise<SigningClient | undefined>
  /** The client that shows this secret; a public one shows none. */
  authenticate(id: string, secret: string | undefined, api: SigningApi): Promise<SigningClient | undefined>
}

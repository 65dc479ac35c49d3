import { z } from 'zod'
import type { HttpContext } from '../../platform/http/request-facts.ts'

/** Scope of tokens for the time-stamp endpoint. */
export const STAMP_SCOPE = 'carimbo'

/** What an operator grants to a client that may have time-stamps; absent = none. */
export const stampPolicySchema = z.strictObject({
  perMinute: z.int().min(1).max(10_000).default(60),
  perMonth: z.int().min(1).max(100_000_000).default(10_000),
})
export type StampPolicy = z.output<typeof stampPolicySchema>

/** A client in one request for a time-stamp. */
export interface StampClient {
  readonly id: string
  readonly policy: StampPolicy
}

/**
 * The client behind the request's access token, if it may have time-stamps now: `app.ts` hands in what the protocol server knows.
 * @throws {Problem} with status 401 or 403, and the header WWW-Authenticate set.
 */
export type RequireStampClient = (ctx: HttpContext) => Promise<StampClient>

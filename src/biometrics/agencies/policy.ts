import { z } from 'zod'
import { Problem } from '../../platform/problem.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { AGENCY_PROBLEMS } from './problems.ts'

/** What a client may do at the agencies' API; only an operator can grant it, with the client's policy. */
export const AGENCY_SCOPES = ['biometria.qualidade', 'biometria.comparar', 'biometria.validar', 'biometria.referencia', 'biometria.digitais', 'biometria.capturar'] as const
export type AgencyScope = (typeof AGENCY_SCOPES)[number]

/**
 * Why the law lets an agency process somebody's face: articles of the LGPD (Lei 13.709/2018) for sensitive data, and criminal
 * investigation, which art. 4, III leaves to a law of its own. Stored with every call; never renamed.
 */
export const LEGAL_BASES = [
  'lgpd-11-i',
  'lgpd-11-ii-a',
  'lgpd-11-ii-b',
  'lgpd-11-ii-c',
  'lgpd-11-ii-d',
  'lgpd-11-ii-e',
  'lgpd-11-ii-f',
  'lgpd-11-ii-g',
  'lgpd-4-iii',
] as const
export type LegalBasis = (typeof LEGAL_BASES)[number]

/** Names of purposes as requests say them. */
export const PURPOSE = /^[a-z0-9]+(-[a-z0-9]+)*$/

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Where a citizen may be sent back to: https, or this machine. */
const returnUri = z
  .string()
  .max(2000)
  .refine((value) => {
    const url = URL.parse(value)
    return url !== null && url.hash === '' && (url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.has(url.hostname)))
  }, 'an absolute https address without a fragment is expected')

/** What an operator grants to one client; strict, and nothing by default. */
export const agencyPolicySchema = z.strictObject({
  scopes: z.array(z.enum(AGENCY_SCOPES)).min(1),
  /** What it may ask for, in words that the citizen reads, each with its legal basis. */
  purposes: z
    .array(z.strictObject({ code: z.string().regex(PURPOSE).max(60), name: z.string().min(3).max(200), legalBasis: z.enum(LEGAL_BASES) }))
    .min(1)
    .max(50),
  /** Whether answers carry score and threshold. */
  scores: z.boolean().default(false),
  perMinute: z.int().min(1).max(10_000).default(60),
  perMonth: z.int().min(1).max(100_000_000).default(10_000),
  /** Where citizens return to after a validation, compared character by character. */
  returnUris: z.array(returnUri).max(50).default([]),
})

export type AgencyPolicy = z.output<typeof agencyPolicySchema>
export type AgencyPurpose = AgencyPolicy['purposes'][number]

/** A client of the API in one request. */
export interface AgencyClient {
  readonly id: string
  /** As citizens read it. */
  readonly name: string
  readonly policy: AgencyPolicy
  /** The token works only with a key or certificate of its client (RFC 9449, RFC 8705). */
  readonly isBound: boolean
}

/**
 * The client behind the request's access token, if it holds this scope now: `app.ts` hands in what the protocol server knows.
 * @throws {Problem} with status 401 or 403, and the header WWW-Authenticate set.
 */
export type RequireClient = (ctx: HttpContext, scope: AgencyScope) => Promise<AgencyClient>

/** What the client may do a thing for. @throws {Problem} agencies/purpose-not-allowed */
export function getPurpose({ policy }: AgencyClient, code: string): AgencyPurpose {
  const purpose = policy.purposes.find((each) => each.code === code)
  if (!purpose) throw new Problem(AGENCY_PROBLEMS.purposeNotAllowed)
  return purpose
}

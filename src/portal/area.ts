import { z } from 'zod'
import { createPageSessions, type PageSessionDeps, type PageSessions } from '../platform/http/page-session.ts'
import type { HttpContext } from '../platform/http/request-facts.ts'

/** A change of credentials or contacts wants a sign-in no older than this (ASVS 7.5.1; login.gov: 1200 s). */
export const FRESH_SECONDS = 1200

const pending = z.object({
  state: z.string(),
  nonce: z.string(),
  codeVerifier: z.string(),
  maxAgeSeconds: z.number().optional(),
  returnTo: z.string(),
})

const signedIn = z.object({ idToken: z.string(), authTime: z.number(), name: z.string() })

const areaData = z.object({
  pending: pending.optional(),
  signedIn: signedIn.optional(),
  /** Changes under way: a contact that waits for its code, an authenticator's secret. */
  pendingContact: z.string().optional(),
  pendingTotp: z.object({ factorId: z.string(), secret: z.string(), uri: z.string() }).optional(),
})

/** What the citizen's area remembers of one browser: a sign-in under way, or the one that was made. */
export type AreaData = z.infer<typeof areaData>

/** Whose area this is, from a signed-in page session. */
export interface Citizen {
  readonly accountId: string
  /** The sign-in session that this page session hangs on; the row of "este aparelho". */
  readonly sessionId: string | undefined
  readonly authenticatedAt: Date
  readonly idToken: string
  readonly name: string
}

/** Sessions of `/conta`: an hour without use, a day at most, and never longer than the provider's own (63B 2.2.3). */
export function createAreaSessions(deps: PageSessionDeps, limits: { idleSeconds: number; absoluteSeconds: number }): PageSessions<AreaData> {
  return createPageSessions(deps, { area: 'conta', data: areaData, ...limits })
}

/** The citizen of this request; `undefined` for a browser that has not signed in. */
export async function findCitizen(sessions: PageSessions<AreaData>, ctx: HttpContext): Promise<Citizen | undefined> {
  const session = await sessions.read(ctx)
  if (session?.accountId === undefined || session.data.signedIn === undefined) return undefined
  const { idToken, authTime, name } = session.data.signedIn
  return { accountId: session.accountId, sessionId: session.sid, authenticatedAt: new Date(authTime * 1000), idToken, name }
}

/** A path inside the area to come back to; anything else becomes its first page, so that no link leads out (no open redirect). */
export function safeReturn(path: string | undefined): string {
  return path !== undefined && /^\/(conta|demo)(\/[\w-]+)*$/.test(path) ? path : '/conta'
}

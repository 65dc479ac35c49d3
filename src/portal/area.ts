import { z } from 'zod'
import { LEVELS } from '../assurance/index.ts'
import { createPageSessions, type PageSessionDeps, type PageSessions } from '../platform/http/page-session.ts'

const pending = z.object({
  state: z.string(),
  nonce: z.string(),
  codeVerifier: z.string(),
  maxAgeSeconds: z.number().optional(),
  returnTo: z.string(),
  /** The level that was wished for; reaching it is worth a word. */
  level: z.enum(LEVELS).optional(),
})

const areaData = z.object({
  pending: pending.optional(),
  signedIn: z.object({ idToken: z.string() }).optional(),
  /** Changes under way: an address that waits for its code, an authenticator's secret. */
  contact: z.object({ id: z.string(), kind: z.enum(['email', 'phone']), value: z.string() }).optional(),
  totp: z.object({ factorId: z.string(), secret: z.string(), uri: z.string() }).optional(),
})

/** What the citizen's area remembers of one browser: a sign-in under way, or the one that was made. */
export type AreaData = z.infer<typeof areaData>

/** Sessions of `/conta`, within the limits of the sign-in itself (63B 2.2.3). */
export function createAreaSessions(
  deps: PageSessionDeps,
  limits: { idleSeconds: number; absoluteSeconds: number },
): PageSessions<AreaData> {
  return createPageSessions(deps, { area: 'conta', data: areaData, ...limits })
}

/** A path inside the area to come back to; anything else becomes its first page, so that no link leads out (no open redirect). */
export function safeReturn(path: string | undefined): string {
  return path !== undefined && /^\/(conta|demo)(\/[\w-]+)*$/.test(path) ? path : '/conta'
}

/** The part of the area that a page belongs to: `/conta/dados` of `/conta/dados/email/codigo`. */
export function sectionOf(path: string): string {
  return /^\/conta\/[\w-]+/.exec(path)?.[0] ?? '/conta'
}

/** The page that a request was made from: what a form posts to lies below its page. */
export function pageOf({ method, path }: { method: string; path: string }): string {
  if (method === 'GET' || method === 'HEAD') return path
  return /\/(remover|retirar|sair|sair-dos-outros)$/.test(path) ? sectionOf(path) : path.replace(/\/(codigo|opcoes)$/, '')
}

/** The way to the sign-in, and back to a page of the area. */
export function entranceTo(page: string, { isRenewal = false }: { isRenewal?: boolean } = {}): string {
  return `/conta/entrar?para=${safeReturn(page)}${isRenewal ? '&renovar=1' : ''}`
}

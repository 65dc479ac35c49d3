import { z } from 'zod'
import { LEVELS } from '../assurance/index.ts'
import { proxyDraft } from './proxies/draft.ts'
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
  /** Signed in by the face at a counter, without the protocol: no relying party knows of it, and it ends at this page. */
  byFace: z.object({ leaveTo: z.string().regex(/^\/[a-z/]*$/) }).optional(),
  /** Changes under way: an address that waits for its code, an authenticator's secret. */
  contact: z.object({ id: z.string(), kind: z.enum(['email', 'phone']), value: z.string() }).optional(),
  proxy: proxyDraft.optional(),
  totp: z.object({ factorId: z.string(), secret: z.string(), uri: z.string() }).optional(),
})

/** What the citizen's area remembers of one browser: a sign-in under way, or the one that was made. */
export type AreaData = z.infer<typeof areaData>

/** One of our areas that people sign in to: where it lies, and what its sign-in must be worth. */
export interface AreaPlace {
  /** Also the name of its session cookie. */
  readonly area: string
  readonly base: string
  /** Pages that a sign-in may come back to. */
  readonly returns: RegExp
  /** The page of whoever is not signed in. */
  readonly entryView: string
  /** Asked of every sign-in, whatever the link says. */
  readonly acr?: string
}

export const CITIZEN_PLACE: AreaPlace = {
  area: 'conta',
  base: '/conta',
  returns: /^\/(conta|demo)(\/[\w-]+)*(\?empresa=[A-Z0-9]{8,14})?$/,
  entryView: 'portal/signed-out',
}

/** Sessions of one area, with a cookie of their own, within the limits of the sign-in itself (63B 2.2.3). */
export function createAreaSessions(
  deps: PageSessionDeps,
  limits: { idleSeconds: number; absoluteSeconds: number },
  { area }: Pick<AreaPlace, 'area'> = CITIZEN_PLACE,
): PageSessions<AreaData> {
  return createPageSessions(deps, { area, data: areaData, ...limits })
}

/** A path inside the area to come back to; anything else becomes its first page, so that no link leads out (no open redirect). */
export function safeReturn(path: string | undefined, { base, returns }: AreaPlace = CITIZEN_PLACE): string {
  return path !== undefined && returns.test(path) ? path : base
}

/** The part of the area that a page belongs to: `/conta/dados` of `/conta/dados/email/codigo`. */
export function sectionOf(path: string): string {
  return /^\/conta\/[\w-]+/.exec(path)?.[0] ?? '/conta'
}

/** What forms post to that have no page of their own. */
const ENDS = /\/(remover|retirar|sair|sair-dos-outros|esquecer|desmarcar|aceitar|aprovar|recusar|renunciar|assinar|parar|liberar|cancelar|nao-fui-eu|concordar|desistir|desbloquear|enviar|prazo|nivel|pessoas|eu|documentos|confirmar|revogar)$/

/** Steps of the page right above them: whatever is answered comes back to it. */
const BELOW = /\/(codigo|opcoes|pessoa|permitir|negar|pronto)$/

/** The page that a request was made from: what a form posts to lies below its page. */
export function pageOf({ method, path }: { method: string; path: string }): string {
  if (method === 'GET' || method === 'HEAD') return path
  return ENDS.test(path) ? sectionOf(path) : path.replace(BELOW, '')
}

/** The way to the sign-in, and back to a page of the area. */
export function entranceTo(page: string, { isRenewal = false, place = CITIZEN_PLACE }: { isRenewal?: boolean; place?: AreaPlace } = {}): string {
  return `${place.base}/entrar?para=${safeReturn(page, place)}${isRenewal ? '&renovar=1' : ''}`
}

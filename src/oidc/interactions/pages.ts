import type { HttpContext } from '../../platform/http/request-facts.ts'
import { allowFormAction } from '../../platform/http/security-headers.ts'
import type { Views } from '../../platform/http/views.ts'
import { type ClientCard, rememberClient, type Visit } from './visit.ts'

/** Renders the pages of interactions, each with the relying party's name and a form-action that lets the end reach it. */
export interface Pages {
  show(ctx: HttpContext, visit: Visit, view: string, data?: object): void
  /** A page outside any interaction: recovery, links from mails. */
  plain(ctx: HttpContext, view: string, data?: object): void
  lost(ctx: HttpContext, client: ClientCard | undefined): void
}

/** Pages under `views/oidc/`. */
export function createPages({ views }: { views: Views }): Pages {
  return {
    show(ctx, visit, view, data = {}) {
      rememberClient(ctx, visit)
      allowFormAction(ctx, visit.client.redirectUris)
      allowLogo(ctx, visit.client.logoUri)
      const { client, uid } = visit
      views.render(ctx, `oidc/${view}`, { client: client.name, portal: client, base: basePath(uid), uid, ...data })
    },
    plain: (ctx, view, data = {}) => views.render(ctx, `oidc/${view}`, data),
    lost(ctx, client) {
      ctx.status = 410
      views.render(ctx, 'oidc/interaction-lost', { portal: client })
    },
  }
}

/** Where the pages of one interaction live. */
export function basePath(uid: string): string {
  return `/interacao/${uid}`
}

/** To the page of the step where the citizen stands now: reload and back are always safe. */
export function toStep(ctx: HttpContext, { uid }: Pick<Visit, 'uid'>, page?: string): void {
  ctx.status = 303
  ctx.redirect(page === undefined ? basePath(uid) : `${basePath(uid)}/${page}`)
}

/** Lets the page load the one picture that the relying party registered. */
function allowLogo(ctx: HttpContext, logoUri: string | undefined): void {
  if (logoUri === undefined) return
  const { origin, pathname } = new URL(logoUri)
  if (/[;,\s]/.test(pathname)) return
  const policy = String(ctx.res.getHeader('Content-Security-Policy') ?? '')
  ctx.set('Content-Security-Policy', policy.replace("img-src 'self'", `img-src 'self' ${origin}${pathname}`))
}

/** A wait in the largest unit that fits, rounded up; `key` and `count` are a message and its parameter. */
export function waitOf(seconds: number): { key: string; count: number } {
  const whole = Math.max(1, Math.ceil(seconds))
  if (whole < 60) return { key: 'oidc.interaction.wait.seconds', count: whole }
  if (whole < 3600) return { key: 'oidc.interaction.wait.minutes', count: Math.ceil(whole / 60) }
  return { key: 'oidc.interaction.wait.hours', count: Math.ceil(whole / 3600) }
}

/** Makes the answer a 429 with Retry-After; the page says the same wait in words. */
export function refuseWithWait(ctx: HttpContext, seconds: number): { key: string; count: number } {
  ctx.status = 429
  ctx.set('Retry-After', String(Math.max(1, Math.ceil(seconds))))
  return waitOf(seconds)
}

import { allowFormAction } from '../../platform/http/security-headers.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import type { Views } from '../../platform/http/views.ts'
import { rememberClient, type ClientCard, type Visit } from './visit.ts'

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
      views.render(ctx, `oidc/${view}`, { client: visit.client, base: basePath(visit.uid), uid: visit.uid, ...data })
    },
    plain: (ctx, view, data = {}) => views.render(ctx, `oidc/${view}`, data),
    lost(ctx, client) {
      ctx.status = 410
      views.render(ctx, 'oidc/interaction-lost', { client })
    },
  }
}

/** Where the pages of one interaction live. */
export function basePath(uid: string): string {
  return `/interacao/${uid}`
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

import type { ClientInstance, JsonObject, ProviderContext } from 'oidc-provider'
import type { HttpContext } from '../platform/http/request-facts.ts'
import { allowFormAction } from '../platform/http/security-headers.ts'
import { koaContext } from './provider-internals.ts'

/** Renders one of our views; `views.html` of the platform. */
export type RenderHtml = (ctx: HttpContext, view: string, data: object) => string

/** The pages that the provider shows itself. */
export interface ProviderPages {
  error(ctx: ProviderContext, out: { error: string; error_description?: string; state?: string }): void
  logout(ctx: ProviderContext): void
  loggedOut(ctx: ProviderContext): void
  deviceInput(ctx: ProviderContext, fault: { userCode?: string; name?: string } | undefined): void
  deviceConfirm(ctx: ProviderContext, client: ClientInstance, userCode: string): void
  deviceDone(ctx: ProviderContext): void
}

/** Pages from `views/oidc/`, each with what its form must carry; nothing from the request goes into a page unescaped. */
export function createProviderPages(html: RenderHtml): ProviderPages {
  const show = (ctx: ProviderContext, view: string, data: object) => {
    ctx.body = html(koaContext(ctx), `oidc/${view}`, data)
    ctx.type = 'text/html; charset=utf-8'
  }
  return {
    error(ctx, out) {
      const { client } = ctx.oidc
      const expired = EXPIRED.test(out.error_description ?? '')
      const temporary = ctx.status >= 500
      show(ctx, 'error', {
        error: out.error,
        description: out.error_description,
        expired,
        temporary,
        clientName: clientName(client),
        clientUri: webAddress(client?.clientUri),
      })
    },
    logout(ctx) {
      const state = stateOf(ctx)
      const target = state['postLogoutRedirectUri']
      if (typeof target === 'string') allowFormAction(koaContext(ctx), [target])
      show(ctx, 'logout', { action: pathOf(ctx, 'end_session_confirm'), xsrf: state['secret'], clientName: clientName(ctx.oidc.client) })
    },
    loggedOut(ctx) {
      show(ctx, 'logged-out', { clientName: clientName(ctx.oidc.client), clientUri: webAddress(ctx.oidc.client?.clientUri) })
    },
    deviceInput(ctx, fault) {
      const problem =
        fault &&
        (fault.userCode !== undefined || fault.name === 'NoCodeError' ? 'code' : fault.name === 'AbortedError' ? 'aborted' : 'other')
      show(ctx, 'device-input', {
        action: pathOf(ctx, 'code_verification'),
        xsrf: stateOf(ctx)['secret'],
        userCode: fault?.userCode,
        problem,
      })
    },
    deviceConfirm(ctx, client, userCode) {
      const data = { action: pathOf(ctx, 'code_verification'), xsrf: stateOf(ctx)['secret'], userCode, clientName: clientName(client) }
      show(ctx, 'device-confirm', data)
    },
    deviceDone(ctx) {
      show(ctx, 'device-done', { clientName: clientName(ctx.oidc.client) })
    },
  }
}

/** How the provider puts it that an authorization is over; the citizen is told so, not that a site made a mistake. */
const EXPIRED = /expired|session not found|already used|session mismatch|principal changed|identifier mismatch/

function clientName(client: ClientInstance | undefined): string | undefined {
  return client && (client.clientName ?? client.clientId)
}

function stateOf(ctx: ProviderContext): JsonObject {
  return ctx.oidc.session?.state ?? {}
}

/** Only http(s): an address that a relying party registered must not become a script. */
function webAddress(text: string | undefined): string | undefined {
  return text !== undefined && /^https?:$/.test(URL.parse(text)?.protocol ?? '') ? text : undefined
}

function pathOf(ctx: ProviderContext, route: string): string {
  return new URL(ctx.oidc.urlFor(route)).pathname
}

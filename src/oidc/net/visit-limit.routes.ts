import type { Provider, ProviderContext } from 'oidc-provider'
import type { AddressLimit } from '../../accounts/index.ts'
import { type HttpMiddleware, requestFacts } from '../../platform/http/request-facts.ts'
import { isProblem } from '../../platform/problem.ts'
import { HTTP_PROBLEMS } from '../../platform/http/problems.ts'
import { ROUTES } from '../provider.ts'
import { koaContext } from '../provider-internals.ts'

export interface VisitLimitDependencies {
  readonly provider: Provider
  readonly limit: AddressLimit
  /** Pages of ours that remember a browser before anybody has signed in. */
  readonly pages: readonly string[]
  readonly onRefused: (path: string) => void
}

/** Endpoints that may write a row for somebody who has shown nothing yet. */
const OPEN: ReadonlySet<string> = new Set([
  ROUTES.authorization,
  ROUTES.pushed_authorization_request,
  ROUTES.device_authorization,
  ROUTES.code_verification,
  ROUTES.end_session,
])
/** Those that remember the browser with every page they show. */
const REMEMBERING: ReadonlySet<string> = new Set([ROUTES.code_verification, ROUTES.end_session])

/**
 * Bounds what strangers can make this server remember: each interaction, request or page kept for somebody who has not signed in costs
 * their address one of its allowance, and with none left the answer is 429 with when to come back.
 *
 * Whoever is signed in and goes from portal to portal spends nothing. Comes before the protocol.
 */
export function createVisitLimit({ provider, limit, pages, onRefused }: VisitLimitDependencies): HttpMiddleware {
  const spend = (ctx: ProviderContext) => limit.spend(requestFacts(koaContext(ctx)).ip)
  const spendIfStranger = (ctx: ProviderContext) => {
    if (ctx.oidc.session?.accountId === undefined) spend(ctx)
  }
  const spendIfPublic = (ctx: ProviderContext) => {
    if (ctx.oidc.client.clientAuthMethod === 'none') spend(ctx)
  }
  provider.on('interaction.started', spendIfStranger)
  provider.on('pushed_authorization_request.success', spendIfPublic)
  provider.on('device_authorization.success', spendIfPublic)
  const open = new Set([...OPEN, ...pages])
  const remembering = new Set([...REMEMBERING, ...pages])

  return async (ctx, next) => {
    const path = plain(ctx.path)
    if (!open.has(path)) return next()
    const { ip } = requestFacts(ctx)
    try {
      limit.check(ip)
    } catch (error) {
      ctx.state['room'] = 'oidc'
      ctx.state['route'] = path
      if (isProblem(error, HTTP_PROBLEMS.tooMany)) onRefused(path)
      throw error
    }
    if (remembering.has(path) && (ctx.method === 'GET' || ctx.method === 'HEAD')) limit.spend(ip)
    await next()
  }
}

/** As the pages' routes read a path: in any case, with or without a slash at the end. */
function plain(path: string): string {
  return (path.endsWith('/') ? path.slice(0, -1) : path).toLowerCase()
}

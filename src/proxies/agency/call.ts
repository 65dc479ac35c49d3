import type { z } from 'zod'
import type { Quotas } from '../../biometrics/index.ts'
import { type Guarded, guard } from '../../platform/http/guard.ts'
import type { HttpContext, HttpMiddleware } from '../../platform/http/request-facts.ts'
import type { ProxyClient, ProxyScope, RequireProxyClient } from './policy.ts'

const JSON_LIMIT = 32 * 1024

export interface CallSpec<Query, Body> {
  readonly scope: ProxyScope
  readonly query?: z.ZodType<Query>
  readonly body?: z.ZodType<Body>
  readonly answer: z.ZodType
  readonly status?: number
  run(client: ProxyClient, input: Guarded<undefined, Query, Body>, ctx: HttpContext): Promise<object>
}

/** The frame about every call: token and rate are judged before a byte of the body is read. */
export type Call = <Query = undefined, Body = undefined>(spec: CallSpec<Query, Body>) => HttpMiddleware[]

export function createCall({ requireClient, quotas }: { requireClient: RequireProxyClient; quotas: Pick<Quotas, 'claimCall'> }): Call {
  const clients = new WeakMap<HttpContext, ProxyClient>()

  return ({ scope, query, body, answer, status = 200, run }) => [
    async (ctx, next) => {
      const client = await requireClient(ctx, scope)
      // Apart from what the same client does at other APIs.
      await quotas.claimCall(ctx, { id: `procuracoes/${client.id}`, policy: client.policy })
      clients.set(ctx, client)
      await next()
    },
    guard(
      { ...(query && { query }), ...(body && { body, consumes: 'json' as const }), response: answer, csrf: false, limitBytes: JSON_LIMIT },
      async (ctx, input) => {
        const client = clients.get(ctx)
        if (!client) throw new Error('a call without its client')
        ctx.status = status
        ctx.body = await run(client, input, ctx)
      },
    ),
  ]
}

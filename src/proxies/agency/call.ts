import { createHash } from 'node:crypto'
import type { z } from 'zod'
import type { Quotas } from '../../biometrics/index.ts'
import { type Guarded, guard } from '../../platform/http/guard.ts'
import type { HttpContext, HttpMiddleware } from '../../platform/http/request-facts.ts'
import type { ProxyClient, ProxyScope, RequireProxyClient } from './policy.ts'

const JSON_LIMIT = 32 * 1024

export interface CallSpec<Query, Body, Answer extends object> {
  readonly scope: ProxyScope
  readonly query?: z.ZodType<Query>
  readonly body?: z.ZodType<Body>
  readonly answer: z.ZodType<Answer>
  readonly status?: number
  run(client: ProxyClient, input: Guarded<undefined, Query, Body>, ctx: HttpContext): Promise<Answer>
  /** When what is read changed last, where that can be told. */
  readonly changedAt?: (answer: Answer) => Date | undefined
}

/** The frame about every call: token and rate are judged before a byte of the body is read. */
export type Call = <Query = undefined, Body = undefined, Answer extends object = object>(spec: CallSpec<Query, Body, Answer>) => HttpMiddleware[]

export function createCall({ requireClient, quotas }: { requireClient: RequireProxyClient; quotas: Pick<Quotas, 'claimCall'> }): Call {
  const clients = new WeakMap<HttpContext, ProxyClient>()

  return ({ scope, query, body, answer, status = 200, run, changedAt }) => [
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
        const answered = await run(client, input, ctx)
        ctx.status = status
        ctx.body = answered
        if (ctx.method === 'GET') letBeKept(ctx, answered, changedAt?.(answered))
      },
    ),
  ]
}

/** A time of the second in which something changed may be older than its last change. */
const SURE_MS = 2000

/** Answers 304 to whoever has this already (RFC 9110, 13.2.2: an ETag is judged before a time). */
function letBeKept(ctx: HttpContext, answer: object, changedAt: Date | undefined): void {
  const etag = `"${createHash('sha256').update(JSON.stringify(answer)).digest('base64url')}"`
  ctx.set('ETag', etag)
  ctx.set('Cache-Control', 'private, no-cache')
  const isSure = changedAt !== undefined && Date.now() - changedAt.getTime() >= SURE_MS
  if (isSure) ctx.set('Last-Modified', changedAt.toUTCString())
  const known = ctx.get('If-None-Match')
  const since = Date.parse(ctx.get('If-Modified-Since'))
  const isSame = known === '' ? isSure && since >= Math.floor(changedAt.getTime() / 1000) * 1000 : known.split(',').some((one) => one.trim().replace(/^W\//, '') === etag)
  if (!isSame) return
  ctx.status = 304
  ctx.body = null
}

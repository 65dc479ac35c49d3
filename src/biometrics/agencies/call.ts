import type { z } from 'zod'
import { type Guarded, guard } from '../../platform/http/guard.ts'
import { localeOf } from '../../platform/http/locale.ts'
import type { Messages } from '../../platform/http/messages.ts'
import { HTTP_PROBLEMS } from '../../platform/http/problems.ts'
import type { HttpContext, HttpMiddleware } from '../../platform/http/request-facts.ts'
import { Problem } from '../../platform/problem.ts'
import { createAdmission } from './admission.ts'
import { type Idempotency, requestHash } from './metering/idempotency.ts'
import type { Quotas } from './metering/quota.ts'
import type { AgencyClient, AgencyScope, RequireClient } from './policy.ts'

/** Longest body: two pictures in base64 with room for the rest. */
const JSON_LIMIT = 16 * 1024
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{8,128}$/

export interface CallDependencies {
  readonly requireClient: RequireClient
  readonly quotas: Quotas
  readonly idempotency: Idempotency
}

export interface PostSpec<Body> {
  readonly operation: string
  readonly scope: AgencyScope
  readonly body: z.ZodType<Body>
  readonly answer: z.ZodType
  readonly limitBytes?: number
  /** Holds pictures: see `guard`. */
  readonly isLarge?: boolean
  readonly status?: number
  /** Receipts keep their own record of repeats: an image must not lie in a second place. */
  readonly ownIdempotency?: boolean
  run(client: AgencyClient, body: Body, ctx: HttpContext): Promise<object>
}

export interface Calls {
  /** Token and rate are judged before a byte of the body is read. */
  post<Body>(spec: PostSpec<Body>): HttpMiddleware[]
  get<Params, Query>(
    spec: { scope: AgencyScope; params: z.ZodType<Params>; query: z.ZodType<Query>; answer: z.ZodType },
    run: (client: AgencyClient, input: Guarded<Params, Query, undefined>, ctx: HttpContext) => Promise<object>,
  ): HttpMiddleware[]
  keyOf(ctx: HttpContext): string | undefined
}

/** The frame about every call of the API: who, how often, once, and what comes back. */
export function createCalls({ requireClient, quotas, idempotency }: CallDependencies): Calls {
  const { admit, clientOf } = createAdmission({ requireClient, quotas })
  return {
    keyOf,
    post(spec) {
      const { operation, scope, body: schema, answer: response, limitBytes = JSON_LIMIT, isLarge = false, status = 200 } = spec
      const handler = guard({ body: schema, response, consumes: 'json', csrf: false, limitBytes, isLarge }, async (ctx, { body }) => {
        const client = clientOf(ctx)
        const key = spec.ownIdempotency ? undefined : keyOf(ctx)
        const repeatable = key === undefined ? undefined : { call: { clientId: client.id, operation, key }, requestHash: requestHash(body) }
        const { answer, isReplay } = await idempotency.once(repeatable, async () => {
          await quotas.claimWork(ctx, client, operation)
          return spec.run(client, body, ctx)
        })
        if (isReplay) ctx.set('Idempotent-Replayed', 'true')
        ctx.status = status
        ctx.body = answer
      })
      return [admit(scope), handler]
    },
    get({ scope, params, query, answer }, run) {
      const handler = guard({ params, query, response: answer }, async (ctx, input) => {
        ctx.body = await run(clientOf(ctx), input, ctx)
      })
      return [admit(scope), handler]
    },
  }
}

/** @throws {Problem} platform/malformed */
function keyOf(ctx: HttpContext): string | undefined {
  const key = ctx.get('Idempotency-Key')
  if (key === '') return undefined
  if (!IDEMPOTENCY_KEY.test(key)) throw new Problem(HTTP_PROBLEMS.malformed, { detail: 'Idempotency-Key: 8 to 128 visible ASCII characters' })
  return key
}

/** Reason codes with their text in the caller's language. */
export function spoken(messages: Messages, ctx: HttpContext, codes: readonly string[]): { codigo: string; texto: string }[] {
  return codes.map((codigo) => ({ codigo, texto: messages.text(localeOf(ctx), codigo) }))
}

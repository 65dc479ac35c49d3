import Router from '@koa/router'
import { z } from 'zod'
import {
  deviceClassOf,
  type FaceCheckEndpoints,
  type FaceCheckVisit,
  LIVENESS_LIMITS,
  type LivenessOutcome,
} from '../../../biometrics/index.ts'
import { bytes, guard } from '../../../platform/http/guard.ts'
import { localeOf } from '../../../platform/http/locale.ts'
import type { Messages } from '../../../platform/http/messages.ts'
import { HTTP_PROBLEMS } from '../../../platform/http/problems.ts'
import type { HttpContext } from '../../../platform/http/request-facts.ts'
import { Problem } from '../../../platform/problem.ts'

export interface FaceCheckRouteDependencies extends FaceCheckEndpoints {
  readonly messages: Messages
}

const LONG_POLL_MS = 10_000
const params = z.object({
  uid: z
    .string()
    .regex(/^[\w-]{16,64}$/)
    .optional(),
  id: z.uuid().optional(),
})
const start = z.object({ flashes: z.boolean(), slowLink: z.boolean().default(false) })
const stepQuery = z.object({
  depois: z
    .string()
    .regex(/^(-1|\d{1,3})$/)
    .transform(Number),
})
const whole = z
  .string()
  .regex(/^\d{1,9}$/)
  .transform(Number)
const frameHeaders = z.object({
  step: whole,
  sequence: whole,
  capturedMs: z
    .string()
    .regex(/^\d{1,9}(\.\d{1,6})?$/)
    .transform(Number),
  signature: z.string().regex(/^[0-9a-f]{64}$/),
})

/**
 * The face check's endpoints, as the contract at the head of `biometrics/liveness/session.ts` has them.
 *
 * Each opens the visit anew, so a check goes on only in the browser and the step that began it; uploads are judged by length and type
 * before a byte of them is read.
 */
export function createFaceCheckRoutes(deps: FaceCheckRouteDependencies): Router {
  const router = new Router({ prefix: deps.base })
  const spoken: Spoken = (ctx, code) => ({ code, text: deps.messages.text(localeOf(ctx), code) })
  addSteps(router, deps, spoken)
  addEnds(router, deps, spoken)
  return router
}

/** A code with its text in the page's language. */
type Spoken = (ctx: HttpContext, code: string) => { code: string; text: string }

/** From the start to the last frame. */
function addSteps(router: Router, { liveness, open, csrf = true }: FaceCheckRouteDependencies, spoken: Spoken): void {
  const withHint = <Answer extends { hint?: string }>(ctx: HttpContext, { hint, ...answer }: Answer) => ({
    ...answer,
    ...(hint && { hint: spoken(ctx, hint) }),
  })

  router.post(
    '/sessao',
    guard({ params, body: start, consumes: 'json', csrf }, async (ctx, { params: { uid }, body, request }) => {
      const visit = await open(ctx, uid)
      ctx.status = 201
      const started = await liveness.start(visit.caller, { ...body, device: deviceClassOf(request.userAgent) })
      // The first step at once: a round trip less on a slow link.
      ctx.body = { ...started, first: await liveness.next(visit.caller, started.id, -1) }
    }),
  )

  router.get(
    '/sessao/:id/passo',
    guard({ params, query: stepQuery }, async (ctx, { params: { uid, id = '' }, query }) => {
      const { caller } = await open(ctx, uid)
      ctx.body = await liveness.next(caller, id, query.depois, { milliseconds: LONG_POLL_MS, signal: gone(ctx) })
    }),
  )

  router.post(
    '/sessao/:id/quadro',
    guard(
      { params, body: bytes, consumes: 'bytes', csrf, contentTypes: ['image/jpeg'], limitBytes: LIVENESS_LIMITS.maxFrameBytes },
      async (ctx, { params: { uid, id = '' }, body }) => {
        const { caller } = await open(ctx, uid)
        ctx.body = withHint(ctx, await liveness.addFrame(caller, id, { ...headersOf(ctx), jpeg: body }))
      },
    ),
  )

  router.post(
    '/sessao/:id/mais-tempo',
    guard({ params, consumes: 'json', csrf }, async (ctx, { params: { uid, id = '' } }) => {
      const { caller } = await open(ctx, uid)
      ctx.body = await liveness.extend(caller, id)
    }),
  )
}

/** Its verdict, the verdict once more, and giving up. */
function addEnds(router: Router, { liveness, open, csrf = true }: FaceCheckRouteDependencies, spoken: Spoken): void {
  async function conclude(ctx: HttpContext, visit: FaceCheckVisit, id: string, outcome: LivenessOutcome): Promise<void> {
    const { passed, attemptsLeft } = outcome
    const reasons = outcome.reasons.map((code) => spoken(ctx, code))
    ctx.body = { passed, reasons, attemptsLeft, next: await visit.conclude(outcome, id) }
  }

  router.post(
    '/sessao/:id/fim',
    guard({ params, consumes: 'json', csrf }, async (ctx, { params: { uid, id = '' } }) => {
      const visit = await open(ctx, uid)
      const { occasion, settle } = await visit.prepare()
      await conclude(ctx, visit, id, await liveness.finish(visit.caller, id, occasion, settle))
    }),
  )

  router.get(
    '/sessao/:id/resultado',
    guard({ params }, async (ctx, { params: { uid, id = '' } }) => {
      const visit = await open(ctx, uid)
      await conclude(ctx, visit, id, await liveness.result(visit.caller, id))
    }),
  )

  router.post(
    '/sessao/:id/cancelar',
    guard({ params, consumes: 'json', csrf }, async (ctx, { params: { uid, id = '' } }) => {
      const { caller } = await open(ctx, uid)
      await liveness.abandon(caller, id)
      ctx.status = 204
    }),
  )
}

function headersOf(ctx: HttpContext): z.infer<typeof frameHeaders> {
  const headers = frameHeaders.safeParse({
    step: ctx.get('X-Step'),
    sequence: ctx.get('X-Sequence'),
    capturedMs: ctx.get('X-Captured-At'),
    signature: ctx.get('X-Signature'),
  })
  if (!headers.success)
    throw new Problem(HTTP_PROBLEMS.malformed, { detail: 'X-Step, X-Sequence, X-Captured-At and X-Signature are needed' })
  return headers.data
}

/** Aborts when the browser hangs up, so that a long poll does not outlive its reader. */
function gone(ctx: HttpContext): AbortSignal {
  const controller = new AbortController()
  ctx.res.once('close', () => controller.abort())
  return controller.signal
}

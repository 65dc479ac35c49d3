import Router from '@koa/router'
import { z } from 'zod'
import { inRoom } from '../../platform/http/app.ts'
import { bytes, file, guard } from '../../platform/http/guard.ts'
import { type HttpContext, type HttpMiddleware, requestFacts } from '../../platform/http/request-facts.ts'
import type { Views } from '../../platform/http/views.ts'
import { isProblem } from '../../platform/problem.ts'
import { PLACES } from '../authority/places.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import { LEVELS_OF_SIGNATURE, type Verification, type Verifier, VERDICTS } from './verifier.ts'

export const MOST_BYTES = 20 * 1024 * 1024
const PAGE = '/verificar'
const API = '/api/verificar/v1'

export interface VerifierRouteDependencies {
  readonly views: Views
  readonly verifier: Pick<Verifier, 'verify'>
  /** By address. @throws {Problem} platform/too-many */
  readonly claimAddress: (ip: string) => void
}

const form = z.object({ arquivo: file })
/** What a form is more than its file. */
const FORM_BYTES = 16 * 1024

const answer = z.object({
  sha256: z.string(),
  verdict: z.enum([...VERDICTS, 'none']),
  signatures: z.array(z.object({
    verdict: z.enum(VERDICTS),
    level: z.enum(LEVELS_OF_SIGNATURE).nullable(),
    signer: z.string().nullable(),
    organization: z.string().nullable(),
    reason: z.string().nullable(),
    stamped_at: z.string().nullable(),
    stamp_fault: z.boolean(),
    covers_all: z.boolean(),
    unchanged: z.boolean(),
    revocation: z.enum(['good', 'revoked-before', 'revoked-after', 'unchecked']).nullable(),
    chain: z.array(z.string()),
  })),
})

/** The public verifier: a page that works without a script, and the same for programs. */
export function createVerifierRoutes({ views, verifier, claimAddress }: VerifierRouteDependencies): Router {
  const router = new Router()
  router.use(inRoom('signatures'))
  /** Before anything is read: twenty megabytes are a cost, too. */
  const limited: HttpMiddleware = async (ctx, next) => {
    claimAddress(requestFacts(ctx).ip)
    await next()
  }
  const show = (ctx: HttpContext, page: object = {}) => views.render(ctx, 'signatures/verify', { authorityHref: PLACES.home, ...page })
  const refuse = (ctx: HttpContext, error: string) => {
    ctx.status = 422
    show(ctx, { errors: { arquivo: error } })
  }
  router.get(
    PAGE,
    guard({}, (ctx) => show(ctx)),
  )
  router.post(
    PAGE,
    limited,
    guard({ consumes: 'upload', limitBytes: MOST_BYTES + FORM_BYTES, body: form, onInvalid: (ctx, { errors }) => refuse(ctx, errors['arquivo'] ?? 'platform.field.invalid') }, async (ctx, { body }) => {
      try {
        show(ctx, { result: await verifier.verify(body.arquivo.bytes) })
      } catch (error) {
        if (!isProblem(error, SIGNATURE_PROBLEMS.notVerifiable)) throw error
        refuse(ctx, `signatures.verify.${error.detail}`)
      }
    }),
  )
  router.post(
    API,
    limited,
    guard({ consumes: 'bytes', contentTypes: ['application/pdf'], csrf: false, limitBytes: MOST_BYTES, body: bytes, response: answer }, async (ctx, { body }) => {
      ctx.body = shown(await verifier.verify(body))
    }),
  )
  return router
}

function shown({ sha256, verdict, signatures }: Verification): z.output<typeof answer> {
  return {
    sha256,
    verdict,
    signatures: signatures.map((each) => ({
      verdict: each.verdict, level: each.level ?? null, signer: each.signer ?? null, organization: each.organization ?? null, reason: each.reason ?? null,
      stamped_at: each.stampedAt?.toISOString() ?? null, stamp_fault: each.stampFault, covers_all: each.coversAll, unchanged: each.unchanged,
      revocation: each.revocation ?? null, chain: [...each.chain],
    })),
  }
}

import { Problem, type ProblemKind } from '../problem.ts'
import { PLATFORM_PROBLEMS } from '../problems.ts'
import { type HttpContext, type HttpMiddleware, requestFacts } from './request-facts.ts'

const LINGER_MS = 2_000

/** Problems of the transport itself. */
export const HTTP_PROBLEMS = {
  invalidInput: { code: 'platform/invalid-input', status: 422, title: 'Some fields are not valid' },
  malformed: { code: 'platform/malformed', status: 400, title: 'The request is malformed' },
  forgedRequest: { code: 'platform/forged-request', status: 403, title: 'The request did not come from our page' },
  signInNeeded: { code: 'platform/sign-in-needed', status: 401, title: 'Sign in first' },
  forbidden: { code: 'platform/forbidden', status: 403, title: 'Not allowed' },
  notFound: { code: 'platform/not-found', status: 404, title: 'Not found' },
  methodNotAllowed: { code: 'platform/method-not-allowed', status: 405, title: 'Method not allowed' },
  tooLarge: { code: 'platform/too-large', status: 413, title: 'The request is too large' },
  unsupportedMedia: { code: 'platform/unsupported-media', status: 415, title: 'Unsupported content type' },
  tooMany: { code: 'platform/too-many', status: 429, title: 'Too many attempts' },
} as const satisfies Record<string, ProblemKind>

/** One wrong member of what was sent; `code` is a message key. */
export interface InputError {
  readonly pointer: string
  readonly code: string
}

/** Input that broke its contract, with what is wrong where. */
export class InvalidInput extends Problem {
  readonly errors: readonly InputError[]

  constructor(kind: ProblemKind, errors: readonly InputError[]) {
    super(kind)
    this.errors = errors
  }
}

export interface ProblemsDeps {
  readonly publicUrl: string
  readonly views: { render(ctx: HttpContext, view: string, data?: object): void }
  readonly log: { error(fields: object, text: string): void; warn(fields: object, text: string): void }
}

/** Turns everything thrown below into RFC 9457 JSON or a page in plain words, by what the caller accepts. */
export function createProblems(deps: ProblemsDeps): HttpMiddleware {
  return async (ctx, next) => {
    try {
      await next()
      if (ctx.status === 404 && ctx.respond !== false && (ctx.body === undefined || ctx.body === null)) {
        throw new Problem(HTTP_PROBLEMS.notFound)
      }
      if (ctx.status === 405 && (ctx.body === undefined || ctx.body === null)) throw new Problem(HTTP_PROBLEMS.methodNotAllowed)
    } catch (error) {
      const problem = asProblem(error)
      report(deps, ctx, problem)
      if (ctx.headerSent) return void ctx.res.destroy()
      answer(deps, ctx, problem)
    }
  }
}

/** Problems stay, also one that a library wrapped in an error of its own; framework errors below 500 become their plain equivalent; anything else is platform/unexpected. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof Error && error.cause instanceof Problem && error.cause.status === 503) return error.cause
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined
  if (typeof status !== 'number' || status < 400 || status > 499) return new Problem(PLATFORM_PROBLEMS.unexpected, { cause: error })
  const kind = Object.values(HTTP_PROBLEMS).find((candidate) => candidate.status === status) ?? HTTP_PROBLEMS.malformed
  return new Problem(kind, { cause: error })
}

function report({ log }: ProblemsDeps, ctx: HttpContext, problem: Problem): void {
  const fields = { requestId: requestFacts(ctx).requestId, code: problem.code }
  if (problem.status >= 500) log.error({ ...fields, err: problem.cause ?? problem }, 'request failed')
  else if (problem.kind.code === HTTP_PROBLEMS.forgedRequest.code) log.warn(fields, 'request refused')
}

function answer(deps: ProblemsDeps, ctx: HttpContext, problem: Problem): void {
  ctx.status = problem.status
  if (problem.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(Math.max(1, Math.ceil(problem.retryAfterSeconds))))
  if (!ctx.req.complete) lingerThenClose(ctx)
  if (ctx.accepts('json', 'html') === 'html') {
    page(deps, ctx, problem)
    return
  }
  ctx.body = JSON.stringify(problemDocument(deps.publicUrl, requestFacts(ctx).requestId, problem))
  ctx.type = 'application/problem+json'
}

/**
 * A client that is still sending gets two seconds to read the answer; what it sends meanwhile is thrown away.
 *
 * Closing at once would reset the connection and the client would see no answer at all (RFC 9112 §9.6).
 */
function lingerThenClose(ctx: HttpContext): void {
  const close = () => void (ctx.req.complete || ctx.req.socket.destroy())
  ctx.res.once('finish', () => setTimeout(close, LINGER_MS).unref())
}

function page(deps: ProblemsDeps, ctx: HttpContext, problem: Problem): void {
  const detail = problem.status < 500 ? problem.detail : undefined
  deps.views.render(ctx, 'platform/problem', { code: problem.code, status: problem.status, detail, wait: problem.retryAfterSeconds })
}

/** RFC 9457; a 5xx says only its title and the request's id. */
export function problemDocument(publicUrl: string, requestId: string, problem: Problem): object {
  const safe = problem.status < 500
  return {
    type: `${publicUrl}/problems/${problem.code}`,
    title: problem.kind.title,
    status: problem.status,
    ...(safe && problem.detail !== undefined ? { detail: problem.detail } : {}),
    instance: `urn:uuid:${requestId}`,
    ...(safe && problem instanceof InvalidInput ? { errors: problem.errors } : {}),
  }
}

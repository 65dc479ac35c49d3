import type { z } from 'zod'
import { ACCOUNTS_PROBLEMS } from '../../../accounts/index.ts'
import { parseJson, readBody } from '../../../platform/http/body/body.ts'
import { readLargeJson } from '../../../platform/http/body/large-json.ts'
import { asProblem } from '../../../platform/http/problems.ts'
import type { HttpContext, HttpMiddleware } from '../../../platform/http/request-facts.ts'
import { isProblem, Problem } from '../../../platform/problem.ts'
import { SIGNATURE_PROBLEMS } from '../../problems.ts'

/** A refusal in the standard's words (CSC API 2.0.0.2, 10). */
export class Refusal extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string, description: string) {
    super(description)
    this.status = status
    this.code = code
  }
}

export const invalidToken = () => new Refusal(401, 'invalid_token', 'The access token is missing, over, or not valid here')
export const invalid = (description: string) => new Refusal(400, 'invalid_request', description)
export const invalidParameter = (name: string) => invalid(`Invalid parameter ${name}`)

/** Answers of refusals as the standard has them. */
export const cscRefusals: HttpMiddleware = async (ctx, next) => {
  try {
    await next()
  } catch (error) {
    const { status, code, message } = refusalOf(error)
    ctx.status = status
    if (status === 401) ctx.set('WWW-Authenticate', `Bearer error="${code}"`)
    if (error instanceof Problem && error.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(Math.max(1, Math.ceil(error.retryAfterSeconds))))
    ctx.body = { error: code, error_description: message }
  }
}

/** The signer, or whom they represent, lets nobody sign at this moment. */
const NOT_NOW = [SIGNATURE_PROBLEMS.notEntitled, SIGNATURE_PROBLEMS.mandateRefused, ACCOUNTS_PROBLEMS.waysUnconfirmed]

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (isProblem(error, SIGNATURE_PROBLEMS.activationOver)) return new Refusal(401, 'invalid_token', 'The SAD was used or is over')
  if (isProblem(error, SIGNATURE_PROBLEMS.notTheDocuments)) return invalid('Hash is not authorized by the SAD')
  if (isProblem(error, SIGNATURE_PROBLEMS.notSignable)) return invalid(`The document cannot be signed: ${error.detail ?? 'unreadable'}`)
  if (NOT_NOW.some((kind) => isProblem(error, kind))) return new Refusal(403, 'access_denied', 'The signer may not sign now')
  const { status } = asProblem(error)
  if (status >= 500) throw error
  return new Refusal(status, status === 429 ? 'too_many_requests' : 'invalid_request', 'The request is not valid')
}

/** The request's JSON; whatever is wrong is named as the standard names it. @throws {Refusal} */
export async function readJson<Schema extends z.ZodType>(ctx: HttpContext, schema: Schema, longest: number): Promise<z.output<Schema>> {
  const body = await readBody(ctx, longest)
  return parsed(schema, body.length === 0 ? {} : ctx.is('application/json') ? parseJson(body) : undefined)
}

/** As `readJson`, for what may hold whole files. @throws {Refusal | Problem} */
export async function readFilesJson<Schema extends z.ZodType>(ctx: HttpContext, schema: Schema, longest: number): Promise<z.output<Schema>> {
  return parsed(schema, ctx.is('application/json') ? await readLargeJson(ctx, longest) : undefined)
}

function parsed<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [first] = result.error.issues
  const name = String(first?.path.findLast((part) => typeof part === 'string') ?? 'body')
  throw first?.code === 'invalid_type' ? invalid(`Missing (or invalid type) ${first.expected} parameter ${name}`) : invalidParameter(name)
}

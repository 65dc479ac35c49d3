import { z } from 'zod'
import { Problem } from '../problem.ts'
import { PLATFORM_PROBLEMS } from '../problems.ts'
import { parseForm, parseJson, parseQuery, readBody } from './body/body.ts'
import { readLargeJson } from './body/large-json.ts'
import { parseMultipart, UploadedFile } from './body/multipart.ts'
import { allowSlowBody } from './server.ts'
import { HTTP_PROBLEMS, type InputError, InvalidInput } from './problems.ts'
import { type HttpContext, type HttpMiddleware, type RequestFacts, requestFacts, scopeOf } from './request-facts.ts'

const FORM_LIMIT_BYTES = 64 * 1024
const MESSAGE_KEY = /^[a-z][a-z0-9-]*([./][a-z0-9-]+)+$/
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Field name → message key of what is wrong with it; `''` holds what concerns the whole form. */
export type FieldErrors = Record<string, string>
/** What was typed, for the fields that the guard was told to keep. */
export type Typed = Record<string, string>

export interface Guarded<P, Q, B> {
  readonly params: P
  readonly query: Q
  readonly body: B
  readonly request: RequestFacts
}

export type Handler<P, Q, B> = (ctx: HttpContext, input: Guarded<P, Q, B>) => Promise<void> | void

export interface InvalidForm<P, Q> {
  readonly errors: FieldErrors
  readonly typed: Typed
  readonly params: P
  readonly query: Q
  readonly request: RequestFacts
}

export interface GuardSpec<P, Q, B> {
  /** A path that does not match is not found (404). */
  readonly params?: z.ZodType<P>
  readonly query?: z.ZodType<Q>
  readonly body?: z.ZodType<B>
  /** What a JSON answer may hold; anything more is a defect (500), never a leak. */
  readonly response?: z.ZodType
  /** Only endpoints of the protocol, called by machines, may switch this off. */
  readonly csrf?: boolean
  /** `upload`: a form with files, as browsers send it without a script. */
  readonly consumes?: 'form' | 'json' | 'bytes' | 'upload'
  /** For `bytes`: which content types. */
  readonly contentTypes?: readonly string[]
  readonly limitBytes?: number
  /** For `json`: parsed in a thread where it is long; whatever may be long in it is declared as `base64File`. */
  readonly isLarge?: boolean
  /** The body may take as long as it takes on a slow line; only behind what judges who sends it, and how many at once. */
  readonly isSlow?: true
  /** Fields whose typed value may be shown again. Never secrets: whatever is not listed is forgotten. */
  readonly keep?: readonly string[]
  /** Shows a refused form again, with status 422. Without it, or for a JSON caller, the answer is a problem. */
  readonly onInvalid?: (ctx: HttpContext, invalid: InvalidForm<P, Q>) => Promise<void> | void
}

/** Body schema of a route that consumes `bytes`. */
export const bytes = z.custom<Buffer>((value) => Buffer.isBuffer(value))

/** A file's field in the body schema of a route that consumes `upload`. */
export const file = z.instanceof(UploadedFile, { error: 'platform.field.required' })

/** The field of a form that takes several files: at least one, as a list. */
export const files = z.preprocess((value) => (value === undefined ? [] : [value].flat()), z.array(file).min(1, { error: 'platform.field.required' }).max(100))

/** One or more values of the same field (check boxes), always as a list. */
export function listOf<T extends z.ZodType>(item: T) {
  return z.preprocess((value) => (value === undefined ? [] : [value].flat()), z.array(item).max(100))
}

/**
 * Parses params, query and body before the handler sees them; refuses unknown members and forged requests.
 *
 * A zod message that looks like a message key (`accounts.field.cpf`) becomes the field's error; other faults get a general one.
 */
export function guard<P = undefined, Q = undefined, B = undefined>(spec: GuardSpec<P, Q, B>, handler: Handler<P, Q, B>): HttpMiddleware {
  const parseParams = parser(spec.params)
  const parseQuerystring = parser(spec.query)
  const parseBody = parser(spec.body)
  return async (ctx) => {
    const request = requestFacts(ctx)
    const params = parseParams(spec.params === undefined ? {} : { ...ctx.params })
    if (!params.success) throw new Problem(HTTP_PROBLEMS.notFound)
    const raw = SAFE_METHODS.has(ctx.method) ? undefined : await readInput(ctx, spec)
    const query = parseQuerystring(spec.query === undefined ? {} : parseQuery(ctx.querystring))
    if (!query.success) throw new InvalidInput(HTTP_PROBLEMS.malformed, pointers(query.errors, '#/query/'))
    const body = parseBody(raw ?? {})
    if (!body.success) return refuse(ctx, spec, { errors: body.errors, raw, params: params.value, query: query.value })
    await handler(ctx, { params: params.value, query: query.value, body: body.value, request })
    checkResponse(ctx, spec.response)
  }
}

async function refuse<P, Q, B>(
  ctx: HttpContext,
  spec: GuardSpec<P, Q, B>,
  fault: { errors: FieldErrors; raw: unknown; params: P; query: Q },
): Promise<void> {
  const { errors, raw, params, query } = fault
  if (spec.onInvalid === undefined || ctx.accepts('json', 'html') === 'json') {
    throw new InvalidInput(HTTP_PROBLEMS.invalidInput, pointers(errors, '#/'))
  }
  ctx.status = 422
  await spec.onInvalid(ctx, { errors, typed: typedOf(raw, spec.keep ?? []), params, query, request: requestFacts(ctx) })
}

/** The values of the listed fields, as typed; for pages that show a form again. */
export function typedOf(raw: unknown, keep: readonly string[]): Typed {
  const typed: Typed = {}
  if (typeof raw !== 'object' || raw === null) return typed
  const values = new Map(Object.entries(raw))
  for (const name of keep) {
    const value: unknown = values.get(name)
    if (typeof value === 'string') typed[name] = value.slice(0, 500)
  }
  return typed
}

async function readInput<P, Q, B>(ctx: HttpContext, spec: GuardSpec<P, Q, B>): Promise<unknown> {
  const consumes = spec.consumes ?? 'form'
  const accepted = {
    form: ['application/x-www-form-urlencoded'],
    json: ['application/json'],
    bytes: [...(spec.contentTypes ?? [])],
    upload: ['multipart/form-data'],
  }[consumes]
  const type = ctx.get('Content-Type').split(';')[0]?.trim().toLowerCase() ?? ''
  const isEmpty = ctx.get('Content-Length') === '0' || (ctx.get('Content-Length') === '' && ctx.get('Transfer-Encoding') === '')
  const isUpload = consumes === 'upload' && accepted.includes(type)
  if (consumes !== 'form' && !isUpload && spec.csrf !== false) scopeOf(ctx).csrf.check(ctx, ctx.get('X-CSRF-Token'))
  if (!isEmpty && !accepted.includes(type)) throw new Problem(HTTP_PROBLEMS.unsupportedMedia, { detail: `Send ${accepted.join(' or ')}` })
  const limitBytes = spec.limitBytes ?? FORM_LIMIT_BYTES
  if (spec.isSlow) allowSlowBody(ctx.req, limitBytes)
  if (consumes === 'json' && spec.isLarge) return readLargeJson(ctx, limitBytes)
  const body = await readBody(ctx, limitBytes)
  if (consumes === 'bytes') return body
  if (consumes === 'json') return isEmpty ? {} : parseJson(body)
  return checkedForm(ctx, isUpload ? parseMultipart(body, ctx.get('Content-Type')) : parseForm(body), spec.csrf !== false)
}

function checkedForm(ctx: HttpContext, form: Readonly<Record<string, unknown>>, isChecked: boolean): Record<string, unknown> {
  const { _csrf: token, ...fields } = form
  if (isChecked) scopeOf(ctx).csrf.check(ctx, typeof token === 'string' ? token : ctx.get('X-CSRF-Token'))
  return fields
}

type Parsed<T> = { success: true; value: T } | { success: false; errors: FieldErrors }

function parser<T>(schema: z.ZodType<T> | undefined): (raw: unknown) => Parsed<T> {
  if (schema === undefined) {
    return (raw) => {
      const unknown = isRecord(raw) ? Object.keys(raw) : []
      // Without a schema the type parameter is `undefined`: the handler is given nothing.
      if (unknown.length === 0) return { success: true, value: undefined as T }
      return { success: false, errors: unknownKeys(unknown) }
    }
  }
  const known = knownKeys(schema)
  return (raw) => {
    const unknown = isRecord(raw) && known ? Object.keys(raw).filter((key) => !known.has(key)) : []
    if (unknown.length > 0) return { success: false, errors: unknownKeys(unknown) }
    const result = schema.safeParse(raw, { reportInput: true })
    return result.success ? { success: true, value: result.data } : { success: false, errors: fieldErrors(result.error) }
  }
}

/** Members that an object schema (or a pipe or union of them) names; undefined for raw bytes and for schemas that say "and others". */
function knownKeys(schema: z.core.$ZodType): Set<string> | undefined {
  if (schema instanceof z.ZodPipe) return knownKeys(schema.def.in)
  if (schema instanceof z.ZodUnion) {
    const sets = schema.def.options.map(knownKeys)
    return sets.some((set) => set === undefined) ? undefined : new Set(sets.flatMap((set) => [...(set ?? [])]))
  }
  if (schema instanceof z.ZodObject) {
    const { catchall } = schema.def
    return catchall === undefined || catchall instanceof z.ZodNever ? new Set(Object.keys(schema.def.shape)) : undefined
  }
  if (schema === bytes) return undefined
  throw new TypeError('guard takes object schemas, so that it can refuse unknown members')
}

function fieldErrors(error: z.ZodError): FieldErrors {
  const errors: FieldErrors = {}
  for (const issue of error.issues) {
    if (issue.code === 'unrecognized_keys') Object.assign(errors, unknownKeys(issue.keys))
    else errors[issue.path.join('/')] ??= messageKey(issue)
  }
  return errors
}

function messageKey(issue: z.core.$ZodIssue): string {
  if (MESSAGE_KEY.test(issue.message)) return issue.message
  if (issue.code === 'too_big') return 'platform.field.too-long'
  if (issue.code === 'too_small') return 'platform.field.required'
  if (issue.code === 'invalid_type' && issue.input === undefined) return 'platform.field.required'
  return 'platform.field.invalid'
}

function unknownKeys(keys: readonly string[]): FieldErrors {
  return Object.fromEntries(keys.map((key) => [key.slice(0, 60), 'platform.field.unknown']))
}

function pointers(errors: FieldErrors, prefix: string): InputError[] {
  return Object.entries(errors).map(([name, code]) => ({ pointer: prefix + name.replaceAll('~', '~0'), code }))
}

function checkResponse(ctx: HttpContext, schema: z.ZodType | undefined): void {
  if (schema === undefined || !isRecord(ctx.body)) return
  const result = parser(schema)(ctx.body)
  if (result.success) return
  throw new Problem(PLATFORM_PROBLEMS.unexpected, { cause: `response breaks its contract at ${Object.keys(result.errors).join()}` })
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Buffer.isBuffer(value) && Object.getPrototypeOf(value) !== Array.prototype
}

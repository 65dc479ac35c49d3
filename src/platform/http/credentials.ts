import type { HttpContext } from './request-facts.ts'

/** What a call shows in its `Authorization` header. */
export interface Credentials {
  /** As the reader named it, however the caller writes it. */
  readonly scheme: string
  readonly token: string
}

/** RFC 6750, 2.1: `b64token`, the widest alphabet that a token may have; what a token means is judged by whoever gave it. */
const CREDENTIALS = /^([A-Za-z]{1,20}) +([A-Za-z0-9._~+/-]+=*)$/
const LONGEST_PREFIX = 40

/** The token under one of the schemes; undefined without one, in another form, or longer than any token of the reader's. */
export function readCredentials(ctx: HttpContext, schemes: readonly string[], longest: number): Credentials | undefined {
  const header = ctx.get('Authorization')
  if (header.length > LONGEST_PREFIX + longest) return undefined
  const [, said = '', token = ''] = CREDENTIALS.exec(header) ?? []
  const scheme = schemes.find((known) => known.toLowerCase() === said.toLowerCase())
  return scheme === undefined || token.length > longest ? undefined : { scheme, token }
}

/** The `Bearer` token of a call; empty without one, as `readCredentials`. */
export function readBearer(ctx: HttpContext, longest: number): string {
  return readCredentials(ctx, ['Bearer'], longest)?.token ?? ''
}

import { z } from 'zod'
import { parseForm, parseQuery, readBody } from '../../platform/http/body/body.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import type { SigningApi, SigningClient, SigningClients } from './signing-clients.ts'

const FORM_BYTES = 8 * 1024
/** Of the tokens that these APIs give, with room to spare. */
export const LONGEST_TOKEN = 200
const text = z.string().min(1).max(2000)
const request = z.looseObject({
  grant_type: text,
  code: text,
  redirect_uri: text,
  client_id: text.optional(),
  client_secret: text.optional(),
  code_verifier: text.optional(),
})

/** What a client shows for a token; `undefined` client = wrong or absent credentials. */
export interface TokenRequest {
  readonly client: SigningClient | undefined
  /** Undefined when something is missing, twice there, or another grant. */
  readonly exchange: { readonly code: string; readonly redirectUri: string; readonly verifier: string | undefined } | undefined
}

/** Credentials and code of a token request, from wherever real clients put them: the body, the query, or (credentials) Basic. */
export async function readTokenRequest(ctx: HttpContext, clients: SigningClients, api: SigningApi): Promise<TokenRequest> {
  const form = await readForm(ctx)
  const parsed = request.safeParse(form)
  const client = await clientOf(ctx, form, clients, api)
  if (!parsed.success || parsed.data.grant_type !== 'authorization_code') return { client, exchange: undefined }
  const { code, redirect_uri: redirectUri, code_verifier: verifier } = parsed.data
  return { client, exchange: { code, redirectUri, verifier } }
}

/** The body's fields stand above those of the address. */
export async function readForm(ctx: HttpContext): Promise<Record<string, unknown>> {
  const body = await readBody(ctx, FORM_BYTES)
  return { ...parseQuery(ctx.querystring), ...(ctx.is('application/x-www-form-urlencoded') ? parseForm(body) : {}) }
}

/** The client that a form or its header shows the credentials of. */
export async function clientOf(ctx: HttpContext, form: Readonly<Record<string, unknown>>, clients: SigningClients, api: SigningApi): Promise<SigningClient | undefined> {
  const given = basicOf(ctx) ?? { id: form['client_id'], secret: form['client_secret'] }
  if (typeof given.id !== 'string' || (given.secret !== undefined && typeof given.secret !== 'string')) return undefined
  return clients.authenticate(given.id, given.secret, api)
}

function basicOf(ctx: HttpContext): { id: string; secret: string } | undefined {
  const [, encoded] = /^Basic ([\w+/=-]+)$/i.exec(ctx.get('Authorization')) ?? []
  if (encoded === undefined) return undefined
  const [id = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':')
  return { id: decoded(id), secret: decoded(rest.join(':')) }
}

/** RFC 6749, 2.3.1, has both form-encoded; whoever does not is understood too, for our own ids and secrets hold nothing to encode. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part.replaceAll('+', ' '))
  } catch {
    return part
  }
}

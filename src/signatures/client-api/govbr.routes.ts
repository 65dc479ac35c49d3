import Router from '@koa/router'
import { ACCOUNTS_PROBLEMS } from '../../accounts/index.ts'
import { inRoom } from '../../platform/http/app.ts'
import { parseJson, readBody } from '../../platform/http/body/body.ts'
import { readBearer } from '../../platform/http/credentials.ts'
import { asProblem } from '../../platform/http/problems.ts'
import { type HttpContext, type HttpMiddleware, requestFacts } from '../../platform/http/request-facts.ts'
import { isProblem, Problem } from '../../platform/problem.ts'
import type { SigningCore } from '../activation/core.ts'
import { OID } from '../asn1/oids.ts'
import { signCms } from '../cms/signed-data.ts'
import type { Lending } from '../lending/lending.store.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import type { RemoteSigning } from '../remote-signing.ts'
import { GOVBR_API, signRequest } from './govbr-open-api.ts'
import { openApiDocument } from './open-api.ts'
import { GOVBR_BASE, type SigningClient, type SigningClients } from './signing-clients.ts'
import { LONGEST_TOKEN, readTokenRequest } from './token-request.ts'

const LONGEST_BODY = 4096
const LEVEL_MISSING = 'Cidadão não possui a identidade (Prata ou Ouro) necessária para uso da assinatura eletrônica digital.'
const CPF_IRREGULAR = 'CPF com situação cancelada, nula ou falecido na Receita Federal não permite uso da assinatura eletrônica digital.'
/** Ours: the federal service has no such state. */
const ACCOUNT_STOPPED = 'A conta do cidadão não pode assinar neste momento.'

export interface SigningApiDependencies {
  readonly signing: Pick<RemoteSigning, 'lendings' | 'asks' | 'handles' | 'credentials'>
  readonly people: Pick<SigningCore['people'], 'findSigner'> & {
    /** Whether the base register has this signer's CPF as regular now. */
    readonly isRegular: (accountId: string) => Promise<boolean>
  }
  readonly clients: SigningClients
  readonly claims: {
    /** Whatever shows no good token. @throws {Problem} platform/too-many */
    readonly address: (ip: string) => void
    /** Quotas: calls by the minute, signatures by the month. @throws {Problem} agencies/too-many-calls, agencies/quota-spent */
    readonly call: (ctx: HttpContext, client: SigningClient) => Promise<void>
    readonly signatures: (ctx: HttpContext, client: SigningClient, count: number) => Promise<void>
  }
}

/** The signing API of the federal login, word for word: a system that was written for it works with other base addresses. */
export function createGovbrSigningApi(deps: SigningApiDependencies, { publicUrl }: { readonly publicUrl: string }): Router {
  const router = new Router({ prefix: GOVBR_BASE })
  router.use(inRoom('signatures'), federalRefusals)
  const document = openApiDocument(GOVBR_API, publicUrl)
  router.get('/openapi.json', (ctx) => {
    ctx.body = document
  })
  router.post('/oauth2.0/token', (ctx) => giveToken(deps, ctx))
  router.get('/externo/v2/certificadoPublico', (ctx) => showCertificate(deps, ctx))
  router.post('/externo/v2/assinarPKCS7', (ctx) => sign(deps, ctx))
  return router
}

async function giveToken({ clients, claims, signing }: SigningApiDependencies, ctx: HttpContext): Promise<void> {
  claims.address(requestFacts(ctx).ip)
  const { client, exchange } = await readTokenRequest(ctx, clients, 'govbr')
  if (!client) throw new Refusal(401)
  await claims.call(ctx, client)
  const exchanged = exchange && (await signing.lendings.exchange({ ...exchange, clientId: client.id }))
  if (!exchanged) {
    ctx.status = 400
    ctx.type = 'text/plain'
    ctx.body = 'error=invalid_request'
    return
  }
  ctx.body = { access_token: exchanged.token, token_type: 'bearer', expires_in: exchanged.secondsLeft }
}

/** A call with a token that still permits something, by a client that still may. */
interface Call {
  readonly token: string
  readonly lending: Lending
  readonly client: SigningClient
}

async function admit(deps: SigningApiDependencies, ctx: HttpContext): Promise<Call> {
  const { signing, clients, claims, people } = deps
  const token = readBearer(ctx, LONGEST_TOKEN)
  const lending = token === '' ? undefined : await signing.lendings.find(token)
  const client = lending?.terms.allows.kind === 'open' ? await clients.find(lending.terms.clientId, 'govbr') : undefined
  if (!lending || !client) {
    claims.address(requestFacts(ctx).ip)
    throw new Refusal(401)
  }
  await claims.call(ctx, client)
  if (!(await people.isRegular(lending.terms.accountId))) throw new Refusal(403, CPF_IRREGULAR)
  return { token, lending, client }
}

async function showCertificate(deps: SigningApiDependencies, ctx: HttpContext): Promise<void> {
  const { lending } = await admit(deps, ctx)
  const signer = await deps.people.findSigner(lending.terms.accountId)
  if (signer?.status !== 'active' || signer.isHeld) throw new Refusal(403, ACCOUNT_STOPPED)
  if (signer.level === 'bronze') throw new Refusal(403, LEVEL_MISSING)
  const base64 = lending.certificates[0].toString('base64').replace(/.{64}(?=.)/g, '$&\n')
  ctx.type = 'application/x-pem-file'
  ctx.body = `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`
}

async function sign(deps: SigningApiDependencies, ctx: HttpContext): Promise<void> {
  const call = await admit(deps, ctx)
  const messageDigest = await readHash(ctx)
  await deps.claims.signatures(ctx, call.client, 1)
  const { signer, certificates } = await deps.signing.lendings.take(call.token, 1)
  ctx.body = await signCms({ messageDigest, contentType: OID.data, certificates }, signer)
  ctx.type = 'application/octet-stream'
}

/** Judged before a use of the token is spent. */
async function readHash(ctx: HttpContext): Promise<Buffer> {
  const body = signRequest.safeParse(ctx.is('application/json') ? parseJson(await readBody(ctx, LONGEST_BODY)) : undefined)
  const digest = Buffer.from(body.success ? body.data.hashBase64 : '', 'base64')
  if (!body.success || digest.length !== 32 || digest.toString('base64') !== body.data.hashBase64) throw new Refusal(400, 'hashBase64')
  return digest
}

/** A refusal in the federal service's words. */
class Refusal extends Error {
  readonly status: number
  constructor(status: number, message = 'No message available') {
    super(message)
    this.status = status
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden', 413: 'Payload Too Large', 415: 'Unsupported Media Type', 429: 'Too Many Requests', 503: 'Service Unavailable',
}

/** 403 is a plain sentence there, everything else the JSON of its framework. */
const federalRefusals: HttpMiddleware = async (ctx, next) => {
  try {
    await next()
  } catch (error) {
    const { status, message } = refusalOf(error)
    ctx.status = status
    if (status === 403) {
      ctx.type = 'text/plain'
      ctx.body = message
      return
    }
    ctx.body = { timestamp: Date.now(), status, error: TITLES[status] ?? 'Error', message, path: ctx.path.slice(GOVBR_BASE.length) }
    if (error instanceof Problem && error.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(Math.max(1, Math.ceil(error.retryAfterSeconds))))
  }
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  // Used up, expired or ended in between: the token is none any more.
  if (isProblem(error, SIGNATURE_PROBLEMS.activationOver)) return new Refusal(401)
  if (isProblem(error, SIGNATURE_PROBLEMS.notEntitled)) return new Refusal(403, error.detail === 'level' ? LEVEL_MISSING : ACCOUNT_STOPPED)
  if (isProblem(error, ACCOUNTS_PROBLEMS.waysUnconfirmed)) return new Refusal(403, ACCOUNT_STOPPED)
  const { status } = asProblem(error)
  if (status >= 500) throw error
  return new Refusal(status)
}

import Router from '@koa/router'
import { z } from 'zod'
import { inRoom } from '../../platform/http/app.ts'
import { parseJson, readBody } from '../../platform/http/body.ts'
import { asProblem } from '../../platform/http/problems.ts'
import { type HttpContext, type HttpMiddleware, requestFacts } from '../../platform/http/request-facts.ts'
import { isProblem, Problem } from '../../platform/problem.ts'
import { MOST_DOCUMENTS } from '../activation/activation.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import { credentialInfo, SIGN_ALGORITHMS } from './csc-credential.ts'
import type { SigningApiDependencies } from './govbr.routes.ts'
import { CSC_BASE, type SigningClient } from './signing-clients.ts'
import { readForm, readTokenRequest, clientOf } from './token-request.ts'

const LONGEST_BODY = 32 * 1024
const SHA_256 = '2.16.840.1.101.3.4.2.1'

/** The API of the Cloud Signature Consortium (v2), for certificates that citizens keep; the SAD is the one-use token of its authorization server. */
export function createCscApi(deps: SigningApiDependencies & { readonly publicUrl: string }): Router {
  const router = new Router({ prefix: CSC_BASE })
  router.use(inRoom('signatures'), cscRefusals)
  router.post('/info', (ctx) => {
    deps.claims.address(requestFacts(ctx).ip)
    ctx.body = {
      specs: '2.0.0.2', name: 'MT Login', logo: `${deps.publicUrl}/favicon.ico`, region: 'BR', lang: 'pt-BR', description: 'Assinatura eletrônica avançada (Lei 14.063/2020) do Estado de Mato Grosso',
      authType: ['oauth2code'], oauth2: `${deps.publicUrl}${CSC_BASE}`,
      methods: ['oauth2/authorize', 'oauth2/token', 'oauth2/revoke', 'info', 'credentials/list', 'credentials/info', 'signatures/signHash'],
      signAlgorithms: { algos: Object.values(SIGN_ALGORITHMS) },
    }
  })
  router.post('/oauth2/token', (ctx) => giveToken(deps, ctx))
  router.post('/oauth2/revoke', (ctx) => revoke(deps, ctx))
  router.post('/credentials/list', (ctx) => listCredentials(deps, ctx))
  router.post('/credentials/info', (ctx) => showCredential(deps, ctx))
  router.post('/signatures/signHash', (ctx) => signHash(deps, ctx))
  return router
}

async function giveToken({ clients, claims, signing }: SigningApiDependencies, ctx: HttpContext): Promise<void> {
  claims.address(requestFacts(ctx).ip)
  const { client, exchange } = await readTokenRequest(ctx, clients, 'csc')
  if (!client) throw new Refusal(401, 'invalid_client', 'Wrong or missing client credentials')
  await claims.call(ctx, client)
  if (!exchange) throw new Refusal(400, 'invalid_request', 'grant_type, code and redirect_uri are needed')
  const presented = { ...exchange, clientId: client.id }
  const service = await signing.asks.exchangeService(presented)
  if (service) {
    ctx.body = { access_token: service.token, token_type: 'Bearer', expires_in: service.secondsLeft, scope: 'service' }
    return
  }
  const lent = await signing.lendings.exchange(presented)
  if (!lent) throw new Refusal(400, 'invalid_grant', 'The code was used, is over, or is for another client or address')
  ctx.body = { access_token: lent.token, token_type: 'SAD', expires_in: lent.secondsLeft, scope: 'credential' }
}

/** RFC 7009: an unknown token is no error. */
async function revoke({ clients, claims, signing }: SigningApiDependencies, ctx: HttpContext): Promise<void> {
  claims.address(requestFacts(ctx).ip)
  const form = await readForm(ctx)
  const client = await clientOf(ctx, form, clients, 'csc')
  if (!client) throw new Refusal(401, 'invalid_client', 'Wrong or missing client credentials')
  const token = typeof form['token'] === 'string' ? form['token'] : ''
  if ((await signing.lendings.find(token))?.terms.clientId === client.id) await signing.lendings.endToken(token)
  if ((await signing.asks.findService(token))?.clientId === client.id) await signing.asks.endServiceToken(token)
  ctx.status = 200
  ctx.body = ''
}

const invalidToken = () => new Refusal(401, 'invalid_token', 'The access token is missing, over, or not valid here')
const bearerOf = (ctx: HttpContext) => /^(?:Bearer|SAD) ([\w-]{1,200})$/i.exec(ctx.get('Authorization'))?.[1] ?? ''

/** Whose certificates the token shows: its client may still, and its citizen's account stands. */
async function admitService({ signing, clients, claims, people }: SigningApiDependencies, ctx: HttpContext): Promise<{ accountId: string; client: SigningClient }> {
  const grant = await signing.asks.findService(bearerOf(ctx))
  const client = grant && (await clients.find(grant.clientId, 'csc'))
  const signer = grant && (await people.findSigner(grant.accountId))
  if (!grant || !client || signer?.status !== 'active') {
    claims.address(requestFacts(ctx).ip)
    throw invalidToken()
  }
  await claims.call(ctx, client)
  return { accountId: grant.accountId, client }
}

const shown = {
  certificates: z.enum(['none', 'single', 'chain']).default('single'),
  certInfo: z.boolean().default(false),
  authInfo: z.boolean().default(false),
}
const listing = z.looseObject({ ...shown, credentialInfo: z.boolean().default(false), onlyValid: z.boolean().default(false) })
const naming = z.looseObject({ ...shown, credentialID: z.string().min(1).max(100) })

async function listCredentials(deps: SigningApiDependencies, ctx: HttpContext): Promise<void> {
  const { accountId } = await admitService(deps, ctx)
  const asked = await readJson(ctx, listing)
  const found = (await deps.signing.credentials.list(accountId)).filter(({ state }) => !asked.onlyValid || state === 'active')
  ctx.body = {
    credentialIDs: found.map(({ id }) => id),
    ...(asked.credentialInfo && { credentialInfos: found.map((one) => ({ credentialID: one.id, ...credentialInfo(one, asked) })) }),
    ...(asked.onlyValid && { onlyValid: true }),
  }
}

async function showCredential(deps: SigningApiDependencies, ctx: HttpContext): Promise<void> {
  const { accountId } = await admitService(deps, ctx)
  const asked = await readJson(ctx, naming)
  const found = (await deps.signing.credentials.list(accountId)).find(({ id }) => id === asked.credentialID)
  if (!found) throw new Refusal(400, 'invalid_request', 'Invalid parameter credentialID')
  ctx.body = credentialInfo(found, asked)
}

const signing = z.looseObject({
  credentialID: z.string().min(1).max(100),
  SAD: z.string().max(200).optional(),
  hashes: z.array(z.string().max(100)).min(1).max(MOST_DOCUMENTS),
  hashAlgorithmOID: z.literal(SHA_256).optional(),
  signAlgo: z.enum(Object.values(SIGN_ALGORITHMS)),
  operationMode: z.literal('S').default('S'),
})

/** All hashes of the SAD or some of them, each once and in one call: whatever comes, the SAD is used up by it. */
async function signHash(deps: SigningApiDependencies, ctx: HttpContext): Promise<void> {
  const { clients, claims, people } = deps
  if (bearerOf(ctx) === '') throw invalidToken()
  const asked = await readJson(ctx, signing)
  const token = asked.SAD ?? bearerOf(ctx)
  const lending = await deps.signing.lendings.find(token)
  const client = lending?.terms.allows.kind === 'hashes' ? await clients.find(lending.terms.clientId, 'csc') : undefined
  // Beside a SAD in the body the header shows who calls: the same client, for the same citizen.
  const caller = asked.SAD === undefined ? undefined : await admitService(deps, ctx)
  if (!lending || !client || (caller && (caller.client.id !== client.id || caller.accountId !== lending.terms.accountId))) {
    claims.address(requestFacts(ctx).ip)
    throw asked.SAD === undefined ? invalidToken() : new Refusal(400, 'invalid_request', 'Invalid parameter SAD')
  }
  if (!caller) await claims.call(ctx, client)
  const credential = (await deps.signing.credentials.list(lending.terms.accountId)).find(({ serial }) => serial === lending.serial)
  if (credential?.id !== asked.credentialID || credential.state !== 'active') throw new Refusal(400, 'invalid_request', 'Invalid parameter credentialID')
  if (SIGN_ALGORITHMS[credential.keyKind === 'P-256' ? 'ec' : 'rsa'] !== asked.signAlgo) throw new Refusal(400, 'invalid_request', 'Invalid parameter signAlgo')
  const digests = asked.hashes.map((hash) => Buffer.from(hash, 'base64'))
  const allowed = lending.terms.allows.kind === 'hashes' ? lending.terms.allows.digests : []
  if (digests.some((digest) => !allowed.includes(digest.toString('hex')))) throw new Refusal(400, 'invalid_request', 'Hash is not authorized by the SAD')
  if (!(await people.isRegular(lending.terms.accountId))) throw new Refusal(403, 'access_denied', 'The signer may not sign now')
  await claims.signatures(ctx, client, digests.length)
  const signer = await deps.signing.lendings.take(token, 'all')
  ctx.body = { signatures: (await signer.signHashes(digests)).map((signature) => signature.toString('base64')) }
}

async function readJson<Schema extends z.ZodType>(ctx: HttpContext, schema: Schema): Promise<z.output<Schema>> {
  const body = await readBody(ctx, LONGEST_BODY)
  const result = schema.safeParse(body.length === 0 ? {} : ctx.is('application/json') ? parseJson(body) : undefined)
  if (result.success) return result.data
  const [first] = result.error.issues
  throw new Refusal(400, 'invalid_request', `Missing (or invalid type) or invalid parameter ${String(first?.path[0] ?? 'body')}`)
}

/** A refusal in the standard's words. */
class Refusal extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string, description: string) {
    super(description)
    this.status = status
    this.code = code
  }
}

const cscRefusals: HttpMiddleware = async (ctx, next) => {
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

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (isProblem(error, SIGNATURE_PROBLEMS.activationOver)) return new Refusal(401, 'invalid_token', 'The SAD was used or is over')
  if (isProblem(error, SIGNATURE_PROBLEMS.notTheDocuments)) return new Refusal(400, 'invalid_request', 'Hash is not authorized by the SAD')
  if (isProblem(error, SIGNATURE_PROBLEMS.notEntitled)) return new Refusal(403, 'access_denied', 'The signer may not sign now')
  const { status } = asProblem(error)
  if (status >= 500) throw error
  return new Refusal(status, status === 429 ? 'too_many_requests' : 'invalid_request', 'The request is not valid')
}

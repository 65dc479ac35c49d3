import Router from '@koa/router'
import { z } from 'zod'
import { inRoom } from '../../platform/http/app.ts'
import { parseQuery } from '../../platform/http/body/body.ts'
import { type HttpContext, requestFacts } from '../../platform/http/request-facts.ts'
import { Problem } from '../../platform/problem.ts'
import { CSC_BASE, GOVBR_BASE, SIGNATURE_PROBLEMS, type SigningApi, type SigningClient } from '../../signatures/index.ts'
import { seeOther } from '../pages.ts'
import { answerTo } from './answer.ts'
import { createAnswerRoutes } from './answer.routes.ts'
import { contentOf } from './ask-content.ts'
import { type LendingDesk, PAGE } from './desk.ts'

const LONGEST_QUERY = 32 * 1024
const text = z.string().max(2000)
/** Parameters that we do not know are none of our business (RFC 6749, 3.1); one that comes twice is refused. */
const asking = z.record(z.string(), z.string().max(LONGEST_QUERY))
const known = z.looseObject({ client_id: text, redirect_uri: text, state: text.optional(), response_type: text.optional(), code_challenge: z.string().regex(/^[\w-]{43}$/).optional(), code_challenge_method: text.optional() })

/** Where clients of the signing APIs send citizens, as their own authorization servers have it, and the pages on which these answer. */
export function createLendingRoutes(desk: LendingDesk): Router {
  const router = new Router()
  router.use(inRoom('portal'), desk.pages.refusals)
  router.get(`${GOVBR_BASE}/oauth2.0/authorize`, (ctx) => begin(desk, ctx, 'govbr'))
  router.get(`${CSC_BASE}/oauth2/authorize`, (ctx) => begin(desk, ctx, 'csc'))
  router.use(createAnswerRoutes(desk).routes())
  return router
}

async function begin({ signing, clients }: LendingDesk, ctx: HttpContext, api: SigningApi): Promise<void> {
  clients.claimAddress(requestFacts(ctx).ip)
  if (ctx.querystring.length > LONGEST_QUERY) throw new Problem(SIGNATURE_PROBLEMS.askInvalid)
  const query = asking.safeParse({ ...parseQuery(ctx.querystring) })
  const given = known.safeParse(query.data)
  const client = given.success ? await clients.find(given.data.client_id, api) : undefined
  // Only an address that an operator registered, letter by letter, is ever gone to.
  if (!query.success || !given.success || !client?.redirectUris.includes(given.data.redirect_uri)) throw new Problem(SIGNATURE_PROBLEMS.askInvalid)
  const { redirect_uri: redirectUri, state, code_challenge: codeChallenge } = given.data
  const back = (error: string, description: string) => ctx.redirect(answerTo({ redirectUri, state }, { error, error_description: description }))
  const fault = protocolFault(client, given.data)
  if (fault) return back(...fault)
  const content = contentOf(api, query.data)
  if ('error' in content) return back(content.error, content.description)
  const id = await signing.asks.begin({ clientId: client.id, redirectUri, state, codeChallenge, content })
  seeOther(ctx, `${PAGE}/${id}`)
}

function protocolFault({ isPublic }: SigningClient, asked: z.output<typeof known>): [string, string] | undefined {
  if (asked.response_type !== 'code') return ['unsupported_response_type', 'code']
  if ((asked.code_challenge === undefined) !== (asked.code_challenge_method === undefined) || (asked.code_challenge_method ?? 'S256') !== 'S256') return ['invalid_request', 'PKCE by S256 only']
  if (isPublic && asked.code_challenge === undefined) return ['invalid_request', 'a client without a secret needs PKCE']
  return undefined
}

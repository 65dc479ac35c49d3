import { type HttpContext, requestFacts } from '../../../platform/http/request-facts.ts'
import type { SigningApiDependencies } from '../govbr.routes.ts'
import { clientOf, readForm, readTokenRequest } from '../token-request.ts'
import { Refusal } from './refusal.ts'

/** Access to certificates, or a SAD, for a code. */
export async function giveToken({ clients, claims, signing }: SigningApiDependencies, ctx: HttpContext): Promise<void> {
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
export async function revoke({ clients, claims, signing }: SigningApiDependencies, ctx: HttpContext): Promise<void> {
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

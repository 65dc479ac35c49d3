import { errors, type JsonObject, type ProviderContext } from 'oidc-provider'

/** How far a client's clock may be from ours (FAPI 2.0 Security Profile, 5.3.2.1). */
export const CLOCK_TOLERANCE_SECONDS = 10
const LONGEST_ASSERTION_SECONDS = 3600

/** Checks that the provider leaves to us, for `private_key_jwt`: times, and the audience of FAPI clients. */
export function checkClientAssertion(ctx: ProviderContext, claims: JsonObject): void {
  const now = Math.floor(Date.now() / 1000)
  checkTimes(claims, now, (detail) => new errors.InvalidClientAuth(detail))
  if (ctx.oidc.isFapi('2.0') && claims['aud'] !== ctx.oidc.issuer)
    throw new errors.InvalidClientAuth('aud must be the issuer, as a single string')
}

/** The same for signed request objects (RFC 9101, FAPI 2.0 Message Signing 5.3.1). */
export function checkRequestObject(ctx: ProviderContext, claims: JsonObject): void {
  const now = Math.floor(Date.now() / 1000)
  checkTimes(claims, now, (detail) => new errors.InvalidRequest(`the request object's ${detail}`))
  if (!ctx.oidc.isFapi('2.0') || ctx.oidc.route !== 'pushed_authorization_request') return
  for (const name of ['exp', 'nbf'])
    if (typeof claims[name] !== 'number') throw new errors.InvalidRequest(`the request object lacks ${name}`)
}

function checkTimes({ iat, nbf, exp }: JsonObject, now: number, refusal: (detail: string) => Error): void {
  if (typeof iat === 'number' && iat > now + CLOCK_TOLERANCE_SECONDS) throw refusal('iat is in the future')
  if (typeof nbf === 'number' && nbf > now + CLOCK_TOLERANCE_SECONDS) throw refusal('nbf is in the future')
  if (typeof exp === 'number' && exp > now + LONGEST_ASSERTION_SECONDS) throw refusal('exp is too far away')
}

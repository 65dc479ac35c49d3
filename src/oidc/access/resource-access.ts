import { hash } from 'node:crypto'
import { EmbeddedJWK, calculateJwkThumbprint, jwtVerify } from 'jose'
import type { Provider, TokenInstance } from 'oidc-provider'
import type { Clock } from '../../platform/clock.ts'
import { readCredentials } from '../../platform/http/credentials.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { Problem } from '../../platform/problem.ts'
import type { ClientRecord } from '../clients/client.ts'
import type { ClientDirectory } from '../clients/directory.ts'
import { CLOCK_TOLERANCE_SECONDS } from '../policy/client-assertions.ts'
import type { ClientCertificates } from '../policy/client-certificate.ts'
import { OIDC_PROBLEMS } from '../problems.ts'

/** Oldest proof of possession that is taken, as at our other endpoints. */
const PROOF_SECONDS = 300
const PROOF_ALGORITHMS = ['ES256', 'Ed25519', 'EdDSA']
/** RFC 6750 §2.1, RFC 9449 §7.1. */
const SCHEMES = ['Bearer', 'DPoP']
/** Of our own access tokens, with room for signed ones. */
const LONGEST_TOKEN = 4096

/** A client that presented an access token of its own. */
export interface PresentedToken {
  readonly client: ClientRecord
  readonly scopes: ReadonlySet<string>
  /** To a key or a certificate, which was shown. */
  readonly isBound: boolean
}

/** Access tokens presented at an API of this very server. */
export interface ResourceAccess {
  /**
   * The client behind the token of this request: issued to the client itself (never about a person), for this API, not revoked, its
   * client not disabled, and presented by whoever it is bound to (RFC 8705, RFC 9449).
   * @throws {Problem} oidc/token-missing, oidc/token-invalid with WWW-Authenticate
   */
  present(ctx: HttpContext, audience: string): Promise<PresentedToken>
  /** The refusal of a token that does not bear a scope. */
  refuseScope(ctx: HttpContext, scope: string): Problem
}

export interface ResourceAccessDependencies {
  readonly provider: Pick<Provider, 'ClientCredentials' | 'ReplayDetection' | 'issuer'>
  readonly directory: Pick<ClientDirectory, 'find'>
  readonly certificates: Pick<ClientCertificates, 'getCertificate'>
  readonly clock: Clock
}

interface BoundToken extends TokenInstance {
  readonly jkt?: string
  readonly 'x5t#S256'?: string
}

export function createResourceAccess({ provider, directory, certificates, clock }: ResourceAccessDependencies): ResourceAccess {
  return {
    async present(ctx, audience) {
      const shown = readCredentials(ctx, SCHEMES, LONGEST_TOKEN)
      if (!shown) throw challenge(ctx, OIDC_PROBLEMS.tokenMissing, '')
      const { scheme, token: value } = shown
      const invalid = (cause: string) => challenge(ctx, OIDC_PROBLEMS.tokenInvalid, ', error="invalid_token"', cause)
      const token: BoundToken | undefined = await provider.ClientCredentials.find(value)
      if (!token?.isValid || token.clientId === undefined) throw invalid('unknown, expired or revoked')
      if (token.aud !== audience) throw invalid('for another audience')
      const client = await directory.find(token.clientId)
      if (!client) throw invalid('of a client that is disabled')
      checkCertificate(ctx, token, invalid)
      const isProof = scheme === 'DPoP'
      if (isProof !== (token.jkt !== undefined)) throw invalid('not presented as it is bound')
      if (token.jkt !== undefined) await checkProof(ctx, { jkt: token.jkt, value, clientId: token.clientId }, invalid)
      return { client, scopes: token.scopes, isBound: token.jkt !== undefined || token['x5t#S256'] !== undefined }
    },
    refuseScope: (ctx, scope) => challenge(ctx, OIDC_PROBLEMS.scopeMissing, `, error="insufficient_scope", scope="${scope}"`),
  }

  function challenge(ctx: HttpContext, kind: (typeof OIDC_PROBLEMS)['tokenMissing' | 'tokenInvalid' | 'scopeMissing'], error: string, cause?: string): Problem {
    const algorithms = `algs="${PROOF_ALGORITHMS.join(' ')}"`
    ctx.set('WWW-Authenticate', [`Bearer realm="${provider.issuer}"${error}`, `DPoP realm="${provider.issuer}"${error}, ${algorithms}`])
    return new Problem(kind, { cause })
  }

  function checkCertificate(ctx: HttpContext, token: BoundToken, invalid: (cause: string) => Problem): void {
    const wanted = token['x5t#S256']
    if (wanted === undefined) return
    const certificate = certificates.getCertificate(ctx)
    if (certificate === undefined || hash('sha256', certificate.raw, 'base64url') !== wanted) throw invalid('another certificate')
  }

  /** RFC 9449 §4.3, with the address that we are known by, whatever `Host` says. */
  async function checkProof(ctx: HttpContext, token: { jkt: string; value: string; clientId: string }, invalid: (cause: string) => Problem): Promise<void> {
    const verified = await jwtVerify(ctx.get('DPoP'), EmbeddedJWK, { algorithms: PROOF_ALGORITHMS, typ: 'dpop+jwt', currentDate: clock.now() }).catch(() => undefined)
    if (!verified) throw invalid('no valid proof')
    const { htm, htu, ath, iat, jti } = verified.payload
    const age = clock.now().getTime() / 1000 - (iat ?? 0)
    const isFresh = iat !== undefined && age <= PROOF_SECONDS && age >= -CLOCK_TOLERANCE_SECONDS
    const isHere = htm === ctx.method && typeof htu === 'string' && addressOf(htu) === new URL(ctx.path, provider.issuer).href
    const jwk = verified.protectedHeader.jwk
    const isKey = jwk !== undefined && (await calculateJwkThumbprint(jwk)) === token.jkt
    if (!isFresh || !isHere || !isKey || ath !== hash('sha256', token.value, 'base64url')) throw invalid('the proof is for something else')
    if (typeof jti !== 'string' || jti === '') throw invalid('the proof has no id')
    // As long as the proof itself: one from a clock ahead of ours is good for longer.
    const expires = Math.ceil(clock.now().getTime() / 1000 - Math.min(age, 0)) + PROOF_SECONDS + 1
    if (!(await provider.ReplayDetection.unique(token.clientId, jti, expires))) throw invalid('the proof was used before')
  }
}

/** Without query and fragment, normalised. */
function addressOf(htu: string): string | undefined {
  const url = URL.parse(htu)
  if (!url) return undefined
  url.search = ''
  url.hash = ''
  return url.href
}

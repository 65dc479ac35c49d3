import { errors, type ProviderContext } from 'oidc-provider'
import type { ClientPolicy } from '../clients/client.ts'
import { SWITCH_SCOPE } from './claims.ts'
import { type Representations, SELF } from './representations.ts'

const TO_PARTY = /^representee\.BR([0-9A-Z]{8,14})$/

export interface SwitchDeps {
  readonly policyOf: (ctx: ProviderContext) => ClientPolicy
  readonly representations: Pick<Representations, 'turnTo'>
  /** The person's own document: to name it is to act for oneself again. */
  readonly cpfOf: (accountId: string) => Promise<string | undefined>
}

/**
 * Switch of person by refresh, without a new sign-in (as the Estonian state login does it): `scope=… representee.BR<document>`.
 *
 * Only for relying parties with that shape of claims, and only where the citizen agreed to the scope `representee.*`. The scope names a
 * party and no set of data, so it is taken out before the provider compares scopes.
 */
export function switchByRefresh({ policyOf, representations, cpfOf }: SwitchDeps): (ctx: ProviderContext, handle: () => Promise<void>) => Promise<void> {
  return async (ctx, handle) => {
    const { params, provider } = ctx.oidc
    const scopes = params?.['scope']?.split(' ') ?? []
    const named = scopes.filter((scope) => scope.startsWith('representee.') && scope !== SWITCH_SCOPE)
    if (params === undefined || named.length === 0) return handle()
    const [scope = ''] = named
    const document = TO_PARTY.exec(scope)?.[1]
    const token = await provider.RefreshToken.find(params['refresh_token'] ?? '', { ignoreExpiration: true })
    const mayTurn = policyOf(ctx).delegationClaims === 'representee' && token?.scopes.has(SWITCH_SCOPE) === true
    if (named.length > 1 || document === undefined || !mayTurn) throw new errors.InvalidScope('this switch of party is not allowed', scope)
    const isOwn = token.accountId !== undefined && (await cpfOf(token.accountId)) === document
    representations.turnTo(ctx, isOwn ? SELF : document)
    params['scope'] = scopes.filter((one) => one !== scope).join(' ') || undefined
    await handle()
  }
}

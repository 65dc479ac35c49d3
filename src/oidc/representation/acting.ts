import type { JsonObject, ProviderContext, TokenInstance } from 'oidc-provider'
import type { ClientDirectory } from '../clients/directory.ts'
import type { Keyring } from '../../platform/keyring.ts'
import type { OidcPorts } from '../ports.ts'
import { type SubjectOf, tokenRepresentation } from './claims.ts'
import type { Representations, RepresentationsDeps } from './representations.ts'
import { exchangedClaims, TOKEN_EXCHANGE } from './token-exchange.ts'

export interface ActingDeps {
  readonly keyring: Pick<Keyring, 'hash'>
  readonly policyOf: RepresentationsDeps['policyOf']
  readonly directory: Pick<ClientDirectory, 'find'>
  readonly representations: Representations
  readonly findPerson: OidcPorts['findPerson']
}

/** What tokens say of for whom they act. */
export interface Acting {
  readonly subjectOf: (ctx: ProviderContext) => SubjectOf
  readonly tokenRepresentation: (ctx: ProviderContext, token: TokenInstance) => Promise<JsonObject | undefined>
  readonly isLive: (token: TokenInstance) => Promise<boolean>
}

export function createActing({ keyring, policyOf, directory, representations, findPerson }: ActingDeps): Acting {
  /** Who has an account is known as by a sign-in of their own; a company or a person without one by a name that no account has. */
  const subjectOf = (ctx: ProviderContext): SubjectOf => async ({ partyId, accountId }) => {
    const { client } = ctx.oidc
    if (client.subjectType !== 'pairwise') return accountId ?? partyId
    const known = accountId === undefined ? [client.sectorIdentifier, 'party', partyId] : [client.sectorIdentifier, accountId]
    return keyring.hash(JSON.stringify(known), 'oidc-pairwise').toString('base64url')
  }

  return {
    subjectOf,
    async tokenRepresentation(ctx, token) {
      const current = representations.current(ctx)
      const { representation } = current ?? {}
      if (!current || !representation) return undefined
      if (token.gty === TOKEN_EXCHANGE) return exchangedClaims({ ...current, representation }, ctx.oidc.client.clientId, subjectOf(ctx))
      const actor = await subjectOf(ctx)({ partyId: '', accountId: token.accountId })
      return tokenRepresentation(policyOf(ctx), representation, { hasAudience: token.aud !== undefined, subjectOf: subjectOf(ctx), actor })
    },
    async isLive(token) {
      const client = token.clientId === undefined ? undefined : await directory.find(token.clientId)
      const levelOf = async () => (await findPerson(token.accountId ?? '', token.sessionUid)).standing?.level
      return client !== undefined && representations.isLive(token, client.policy, levelOf)
    },
  }
}

import type { Oidc } from '../oidc/index.ts'
import type { Keyring } from '../platform/keyring.ts'
import { type AreaPlace, createAreaSessions, createLoopbackFetch, createRelyingParty, type EntranceDependencies } from '../portal/index.ts'
import type { Foundation } from './foundation.ts'
import type { Rooms } from './rooms.ts'
import type { Look, Web } from './web.ts'

/** What an area of our own pages is made from. */
export interface AreaDependencies {
  readonly foundation: Foundation
  readonly rooms: Rooms
  readonly oidc: Oidc
  readonly web: Web
  readonly look: Look
}

/** Where this server listens, for relying parties that live in it. */
export type LocalAddress = () => { host: string; port: number }

/** An area as a relying party of this very server. */
export interface FirstParty {
  readonly clientId: string
  readonly name: string
  readonly place: AreaPlace
  readonly scopes: readonly ('openid' | 'profile' | 'cpf' | 'email' | 'phone')[]
  readonly limits: { readonly idleSeconds: number; readonly absoluteSeconds: number }
}

/** The way in to one of our areas: its registration, its sessions, and its side of the code flow. */
export async function openEntrance(
  { foundation, oidc, web }: AreaDependencies,
  party: FirstParty,
  localAddress: LocalAddress,
): Promise<EntranceDependencies> {
  const { publicUrl } = foundation.config.platform
  const { clientId, place, scopes, limits } = party
  return {
    publicUrl,
    place,
    views: web.views,
    sessions: createAreaSessions(foundation, limits, place),
    relyingParty: createRelyingParty({
      issuer: publicUrl,
      clientId,
      clientSecret: await register(oidc, foundation.keyring, publicUrl, party),
      scope: scopes.join(' '),
      redirectUri: `${publicUrl}${place.base}/retorno`,
      postLogoutRedirectUri: `${publicUrl}${place.base}/saiu`,
      claims: { id_token: { sid: { essential: true }, auth_time: { essential: true } } },
      fetch: createLoopbackFetch(publicUrl, localAddress),
    }),
    findSession: (accountId, sid) => oidc.sessions.findUid(accountId, clientId, sid),
  }
}

/**
 * The area's registration, made on the first start and kept in step with the public address.
 *
 * Its secret is derived from the keyring, so that every process knows it and no copy of it is stored.
 */
async function register(
  { clients }: Oidc,
  keyring: Keyring,
  publicUrl: string,
  { clientId, name, place, scopes }: FirstParty,
): Promise<string> {
  const actor = { kind: 'system' } as const
  const secret = keyring.hash(clientId, 'first-party-client').toString('base64url')
  const area = `${publicUrl}${place.base}`
  const redirectUri = `${area}/retorno`
  const metadata = { client_name: name, redirect_uris: [redirectUri], post_logout_redirect_uris: [`${area}/saiu`], client_uri: area }
  const policy = { firstParty: true, allowedScopes: [...scopes], allowInternalHosts: [new URL(publicUrl).host] }
  const known = await clients.find(clientId)
  if (known === undefined) await clients.create({ id: clientId, metadata, policy, actor, secret })
  else if (!known.metadata.redirect_uris.includes(redirectUri)) await clients.change(clientId, { metadata, policy, actor })
  return secret
}

import type Router from '@koa/router'
import { AGENCY_PLACE, createAgencyRoutes } from '../../admin/index.ts'
import { type AreaDependencies, type LocalAddress, openEntrance } from '../first-party.ts'

export const AGENCY_CLIENT = 'mt-orgao'

/** A desk that nobody sits at closes after half an hour, and every shift signs in anew (63B 2.2.3). */
const LIMITS = { idleSeconds: 1800, absoluteSeconds: 8 * 3600 }

/** `/orgao` as a first-party relying party of this very server, apart from every other area. */
export async function openAgencyArea(deps: AreaDependencies, localAddress: LocalAddress): Promise<Router> {
  const { rooms, look } = deps
  const { sessions, find } = rooms.accounts
  const party = { clientId: AGENCY_CLIENT, name: 'MT Login – órgãos', place: AGENCY_PLACE, scopes: ['openid', 'profile'], limits: LIMITS } as const
  return createAgencyRoutes({
    entrance: await openEntrance(deps, party, localAddress),
    messages: look.messages,
    accounts: { find, findLiveSession: sessions.findLive },
    proxies: rooms.proxies,
  })
}

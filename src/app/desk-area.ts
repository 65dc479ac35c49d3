import type Router from '@koa/router'
import { createDeskRoutes, createHoursRoutes, createQueueRoutes, DESK_PLACE } from '../helpdesk/index.ts'
import { type AreaDependencies, type LocalAddress, openEntrance } from './first-party.ts'

export const DESK_CLIENT = 'mt-balcao'

/** A counter that nobody works at closes after half an hour, and every shift signs in anew (63B 2.2.3). */
const LIMITS = { idleSeconds: 1800, absoluteSeconds: 8 * 3600 }

/** `/balcao` as a first-party relying party of this very server, apart from the citizen's and the operators' areas. */
export async function openDeskArea(deps: AreaDependencies, localAddress: LocalAddress): Promise<Router> {
  const { rooms, look } = deps
  const { sessions, find } = rooms.accounts
  const party = { clientId: DESK_CLIENT, name: 'MT Login – balcão', place: DESK_PLACE, scopes: ['openid', 'profile'], limits: LIMITS } as const
  return createDeskRoutes({
    entrance: await openEntrance(deps, party, localAddress),
    messages: look.messages,
    accounts: { find, findLiveSession: sessions.findLive },
    staff: rooms.staff,
    parts: [
      (pages) => createQueueRoutes({ pages, ...rooms.line, accounts: rooms.accounts }),
      (pages) => createHoursRoutes({ pages, ...rooms.line }),
    ],
  })
}

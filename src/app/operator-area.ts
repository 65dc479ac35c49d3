import type Router from '@koa/router'
import { createOperationsRoutes, OPERATOR_PLACE } from '../admin/index.ts'
import { createMetering, createPointOverview, createPoints } from '../biometrics/index.ts'
import { type AreaDependencies, type LocalAddress, openEntrance } from './first-party.ts'
import { sealedDocuments } from './signatures/organisation-seal.ts'

export const OPERATOR_CLIENT = 'mt-operacao'

/** A desk that nobody sits at closes after half an hour, and every shift signs in anew (63B 2.2.3: at most an hour, at most a day). */
const LIMITS = { idleSeconds: 1800, absoluteSeconds: 8 * 3600 }

/** `/operacao` as a first-party relying party of this very server, apart from the citizen's area. */
export async function openOperatorArea(deps: AreaDependencies, localAddress: LocalAddress): Promise<Router> {
  const { rooms, look, foundation } = deps
  const { db, clock } = foundation
  const documents = sealedDocuments(foundation, rooms.signatures, 'Extrato mensal de coleta')
  const record = { db, clock, audit: rooms.audit }
  const { sessions, find } = rooms.accounts
  const party = {
    clientId: OPERATOR_CLIENT,
    name: 'MT Login – operação',
    place: OPERATOR_PLACE,
    scopes: ['openid', 'profile'],
    limits: LIMITS,
  } as const
  return createOperationsRoutes({
    entrance: await openEntrance(deps, party, localAddress),
    messages: look.messages,
    accounts: { find, findLiveSession: sessions.findLive },
    figures: { outcomes: rooms.outcomes, management: rooms.figures.management },
    imaging: { points: createPoints(record), overview: createPointOverview(record), metering: createMetering(record), documents, now: clock.now },
  })
}

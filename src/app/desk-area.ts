import type Router from '@koa/router'
import { type AccountId, withDeadline } from '../accounts/index.ts'
import { createAssistance, createAssistanceRoutes, createCounter, createDeskRoutes, createHomeRoutes, createHoursRoutes, createManagementRoutes, createQueueRoutes, createSupportRoutes, createTellCitizen, DESK_PLACE, publicCodeOf } from '../helpdesk/index.ts'
import { createAreaSessions } from '../portal/index.ts'
import type { CitizenArea } from './citizen-area.ts'
import { type AreaDependencies, type LocalAddress, openEntrance } from './first-party.ts'
import { kioskRoutes } from './helpdesk/kiosk.ts'
import { DEATH_JOB } from './rooms.ts'
import { sealedDocuments } from './signatures/organisation-seal.ts'

export const DESK_CLIENT = 'mt-balcao'

/** A counter that nobody works at closes after half an hour, and every shift signs in anew (63B 2.2.3). */
const LIMITS = { idleSeconds: 1800, absoluteSeconds: 8 * 3600 }

/** `/balcao` as a first-party relying party of this very server, apart from the citizen's and the operators' areas. */
export async function openDeskArea(deps: AreaDependencies, citizens: Pick<CitizenArea, 'findVisit' | 'pages' | 'sessions'>, localAddress: LocalAddress): Promise<Router> {
  const { foundation, rooms, look, web } = deps
  const { db, clock, keyring, jobs } = foundation
  const { publicUrl } = foundation.config.platform
  const { audit, staff, faces, images, faceSearch, assurance, settings } = rooms
  const { sessions, find } = rooms.accounts
  const party = { clientId: DESK_CLIENT, name: 'MT Login – balcão', place: DESK_PLACE, scopes: ['openid', 'profile'], limits: LIMITS } as const
  const desk = { db, clock, keyring, audit, staff }
  const assistance = createAssistance({ desk, proxies: rooms.proxies, faces, messages: look.messages, clientId: DESK_CLIENT })
  const counter = createCounter({
    desk,
    accounts: { register: withDeadline(rooms.register, settings.registerDeadlineMs), tokens: rooms.accounts.tokens, faceAttempts: rooms.accounts.faceAttempts, find, counter: rooms.accounts.counter, access: rooms.accounts.counterAccess, deathChanged: (tx, personId) => jobs.send(DEATH_JOB, { personId }, { tx }) },
    biometrics: {
      faces, images, search: faceSearch, noteEnd: rooms.outcomes.noteEnd,
      // As a recovery by face: a class that a program in a camera's place passes is enough in the demonstration only.
      accepts: (livenessClass) => foundation.config.demo.enabled || livenessClass !== 'basic',
    },
    assurance,
    pages: {
      messages: look.messages,
      views: web.views,
      publicUrl,
      documents: sealedDocuments(foundation, rooms.signatures, 'Comprovante de atendimento'),
      tell: createTellCitizen({ outbox: foundation.outbox, messages: look.messages, publicUrl }),
    },
  })
  jobs.schedule('attendances-expire', '*/10 * * * *', async () => void (await counter.expire()))
  const entrance = await openEntrance(deps, party, localAddress)
  const staffAccounts = { find, findLiveSession: sessions.findLive, publicCodeOf: (id: AccountId) => publicCodeOf(keyring, id) }
  const routes = createDeskRoutes({
    entrance,
    messages: look.messages,
    accounts: staffAccounts,
    staff,
    parts: [
      (pages) => createHomeRoutes({ pages, db, clock, accounts: staffAccounts }),
      ...counter.parts,
      (pages) => createAssistanceRoutes({ pages, desk, assistance }),
      (pages) => createQueueRoutes({ pages, ...rooms.line, accounts: rooms.accounts, surveys: rooms.figures.surveys }),
      (pages) => createSupportRoutes({ pages, support: rooms.support }),
      (pages) => createManagementRoutes({ pages, management: rooms.figures.management }),
      (pages) => createHoursRoutes({ pages, ...rooms.line }),
    ],
  })
  const operators = createAreaSessions(foundation, LIMITS, { area: 'operacao' })
  for (const router of kioskRoutes(deps, { counter, citizens, staff: [entrance.sessions, operators] })) routes.use(router.routes())
  routes.use(counter.citizenRoutes(citizens.findVisit).routes())
  return routes
}

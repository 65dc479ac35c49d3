import type Router from '@koa/router'
import { createLiveness, type LivenessPeople, nobodysTemplate } from '../../biometrics/index.ts'
import { type Counter, COUNTER_DOOR, createKioskRoutes, createWayInRoutes, type FaceAtCounter, kioskSession } from '../../helpdesk/index.ts'
import { createPageSessions, type PageSessions } from '../../platform/http/page-session.ts'
import type { AreaData } from '../../portal/index.ts'
import type { CitizenArea } from '../citizen-area.ts'
import type { AreaDependencies } from '../first-party.ts'

const FLOW = { idleSeconds: 600, absoluteSeconds: 1200 }

export interface KioskParts {
  readonly counter: Counter
  readonly citizens: Pick<CitizenArea, 'pages' | 'sessions'>
  /** Of the areas that the staff works in. */
  readonly staff: readonly PageSessions<AreaData>[]
}

/** The citizens' screens of the counter, and what a shown face opens in their own area. */
export function kioskRoutes(deps: AreaDependencies, { counter, citizens, staff }: KioskParts): Router[] {
  const { foundation, rooms, look, web } = deps
  const { accounts } = rooms
  const { sessions } = citizens
  const isStaff = async (ctx: Parameters<typeof sessions.read>[0]) => {
    for (const area of staff) if ((await area.read(ctx))?.accountId !== undefined) return true
    return false
  }
  const { publicUrl } = foundation.config.platform
  return [
    createWayInRoutes({
      pages: citizens.pages,
      accounts: accounts.counterAccess,
      site: { views: web.views, messages: look.messages, publicUrl, documents: foundation.documents },
      async leave(ctx, { account, session }) {
        await accounts.sessions.end(account.id, session.id, 'signed-out')
        await sessions.end(ctx)
      },
    }),
    createKioskRoutes({
      site: { views: web.views, messages: look.messages },
      kiosks: counter.kiosks,
      access: counter.access,
      browser: { flows: createPageSessions(foundation, { area: 'aparelho', data: kioskSession, ...FLOW }), citizens: sessions, isStaff },
      face: faceAtCounter(deps),
    }),
  ]
}

/** By person and not by account, since there may be none; whoever has no reference is compared with a face that nobody has. */
function faceAtCounter({ foundation, rooms }: AreaDependencies): FaceAtCounter {
  const { db, clock, keyring, config } = foundation
  const { accounts, images, faces, outcomes } = rooms
  const template = nobodysTemplate(faces.rule, faces.models.dimension)
  const people: LivenessPeople = {
    async findReference(personId, modelId) {
      const found = await images.findReference(personId, modelId)
      return found === undefined || !found.inPerson ? { modelId, template, inPerson: false } : { modelId: found.modelId, template: found.descriptor, inPerson: true }
    },
    claimAttempt: accounts.faceAttempts.claim,
    attemptsLeft: accounts.faceAttempts.left,
  }
  const engine = { rule: faces.rule, padModel: faces.padModel, observe: faces.observe, noteEnd: outcomes.noteEnd }
  return {
    liveness: createLiveness({ db, clock, keyring, engine, people }),
    opens: (livenessClass) => config.demo.enabled || livenessClass !== 'basic',
    clearTries: (tx, subject) => accounts.faceAttempts.clear(subject, tx, COUNTER_DOOR),
    accountOf: accounts.counterAccess.standingOf,
  }
}

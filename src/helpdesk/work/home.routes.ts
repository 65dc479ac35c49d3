import Router from '@koa/router'
import { type Clock, localDay } from '../../platform/clock.ts'
import type { Database } from '../../platform/db.ts'
import { guard } from '../../platform/http/guard.ts'
import { LISTED_MS } from '../binding/confirmations.ts'
import { DESK_PLACE, type DeskPages, type StaffAccounts } from '../desk-pages.ts'
import { countWork, WORK_SECTIONS } from './work.store.ts'

export interface HomeRoutesDependencies {
  readonly pages: DeskPages
  readonly db: Database
  readonly clock: Clock
  readonly accounts: Pick<StaffAccounts, 'publicCodeOf'>
}

/** The counter's first page: what waits for whoever is at work, each with its way there, and what they are in the unit. */
export function createHomeRoutes({ pages, db, clock, accounts }: HomeRoutesDependencies): Router {
  const home = pages.only('home', async (ctx, visit) => {
    const { account, unit, everywhere } = visit
    const now = clock.now()
    const work = await countWork(db, { id: account.id, unitId: unit.id }, { day: localDay(now), claimedSince: new Date(now.getTime() - LISTED_MS) })
    const parts = pages.partsOf(visit).flatMap(({ name, href, icon }) => {
      const section = WORK_SECTIONS.find((one) => one === name)
      return section === undefined ? [] : [{ name, href, icon, count: work[section] }]
    })
    const roles = everywhere.filter(({ unitId }) => unitId === unit.id).map(({ role, endsAt }) => ({ role, endsAt }))
    const data = { code: accounts.publicCodeOf(account.id), roles, hasWork: parts.length > 0, waiting: parts.filter(({ count }) => count > 0) }
    pages.show(ctx, visit, { section: 'home', view: 'home', data })
  })
  return new Router().get(DESK_PLACE.base, guard({}, home))
}

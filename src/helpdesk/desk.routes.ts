import Router from '@koa/router'
import { z } from 'zod'
import { inRoom } from '../platform/http/app.ts'
import { guard } from '../platform/http/guard.ts'
import type { Messages } from '../platform/http/messages.ts'
import { createEntranceRoutes, type EntranceDependencies, seeOther } from '../portal/index.ts'
import { createDeskPages, DESK_PLACE, type DeskPages, type StaffAccounts } from './desk-pages.ts'
import type { Staff } from './staff/staff.ts'
import { createTeamRoutes } from './staff/team.routes.ts'

export interface DeskDependencies {
  /** With `DESK_PLACE`. */
  readonly entrance: EntranceDependencies
  readonly messages: Messages
  readonly accounts: StaffAccounts
  readonly staff: Staff
  /** More pages of the area, made over its frame. */
  readonly parts: readonly ((pages: DeskPages) => Router)[]
}

const choice = z.object({ unit: z.uuid() })
type Choice = z.output<typeof choice>

/** The counter's area under `/balcao`: its entrance, the choice of a unit, and its pages. */
export function createDeskRoutes({ entrance, messages, accounts, staff, parts }: DeskDependencies): Router {
  const { sessions, views } = entrance
  const pages = createDeskPages({ sessions, accounts, staff, views, messages })
  const router = new Router()
  router.use(inRoom('helpdesk'))

  const list = pages.units(async (ctx, _visit, units) => {
    views.render(ctx, 'helpdesk/units', { area: { homeHref: DESK_PLACE.base }, units })
  })
  const choose = pages.units(async (ctx, _visit, units, { body }: { body: Choice }) => {
    if (units.some(({ id }) => id === body.unit)) pages.choose(ctx, body.unit)
    seeOther(ctx, DESK_PLACE.base)
  })

  router.get('/balcao/unidade', guard({}, list))
  router.post('/balcao/unidade', guard({ body: choice }, choose))
  router.use(createEntranceRoutes(entrance).router.routes())
  router.use(createTeamRoutes({ pages, staff, accounts }).routes())
  for (const part of parts) router.use(part(pages).routes())
  return router
}

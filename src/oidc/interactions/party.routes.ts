import Router from '@koa/router'
import { z } from 'zod'
import { isLevelAtLeast, type Level } from '../../assurance/index.ts'
import { guard } from '../../platform/http/guard.ts'
import { localeOf } from '../../platform/http/locale.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import type { Representation } from '../ports.ts'
import { SELF } from '../representation/representations.ts'
import type { StepPage } from './flow.ts'
import type { Pages } from './pages.ts'
import { accountOf, uidParams, type Visit, type Visits } from './visit.ts'

/** For whom a person may act at a relying party. */
export interface Parties {
  options(accountId: string, clientId: string): Promise<readonly Representation[]>
}

export interface PartyDependencies {
  readonly visits: Visits
  readonly pages: Pages
  readonly parties: Parties
  readonly levelOf: (accountId: string) => Promise<Level>
}

const choice = z.object({ por: z.string().min(1, 'acting.field.party').max(100) })

/** The party picker: "eu mesmo" first, then everybody for whom the person may act here, with what and until when. */
export function createPartyRoutes({ visits, pages, parties, levelOf }: PartyDependencies): { router: Router; show: StepPage } {
  const router = new Router()

  async function show(ctx: HttpContext, visit: Visit, errors?: Readonly<Record<string, string>>): Promise<void> {
    const accountId = accountOf(visit)
    const [options, level] = [await parties.options(accountId, visit.client.id), await levelOf(accountId)]
    const isWithin = ({ minimumLevel }: Representation) => isLevelAtLeast(level, minimumLevel)
    pages.show(ctx, visit, 'party', {
      options: options.filter(isWithin).map((one) => cardOf(one, localeOf(ctx))),
      beyond: options.filter((one) => !isWithin(one)).map((one) => ({ name: one.represented.name, level: one.minimumLevel })),
      self: SELF, ...(errors && { errors }),
    })
  }

  router.post(
    '/interacao/:uid/por-quem',
    guard({ params: uidParams, body: choice, onInvalid: async (ctx, { params, errors }) => show(ctx, await visits.open(ctx, params.uid, ['party']), errors) }, async (ctx, { params, body }) => {
      const visit = await visits.open(ctx, params.uid, ['party'])
      const accountId = accountOf(visit)
      const chosen = (await parties.options(accountId, visit.client.id)).find(({ id }) => id === body.por)
      if (body.por === SELF || (chosen && isLevelAtLeast(await levelOf(accountId), chosen.minimumLevel)))
        return visits.finish(ctx, visit, { select_account: { id: body.por } })
      ctx.status = 422
      await show(ctx, visit, { por: 'acting.field.party-over' })
    }),
  )

  return { router, show: (ctx, visit) => show(ctx, visit) }
}

/** One party as the page shows it. */
function cardOf({ id, represented, titles, validThrough, quorum }: Representation, locale: ReturnType<typeof localeOf>) {
  return { id, name: represented.name, type: represented.type, powers: titles.map((title) => title[locale]).join(', '), validThrough, quorum }
}

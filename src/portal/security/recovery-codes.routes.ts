import type Router from '@koa/router'
import type { RecoveryCodes } from '../../accounts/index.ts'
import { guard } from '../../platform/http/guard.ts'
import type { AreaPages } from '../pages.ts'

const PAGE = '/conta/seguranca/codigos'

/** Recovery codes: shown in the answer that makes them and never again. */
export function addRecoveryCodeRoutes(
  router: Router,
  { pages, factors: { recoveryCodes } }: { pages: AreaPages; factors: { recoveryCodes: RecoveryCodes } },
): void {
  const page = (data: object) => ({ section: 'security', view: 'codes', data }) as const

  const open = pages.fresh(async (ctx, visit) => {
    pages.show(ctx, visit, page({ codesLeft: await recoveryCodes.countLeft(visit.account.id) }))
  })
  const make = pages.fresh(async (ctx, visit) => {
    pages.show(ctx, visit, page({ codes: await recoveryCodes.make(visit.changer) }))
  })

  router.get(PAGE, guard({}, open))
  router.post(PAGE, guard({}, make))
}

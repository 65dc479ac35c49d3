import Router from '@koa/router'
import { z } from 'zod'
import { movesFrom, POINT_CODE, POINT_MOVES, type PointMove, type PointOverview, type Points, type PointStatus } from '../../biometrics/index.ts'
import { guard } from '../../platform/http/guard.ts'
import { HTTP_PROBLEMS } from '../../platform/http/problems.ts'
import { Problem } from '../../platform/problem.ts'
import { type AreaVisit, seeOther } from '../../portal/index.ts'
import type { OperatorPages } from '../pages/operator-pages.ts'

const PATH = '/operacao/pontos'
const params = z.object({ code: z.string().max(40).regex(POINT_CODE) })
const move = z.object({ move: z.enum(Object.keys(POINT_MOVES) as [PointMove, ...PointMove[]]) })
/** A point that is open for work says something every five minutes. */
const SILENT_MS = 15 * 60_000

export interface PointRoutesDependencies {
  readonly pages: OperatorPages
  readonly points: Pick<Points, 'get' | 'move'>
  readonly overview: PointOverview
  readonly now: () => Date
}

/** `/operacao/pontos`: how every capture point is doing, and what operators do to one. */
export function createPointPages({ pages, points, overview, now }: PointRoutesDependencies): Router {
  const router = new Router()
  const viewOf = ({ point, lastBeat, ...rest }: PointStatus) => ({
    ...rest, point, lastBeat, href: `${PATH}/${point.code}`,
    isSilent: point.state === 'active' && (lastBeat === undefined || now().getTime() - lastBeat.slot.getTime() > SILENT_MS),
  })
  router.get(
    PATH,
    guard(
      {},
      pages.only('points', async (ctx, visit) => {
        pages.show(ctx, visit, { section: 'points', view: 'points/list', data: { points: (await overview.list()).map(viewOf) } })
      }),
    ),
  )
  router.get(
    `${PATH}/:code`,
    guard(
      { params },
      pages.only('points', async (ctx, visit, { params: { code } }: { params: { code: string } }) => {
        const point = await points.get(code)
        const status = (await overview.list()).find((each) => each.point.id === point.id)
        const { spells, missing } = await overview.history(point.id)
        const moves = canChange(visit) ? movesFrom(point.state) : []
        pages.show(ctx, visit, { section: 'points', view: 'points/point', data: { point, status: status && viewOf(status), spells, missing, moves, action: `${PATH}/${code}/situacao` } })
      }),
    ),
  )
  router.post(
    `${PATH}/:code/situacao`,
    guard(
      { params, body: move },
      pages.only('points', async (ctx, visit, { params: { code }, body }: { params: { code: string }; body: { move: PointMove } }) => {
        if (!canChange(visit)) throw new Problem(HTTP_PROBLEMS.forbidden)
        await points.move(code, body.move, { kind: 'operator', id: visit.account.id })
        seeOther(ctx, `${PATH}/${code}`)
      }),
    ),
  )
  return router
}

/** Auditors look on. */
export function canChange({ account }: AreaVisit): boolean {
  return account.roles.some((role) => role === 'operator' || role === 'admin')
}

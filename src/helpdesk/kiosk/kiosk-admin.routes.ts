import Router from '@koa/router'
import { z } from 'zod'
import { type FieldErrors, guard, type Typed } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { isProblem } from '../../platform/problem.ts'
import { seeOther } from '../../portal/index.ts'
import { handOf } from '../attendance/case-pages.ts'
import type { DeskPages, DeskVisit } from '../desk-pages.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import { KIOSK_PAGE } from './kiosk.routes.ts'
import { type Kiosks, PAIR_SECONDS } from './kiosks.ts'

export interface KioskAdminDependencies {
  readonly pages: DeskPages
  readonly kiosks: Pick<Kiosks, 'register' | 'list' | 'end'>
  readonly publicUrl: string
}

const PAGE = '/balcao/aparelhos'
const form = z.object({ name: z.string().trim().min(1, 'platform.field.required').max(60) })
const query = z.object({ feito: z.enum(['ended', 'gone']).optional() })
const params = z.object({ id: z.uuid() })

/** The unit manager's list of devices for citizens: a new one with its code, and the end of one. */
export function createKioskAdminRoutes({ pages, kiosks, publicUrl }: KioskAdminDependencies): Router {
  const router = new Router()
  async function show(ctx: HttpContext, visit: DeskVisit, more: { code?: string; told?: string | undefined; errors?: FieldErrors; typed?: Typed } = {}): Promise<void> {
    if (more.code !== undefined) ctx.set('Cache-Control', 'no-store')
    const address = publicUrl.replace(/^https?:\/\//, '') + KIOSK_PAGE
    const data = { kiosks: await kiosks.list(visit.unit.id), page: PAGE, address, minutes: PAIR_SECONDS / 60, ...more }
    pages.show(ctx, visit, { section: 'kiosks', view: 'kiosks', data })
  }
  const open = pages.only('kiosks', (ctx, visit, { query: { feito } }: { query: z.output<typeof query> }) => show(ctx, visit, { told: feito }))
  const wrong = pages.only('kiosks', (ctx, visit, { errors, typed }: { errors: FieldErrors; typed: Typed }) => show(ctx, visit, { errors, typed }))
  const register = pages.only('kiosks', async (ctx, visit, { body }: { body: z.output<typeof form> }) => {
    await show(ctx, visit, { code: await kiosks.register(body.name, handOf(visit, 'unit-manager')) })
  })
  const end = pages.only('kiosks', async (ctx, visit, { params: { id } }: { params: z.output<typeof params> }) => {
    const told = await kiosks.end(id, handOf(visit, 'unit-manager')).then(() => 'ended').catch((error: unknown) => {
      if (isProblem(error, HELPDESK_PROBLEMS.kioskUnknown)) return 'gone'
      throw error
    })
    seeOther(ctx, `${PAGE}?feito=${told}`)
  })
  router.get(PAGE, guard({ query }, open))
  router.post(PAGE, guard({ body: form, keep: ['name'], onInvalid: wrong }, register))
  router.post(`${PAGE}/:id/retirar`, guard({ params }, end))
  return router
}

import Router from '@koa/router'
import { z } from 'zod'
import { type FieldErrors, guard } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { seeOther } from '../../portal/index.ts'
import { type AttendanceParams, attendanceParams, handOf } from '../attendance/case-pages.ts'
import { serveImage } from '../capture/serve-image.ts'
import type { DeskPages, DeskVisit } from '../desk-pages.ts'
import type { Confirmations } from './confirmations.ts'

const PAGE = '/balcao/contas'
const query = z.object({ feito: z.literal('ligada').optional() })
const form = z.object({ code: z.string().trim().min(6, 'helpdesk.field.code').max(20) })
type Params = { params: AttendanceParams }

/** Accounts whose person has no camera: a colleague of the attendant's looks at the person and types the number on their device. */
export function createConfirmRoutes({ pages, confirmations }: { readonly pages: DeskPages; readonly confirmations: Confirmations }): Router {
  const router = new Router()
  const params = attendanceParams
  const hand = (visit: DeskVisit) => handOf(visit, visit.roles.includes('supervisor') ? 'supervisor' : 'attendant')

  const list = pages.only('accounts', async (ctx, visit, { query: { feito } }: { query: z.output<typeof query> }) => {
    const rows = (await confirmations.list(hand(visit))).map(({ id, isMine, ...row }) => ({ ...row, href: isMine ? undefined : `${PAGE}/${id}` }))
    pages.show(ctx, visit, { section: 'accounts', view: 'bind-confirms', data: { rows, told: feito } })
  })
  async function show(ctx: HttpContext, visit: DeskVisit, id: string, errors?: FieldErrors): Promise<void> {
    const { protocol, name } = await confirmations.open(id, hand(visit))
    const page = `${PAGE}/${id}`
    pages.show(ctx, visit, { section: 'accounts', view: 'bind-confirm', data: { page, protocol, name, picture: `${page}/rosto`, ...(errors && { errors }) } })
  }
  const open = pages.only('accounts', (ctx, visit, { params: { id } }: Params) => show(ctx, visit, id))
  const wrong = pages.only('accounts', (ctx, visit, { params: { id }, errors }: Params & { errors: FieldErrors }) => show(ctx, visit, id, errors))
  const confirm = pages.only('accounts', async (ctx, visit, { params: { id }, body }: Params & { body: z.output<typeof form> }) => {
    const result = await confirmations.confirm(id, body.code, hand(visit))
    if (result === 'bound') return seeOther(ctx, `${PAGE}?feito=ligada`)
    ctx.status = 422
    await show(ctx, visit, id, { code: `helpdesk.confirm.${result}` })
  })
  const picture = pages.only('accounts', async (ctx, visit, { params: { id } }: Params) => serveImage(ctx, await confirmations.picture(id, hand(visit))))

  router.get(PAGE, guard({ query }, list))
  router.get(`${PAGE}/:id`, guard({ params }, open))
  router.post(`${PAGE}/:id`, guard({ params, body: form, onInvalid: wrong }, confirm))
  router.get(`${PAGE}/:id/rosto`, guard({ params }, picture))
  return router
}

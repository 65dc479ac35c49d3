import Router from '@koa/router'
import { z } from 'zod'
import type { Changer } from '../accounts/index.ts'
import { type FieldErrors, guard } from '../platform/http/guard.ts'
import { localeOf } from '../platform/http/locale.ts'
import type { Messages } from '../platform/http/messages.ts'
import type { PageSessions } from '../platform/http/page-session.ts'
import type { HttpContext } from '../platform/http/request-facts.ts'
import type { Views } from '../platform/http/views.ts'
import type { AreaData } from './area.ts'
import { type AreaPages, seeOther, type Visit } from './pages.ts'

/** Ending an account, by its owner. */
export interface Closing {
  /** Sessions, tokens, agreements and seals end at once, in one piece. @throws {Problem} what a change may meet */
  close(changer: Changer): Promise<void>
  /** Days until the images of the face are erased. */
  readonly graceDays: number
}

export interface ClosingRoutesDependencies {
  readonly pages: AreaPages
  readonly closing: Closing
  readonly sessions: PageSessions<AreaData>
  readonly messages: Messages
  readonly views: Views
}

const PAGE = '/conta/encerrar'
const form = z.object({ word: z.string().trim().min(1, 'platform.field.required').max(40) })
type Form = z.output<typeof form>

/** "Encerrar minha conta" (LGPD, Lei 13.709/2018, art. 18): a recent sign-in, plain words about what happens, and a word typed by hand. */
export function createClosingRoutes({ pages, closing, sessions, messages, views }: ClosingRoutesDependencies): Router {
  const router = new Router()
  const show = (ctx: HttpContext, visit: Visit, errors?: FieldErrors) =>
    pages.show(ctx, visit, { section: 'data', view: 'close', data: { days: closing.graceDays, ...(errors && { errors }) } })
  const isWord = (ctx: HttpContext, typed: string) => typed.toUpperCase() === messages.text(localeOf(ctx), 'portal.close.word')

  const close = pages.fresh(async (ctx, visit, { body }: { body: Form }) => {
    if (!isWord(ctx, body.word)) {
      ctx.status = 422
      return show(ctx, visit, { word: 'portal.field.close-word' })
    }
    await closing.close(visit.changer)
    await sessions.end(ctx)
    seeOther(ctx, '/conta/encerrada')
  })
  const onInvalid = pages.fresh((ctx, visit, { errors }: { errors: FieldErrors }) => show(ctx, visit, errors))
  const open = pages.fresh((ctx, visit) => show(ctx, visit))

  router.get(PAGE, guard({}, open))
  router.post(PAGE, guard({ body: form, onInvalid }, close))
  router.get(
    '/conta/encerrada',
    guard({}, (ctx) => views.render(ctx, 'portal/closed', { days: closing.graceDays })),
  )
  return router
}

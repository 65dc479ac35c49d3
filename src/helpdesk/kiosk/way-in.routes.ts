import Router from '@koa/router'
import { z } from 'zod'
import { ACCOUNTS_PROBLEMS, AT_COUNTER, type CounterAccess } from '../../accounts/index.ts'
import type { Documents } from '../../platform/documents/documents.ts'
import { inRoom } from '../../platform/http/app.ts'
import { type FieldErrors, guard, type Typed } from '../../platform/http/guard.ts'
import { localeOf } from '../../platform/http/locale.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { isProblem } from '../../platform/problem.ts'
import { type AreaPages, seeOther, type Visit } from '../../portal/index.ts'
import { KIOSK_PAGE } from './kiosk.routes.ts'
import { sheetOf } from './sheet.ts'
import type { Messages } from '../../platform/http/messages.ts'
import type { Views } from '../../platform/http/views.ts'

export interface WayInDependencies {
  readonly pages: Pick<AreaPages, 'signedIn'>
  readonly accounts: CounterAccess
  readonly site: { readonly views: Views; readonly messages: Messages; readonly publicUrl: string; readonly documents: Pick<Documents, 'render'> }
  /** Ends the visit: the sign-in and this browser's part of it. */
  readonly leave: (ctx: HttpContext, visit: Visit) => Promise<void>
}

const PAGE = '/conta/balcao/acesso'
const MOST_PASSKEYS = 2
const form = z.object({ label: z.string().trim().max(60, 'platform.field.too-long'), ceremony: z.string().max(60), credential: z.string().max(16_384) })
type Form = z.output<typeof form>

/** After the face at the counter: the citizen makes a way in of their own, on this screen. The visit ends with the sheet, or after ten minutes. */
export function createWayInRoutes({ pages, accounts, site, leave }: WayInDependencies): Router {
  const { passkeys, recoveryCodes } = accounts
  const router = new Router()
  router.use(inRoom('helpdesk'))

  /** In such a visit only; anybody else goes to the first page of the area. */
  const during = <Input>(handler: (ctx: HttpContext, visit: Visit, input: Input) => Promise<void>) =>
    pages.signedIn(async (ctx, visit, input: Input) => {
      if (!visit.session.amr.includes(AT_COUNTER)) return seeOther(ctx, '/conta')
      try {
        await handler(ctx, visit, input)
      } catch (error) {
        if (!isProblem(error, ACCOUNTS_PROBLEMS.reauthenticationNeeded)) throw error
        await leave(ctx, visit)
        seeOther(ctx, `${KIOSK_PAGE}?aviso=gone`)
      }
    })
  async function show(ctx: HttpContext, visit: Visit, again: { errors?: FieldErrors; typed?: Typed } = {}): Promise<void> {
    if (again.errors !== undefined) ctx.status = 422
    const made = await passkeys.list(visit.account.id)
    const data = {
      page: PAGE, made: made.map(({ label }) => label), mayAdd: made.length < MOST_PASSKEYS, hasWay: made.length > 0 || (await recoveryCodes.countLeft(visit.account.id)) > 0,
      label: site.messages.text(localeOf(ctx), 'portal.passkeys.default-label'), scripts: ['passkey.js'], homeHref: PAGE, ...again,
    }
    ctx.set('Cache-Control', 'no-store')
    if (ctx.status === 404) ctx.status = 200
    site.views.render(ctx, 'helpdesk/way-in', data)
  }

  const open = during((ctx, visit) => show(ctx, visit))
  const start = during(async (ctx, visit) => {
    ctx.body = await passkeys.startRegistration(visit.changer)
  })
  const wrong = during((ctx, visit, { errors, typed }: { errors: FieldErrors; typed: Typed }) => show(ctx, visit, { errors, typed }))
  const add = during(async (ctx, visit, { body }: { body: Form }) => {
    if ((await passkeys.list(visit.account.id)).length >= MOST_PASSKEYS) return seeOther(ctx, PAGE)
    try {
      await passkeys.finishRegistration(visit.changer, { ceremonyId: body.ceremony, response: parse(body.credential), label: body.label })
    } catch (error) {
      if (!isProblem(error, ACCOUNTS_PROBLEMS.passkeyRefused)) throw error
      return show(ctx, visit, { errors: { '': 'portal.field.passkey' }, typed: { label: body.label } })
    }
    seeOther(ctx, PAGE)
  })
  const sheet = during(async (ctx, visit) => {
    const codes = await recoveryCodes.make(visit.changer)
    const { messages, publicUrl, documents } = site
    const file = await documents.render(sheetOf(codes, { messages, locale: localeOf(ctx), publicUrl, at: visit.session.createdAt }))
    // Whoever comes to this screen after the citizen finds nothing open.
    await leave(ctx, visit)
    ctx.status = 200
    ctx.set('Cache-Control', 'no-store')
    ctx.set('Content-Disposition', 'inline; filename="mt-login.pdf"')
    ctx.type = 'application/pdf'
    ctx.body = file
  })
  const end = during(async (ctx, visit) => {
    await leave(ctx, visit)
    seeOther(ctx, `${KIOSK_PAGE}?aviso=left`)
  })

  router.get(PAGE, guard({}, open))
  router.post(`${PAGE}/chave/opcoes`, guard({}, start))
  router.post(`${PAGE}/chave`, guard({ body: form, keep: ['label'], onInvalid: wrong }, add))
  router.post(`${PAGE}/folha`, guard({}, sheet))
  router.post(`${PAGE}/terminar`, guard({}, end))
  return router
}

/** The browser's answer as it came; what it must hold is the accounts room's to judge. */
function parse(credential: string): unknown {
  try {
    return JSON.parse(credential)
  } catch {
    return undefined
  }
}

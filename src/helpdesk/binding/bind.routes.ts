import Router from '@koa/router'
import { z } from 'zod'
import { type Account, displayName } from '../../accounts/index.ts'
import { inRoom } from '../../platform/http/app.ts'
import { guard } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import type { Views } from '../../platform/http/views.ts'
import { seeOther } from '../../portal/index.ts'
import type { Bindings, Bound } from './bindings.ts'

export interface BindRoutesDependencies {
  readonly bindings: Pick<Bindings, 'byLink' | 'byCode'>
  /** Who is signed in to the citizen's area in this browser. */
  readonly findAccount: (ctx: HttpContext) => Promise<Account | undefined>
  readonly views: Views
}

const PAGE = '/conta/balcao'
const params = z.object({ token: z.string().regex(/^[\w-]{43}$/) })
const codeForm = z.object({ code: z.string().trim().min(6, 'helpdesk.field.code').max(20) })

/** The citizen's side, on their own device and signed in to their own account: one button for the link, six digits for the code. */
export function createBindRoutes({ bindings, findAccount, views }: BindRoutesDependencies): Router {
  const router = new Router()
  router.use(inRoom('helpdesk'))

  const signedIn =
    <Input>(handler: (ctx: HttpContext, account: Account, input: Input) => Promise<void> | void) =>
    async (ctx: HttpContext, input: Input): Promise<void> => {
      const account = await findAccount(ctx)
      if (account === undefined) return seeOther(ctx, `/conta/entrar?para=${ctx.path}`)
      await handler(ctx, account, input)
    }
  const show = (ctx: HttpContext, account: Account, page: { action: string; hasLink: boolean; result?: Bound; errors?: Record<string, string> }): void => {
    if (page.result !== undefined && page.result !== 'bound') ctx.status = 422
    views.render(ctx, 'helpdesk/bind', { ...page, name: displayName(account.citizen.reveal()) })
  }

  const link = (token: string) => ({ action: `${PAGE}/${token}`, hasLink: true })
  const code = { action: PAGE, hasLink: false }
  const openLink = signedIn((ctx, account, input: { params: { token: string } }) => show(ctx, account, link(input.params.token)))
  const useLink = signedIn(async (ctx, account, input: { params: { token: string } }) => {
    const result = await bindings.byLink(input.params.token, account)
    show(ctx, account, { ...link(input.params.token), result })
  })
  const openCode = signedIn((ctx, account) => show(ctx, account, code))
  const wrongCode = signedIn((ctx, account, { errors }: { errors: Record<string, string> }) => show(ctx, account, { ...code, errors }))
  const useCode = signedIn(async (ctx, account, input: { body: z.output<typeof codeForm> }) => {
    show(ctx, account, { ...code, result: await bindings.byCode(input.body.code, account) })
  })
  router.get(PAGE, guard({}, openCode))
  router.post(PAGE, guard({ body: codeForm, onInvalid: wrongCode }, useCode))
  router.get(`${PAGE}/:token`, guard({ params }, openLink))
  router.post(`${PAGE}/:token`, guard({ params }, useLink))
  return router
}

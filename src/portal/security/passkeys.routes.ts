import type Router from '@koa/router'
import { z } from 'zod'
import { ACCOUNTS_PROBLEMS, type Passkeys } from '../../accounts/index.ts'
import { type FieldErrors, guard, type Typed } from '../../platform/http/guard.ts'
import { localeOf } from '../../platform/http/locale.ts'
import type { Messages } from '../../platform/http/messages.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { isProblem } from '../../platform/problem.ts'
import { tell } from '../outcome.ts'
import { type AreaPages, seeOther, type Visit } from '../pages.ts'

const HOME = '/conta/seguranca'
const PAGE = `${HOME}/chaves`
const form = z.object({
  label: z.string().trim().max(60, 'platform.field.too-long'),
  ceremony: z.string().max(60),
  credential: z.string().max(16_384),
})
type Form = z.output<typeof form>
const params = z.object({ id: z.uuid() })
type Params = z.output<typeof params>

export interface PasskeyRoutesDependencies {
  readonly pages: AreaPages
  readonly factors: { readonly passkeys: Passkeys }
  readonly messages: Messages
}

/** Passkeys of the account: a new one by the device's own ceremony, and the end of one. */
export function addPasskeyRoutes(router: Router, { pages, factors: { passkeys }, messages }: PasskeyRoutesDependencies): void {
  const show = (ctx: HttpContext, visit: Visit, again: { errors?: FieldErrors; typed?: Typed } = {}) => {
    const label = messages.text(localeOf(ctx), 'portal.passkeys.default-label')
    pages.show(ctx, visit, { section: 'security', view: 'passkey', data: { label, ...again } })
  }

  const open = pages.fresh((ctx, visit) => show(ctx, visit))
  const start = pages.fresh(async (ctx, visit) => {
    ctx.body = await passkeys.startRegistration(visit.changer)
  })
  const onInvalid = pages.fresh((ctx, visit, again: { errors: FieldErrors; typed: Typed }) => {
    show(ctx, visit, { errors: again.errors, typed: again.typed })
  })
  const add = pages.fresh(async (ctx, visit, { body }: { body: Form }) => {
    const { ceremony: ceremonyId, label, credential } = body
    try {
      await passkeys.finishRegistration(visit.changer, { ceremonyId, response: parseCredential(credential), label })
    } catch (error) {
      if (!isProblem(error, ACCOUNTS_PROBLEMS.passkeyRefused)) throw error
      ctx.status = 422
      return show(ctx, visit, { errors: { '': 'portal.field.passkey' }, typed: { label } })
    }
    seeOther(ctx, tell(HOME, 'passkey'))
  })
  const remove = pages.fresh(async (ctx, visit, input: { params: Params }) => {
    const isOurs = (await passkeys.list(visit.account.id)).some(({ id }) => id === input.params.id)
    if (isOurs) await passkeys.remove(visit.changer, input.params.id)
    seeOther(ctx, isOurs ? tell(HOME, 'passkey-removed') : HOME)
  })

  router.get(PAGE, guard({}, open))
  router.post(`${PAGE}/opcoes`, guard({}, start))
  router.post(PAGE, guard({ body: form, keep: ['label'], onInvalid }, add))
  router.post(`${PAGE}/:id/remover`, guard({ params }, remove))
}

/** The browser's answer as it came; what it must hold is the accounts room's to judge. */
function parseCredential(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

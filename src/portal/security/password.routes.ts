import type Router from '@koa/router'
import { z } from 'zod'
import type { ChangePassword, PasswordChange } from '../../accounts/index.ts'
import { type FieldErrors, guard } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { tell } from '../outcome.ts'
import { type AreaPages, seeOther, type Visit } from '../pages.ts'
import { refusalOf } from '../refusal.ts'

const PAGE = '/conta/seguranca/senha'
const given = z.string().min(1, 'platform.field.required').max(1024)
const form = z.object({ current: given, password: given })
type Form = z.output<typeof form>

/** A new password, for whoever knows the current one; the other sign-ins end. */
export function addPasswordRoutes(
  router: Router,
  { pages, factors, minPasswordLength }: { pages: AreaPages; factors: { changePassword: ChangePassword }; minPasswordLength: number },
): void {
  const show = (ctx: HttpContext, visit: Visit, errors?: FieldErrors) =>
    pages.show(ctx, visit, { section: 'security', view: 'password', data: { minLength: minPasswordLength, ...(errors && { errors }) } })
  const open = pages.fresh((ctx, visit) => show(ctx, visit))
  const onInvalid = pages.fresh((ctx, visit, { errors }: { errors: FieldErrors }) => show(ctx, visit, errors))
  const change = pages.fresh(async (ctx, visit, { body }: { body: Form }) => {
    const errors = await faultsOf(() => factors.changePassword(visit.changer, { current: body.current, next: body.password }))
    if (errors === undefined) return seeOther(ctx, tell('/conta/seguranca', 'password'))
    ctx.status = 422
    show(ctx, visit, errors)
  })

  router.get(PAGE, guard({}, open))
  router.post(PAGE, guard({ body: form, onInvalid }, change))
}

/** Which field is wrong and why; `undefined` once the password is changed. */
async function faultsOf(change: () => Promise<PasswordChange>): Promise<FieldErrors | undefined> {
  try {
    const result = await change()
    if (result.kind === 'changed') return undefined
    if (result.kind === 'wrong') return { current: 'portal.field.current-password' }
    return { password: `oidc.interaction.field.password-${result.fault}` }
  } catch (error) {
    return { current: refusalOf(error, 'portal.field.current-password') }
  }
}

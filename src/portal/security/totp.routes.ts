import type Router from '@koa/router'
import { z } from 'zod'
import { ACCOUNTS_PROBLEMS, type Totp } from '../../accounts/index.ts'
import { type FieldErrors, guard } from '../../platform/http/guard.ts'
import type { PageSessions } from '../../platform/http/page-session.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { isProblem } from '../../platform/problem.ts'
import type { AreaData } from '../area.ts'
import { tell } from '../outcome.ts'
import { type AreaPages, seeOther, type Visit } from '../pages.ts'
import { refusalOf } from '../refusal.ts'

const HOME = '/conta/seguranca'
const PAGE = `${HOME}/aplicativo`
const form = z.object({ code: z.string().trim().min(1, 'platform.field.required').max(20) })
type Form = z.output<typeof form>

export interface TotpRoutesDependencies {
  readonly pages: AreaPages
  readonly factors: { readonly totp: Totp }
  readonly sessions: PageSessions<AreaData>
}

/** The authenticator app: a secret as a picture and as text, on once a code from it is right; and off again. */
export function addTotpRoutes(router: Router, { pages, factors: { totp }, sessions }: TotpRoutesDependencies): void {
  const pending = createPendingSecret(sessions, totp)

  async function show(ctx: HttpContext, visit: Visit, errors?: FieldErrors): Promise<void> {
    if (await totp.isEnabled(visit.account.id)) return seeOther(ctx, HOME)
    const { uri, secret } = await pending.get(ctx, visit)
    const { toDataURL } = await import('qrcode')
    const qr = await toDataURL(uri, { errorCorrectionLevel: 'M', margin: 2, width: 400 })
    const data = { qr, secret: secret.replace(/(.{4})(?=.)/g, '$1 '), ...(errors && { errors }) }
    pages.show(ctx, visit, { section: 'security', view: 'totp', data })
  }

  const open = pages.fresh((ctx, visit) => show(ctx, visit))
  const onInvalid = pages.fresh((ctx, visit, { errors }: { errors: FieldErrors }) => show(ctx, visit, errors))
  const turnOn = pages.fresh(async (ctx, visit, { body }: { body: Form }) => {
    const factorId = await pending.findId(ctx)
    if (factorId === undefined) return seeOther(ctx, PAGE)
    try {
      await totp.confirm(visit.changer, { factorId, code: body.code })
    } catch (error) {
      const refusal = refusalOf(error, 'portal.field.totp')
      // The secret has waited too long: the page shows a new one.
      if (isProblem(error, ACCOUNTS_PROBLEMS.unknownFactor)) await pending.forget(ctx)
      ctx.status = 422
      return show(ctx, visit, { code: refusal })
    }
    await pending.forget(ctx)
    seeOther(ctx, tell(HOME, 'totp'))
  })
  const turnOff = pages.fresh(async (ctx, visit) => {
    if (await totp.isEnabled(visit.account.id)) await totp.remove(visit.changer)
    seeOther(ctx, tell(HOME, 'totp-removed'))
  })

  router.get(PAGE, guard({}, open))
  router.post(PAGE, guard({ body: form, onInvalid }, turnOn))
  router.post(`${PAGE}/remover`, guard({}, turnOff))
}

/** The secret that waits for its first code, in this browser. */
function createPendingSecret(sessions: PageSessions<AreaData>, totp: Totp) {
  return {
    /** The same when the page is loaded again: the app may have read it already. */
    async get(ctx: HttpContext, { changer }: Visit): Promise<NonNullable<AreaData['totp']>> {
      const session = await sessions.read(ctx)
      if (session?.data.totp !== undefined) return session.data.totp
      const started = await totp.start(changer)
      if (session !== undefined) await sessions.update(ctx, { ...session.data, totp: started })
      return started
    },
    async findId(ctx: HttpContext): Promise<string | undefined> {
      return (await sessions.read(ctx))?.data.totp?.factorId
    },
    async forget(ctx: HttpContext): Promise<void> {
      const session = await sessions.read(ctx)
      if (session?.data.totp !== undefined) await sessions.update(ctx, { ...session.data, totp: undefined })
    },
  }
}

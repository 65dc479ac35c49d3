import Router from '@koa/router'
import { toDataURL } from 'qrcode'
import { z } from 'zod'
import { ACCOUNTS_PROBLEMS, type ChangePassword, type Passkeys, type RecoveryCodes, type Totp } from '../accounts/index.ts'
import { type FieldErrors, guard } from '../platform/http/guard.ts'
import { localeOf } from '../platform/http/locale.ts'
import type { Messages } from '../platform/http/messages.ts'
import type { PageSessions } from '../platform/http/page-session.ts'
import type { HttpContext } from '../platform/http/request-facts.ts'
import { isProblem } from '../platform/problem.ts'
import type { AreaData } from './area.ts'
import { refusalOf } from './data.routes.ts'
import { type Hold, restrictedUntil } from './home.routes.ts'
import { type AreaPages, seeOther, type Visit } from './pages.ts'

/** The ways to sign in that a citizen manages here. */
export interface Factors {
  readonly totp: Totp
  readonly passkeys: Passkeys
  readonly recoveryCodes: RecoveryCodes
  readonly changePassword: ChangePassword
}

export interface SecurityRoutesDependencies {
  readonly pages: AreaPages
  readonly factors: Factors
  readonly sessions: PageSessions<AreaData>
  readonly messages: Messages
  readonly settings: Hold & { readonly minPasswordLength: number }
}

const HOME = '/conta/seguranca'
const done = z.object({ feito: z.enum(['password', 'totp', 'totp-removed', 'passkey', 'passkey-removed']).optional() })
const password = z.object({ current: z.string().min(1, 'platform.field.required').max(1024), password: z.string().min(1, 'platform.field.required').max(1024) })
const code = z.object({ code: z.string().max(20) })
const credential = z.object({ label: z.string().max(200), ceremony: z.string().max(60), credential: z.string().max(16_384) })
const passkeyParams = z.object({ id: z.uuid() })

/** Password, authenticator app, passkeys and recovery codes; every change wants a sign-in of the last 20 minutes. */
export function createSecurityRoutes(deps: SecurityRoutesDependencies): Router {
  const { pages, factors, settings } = deps
  const router = new Router()

  router.get(HOME, guard({ query: done }, pages.signedIn(async (ctx, visit, { query }: { query: z.output<typeof done> }) => {
    const { id, passwordChangedAt } = visit.account
    const [hasTotp, passkeys, codesLeft] = [await factors.totp.isEnabled(id), await factors.passkeys.list(id), await factors.recoveryCodes.countLeft(id)]
    const data = { passwordChangedAt, hasTotp, passkeys, codesLeft, restrictedUntil: restrictedUntil(visit, settings), done: query.feito }
    pages.show(ctx, visit, { section: 'security', view: 'security', data })
  })))

  addPasswordRoutes(router, deps)
  addTotpRoutes(router, deps)
  addPasskeyRoutes(router, deps)

  const showCodes = async (ctx: HttpContext, visit: Visit, codes?: readonly string[]) => {
    const codesLeft = await factors.recoveryCodes.countLeft(visit.account.id)
    pages.show(ctx, visit, { section: 'security', view: 'codes', data: { codes, codesLeft } })
  }
  router.get(`${HOME}/codigos`, guard({}, pages.fresh((ctx, visit) => showCodes(ctx, visit))))
  router.post(`${HOME}/codigos`, guard({}, pages.fresh(async (ctx, visit) => showCodes(ctx, visit, await factors.recoveryCodes.make(visit.changer)))))

  router.post(`${HOME}/aplicativo/remover`, guard({}, pages.fresh(async (ctx, visit) => {
    await factors.totp.remove(visit.changer)
    seeOther(ctx, `${HOME}?feito=totp-removed`)
  })))
  router.post(`${HOME}/chaves/:id/remover`, guard({ params: passkeyParams }, pages.fresh(async (ctx, visit, { params }: { params: z.output<typeof passkeyParams> }) => {
    await factors.passkeys.remove(visit.changer, params.id)
    seeOther(ctx, `${HOME}?feito=passkey-removed`)
  })))
  return router
}

function addPasswordRoutes(router: Router, { pages, factors, settings }: SecurityRoutesDependencies): void {
  const show = (ctx: HttpContext, visit: Visit, errors?: FieldErrors) =>
    pages.show(ctx, visit, { section: 'security', view: 'password', data: { minLength: settings.minPasswordLength, ...(errors && { errors }) } })
  const again = pages.fresh((ctx, visit, { errors }: { errors: FieldErrors }) => show(ctx, visit, errors))
  router.get(`${HOME}/senha`, guard({}, pages.fresh((ctx, visit) => show(ctx, visit))))
  router.post(`${HOME}/senha`, guard({ body: password, onInvalid: again }, pages.fresh(async (ctx, visit, { body }: { body: z.output<typeof password> }) => {
    const errors = await changed(() => factors.changePassword(visit.changer, { current: body.current, next: body.password }))
    if (errors === undefined) return seeOther(ctx, `${HOME}?feito=password`)
    ctx.status = 422
    show(ctx, visit, errors)
  })))
}

/** Which field is wrong and why; `undefined` once the password is changed. */
async function changed(change: () => ReturnType<ChangePassword>): Promise<FieldErrors | undefined> {
  try {
    const result = await change()
    if (result.kind === 'changed') return undefined
    if (result.kind === 'wrong') return { current: 'portal.field.current-password' }
    return { password: `oidc.interaction.field.password-${result.fault}` }
  } catch (error) {
    return { current: refusalOf(error, 'portal.field.current-password') }
  }
}

function addTotpRoutes(router: Router, { pages, factors, sessions }: SecurityRoutesDependencies): void {
  const path = `${HOME}/aplicativo`
  async function show(ctx: HttpContext, visit: Visit, errors?: FieldErrors): Promise<void> {
    const session = await sessions.read(ctx)
    const pendingTotp = session?.data.pendingTotp ?? (await factors.totp.start(visit.changer))
    if (session !== undefined && session.data.pendingTotp === undefined) await sessions.update(ctx, { ...session.data, pendingTotp })
    const qr = await toDataURL(pendingTotp.uri, { errorCorrectionLevel: 'M', margin: 2, width: 400 })
    const secret = pendingTotp.secret.replace(/(.{4})(?=.)/g, '$1 ')
    pages.show(ctx, visit, { section: 'security', view: 'totp', data: { qr, secret, ...(errors && { errors }) } })
  }
  router.get(path, guard({}, pages.fresh((ctx, visit) => show(ctx, visit))))
  router.post(path, guard({ body: code }, pages.fresh(async (ctx, visit, { body }: { body: z.output<typeof code> }) => {
    const pending = (await sessions.read(ctx))?.data.pendingTotp
    if (pending === undefined) return seeOther(ctx, path)
    try {
      await factors.totp.confirm(visit.changer, { factorId: pending.factorId, code: body.code })
    } catch (error) {
      const refusal = refusalOf(error, 'portal.field.code')
      if (isProblem(error, ACCOUNTS_PROBLEMS.unknownFactor)) await forgetTotp(ctx, sessions)
      ctx.status = 422
      return show(ctx, visit, { code: refusal })
    }
    await forgetTotp(ctx, sessions)
    seeOther(ctx, `${HOME}?feito=totp`)
  })))
}

function addPasskeyRoutes(router: Router, { pages, factors, messages }: SecurityRoutesDependencies): void {
  const path = `${HOME}/chaves`
  const show = (ctx: HttpContext, visit: Visit, errors?: FieldErrors) => {
    const label = messages.text(localeOf(ctx), 'portal.passkeys.default-label')
    pages.show(ctx, visit, { section: 'security', view: 'passkey', data: { label, ...(errors && { errors }) } })
  }
  router.get(path, guard({}, pages.fresh((ctx, visit) => show(ctx, visit))))
  router.post(`${path}/opcoes`, guard({}, pages.fresh(async (ctx, visit) => {
    ctx.body = await factors.passkeys.startRegistration(visit.changer)
  })))
  router.post(path, guard({ body: credential }, pages.fresh(async (ctx, visit, { body }: { body: z.output<typeof credential> }) => {
    try {
      const { ceremony: ceremonyId, label } = body
      await factors.passkeys.finishRegistration(visit.changer, { ceremonyId, response: parseCredential(body.credential), label })
    } catch (error) {
      if (!isProblem(error, ACCOUNTS_PROBLEMS.passkeyRefused)) throw error
      ctx.status = 422
      return show(ctx, visit, { '': 'portal.field.passkey' })
    }
    seeOther(ctx, `${HOME}?feito=passkey`)
  })))
}

function parseCredential(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function forgetTotp(ctx: HttpContext, sessions: PageSessions<AreaData>): Promise<void> {
  const session = await sessions.read(ctx)
  if (session?.data.pendingTotp !== undefined) await sessions.update(ctx, { ...session.data, pendingTotp: undefined })
}

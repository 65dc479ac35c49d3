import Router from '@koa/router'
import { z } from 'zod'
import { type Address, type ContactKind, type Contacts, formatMobilePhone, parseAddress } from '../../accounts/index.ts'
import { type FieldErrors, guard, type Typed } from '../../platform/http/guard.ts'
import type { PageSessions } from '../../platform/http/page-session.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import type { AreaData } from '../area.ts'
import { tell } from '../outcome.ts'
import { type AreaPages, seeOther, type Visit } from '../pages.ts'
import { refusalOf } from '../refusal.ts'

export interface ContactRoutesDependencies {
  readonly pages: AreaPages
  readonly contacts: Contacts
  readonly sessions: PageSessions<AreaData>
}

const code = z.object({ code: z.string().trim().min(1, 'platform.field.required').max(20) })
type Code = z.output<typeof code>

/** A new mail address or mobile number: typed on one page, confirmed by the code that was sent there on the next. */
export function createContactRoutes(deps: ContactRoutesDependencies): Router {
  const router = new Router()
  addRoutes(router, deps, 'email', '/conta/dados/email')
  addRoutes(router, deps, 'phone', '/conta/dados/telefone')
  return router
}

function addRoutes(router: Router, { pages, contacts, sessions }: ContactRoutesDependencies, kind: ContactKind, page: string): void {
  const fault = `portal.field.${kind}`
  const form = z.object({ value: z.string().max(254).refine((text) => parseAddress(kind, text) !== undefined, fault) })
  type Form = z.output<typeof form>

  const ask = (ctx: HttpContext, visit: Visit, again: { errors?: FieldErrors; typed?: Typed } = {}) =>
    pages.show(ctx, visit, { section: 'data', view: 'contact', data: { kind, page, ...again } })
  const again = pages.fresh((ctx, visit, { errors, typed }: { errors: FieldErrors; typed: Typed }) => ask(ctx, visit, { errors, typed }))

  router.get(page, guard({}, pages.fresh((ctx, visit) => ask(ctx, visit))))
  router.post(page, guard({ body: form, keep: ['value'], onInvalid: again }, pages.fresh(async (ctx, visit, { body }: { body: Form }) => {
    try {
      const { id, address } = await contacts.start(visit.changer, { kind, value: body.value })
      await remember(ctx, { id, kind, value: textOf(address) })
      seeOther(ctx, `${page}/codigo`)
    } catch (error) {
      ctx.status = 422
      ask(ctx, visit, { errors: { value: refusalOf(error, fault) }, typed: { value: body.value } })
    }
  })))

  const askCode = async (ctx: HttpContext, visit: Visit, errors?: FieldErrors) => {
    const waiting = await findWaiting(ctx)
    if (waiting === undefined) return seeOther(ctx, page)
    pages.show(ctx, visit, { section: 'data', view: 'contact-code', data: { kind, page, address: waiting.value, ...(errors && { errors }) } })
  }
  const codeAgain = pages.fresh((ctx, visit, { errors }: { errors: FieldErrors }) => askCode(ctx, visit, errors))

  router.get(`${page}/codigo`, guard({}, pages.fresh((ctx, visit) => askCode(ctx, visit))))
  router.post(`${page}/codigo`, guard({ body: code, onInvalid: codeAgain }, pages.fresh(async (ctx, visit, { body }: { body: Code }) => {
    const waiting = await findWaiting(ctx)
    if (waiting === undefined) return seeOther(ctx, page)
    const refusal = await refusalOfCode(contacts, visit, { id: waiting.id, code: body.code })
    if (refusal === undefined) {
      await remember(ctx, undefined)
      return seeOther(ctx, tell('/conta/dados', kind))
    }
    ctx.status = 422
    await askCode(ctx, visit, { code: refusal })
  })))

  async function findWaiting(ctx: HttpContext): Promise<AreaData['contact']> {
    const contact = (await sessions.read(ctx))?.data.contact
    return contact?.kind === kind ? contact : undefined
  }

  async function remember(ctx: HttpContext, contact: AreaData['contact']): Promise<void> {
    const session = await sessions.read(ctx)
    if (session !== undefined) await sessions.update(ctx, { ...session.data, contact })
  }
}

/** What is wrong with the code; `undefined` once the address is confirmed. */
async function refusalOfCode(contacts: Contacts, { changer }: Visit, presented: { id: string; code: string }): Promise<string | undefined> {
  try {
    const { kind } = await contacts.confirm(changer, presented)
    return kind === 'confirmed' ? undefined : `portal.field.code-${kind}`
  } catch (error) {
    return refusalOf(error, 'portal.field.code-wrong')
  }
}

function textOf(address: Address): string {
  return address.kind === 'phone' ? formatMobilePhone(address.value) : address.value
}

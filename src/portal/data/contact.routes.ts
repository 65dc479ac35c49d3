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

/** One kind of address and what its two pages share. */
interface Change extends ContactRoutesDependencies {
  readonly kind: ContactKind
  readonly page: string
  readonly waiting: Waiting
}

/** The address that waits for its code, in this browser. */
interface Waiting {
  find(ctx: HttpContext): Promise<AreaData['contact']>
  set(ctx: HttpContext, contact: AreaData['contact']): Promise<void>
}

/** A new mail address or mobile number: typed on one page, confirmed by the code that was sent there on the next. */
export function createContactRoutes(deps: ContactRoutesDependencies): Router {
  const router = new Router()
  const kinds = [['email', '/conta/dados/email'] as const, ['phone', '/conta/dados/telefone'] as const]
  for (const [kind, page] of kinds) {
    const change: Change = { ...deps, kind, page, waiting: createWaiting(deps.sessions, kind) }
    addAddressPage(router, change)
    addCodePage(router, change)
  }
  return router
}

function createWaiting(sessions: PageSessions<AreaData>, kind: ContactKind): Waiting {
  return {
    async find(ctx) {
      const contact = (await sessions.read(ctx))?.data.contact
      return contact?.kind === kind ? contact : undefined
    },
    async set(ctx, contact) {
      const session = await sessions.read(ctx)
      if (session !== undefined) await sessions.update(ctx, { ...session.data, contact })
    },
  }
}

function addAddressPage(router: Router, { pages, contacts, kind, page, waiting }: Change): void {
  const fault = `portal.field.${kind}`
  const typed = z.string().max(254)
  const form = z.object({ value: typed.refine((text) => parseAddress(kind, text) !== undefined, fault) })
  type Form = z.output<typeof form>

  const ask = (ctx: HttpContext, visit: Visit, again: { errors?: FieldErrors; typed?: Typed } = {}) =>
    pages.show(ctx, visit, { section: 'data', view: 'contact', data: { kind, page, ...again } })
  const onInvalid = pages.fresh((ctx, visit, again: { errors: FieldErrors; typed: Typed }) => {
    ask(ctx, visit, { errors: again.errors, typed: again.typed })
  })
  const send = pages.fresh(async (ctx, visit, { body }: { body: Form }) => {
    try {
      const { id, address } = await contacts.start(visit.changer, { kind, value: body.value })
      await waiting.set(ctx, { id, kind, value: textOf(address) })
      seeOther(ctx, `${page}/codigo`)
    } catch (error) {
      ctx.status = 422
      ask(ctx, visit, { errors: { value: refusalOf(error, fault) }, typed: { value: body.value } })
    }
  })

  const open = pages.fresh((ctx, visit) => ask(ctx, visit))
  router.get(page, guard({}, open))
  router.post(page, guard({ body: form, keep: ['value'], onInvalid }, send))
}

function addCodePage(router: Router, { pages, contacts, kind, page, waiting }: Change): void {
  async function ask(ctx: HttpContext, visit: Visit, errors?: FieldErrors): Promise<void> {
    const found = await waiting.find(ctx)
    if (found === undefined) return seeOther(ctx, page)
    const data = { kind, page, address: found.value, ...(errors && { errors }) }
    pages.show(ctx, visit, { section: 'data', view: 'contact-code', data })
  }
  const onInvalid = pages.fresh((ctx, visit, { errors }: { errors: FieldErrors }) => ask(ctx, visit, errors))
  const confirm = pages.fresh(async (ctx, visit, { body }: { body: Code }) => {
    const found = await waiting.find(ctx)
    if (found === undefined) return seeOther(ctx, page)
    const refusal = await refusalOfCode(contacts, visit, { id: found.id, code: body.code })
    if (refusal === undefined) {
      await waiting.set(ctx, undefined)
      return seeOther(ctx, tell('/conta/dados', kind))
    }
    ctx.status = 422
    await ask(ctx, visit, { code: refusal })
  })

  const open = pages.fresh((ctx, visit) => ask(ctx, visit))
  router.get(`${page}/codigo`, guard({}, open))
  router.post(`${page}/codigo`, guard({ body: code, onInvalid }, confirm))
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

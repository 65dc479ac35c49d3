import Router from '@koa/router'
import { z } from 'zod'
import { ACCOUNTS_PROBLEMS, type ContactKind, type Contacts, maskCpf, parseAddress } from '../accounts/index.ts'
import { type FieldErrors, guard, type Typed } from '../platform/http/guard.ts'
import type { PageSessions } from '../platform/http/page-session.ts'
import type { HttpContext } from '../platform/http/request-facts.ts'
import { isProblem } from '../platform/problem.ts'
import type { AreaData } from './area.ts'
import { type AreaPages, seeOther, type Visit } from './pages.ts'

export interface DataRoutesDependencies {
  readonly pages: AreaPages
  readonly contacts: Contacts
  readonly sessions: PageSessions<AreaData>
}

const KINDS: readonly (readonly [ContactKind, string])[] = [['email', '/conta/dados/email'], ['phone', '/conta/dados/telefone']]
const done = z.object({ feito: z.enum(['email', 'phone']).optional() })
const code = z.object({ code: z.string().max(20) })

/** Who the citizen is, and the addresses that they are reached at. */
export function createDataRoutes({ pages, contacts, sessions }: DataRoutesDependencies): Router {
  const router = new Router()

  router.get('/conta/dados', guard({ query: done }, pages.signedIn((ctx, visit, { query }: { query: z.output<typeof done> }) => {
    const owner = visit.account.citizen.reveal()
    const { name, socialName, birthDate, email, phone } = owner
    const person = { name, socialName, cpf: maskCpf(owner.cpf), birthDate: new Date(`${birthDate}T12:00:00Z`) }
    const data = { person, email, phone, canUsePhone: contacts.canUsePhone(), done: query.feito }
    pages.show(ctx, visit, { section: 'data', view: 'data', data })
  })))

  for (const [kind, path] of KINDS) addContactRoutes(kind, path)

  function addContactRoutes(kind: ContactKind, path: string): void {
    const form = z.object({ value: z.string().max(254).refine((text) => parseAddress(kind, text) !== undefined, `portal.field.${kind}`) })
    const ask = (ctx: HttpContext, visit: Visit, again: { errors?: FieldErrors; typed?: Typed } = {}) =>
      pages.show(ctx, visit, { section: 'data', view: 'contact', data: { kind, ...again } })
    const askCode = (ctx: HttpContext, visit: Visit, errors?: FieldErrors) =>
      pages.show(ctx, visit, { section: 'data', view: 'contact-code', data: { kind, ...(errors && { errors }) } })
    const again = pages.fresh((ctx, visit, invalid: { errors: FieldErrors; typed: Typed }) => ask(ctx, visit, invalid))

    router.get(path, guard({}, pages.fresh((ctx, visit) => ask(ctx, visit))))
    router.post(path, guard({ body: form, keep: ['value'], onInvalid: again }, pages.fresh(async (ctx, visit, { body }: { body: z.output<typeof form> }) => {
      try {
        const { id } = await contacts.start(visit.changer, { kind, value: body.value })
        await remember(ctx, { pendingContact: id })
        seeOther(ctx, `${path}/codigo`)
      } catch (error) {
        ctx.status = 422
        ask(ctx, visit, { errors: { value: refusalOf(error, `portal.field.${kind}`) }, typed: { value: body.value } })
      }
    })))

    router.get(`${path}/codigo`, guard({}, pages.fresh((ctx, visit) => askCode(ctx, visit))))
    router.post(`${path}/codigo`, guard({ body: code }, pages.fresh(async (ctx, visit, { body }: { body: z.output<typeof code> }) => {
      const id = (await sessions.read(ctx))?.data.pendingContact
      if (id === undefined) return seeOther(ctx, path)
      const result = await contacts.confirm(visit.changer, { id, code: body.code }).catch((error: unknown) => ({ kind: refusalOf(error, 'portal.field.code') }))
      if (result.kind === 'confirmed') {
        await remember(ctx, { pendingContact: undefined })
        return seeOther(ctx, `/conta/dados?feito=${kind}`)
      }
      ctx.status = 422
      askCode(ctx, visit, { code: result.kind.startsWith('portal.') ? result.kind : 'portal.field.code' })
    })))
  }

  async function remember(ctx: HttpContext, change: Partial<AreaData>): Promise<void> {
    const session = await sessions.read(ctx)
    if (session !== undefined) await sessions.update(ctx, { ...session.data, ...change })
  }

  return router
}

/** The message of a refusal that the citizen can do something about; anything else goes on up. */
export function refusalOf(error: unknown, otherwise: string): string {
  if (isProblem(error, ACCOUNTS_PROBLEMS.tooManyAttempts)) return 'portal.field.too-many'
  const isOwnFault = [ACCOUNTS_PROBLEMS.contactRefused, ACCOUNTS_PROBLEMS.wrongCode, ACCOUNTS_PROBLEMS.unknownFactor].some((kind) =>
    isProblem(error, kind),
  )
  if (isOwnFault) return otherwise
  throw error
}

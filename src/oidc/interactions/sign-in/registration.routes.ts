import Router from '@koa/router'
import { z } from 'zod'
import {
  type Account,
  type FieldFault,
  maskEmailAddress,
  parseBirthDate,
  parseCpf,
  parseEmailAddress,
  parsePersonName,
  type Registration,
  type SignedIn,
} from '../../../accounts/index.ts'
import type { Clock } from '../../../platform/clock.ts'
import { type FieldErrors, guard, type Typed } from '../../../platform/http/guard.ts'
import { localeOf } from '../../../platform/http/locale.ts'
import type { HttpContext, RequestFacts } from '../../../platform/http/request-facts.ts'
import type { StepPage } from '../flow.ts'
import { type Pages, refuseWithWait, toStep } from '../pages.ts'
import { uidParams, type Visit, type Visits } from '../visit.ts'
import { finishSignIn } from './sign-in.routes.ts'

const KEPT = ['cpf', 'name', 'birthDate', 'email'] as const
const codeForm = z.object({ code: z.string().trim().min(1, 'oidc.interaction.field.code').max(20) })
const linkQuery = z.object({ t: z.string().max(100).default('') })

export interface RegistrationRouteDependencies {
  readonly visits: Visits
  readonly pages: Pages
  readonly registration: Registration
  /** Signs in who has just confirmed the registration that this very browser began. */
  readonly signInRegistered: (step: { account: Account; facts: RequestFacts }) => Promise<SignedIn | undefined>
  readonly settings: { readonly clock: Clock; readonly minPasswordLength: number }
}

interface FormPage {
  readonly errors?: FieldErrors
  readonly typed?: Typed
  readonly refusal?: string
  readonly wait?: { readonly key: string; readonly count: number }
}

interface ConfirmPage {
  readonly errors?: FieldErrors
  readonly notice?: string
  readonly noticeKind?: 'success' | 'warning' | 'danger'
  readonly wait?: { readonly key: string; readonly count: number }
}

/** Opening an account inside a sign-in: the form, the code from the mail, and the mail's link on any device. */
export function createRegistrationRoutes(deps: RegistrationRouteDependencies): { router: Router; show: StepPage } {
  const { visits, pages, registration, signInRegistered, settings } = deps
  const router = new Router()
  const form = registrationForm(settings.clock)

  function showForm(ctx: HttpContext, visit: Visit, page: FormPage = {}): void {
    const typed = page.typed ?? visit.state.typed ?? {}
    pages.show(ctx, visit, 'register', { ...page, typed, minLength: settings.minPasswordLength })
  }

  async function showConfirm(ctx: HttpContext, visit: Visit, page: ConfirmPage = {}): Promise<void> {
    pages.show(ctx, visit, 'confirm-email', { ...page, email: visit.state.registration?.maskedEmail })
  }

  async function start(ctx: HttpContext, visit: Visit, typed: z.infer<typeof form>, facts: RequestFacts): Promise<void> {
    const { password: _password, ...kept } = typed
    const result = await registration.start({ form: typed, locale: localeOf(ctx), binding: visit.uid, facts })
    switch (result.kind) {
      case 'started': {
        const pending = { id: result.id, maskedEmail: maskedAddress(typed.email) }
        await visits.advance(ctx, visit, 'registration-sent', { registration: pending, typed: kept })
        return toStep(ctx, visit)
      }
      case 'invalid':
        ctx.status = 422
        return showForm(ctx, visit, { errors: errorsOf(result.faults), typed: kept })
      case 'wait':
        return showForm(ctx, visit, {
          refusal: 'oidc.interaction.register.wait',
          wait: refuseWithWait(ctx, result.retryAfterSeconds),
          typed: kept,
        })
      default:
        ctx.status = 422
        return showForm(ctx, visit, { refusal: `oidc.interaction.register.${result.kind}`, typed: kept })
    }
  }

  async function confirm(ctx: HttpContext, visit: Visit, code: string, facts: RequestFacts): Promise<void> {
    const { registration: pending } = visit.state
    if (pending === undefined) return toStep(ctx, visit)
    const result = await registration.confirm({ id: pending.id, binding: visit.uid, code })
    switch (result.kind) {
      case 'confirmed': {
        const signedIn = await signInRegistered({ account: result.account, facts })
        return signedIn === undefined ? startOver(ctx, visit, undefined) : finishSignIn(ctx, visits, visit, signedIn)
      }
      case 'wait':
        return showConfirm(ctx, visit, {
          notice: 'oidc.interaction.factor.wait',
          noticeKind: 'danger',
          wait: refuseWithWait(ctx, result.retryAfterSeconds),
        })
      default:
        ctx.status = 422
        return showConfirm(ctx, visit, { errors: { code: `oidc.interaction.confirm.${result.kind === 'gone' ? 'expired' : 'refused'}` } })
    }
  }

  router.get(
    '/interacao/:uid/cadastro',
    guard({ params: uidParams }, async (ctx, { params }) => {
      const visit = await visits.open(ctx, params.uid, ['login', 'confirm-email'])
      if (visit.state.step === 'confirm-email') return toStep(ctx, visit)
      showForm(ctx, visit)
    }),
  )

  router.post(
    '/interacao/:uid/cadastro',
    guard(
      {
        params: uidParams,
        body: form,
        keep: KEPT,
        onInvalid: async (ctx, { errors, typed, params }) =>
          showForm(ctx, await visits.open(ctx, params.uid, ['login', 'confirm-email']), { errors, typed }),
      },
      async (ctx, { params, body, request }) => start(ctx, await visits.open(ctx, params.uid, ['login', 'confirm-email']), body, request),
    ),
  )

  router.post(
    '/interacao/:uid/cadastro/confirmar',
    guard(
      {
        params: uidParams,
        body: codeForm,
        onInvalid: async (ctx, { errors, params }) => showConfirm(ctx, await visits.open(ctx, params.uid, ['confirm-email']), { errors }),
      },
      async (ctx, { params, body, request }) => confirm(ctx, await visits.open(ctx, params.uid, ['confirm-email']), body.code, request),
    ),
  )

  router.post(
    '/interacao/:uid/cadastro/reenviar',
    guard({ params: uidParams }, async (ctx, { params }) => {
      const visit = await visits.open(ctx, params.uid, ['confirm-email'])
      const result = await registration.resend({ id: visit.state.registration?.id ?? '', binding: visit.uid })
      if (result.kind === 'sent') return showConfirm(ctx, visit, { notice: 'oidc.interaction.confirm.resent', noticeKind: 'success' })
      if (result.kind === 'gone') return startOver(ctx, visit, 'cadastro')
      const wait = refuseWithWait(ctx, result.retryAfterSeconds)
      return showConfirm(ctx, visit, { notice: 'oidc.interaction.confirm.resend-wait', noticeKind: 'warning', wait })
    }),
  )

  /** Back to the form with what was typed, to change the address. */
  router.post(
    '/interacao/:uid/cadastro/recomecar',
    guard({ params: uidParams }, async (ctx, { params }) => {
      await startOver(ctx, await visits.open(ctx, params.uid, ['confirm-email']), 'cadastro')
    }),
  )

  /** The link was opened, perhaps on another device: here the new password signs in, since a link must not. */
  router.post(
    '/interacao/:uid/cadastro/ja-confirmei',
    guard({ params: uidParams }, async (ctx, { params }) => {
      await startOver(ctx, await visits.open(ctx, params.uid, ['confirm-email']), undefined)
    }),
  )

  async function startOver(ctx: HttpContext, visit: Visit, page: 'cadastro' | undefined): Promise<void> {
    await visits.advance(ctx, visit, 'start-over', { registration: undefined })
    toStep(ctx, visit, page)
  }

  return { router: withLinks(router, { pages, registration }), show: showConfirm }
}

/** The mail's link: a page with a button, because mail scanners open every link they see. */
function withLinks(router: Router, { pages, registration }: Pick<RegistrationRouteDependencies, 'pages' | 'registration'>): Router {
  router.get(
    '/cadastro/confirmar',
    guard({ query: linkQuery }, (ctx, { query }) => pages.plain(ctx, 'email-link', { token: query.t })),
  )
  router.post(
    '/cadastro/confirmar',
    guard({ body: linkQuery }, async (ctx, { body }) => {
      const result = await registration.confirmByLink({ link: body.t })
      if (result.kind === 'confirmed') return pages.plain(ctx, 'email-link-done')
      ctx.status = 410
      pages.plain(ctx, 'email-link-invalid')
    }),
  )
  return router
}

function registrationForm(clock: Clock) {
  const field = (isRight: (text: string) => boolean, fault: string) =>
    z.string().max(300).refine(isRight, `oidc.interaction.field.${fault}`)
  return z.object({
    cpf: field((text) => parseCpf(text) !== undefined, 'cpf'),
    name: field((text) => parsePersonName(text) !== undefined, 'name'),
    birthDate: field((text) => parseBirthDate(text, clock.now()) !== undefined, 'birth-date'),
    email: field((text) => parseEmailAddress(text) !== undefined, 'email'),
    password: z.string().min(1, 'platform.field.required').max(1024, 'oidc.interaction.field.password-too-long'),
  })
}

const FIELD_KEYS: Readonly<Record<string, string>> = { cpf: 'cpf', name: 'name', birthDate: 'birth-date', email: 'email' }

function errorsOf(faults: readonly FieldFault[]): FieldErrors {
  return Object.fromEntries(faults.map(({ field, code }) => [field, `oidc.interaction.field.${FIELD_KEYS[field] ?? `password-${code}`}`]))
}

function maskedAddress(text: string): string {
  const address = parseEmailAddress(text)
  return address === undefined ? '' : maskEmailAddress(address)
}

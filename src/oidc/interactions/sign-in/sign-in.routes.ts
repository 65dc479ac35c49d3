import Router from '@koa/router'
import { z } from 'zod'
import { type Account, type FurtherSteps, maskCpf, parseCpf, type Sessions, type SignedIn, type SignIn } from '../../../accounts/index.ts'
import { type FieldErrors, guard, type Typed } from '../../../platform/http/guard.ts'
import { type HttpContext, type RequestFacts, scopeOf } from '../../../platform/http/request-facts.ts'
import type { StepPage } from '../flow.ts'
import { basePath, type Pages, refuseWithWait, toStep } from '../pages.ts'
import { nonceOf, uidParams, type Visit, type Visits } from '../visit.ts'
import { allowHost, type CertificateHost, openOrDiscard, refusalKey, returnQuery } from './certificate-return.ts'

const DEVICE_COOKIE_SECONDS = 400 * 24 * 3600
const PASSWORD_LIMIT = 1024
const CREDENTIAL_LIMIT = 16 * 1024

const passwordForm = z.object({
  cpf: z.string().max(40).default(''),
  password: z.string().min(1, 'platform.field.required').max(PASSWORD_LIMIT),
})
/** What `passkey.js` puts into a form: the ceremony's id and the browser's answer as JSON. */
export const passkeyForm = z.object({
  ceremony: z.string().max(60),
  credential: z.string().max(CREDENTIAL_LIMIT).transform(parseCredential),
})

/** One of the accounts that a demonstration shows on its sign-in page. */
export interface DemoCitizen {
  readonly name: string
  readonly cpf: string
  readonly password: string
}

export interface SignInRouteDependencies {
  readonly visits: Visits
  readonly pages: Pages
  readonly accounts: {
    readonly signIn: SignIn
    readonly steps: Pick<FurtherSteps, 'startPasskey' | 'signInWithPasskey' | 'startCertificate' | 'signInWithCertificate'>
    readonly factors: { readonly certificates: CertificateHost }
    readonly sessions: Pick<Sessions, 'findLive'>
    find(accountId: string): Promise<Account | undefined>
  }
  readonly demoCitizens: readonly DemoCitizen[] | undefined
}

interface LoginPage {
  readonly errors?: FieldErrors
  readonly typed?: Typed
  /** Key of what is said above the form. */
  readonly refusal?: string
  readonly wait?: { readonly key: string; readonly count: number }
}

/** CPF and password, or a passkey; also the confirmation of somebody who is signed in (`max_age`, `prompt=login`). */
export function createSignInRoutes({ visits, pages, accounts, demoCitizens }: SignInRouteDependencies): { router: Router; show: StepPage } {
  const router = new Router()
  const { certificates } = accounts.factors

  /** Whoever is signed in already confirms that account; another one is chosen by leaving it first. */
  async function knownAccount(visit: Visit): Promise<Account | undefined> {
    if (visit.session === undefined || visit.state.otherAccount) return undefined
    const account = await accounts.find(String(visit.session.accountId))
    return account?.status === 'closed' ? undefined : account
  }

  /** The protocol's session goes on under its id if its record is live; otherwise the sign-in begins a new one. */
  async function liveSessionId(visit: Visit): Promise<string | undefined> {
    const uid = visit.state.otherAccount ? undefined : visit.session?.uid
    return uid !== undefined && (await accounts.sessions.findLive(uid)) !== undefined ? uid : undefined
  }

  async function showPage(ctx: HttpContext, visit: Visit, page: LoginPage = {}): Promise<void> {
    const known = await knownAccount(visit)
    const fixedCpf = known && maskCpf(known.citizen.reveal().cpf)
    const takesCertificate = (await certificates.host()) !== undefined
    pages.show(ctx, visit, 'login', { ...page, typed: page.typed ?? suggestedCpf(visit), fixedCpf, takesCertificate, demoCitizens })
    if (takesCertificate) await allowHost(ctx, certificates)
  }

  async function refuse(ctx: HttpContext, visit: Visit, refusal: string, typed: Typed = {}): Promise<void> {
    ctx.status = 422
    await showPage(ctx, visit, { refusal: `oidc.interaction.login.${refusal}`, typed })
  }

  async function wait(ctx: HttpContext, visit: Visit, seconds: number, typed: Typed = {}): Promise<void> {
    await showPage(ctx, visit, { refusal: 'oidc.interaction.login.wait', wait: refuseWithWait(ctx, seconds), typed })
  }

  async function signIn(ctx: HttpContext, visit: Visit, body: z.infer<typeof passwordForm>, facts: RequestFacts): Promise<void> {
    const known = await knownAccount(visit)
    const cpf = known?.citizen.reveal().cpf ?? body.cpf
    const typed: Typed = known === undefined ? { cpf: body.cpf } : {}
    const result = await accounts.signIn({ cpf, password: body.password, facts, binding: visit.uid, sessionId: await liveSessionId(visit) })
    switch (result.kind) {
      case 'signed-in':
        return finishSignIn(ctx, visits, visit, result)
      case 'second-factor':
        await visits.advance(ctx, visit, 'factor-owed', { ticket: result.ticket })
        return toStep(ctx, visit)
      case 'invalid-cpf':
        ctx.status = 422
        return showPage(ctx, visit, { errors: { cpf: 'oidc.interaction.field.cpf' }, typed })
      case 'wait':
        return wait(ctx, visit, result.retryAfterSeconds, typed)
      default:
        return refuse(ctx, visit, result.kind, typed)
    }
  }

  router.post(
    '/interacao/:uid/entrar',
    guard(
      {
        params: uidParams,
        body: passwordForm,
        keep: ['cpf'],
        onInvalid: async (ctx, { errors, typed, params }) =>
          showPage(ctx, await visits.open(ctx, params.uid, ['login']), { errors, typed }),
      },
      async (ctx, { params, body, request }) => signIn(ctx, await visits.open(ctx, params.uid, ['login']), body, request),
    ),
  )

  router.post(
    '/interacao/:uid/passkey/opcoes',
    guard({ params: uidParams }, async (ctx, { params }) => {
      const visit = await visits.open(ctx, params.uid, ['login'])
      ctx.body = await accounts.steps.startPasskey(visit.uid)
    }),
  )

  router.post(
    '/interacao/:uid/passkey',
    guard({ params: uidParams, body: passkeyForm }, async (ctx, { params, body, request }) => {
      const visit = await visits.open(ctx, params.uid, ['login'])
      const known = await knownAccount(visit)
      const result = await accounts.steps.signInWithPasskey({
        ceremonyId: body.ceremony,
        response: body.credential,
        binding: visit.uid,
        facts: request,
        accountId: known?.id,
        sessionId: await liveSessionId(visit),
        nonce: nonceOf(visit),
      })
      if (result.kind === 'signed-in') return finishSignIn(ctx, visits, visit, result)
      if (result.kind === 'wait') return wait(ctx, visit, result.retryAfterSeconds)
      return refuse(ctx, visit, result.kind === 'suspended' ? 'suspended' : 'passkey-refused')
    }),
  )

  /** A certificate of a card or token by itself: it says whose it is. */
  async function signInWithCertificate(ctx: HttpContext, visit: Visit, ticket: string, facts: RequestFacts): Promise<void> {
    const known = await knownAccount(visit)
    const result = await accounts.steps.signInWithCertificate({
      ticket, binding: visit.uid, facts, accountId: known?.id, sessionId: await liveSessionId(visit), nonce: nonceOf(visit),
    })
    if (result.kind === 'signed-in') return finishSignIn(ctx, visits, visit, result)
    if (result.kind === 'wait') return wait(ctx, visit, result.retryAfterSeconds)
    if (result.kind === 'suspended') return refuse(ctx, visit, 'suspended')
    ctx.status = 422
    await showPage(ctx, visit, { refusal: refusalKey(result.why) })
  }

  router.post(
    '/interacao/:uid/certificado',
    guard({ params: uidParams }, async (ctx, { params, request }) => {
      const visit = await visits.open(ctx, params.uid, ['login'])
      const address = await accounts.steps.startCertificate({ binding: visit.uid, page: `${basePath(visit.uid)}/certificado`, facts: request })
      ctx.status = address === undefined ? 429 : 303
      if (address === undefined) return showPage(ctx, visit, { refusal: refusalKey('too-many') })
      ctx.redirect(address)
    }),
  )

  router.get(
    '/interacao/:uid/certificado/retorno',
    guard({ params: uidParams, query: returnQuery }, async (ctx, { params, query: { bilhete: ticket }, request }) => {
      if (ticket === undefined) return toStep(ctx, params)
      const visit = await openOrDiscard(certificates, ticket, () => visits.open(ctx, params.uid, ['login']))
      await signInWithCertificate(ctx, visit, ticket, request)
    }),
  )

  router.post(
    '/interacao/:uid/trocar-de-conta',
    guard({ params: uidParams }, async (ctx, { params }) => {
      const visit = await visits.open(ctx, params.uid, ['login'])
      await visits.advance(ctx, visit, 'start-over', { otherAccount: true })
      toStep(ctx, visit)
    }),
  )

  return { router, show: showPage }
}

/** Ends the interaction with a sign-in that accounts has written down, and leaves the device its cookie. */
export async function finishSignIn(
  ctx: HttpContext,
  visits: Visits,
  visit: Visit,
  { account, session, deviceCookie }: SignedIn,
): Promise<void> {
  scopeOf(ctx).cookies.write(ctx, 'device', deviceCookie, { maxAgeSeconds: DEVICE_COOKIE_SECONDS })
  const ts = Math.floor(session.authenticatedAt.getTime() / 1000)
  await visits.finish(ctx, visit, { login: { accountId: account.id, amr: session.amr, ts, remember: true, sessionId: session.id } })
}

/** A CPF that was typed a moment ago, or that the relying party knows, saves the typing; any other hint is not shown. */
function suggestedCpf({ params, state }: Visit): Typed {
  const hint = state.typed?.['cpf'] ?? params['login_hint']
  return typeof hint === 'string' && parseCpf(hint) !== undefined ? { cpf: hint } : {}
}

function parseCredential(text: string, context: z.RefinementCtx): unknown {
  try {
    return JSON.parse(text)
  } catch {
    context.addIssue({ code: 'custom', message: 'platform.field.invalid' })
    return z.NEVER
  }
}

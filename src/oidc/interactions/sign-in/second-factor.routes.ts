import Router from '@koa/router'
import { z } from 'zod'
import { type AccountId, type CertificateRefusal, type FactorProof, type FurtherSteps, parseAccountId, type SecondFactor } from '../../../accounts/index.ts'
import { type FieldErrors, guard } from '../../../platform/http/guard.ts'
import type { HttpContext, RequestFacts } from '../../../platform/http/request-facts.ts'
import { Problem } from '../../../platform/problem.ts'
import type { StepPage } from '../flow.ts'
import { basePath, type Pages, refuseWithWait, toStep } from '../pages.ts'
import { INTERACTION_PROBLEMS } from '../problems.ts'
import { allowHost, type CertificateHost, openOrDiscard, refusalKey, returnQuery } from './certificate-return.ts'
import { accountOf, nonceOf, uidParams, type Visit, type Visits } from '../visit.ts'
import { finishSignIn, passkeyForm } from './sign-in.routes.ts'

const codeForm = z.object({ code: z.string().trim().min(1, 'oidc.interaction.field.code').max(20) })
const recoveryForm = z.object({ recovery: z.string().trim().min(1, 'platform.field.required').max(60) })

export interface SecondFactorRouteDependencies {
  readonly visits: Visits
  readonly pages: Pages
  readonly steps: Pick<
    FurtherSteps,
    'verifySecondFactor' | 'methodsOf' | 'startTicketPasskey' | 'startTicketCertificate' | 'factorsOf' | 'startStepUpPasskey' | 'stepUp'
  >
  readonly certificates: CertificateHost
}

interface FactorPage {
  readonly errors?: FieldErrors
  readonly refusal?: string
  readonly wait?: { readonly key: string; readonly count: number }
}

/**
 * The second factor: after a password, or on top of a session for a request of aal2.
 *
 * Both are one page. After a password the proof finishes the sign-in that a ticket stands for; on top of a session it is added to it.
 */
export function createSecondFactorRoutes({ visits, pages, steps, certificates }: SecondFactorRouteDependencies): { router: Router; show: StepPage } {
  const router = new Router()

  function methodsOf(visit: Visit): Promise<readonly SecondFactor[]> {
    return visit.state.ticket === undefined ? steps.factorsOf(accountIdOf(visit)) : steps.methodsOf(visit.state.ticket, visit.uid)
  }

  async function showPage(ctx: HttpContext, visit: Visit, page: FactorPage = {}): Promise<void> {
    const methods = await methodsOf(visit)
    if (methods.length === 0 && visit.state.step === 'second-factor') return startOver(ctx, visit)
    const isStepUp = visit.state.step === 'step-up'
    const takesCertificate = methods.includes('certificate') && (await certificates.host()) !== undefined
    pages.show(ctx, visit, 'second-factor', { ...page, factors: methods, takesCertificate, isStepUp, action: `${basePath(visit.uid)}/segundo-passo` })
    if (takesCertificate) await allowHost(ctx, certificates)
  }

  /** The ticket was used or is over: back to the password. */
  async function startOver(ctx: HttpContext, visit: Visit): Promise<void> {
    await visits.advance(ctx, visit, 'start-over', { ticket: undefined })
    toStep(ctx, visit)
  }

  async function prove(ctx: HttpContext, visit: Visit, proof: FactorProof, facts: RequestFacts): Promise<void> {
    const { ticket } = visit.state
    const result =
      ticket === undefined
        ? await steps.stepUp({ sessionId: sessionOf(visit), accountId: accountIdOf(visit), proof, facts, nonce: nonceOf(visit) })
        : await steps.verifySecondFactor({ ticket, binding: visit.uid, proof, facts, nonce: nonceOf(visit) })
    switch (result.kind) {
      case 'signed-in':
        return finishSignIn(ctx, visits, visit, result)
      case 'proved':
        return visits.finish(ctx, visit, { step_up: { done: 'aal' } })
      case 'gone':
        if (ticket === undefined) throw new Problem(INTERACTION_PROBLEMS.interactionLost)
        return startOver(ctx, visit)
      case 'wait':
        return showPage(ctx, visit, { refusal: 'oidc.interaction.factor.wait', wait: refuseWithWait(ctx, result.retryAfterSeconds) })
      case 'wrong':
        ctx.status = 422
        return showPage(ctx, visit, refusalOf(proof, result.why))
    }
  }

  const open = (ctx: HttpContext, uid: string): Promise<Visit> => visits.open(ctx, uid, ['second-factor', 'step-up'])

  router.post(
    '/interacao/:uid/segundo-passo/codigo',
    guard(
      {
        params: uidParams,
        body: codeForm,
        onInvalid: async (ctx, { errors, params }) => showPage(ctx, await open(ctx, params.uid), { errors }),
      },
      async (ctx, { params, body, request }) => prove(ctx, await open(ctx, params.uid), { method: 'totp', code: body.code }, request),
    ),
  )

  router.post(
    '/interacao/:uid/segundo-passo/codigo-de-recuperacao',
    guard(
      {
        params: uidParams,
        body: recoveryForm,
        onInvalid: async (ctx, { errors, params }) => showPage(ctx, await open(ctx, params.uid), { errors }),
      },
      async (ctx, { params, body, request }) =>
        prove(ctx, await open(ctx, params.uid), { method: 'recovery-code', code: body.recovery }, request),
    ),
  )

  router.post(
    '/interacao/:uid/segundo-passo/passkey/opcoes',
    guard({ params: uidParams }, async (ctx, { params }) => {
      const visit = await open(ctx, params.uid)
      const { ticket } = visit.state
      const ceremony =
        ticket === undefined
          ? await steps.startStepUpPasskey(accountIdOf(visit), visit.uid)
          : await steps.startTicketPasskey(ticket, visit.uid)
      if (ceremony === undefined) throw new Problem(INTERACTION_PROBLEMS.interactionLost)
      ctx.body = ceremony
    }),
  )

  router.post(
    '/interacao/:uid/segundo-passo/passkey',
    guard({ params: uidParams, body: passkeyForm }, async (ctx, { params, body, request }) => {
      const visit = await open(ctx, params.uid)
      await prove(ctx, visit, { method: 'passkey', ceremonyId: body.ceremony, binding: visit.uid, response: body.credential }, request)
    }),
  )

  /** To the host that asks for a certificate. */
  async function askCertificate(ctx: HttpContext, visit: Visit): Promise<void> {
    const { ticket } = visit.state
    const page = `${basePath(visit.uid)}/segundo-passo/certificado`
    const address =
      ticket === undefined
        ? await certificates.begin({ use: 'factor', binding: visit.uid, accountId: accountIdOf(visit) }, page)
        : await steps.startTicketCertificate(ticket, visit.uid, page)
    ctx.status = address === undefined ? 429 : 303
    if (address === undefined) return showPage(ctx, visit, { refusal: refusalKey('too-many') })
    ctx.redirect(address)
  }

  router.post(
    '/interacao/:uid/segundo-passo/certificado',
    guard({ params: uidParams }, async (ctx, { params }) => askCertificate(ctx, await open(ctx, params.uid))),
  )

  router.get(
    '/interacao/:uid/segundo-passo/certificado/retorno',
    guard({ params: uidParams, query: returnQuery }, async (ctx, { params, query: { bilhete: ticket }, request }) => {
      if (ticket === undefined) return toStep(ctx, params)
      const visit = await openOrDiscard(certificates, ticket, () => open(ctx, params.uid))
      await prove(ctx, visit, { method: 'certificate', ticket, use: 'factor', binding: visit.uid }, request)
    }),
  )

  return { router, show: showPage }
}

function refusalOf({ method }: FactorProof, why: CertificateRefusal | undefined): FactorPage {
  if (method === 'certificate') return { refusal: refusalKey(why) }
  if (method === 'totp') return { errors: { code: 'oidc.interaction.factor.refused' } }
  if (method === 'recovery-code') return { errors: { recovery: 'oidc.interaction.factor.recovery-refused' } }
  return { refusal: 'oidc.interaction.factor.passkey-refused' }
}

/** @throws {Problem} oidc/interaction-lost when the interaction has no session. */
export function accountIdOf(visit: Visit): AccountId {
  const id = parseAccountId(accountOf(visit))
  if (id === undefined) throw new Problem(INTERACTION_PROBLEMS.interactionLost)
  return id
}

/** @throws {Problem} oidc/interaction-lost when the interaction has no session. */
export function sessionOf(visit: Visit): string {
  const uid = visit.session?.uid
  if (uid === undefined) throw new Problem(INTERACTION_PROBLEMS.interactionLost)
  return uid
}

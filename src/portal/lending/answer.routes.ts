import Router from '@koa/router'
import { z } from 'zod'
import { ACCOUNTS_PROBLEMS } from '../../accounts/index.ts'
import { isLevelAtLeast } from '../../assurance/index.ts'
import { guard } from '../../platform/http/guard.ts'
import { allowFormAction } from '../../platform/http/security-headers.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { Problem } from '../../platform/problem.ts'
import { type Ask, type Credential, SIGNATURE_PROBLEMS, SIGNING_LEVEL, type SigningClient } from '../../signatures/index.ts'
import { PROOF_KINDS } from '../entrance.routes.ts'
import type { Visit } from '../pages.ts'
import { answerTo } from './answer.ts'
import { type LendingDesk, PAGE } from './desk.ts'

const params = z.object({ id: z.uuid() })
type Params = { readonly params: z.output<typeof params> }
const proving = z.object({ prova: z.enum(PROOF_KINDS) })
const unlocking = z.object({ senha: z.string().min(1, 'platform.field.required').max(1024) })

/** What a citizen is asked, with everything that its pages show. */
interface Question {
  readonly ask: Ask
  readonly client: SigningClient
  readonly credential: Credential | undefined
}

/** Refusals that are explained where the citizen is, who may try again there. */
const AGAIN: readonly string[] = [SIGNATURE_PROBLEMS.activationOver, SIGNATURE_PROBLEMS.activationUnproven, SIGNATURE_PROBLEMS.tooManyActivations, SIGNATURE_PROBLEMS.noAuthority, ACCOUNTS_PROBLEMS.waysUnconfirmed].map(({ code }) => code)
/** Those that the citizen cannot mend on this page. */
const STOPPED: readonly string[] = [SIGNATURE_PROBLEMS.notEntitled, SIGNATURE_PROBLEMS.mandateRefused, SIGNATURE_PROBLEMS.credentialUnknown, SIGNATURE_PROBLEMS.credentialUnusable].map(({ code }) => code)

/** The pages on which a citizen lends a key to a client, or does not. */
export function createAnswerRoutes(desk: LendingDesk): Router {
  const { pages, prove, signing: { asks } } = desk
  const router = new Router()
  const at = `${PAGE}/:id`

  /** Only a question that is still open, of a client that still may, to a citizen who can answer it. */
  const asked = <Input extends Params>(handler: (ctx: HttpContext, visit: Visit, question: Question, input: Input) => Promise<void>) =>
    pages.signedIn(async (ctx, visit, input: Input) => {
      const question = await questionOf(desk, visit, input.params.id)
      if (!question) return showOver(desk, ctx, visit)
      const stop = await stopOf(desk, visit, question)
      if (stop) return showStopped(desk, ctx, visit, question, stop)
      try {
        await handler(ctx, visit, question, input)
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        if (STOPPED.includes(error.code)) return showStopped(desk, ctx, visit, question, error.code === SIGNATURE_PROBLEMS.notEntitled.code ? 'account' : 'certificate')
        if (!AGAIN.includes(error.code)) throw error
        ctx.status = error.status
        showQuestion(desk, ctx, visit, question, error.code)
      }
    })

  const agree = asked<Params & { body: z.output<typeof proving> }>(async (ctx, visit, { ask }, { body }) => {
    const { nonce } = await asks.agree(ask, visit.account.id)
    await prove(ctx, { nonce, proof: body.prova, returnTo: `${PAGE}/${ask.id}/pronto` })
  })
  // Reached from the proof alone: without an id_token whose nonce names this very question nothing happens here.
  const finish = asked(async (ctx, visit, question) => {
    if (question.ask.content.kind === 'service') return showQuestion(desk, ctx, visit, question)
    if (question.credential) return showPassword(desk, ctx, visit, question)
    sendBack(desk, ctx, visit, question, await asks.finish(question.ask, { idToken: visit.idToken }))
  })
  const unlock = asked<Params & { body: z.output<typeof unlocking> }>(async (ctx, visit, question, { body }) => {
    try {
      sendBack(desk, ctx, visit, question, await asks.finish(question.ask, { idToken: visit.idToken, password: body.senha }))
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== SIGNATURE_PROBLEMS.wrongSigningPassword.code) throw error
      ctx.status = 422
      showPassword(desk, ctx, visit, question, { senha: 'lending.field.password' })
    }
  })
  const allow = asked(async (ctx, visit, question) => {
    if (question.ask.content.kind !== 'service') throw new Problem(SIGNATURE_PROBLEMS.askInvalid)
    const granted = await asks.grantService(question.ask, visit.account.id)
    if (granted) sendBack(desk, ctx, visit, question, granted)
    else showOver(desk, ctx, visit)
  })
  // Whoever cannot answer may still go back.
  const refuse = pages.signedIn(async (ctx, visit, { params: { id } }: Params) => {
    const question = await questionOf(desk, visit, id)
    if (!question) return showOver(desk, ctx, visit)
    await asks.refuse(question.ask)
    sendBack(desk, ctx, visit, question, { error: 'access_denied' })
  })

  router.get(PAGE, guard({}, pages.signedIn(async (ctx, visit) => showWaiting(desk, ctx, visit))))
  router.get(at, guard({ params }, asked(async (ctx, visit, question) => showQuestion(desk, ctx, visit, question))))
  router.post(at, guard({ params, body: proving }, agree))
  router.post(`${at}/permitir`, guard({ params }, allow))
  router.post(`${at}/negar`, guard({ params }, refuse))
  router.get(`${at}/pronto`, guard({ params }, finish))
  const again = asked<Params & { errors: Record<string, string> }>(async (ctx, visit, question, { errors }) => showPassword(desk, ctx, visit, question, errors))
  router.post(`${at}/pronto`, guard({ params, body: unlocking, onInvalid: again }, unlock))
  // A reload, or a sign-in, after a form that was answered.
  router.get(`${at}/*rest`, (ctx) => ctx.redirect(`${PAGE}/${encodeURIComponent(String(ctx.params['id']))}`))
  return router
}

async function questionOf({ signing, clients }: LendingDesk, visit: Visit, id: string): Promise<Question | undefined> {
  const found = await signing.asks.find(id)
  const ask = found?.accountId === undefined || found.accountId === visit.account.id ? found : undefined
  const client = ask && (await clients.find(ask.clientId, ask.content.kind === 'open' ? 'govbr' : 'csc'))
  if (!ask || !client?.redirectUris.includes(ask.redirectUri)) return undefined
  // What an operator took away meanwhile asks nobody any more.
  if (ask.waiting && !client.policy.explicit) return undefined
  const { content } = ask
  const credential = content.kind === 'hashes' ? (await signing.credentials.list(visit.account.id)).find((one) => one.id === content.credentialId) : undefined
  return { ask, client, credential }
}

/** Questions of systems that wait for an answer without having sent the citizen here. */
async function showWaiting(desk: LendingDesk, ctx: HttpContext, visit: Visit): Promise<void> {
  const asks = await desk.signing.asks.waiting(visit.account.id)
  const questions = await Promise.all(asks.map(({ id }) => questionOf(desk, visit, id)))
  const rows = questions.flatMap((question) => (question?.ask.content.kind === 'hashes' ? [{ ...facts(question), count: question.ask.content.documents.length, until: question.ask.expiresAt }] : []))
  desk.pages.show(ctx, visit, { section: 'documents', view: 'lending/waiting', data: { rows } })
}

type Stop = 'level' | 'held' | 'account' | 'certificate'

/** Why this citizen cannot be asked at all, known before the question is shown. */
async function stopOf({ levelOf }: LendingDesk, visit: Visit, { ask, credential }: Question): Promise<Stop | undefined> {
  if (ask.content.kind === 'service') return undefined
  if (!isLevelAtLeast(await levelOf(visit.account.id), SIGNING_LEVEL)) return 'level'
  if (visit.heldUntil !== undefined) return 'held'
  return ask.content.kind === 'hashes' && credential?.state !== 'active' ? 'certificate' : undefined
}

const facts = ({ ask, client }: Question) => ({ client: client.name, host: new URL(ask.redirectUri).host, action: `${PAGE}/${ask.id}`, content: ask.content, challenge: ask.waiting?.challenge })

function showQuestion({ pages }: LendingDesk, ctx: HttpContext, visit: Visit, question: Question, refusal?: string): void {
  allowFormAction(ctx, [question.ask.redirectUri])
  pages.show(ctx, visit, { section: 'documents', view: 'lending/question', data: { ...facts(question), refusal, certificate: question.credential && { until: question.credential.notAfter, serial: question.credential.serial.toUpperCase() } } })
}

function showPassword({ pages }: LendingDesk, ctx: HttpContext, visit: Visit, question: Question, errors?: Record<string, string>): void {
  pages.show(ctx, visit, { section: 'documents', view: 'lending/password', data: { ...facts(question), ...(errors && { errors }) } })
}

function showStopped({ pages }: LendingDesk, ctx: HttpContext, visit: Visit, question: Question, why: Stop): void {
  ctx.status = 403
  pages.show(ctx, visit, { section: 'documents', view: 'lending/stopped', data: { ...facts(question), why } })
}

function showOver({ pages }: LendingDesk, ctx: HttpContext, visit: Visit): void {
  ctx.status = 410
  pages.show(ctx, visit, { section: 'documents', view: 'lending/over' })
}

/** The answer, by the way that the client asked for. */
function sendBack(desk: LendingDesk, ctx: HttpContext, visit: Visit, question: Question, answer: { readonly code: string } | { readonly error: string } | undefined): void {
  if (answer === undefined || question.ask.waiting) showDone(desk, ctx, visit, question, { isRefused: answer !== undefined })
  else leadBack(desk, ctx, visit, question, answer)
}

/** Who waits by a handle gets nothing by way of the browser, which may be on another device than the client's page. */
function showDone({ pages }: LendingDesk, ctx: HttpContext, visit: Visit, question: Question, { isRefused }: { isRefused: boolean }): void {
  pages.show(ctx, visit, { section: 'documents', view: 'lending/done', data: { ...facts(question), listHref: PAGE, isRefused } })
}

/**
 * On to the client by a page of its own: a redirect that ends a form's answer would be held to `form-action` of the page where that form was.
 *
 * A code is in the header and the page, both never stored.
 */
function leadBack({ pages }: LendingDesk, ctx: HttpContext, visit: Visit, question: Question, answer: { readonly code: string } | { readonly error: string }): void {
  const href = answerTo(question.ask, { ...answer })
  ctx.status = 200
  ctx.set('Refresh', `0; url=${href}`)
  pages.show(ctx, visit, { section: 'documents', view: 'lending/back', data: { ...facts(question), href, isRefused: 'error' in answer } })
}

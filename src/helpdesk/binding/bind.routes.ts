import { createHash } from 'node:crypto'
import Router from '@koa/router'
import { z } from 'zod'
import { displayName } from '../../accounts/index.ts'
import type { FaceCheckVisit, Liveness } from '../../biometrics/index.ts'
import { createFaceCheckRoutes } from '../../oidc/index.ts'
import { inRoom } from '../../platform/http/app.ts'
import { guard } from '../../platform/http/guard.ts'
import type { Messages } from '../../platform/http/messages.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import type { Views } from '../../platform/http/views.ts'
import { Problem } from '../../platform/problem.ts'
import { type AreaVisit, seeOther } from '../../portal/index.ts'
import { HELPDESK_PROBLEMS } from '../problems.ts'
import type { Bindings, Claimed } from './bindings.ts'
import { COUNTER_DOOR, type Proofs } from './proofs.ts'

export interface BindRoutesDependencies {
  readonly bindings: Pick<Bindings, 'byLink' | 'byCode'>
  readonly proofs: Proofs
  /** `liveness` is absent where no check that the installed nets reach would prove anything. */
  readonly face: { readonly liveness: Liveness | undefined }
  /** Who is signed in to the citizen's area in this browser. */
  readonly findVisit: (ctx: HttpContext) => Promise<AreaVisit | undefined>
  readonly pages: { readonly views: Views; readonly messages: Messages }
}

const PAGE = '/conta/balcao'
const PROVE = `${PAGE}/conferir`
const FACE = `${PAGE}/rosto`
const params = z.object({ token: z.string().regex(/^[\w-]{43}$/) })
const codeForm = z.object({ code: z.string().trim().min(6, 'helpdesk.field.code').max(20) })

type Handler<Input> = (ctx: HttpContext, visit: AreaVisit, input: Input) => Promise<void> | void

/** The citizen's side, on their own device and signed in to their own account: the link or six digits, and then the face that the counter captured. */
export function createBindRoutes(deps: BindRoutesDependencies): Router {
  const router = new Router()
  router.use(inRoom('helpdesk'))
  const signedIn =
    <Input>(handler: Handler<Input>) =>
    async (ctx: HttpContext, input: Input): Promise<void> => {
      const visit = await deps.findVisit(ctx)
      if (visit === undefined) return seeOther(ctx, `/conta/entrar?para=${ctx.path}`)
      await handler(ctx, visit, input)
    }
  // Before the links: none of these is one.
  addProving(router, deps, signedIn)
  addClaiming(router, deps, signedIn)
  return router
}

type SignedIn = <Input>(handler: Handler<Input>) => (ctx: HttpContext, input: Input) => Promise<void>

/** The link and the code: they say whose case, and nothing of who holds the device. */
function addClaiming(router: Router, { bindings, pages: { views } }: BindRoutesDependencies, signedIn: SignedIn): void {
  const show = (ctx: HttpContext, { account }: AreaVisit, page: { action: string; hasLink: boolean; result?: Claimed; errors?: Record<string, string> }): void => {
    if (page.result !== undefined) ctx.status = 422
    views.render(ctx, 'helpdesk/bind', { ...page, name: displayName(account.citizen.reveal()) })
  }
  const claimed = (ctx: HttpContext, visit: AreaVisit, page: { action: string; hasLink: boolean }, result: Claimed): void =>
    result === 'claimed' ? seeOther(ctx, PROVE) : show(ctx, visit, { ...page, result })

  const link = (token: string) => ({ action: `${PAGE}/${token}`, hasLink: true })
  const code = { action: PAGE, hasLink: false }
  const openLink = signedIn((ctx, visit, input: { params: { token: string } }) => show(ctx, visit, link(input.params.token)))
  const useLink = signedIn(async (ctx, visit, input: { params: { token: string } }) => {
    claimed(ctx, visit, link(input.params.token), await bindings.byLink(input.params.token, visit.account))
  })
  const openCode = signedIn((ctx, visit) => show(ctx, visit, code))
  const wrongCode = signedIn((ctx, visit, { errors }: { errors: Record<string, string> }) => show(ctx, visit, { ...code, errors }))
  const useCode = signedIn(async (ctx, visit, input: { body: z.output<typeof codeForm> }) => {
    claimed(ctx, visit, code, await bindings.byCode(input.body.code, visit.account))
  })
  router.get(PAGE, guard({}, openCode))
  router.post(PAGE, guard({ body: codeForm, onInvalid: wrongCode }, useCode))
  router.get(`${PAGE}/:token`, guard({ params }, openLink))
  router.post(`${PAGE}/:token`, guard({ params }, useLink))
}

/** The face on this device, or a colleague of the attendant's who reads the number on it. */
function addProving(router: Router, { proofs, face, findVisit, pages }: BindRoutesDependencies, signedIn: SignedIn): void {
  async function show(ctx: HttpContext, { account }: AreaVisit, shownNumber?: string): Promise<void> {
    const found = await proofs.find(account.id)
    if (found === undefined) return seeOther(ctx, PAGE)
    const camera = face.liveness !== undefined && found.step === 'to-prove' ? FACE : undefined
    pages.views.render(ctx, 'helpdesk/bind-prove', { step: found.step, camera, action: PROVE, shownNumber })
  }
  const open = signedIn((ctx, visit) => show(ctx, visit))
  const askColleague = signedIn(async (ctx, visit) => show(ctx, visit, await proofs.askColleague(visit.account)))
  router.get(PROVE, guard({}, open))
  router.post(`${PROVE}/colega`, guard({}, askColleague))
  if (face.liveness === undefined) return

  async function openCheck(ctx: HttpContext): Promise<FaceCheckVisit> {
    const visit = await findVisit(ctx)
    const found = visit && (await proofs.find(visit.account.id))
    if (visit === undefined || found === undefined) throw new Problem(HELPDESK_PROBLEMS.nothingClaimed)
    const { account, session } = visit
    const bindingHash = createHash('sha256').update(`balcao ${session.id}`).digest('hex')
    return {
      caller: { accountId: account.id, door: COUNTER_DOOR, bindingHash, purpose: `balcao:${found.claim.attendanceId}` },
      prepare: async () => ({ occasion: { boundDevice: false, attended: false }, settle: await proofs.prepareFace(account.id) }),
      conclude: async () => PROVE,
    }
  }
  router.use(createFaceCheckRoutes({ liveness: face.liveness, messages: pages.messages, base: FACE, open: openCheck }).routes())
}

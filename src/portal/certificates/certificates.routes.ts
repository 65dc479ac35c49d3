import Router from '@koa/router'
import { z } from 'zod'
import { inRoom } from '../../platform/http/app.ts'
import { guard } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import type { CredentialState } from '../../signatures/index.ts'
import { linesOf } from '../history/ledger-line.ts'
import { type Outcome, type OutcomeQuery, outcomeQuery, tell } from '../outcome.ts'
import { seeOther, type Visit, type VisitHandler } from '../pages.ts'
import { cardOf, type CertificateDesk, orExplain, PAGE } from './desk.ts'
import { addIssueRoutes } from './issue.routes.ts'

const params = z.object({ id: z.uuid() })
type Params = z.output<typeof params>
const HISTORY_LINES = 200

/** What may be done in each state, in the order of the page. */
const ACTIONS = {
  active: ['renovar', 'parar', 'revogar'],
  suspended: ['liberar', 'renovar', 'revogar'],
  replaced: ['revogar'],
  expired: ['renovar'],
  revoked: [],
} as const satisfies Record<CredentialState, readonly string[]>

const CHANGES = {
  parar: { change: 'suspend', done: 'certificate-suspended' },
  liberar: { change: 'resume', done: 'certificate-resumed' },
  revogar: { change: 'revoke', done: 'certificate-revoked' },
} as const satisfies Record<string, { change: 'suspend' | 'resume' | 'revoke'; done: Outcome }>

/** "Certificados": the citizen's list, each with what it is good for, its history, and its end in two presses. */
export function createCertificateRoutes(desk: CertificateDesk): Router {
  const { pages, credentials } = desk
  const router = new Router()
  router.use(inRoom('portal'), pages.refusals)
  router.get(PAGE, pages.section({ section: 'certificates', view: 'certificates/list' }, async ({ account }) => ({
    certificates: (await credentials.list(account.id)).map(cardOf),
  })))
  addIssueRoutes(router, desk)
  router.get(`${PAGE}/:id`, guard({ params, query: outcomeQuery }, pages.signedIn((ctx, visit, { params: { id }, query }: { params: Params; query: OutcomeQuery }) =>
    showOne(desk, ctx, visit, { id, outcome: query.feito }))))
  router.get(`${PAGE}/:id/certificado.cer`, guard({ params }, pages.signedIn((ctx, visit, { params: { id } }: { params: Params }) => download(desk, ctx, visit, id))))
  addChanges(router, desk)
  return router
}

/** Closing doors asks for nothing more than being signed in; opening one wants a sign-in of now. */
function addChanges(router: Router, desk: CertificateDesk): void {
  const { pages, credentials } = desk
  for (const [name, { change, done }] of Object.entries(CHANGES)) {
    const handler: VisitHandler<{ params: Params }> = (ctx, visit, { params: { id } }) =>
      orExplain(desk, ctx, visit, async () => {
        const accountId = visit.account.id
        await credentials[change]({ id, accountId, cause: 'citizen', actor: { kind: 'citizen', id: accountId } })
        seeOther(ctx, tell(`${PAGE}/${id}`, done))
      })
    router.post(`${PAGE}/:id/${name}`, guard({ params }, change === 'resume' ? pages.fresh(handler) : pages.signedIn(handler)))
    // A sign-in on the way, or a reload.
    router.get(`${PAGE}/:id/${name}`, guard({ params }, (ctx, { params: { id } }) => seeOther(ctx, `${PAGE}/${id}`)))
  }
}

async function showOne({ pages, credentials, ledger }: CertificateDesk, ctx: HttpContext, visit: Visit, { id, outcome }: { id: string; outcome?: Outcome | undefined }): Promise<void> {
  const credential = await credentials.get(id, visit.account.id)
  const found = await ledger.audit.ledger(visit.account.id, { limit: HISTORY_LINES })
  const own = found.filter(({ type, data }) => type.startsWith('signatures/') && (data['serial'] === credential.serial || data['credentialId'] === id))
  const entries = await linesOf(ctx, ledger, visit.account.id, own)
  pages.show(ctx, visit, { section: 'certificates', view: 'certificates/one', outcome, data: { certificate: cardOf(credential), entries, actions: ACTIONS[credential.state] } })
}

async function download({ credentials }: CertificateDesk, ctx: HttpContext, visit: Visit, id: string): Promise<void> {
  const { certificates, serial } = await credentials.get(id, visit.account.id)
  ctx.status = 200
  ctx.set('Content-Disposition', `attachment; filename="certificado-${serial}.cer"`)
  ctx.type = 'application/pkix-cert'
  ctx.body = certificates[0]
}

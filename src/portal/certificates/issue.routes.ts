import type Router from '@koa/router'
import { z } from 'zod'
import { type FieldErrors, guard } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { isProblem, Problem } from '../../platform/problem.ts'
import { shownParty, SIGNATURE_PROBLEMS } from '../../signatures/index.ts'
import { PROOF_KINDS } from '../entrance.routes.ts'
import { tell } from '../outcome.ts'
import { seeOther, type Visit } from '../pages.ts'
import { type CertificateDesk, keyOfPower, orExplain, PAGE } from './desk.ts'

const ask = z.object({ prova: z.enum(PROOF_KINDS, 'platform.field.required'), troca: z.uuid().optional(), como: z.string().max(400).default('') })
type Ask = z.output<typeof ask>
const asked = z.object({ troca: z.uuid().optional() })
const params = z.object({ id: z.uuid() })
const given = z.string().min(1, 'platform.field.required').max(1024)
const chosen = z.object({ password: given, again: given })
type Chosen = z.output<typeof chosen>

const NEW = `${PAGE}/novo`

/** A new certificate, or one in the place of another: what it is, a proof that names it, and then its password. */
export function addIssueRoutes(router: Router, desk: CertificateDesk): void {
  const { pages, credentials, prove } = desk
  const show = async (ctx: HttpContext, visit: Visit, data: { replaces?: string | undefined; errors?: FieldErrors }) => {
    const parties = data.replaces === undefined ? (await desk.representedBy(visit)).map((one) => ({ value: keyOfPower(one), ...shownParty(one) })) : []
    pages.show(ctx, visit, { section: 'certificates', view: 'certificates/new', data: { ...data, parties } })
  }
  const explain = pages.signedIn((ctx, visit, { query }: { query: z.output<typeof asked> }) => show(ctx, visit, { replaces: query.troca }))
  const begin = pages.signedIn((ctx, visit, { body }: { body: Ask }) =>
    orExplain(desk, ctx, visit, async () => {
      // Whoever has just recovered an account waits, as for any other change of credentials.
      if (visit.heldUntil !== undefined) return seeOther(ctx, '/conta/seguranca')
      const as = body.como === '' ? undefined : (await desk.representedBy(visit)).find((one) => keyOfPower(one) === body.como)
      if (body.como !== '' && !as) throw new Problem(SIGNATURE_PROBLEMS.mandateRefused)
      const { id, nonce } = await credentials.begin({ accountId: visit.account.id, replaces: body.troca, as })
      await prove(ctx, { nonce, proof: body.prova, returnTo: `${NEW}/${id}` })
    }),
  )
  router.get(NEW, guard({ query: asked }, explain))
  router.post(NEW, guard({ body: ask, onInvalid: pages.signedIn((ctx, visit, { errors }: { errors: FieldErrors }) => show(ctx, visit, { errors })) }, begin))
  addPasswordStep(router, desk)
}

function addPasswordStep(router: Router, desk: CertificateDesk): void {
  const { pages, credentials } = desk
  const show = (ctx: HttpContext, visit: Visit, id: string, errors?: FieldErrors) =>
    pages.show(ctx, visit, { section: 'certificates', view: 'certificates/password', data: { action: `${NEW}/${id}`, ...(errors && { errors }) } })
  const finish = pages.signedIn((ctx, visit, { params: { id }, body }: { params: z.output<typeof params>; body: Chosen }) =>
    orExplain(desk, ctx, visit, async () => {
      const errors = body.password === body.again ? await faultOf(async () => {
        const made = await credentials.finish({ id, idToken: visit.idToken, password: body.password })
        seeOther(ctx, tell(`${PAGE}/${made.id}`, 'certificate-issued'))
      }) : { again: 'certificates.field.again' }
      if (errors === undefined) return
      ctx.status = 422
      show(ctx, visit, id, errors)
    }),
  )
  const onInvalid = pages.signedIn((ctx, visit, { errors, params: { id } }: { errors: FieldErrors; params: z.output<typeof params> }) => show(ctx, visit, id, errors))
  router.get(`${NEW}/:id`, guard({ params }, pages.signedIn((ctx, visit, { params: { id } }: { params: z.output<typeof params> }) => show(ctx, visit, id))))
  router.post(`${NEW}/:id`, guard({ params, body: chosen, onInvalid }, finish))
}

/** Why the password cannot be the one; undefined once the certificate is made. */
async function faultOf(work: () => Promise<void>): Promise<FieldErrors | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    if (!isProblem(error, SIGNATURE_PROBLEMS.weakSigningPassword)) throw error
    return { password: error.detail === 'same' ? 'certificates.field.same' : `oidc.interaction.field.password-${error.detail}` }
  }
}

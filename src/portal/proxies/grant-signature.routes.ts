import Router from '@koa/router'
import { z } from 'zod'
import { guard } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { isProblem } from '../../platform/problem.ts'
import { PROXIES_PROBLEMS, type ShownSigning, type SignedGrants } from '../../proxies/index.ts'
import { ACCOUNTS_PROBLEMS } from '../../accounts/index.ts'
import { SIGNATURE_PROBLEMS } from '../../signatures/index.ts'
import { PROOF_KINDS, type Prove } from '../entrance.routes.ts'
import { type Outcome, tell } from '../outcome.ts'
import { seeOther, type Visit } from '../pages.ts'
import { explaining } from '../refusal.ts'
import { wordsOf } from './cards.ts'
import { actingAs, GRANT_REFUSALS, inName, PAGE, type ProxyDesk, type Refusal, showIn } from './desk.ts'
import { createDrafts } from './draft.ts'

/** How a grantor signs with a certificate. */
export interface GrantSigning {
  readonly grants: SignedGrants
  readonly prove: Prove
}

const params = z.object({ attempt: z.uuid() })
const proving = z.object({ prova: z.enum(PROOF_KINDS) })
type Params = z.output<typeof params>

export const pathOfSigning = (id: string): string => `${PAGE}/assinatura/${id}`

const refusalOf = explaining([
  ...GRANT_REFUSALS,
  SIGNATURE_PROBLEMS.noAuthority,
  SIGNATURE_PROBLEMS.clockBehind,
  SIGNATURE_PROBLEMS.notEntitled,
  ACCOUNTS_PROBLEMS.waysUnconfirmed,
  SIGNATURE_PROBLEMS.activationOver,
  SIGNATURE_PROBLEMS.activationUnproven,
  SIGNATURE_PROBLEMS.tooManyActivations,
])

/** Powers that want an advanced signature: read the instrument, prove who you are, and it is signed and given at once. */
export function createSignatureRoutes(desk: ProxyDesk, { grants, prove }: GrantSigning): Router {
  const { pages } = desk
  const drafts = createDrafts(desk.sessions)
  const router = new Router()

  /** What is over, or somebody else's, leads back to the list, which says what became of it. */
  const withSigning = async (
    ctx: HttpContext,
    visit: Visit,
    id: string,
    work: (shown: ShownSigning) => Promise<void> | void,
  ): Promise<void> => {
    try {
      await work(await grants.get(actingAs(visit, undefined), id))
    } catch (error) {
      if (!isProblem(error, PROXIES_PROBLEMS.signingOver)) throw error
      seeOther(ctx, PAGE)
    }
  }

  async function show(
    ctx: HttpContext,
    visit: Visit,
    shown: ShownSigning,
    { id, refusal }: { id: string; refusal?: Refusal | undefined },
  ): Promise<void> {
    const mode = modeOf(shown)
    if (refusal !== undefined) ctx.status = 422
    const { terms, company, texts } = shown
    showIn(desk, ctx, visit, {
      view: 'proxies/draft-assinatura',
      company,
      data: {
        mode,
        terms,
        refusal,
        words: await wordsOf(ctx, desk, terms.powers),
        action: pathOfSigning(id),
        back: `${PAGE}/${mode}/resumo`,
        heldUntil: visit.heldUntil,
        texts: texts.map(({ sha256 }, index) => ({
          sha256,
          name: terms.delegates[index]?.name,
          href: `${pathOfSigning(id)}/texto/${index + 1}`,
        })),
      },
    })
  }

  const open = pages.signedIn((ctx, visit, { params: { attempt } }: { params: Params }) =>
    withSigning(ctx, visit, attempt, (shown) => show(ctx, visit, shown, { id: attempt })),
  )

  const read = pages.signedIn((ctx, visit, { params: { attempt, number } }: { params: Params & { number: number } }) =>
    withSigning(ctx, visit, attempt, ({ texts }) => {
      const text = texts[number - 1]
      if (!text) return seeOther(ctx, pathOfSigning(attempt))
      ctx.status = 200
      ctx.set('Content-Disposition', `attachment; filename="procuracao-para-assinar-${number}.pdf"`)
      ctx.type = 'application/pdf'
      ctx.body = text.pdf
    }),
  )

  const confirmed = pages.signedIn((ctx, visit, { params: { attempt }, body }: { params: Params; body: z.output<typeof proving> }) =>
    withSigning(ctx, visit, attempt, async (shown) => {
      const refusal = await refusalOf(async () => {
        const { nonce } = await grants.begin(actingAs(visit, undefined), attempt)
        await prove(ctx, { proof: body.prova, nonce, returnTo: `${pathOfSigning(attempt)}/feita` })
      })
      if (refusal !== undefined) await show(ctx, visit, shown, { id: attempt, refusal })
    }),
  )

  // Reached from the proof alone: without an id_token whose nonce names these very texts nothing happens here.
  const finish = pages.signedIn((ctx, visit, { params: { attempt } }: { params: Params }) =>
    withSigning(ctx, visit, attempt, async (shown) => {
      const refusal = await refusalOf(
        async () => void (await grants.finish(actingAs(visit, undefined), attempt, { idToken: visit.idToken })),
      )
      if (refusal !== undefined) return show(ctx, visit, shown, { id: attempt, refusal })
      await drafts.save(ctx, undefined)
      const done: Outcome = shown.parentId === undefined ? 'proxy-granted' : 'proxy-passed-on'
      seeOther(ctx, inName(PAGE, shown.company) + (shown.company ? '&' : '?') + tell('', done).slice(1))
    }),
  )

  router.get(`${PAGE}/assinatura/:attempt`, guard({ params }, open))
  router.get(
    `${PAGE}/assinatura/:attempt/texto/:number`,
    guard({ params: params.extend({ number: z.coerce.number().int().min(1).max(10) }) }, read),
  )
  router.post(`${PAGE}/assinatura/:attempt`, guard({ params, body: proving }, confirmed))
  router.get(`${PAGE}/assinatura/:attempt/feita`, guard({ params }, finish))
  return router
}

const modeOf = ({ parentId }: ShownSigning) => (parentId === undefined ? 'nova' : 'repassar')

import Router from '@koa/router'
import { z } from 'zod'
import { type FieldErrors, guard, type Typed } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { parsePartyRef } from '../../proxies/index.ts'
import { seeOther, type Visit } from '../pages.ts'
import { PAGE, type ProxyDesk, showIn } from './desk.ts'
import { createDrafts, MOST_PEOPLE, type ProxyDraft, stepOf } from './draft.ts'
import { person } from './person-form.ts'

export const OTHERS = `${PAGE}/nova/juntos`
const SUMMARY = `${PAGE}/nova/resumo`

const adding = person
const together = z.object({ modo: z.enum(['sozinha', 'juntas'], 'platform.field.required'), quorum: z.string().trim().regex(/^\d{0,2}$/, 'procuracoes.field.quorum').default('') })
const dropping = z.object({ document: z.string().max(30) })

type Again = { errors?: FieldErrors; typed?: Typed }

/** More people in the same mandate: each alone, or only so many of them together. */
export function createOthersRoutes(desk: ProxyDesk): Router {
  const { pages } = desk
  const drafts = createDrafts(desk.sessions)
  const router = new Router()

  const show = (ctx: HttpContext, visit: Visit, draft: ProxyDraft, again: Again = {}) => {
    const people = peopleOf(draft)
    const typed = { modo: draft.quorum === undefined ? 'sozinha' : 'juntas', quorum: String(draft.quorum ?? people.length), ...again.typed }
    showIn(desk, ctx, visit, {
      view: 'proxies/draft-juntos', company: draft.company,
      data: { people, isFull: people.length >= MOST_PEOPLE, action: OTHERS, back: SUMMARY, ...again, typed },
    })
  }
  /** Only in a draft that has come to its summary. */
  const withDraft = async (ctx: HttpContext, work: (draft: ProxyDraft) => Promise<void> | void): Promise<void> => {
    const draft = await drafts.find(ctx)
    if (draft?.mode !== 'nova' || stepOf(draft) !== 'resumo') return seeOther(ctx, `${PAGE}/nova`)
    await work(draft)
  }

  const open = pages.signedIn((ctx, visit) => withDraft(ctx, (draft) => show(ctx, visit, draft)))
  const onInvalid = pages.signedIn((ctx, visit, { errors, typed }: { errors: FieldErrors; typed: Typed }) => withDraft(ctx, (draft) => show(ctx, visit, draft, { errors, typed })))
  const add = pages.signedIn((ctx, visit, { body }: { body: z.output<typeof adding> }) =>
    withDraft(ctx, async (draft) => {
      const isThere = peopleOf(draft).some(({ document }) => isSame(document, body.document))
      if (isThere || peopleOf(draft).length >= MOST_PEOPLE) {
        ctx.status = 422
        return show(ctx, visit, draft, { errors: { document: 'procuracoes.field.person-again' }, typed: body })
      }
      await drafts.save(ctx, { ...draft, others: [...(draft.others ?? []), body] })
      seeOther(ctx, OTHERS)
    }),
  )
  const choose = pages.signedIn((ctx, visit, { body: { modo, quorum } }: { body: z.output<typeof together> }) =>
    withDraft(ctx, async (draft) => {
      const { quorum: _before, ...kept } = draft
      const wanted = modo === 'juntas' ? Number(quorum) : undefined
      if (wanted !== undefined && (wanted < 2 || wanted > peopleOf(draft).length)) {
        ctx.status = 422
        return show(ctx, visit, draft, { errors: { quorum: 'procuracoes.field.quorum' }, typed: { modo, quorum } })
      }
      await drafts.save(ctx, { ...kept, ...(wanted !== undefined && { quorum: wanted }) })
      seeOther(ctx, SUMMARY)
    }),
  )
  const drop = pages.signedIn((ctx, _visit, { body }: { body: z.output<typeof dropping> }) =>
    withDraft(ctx, async (draft) => {
      const others = (draft.others ?? []).filter(({ document }) => document !== body.document)
      const { quorum, ...kept } = draft
      const isPossible = quorum !== undefined && quorum <= others.length + 1
      await drafts.save(ctx, { ...kept, others, ...(isPossible && { quorum }) })
      seeOther(ctx, OTHERS)
    }),
  )

  router.get(OTHERS, guard({}, open))
  router.post(OTHERS, guard({ body: together, keep: ['modo', 'quorum'], onInvalid }, choose))
  router.post(`${OTHERS}/pessoa`, guard({ body: adding, keep: ['document', 'name'], onInvalid }, add))
  router.post(`${OTHERS}/retirar`, guard({ body: dropping, onInvalid }, drop))
  // A reload, or a sign-in, after a form that was answered.
  router.get(`${OTHERS}/*rest`, (ctx) => seeOther(ctx, OTHERS))
  return router
}

/** Everybody who would receive it. */
export function peopleOf({ document = '', name = '', others = [] }: ProxyDraft): { document: string; name: string }[] {
  return [{ document, name }, ...others]
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [parsePartyRef(one), parsePartyRef(other)]
  return a !== undefined && JSON.stringify(a) === JSON.stringify(b)
}

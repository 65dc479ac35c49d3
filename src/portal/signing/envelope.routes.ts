import Router from '@koa/router'
import { z } from 'zod'
import { parseCpf, parsePersonName } from '../../accounts/index.ts'
import { type FieldErrors, files, guard, type InvalidForm, type Typed } from '../../platform/http/guard.ts'
import type { HttpContext } from '../../platform/http/request-facts.ts'
import { type Envelope, ENVELOPE_LIMITS, KEPT_DAYS, PADES_LEVELS, SIGNING_ORDERS, TERM_DAYS } from '../../signatures/index.ts'
import { type Outcome, outcomeQuery, tell } from '../outcome.ts'
import { seeOther, type Visit } from '../pages.ts'
import { envelopeCard, recordCard } from './cards.ts'
import { PAGE, personOf, type Refusal, refusalOf, type SigningDesk, showIn } from './desk.ts'
import { uploadLimits, type Uploads } from './upload.ts'

const params = z.object({ id: z.uuid() })
type Params = z.output<typeof params>
const part = params.extend({ part: z.uuid() })
const person = z.object({
  cpf: z.string().max(20).transform((text, context) => parseCpf(text) ?? invalid(context, 'accounts.field.cpf')),
  nome: z.string().max(200).transform((text, context) => parsePersonName(text) ?? invalid(context, 'assinaturas.field.name')),
})
const terms = z.object({ ordem: z.enum(SIGNING_ORDERS), dias: z.coerce.number().refine((days) => TERM_DAYS.some((one) => one === days)) })
const lasting = z.object({ nivel: z.enum(PADES_LEVELS) })
const refusing = z.object({ motivo: z.string().trim().min(3, 'assinaturas.field.reason').max(500) })
const upload = z.object({ arquivos: files })

interface Again {
  readonly outcome?: Outcome | undefined
  readonly refusal?: Refusal | undefined
  readonly errors?: FieldErrors
  readonly typed?: Typed
}

/** One envelope: in the making, waiting, over. */
export function createEnvelopeRoutes(desk: SigningDesk, uploads: Uploads): Router {
  const { pages, signing: { drafts, envelopes } } = desk
  const router = new Router()
  const at = (id: string) => `${PAGE}/${id}`

  /** A change of an envelope: back to its page, or the page again with what is wrong. */
  const change = <Input extends { readonly params: Params }>(work: (visit: Visit, input: Input) => Promise<void>, outcome?: Outcome) =>
    pages.signedIn(async (ctx, visit, input: Input) => {
      const refusal = await refusalOf(() => work(visit, input))
      if (refusal === undefined) return seeOther(ctx, outcome ? tell(at(input.params.id), outcome) : at(input.params.id))
      ctx.status = 422
      await showEnvelope(desk, ctx, visit, input.params.id, { refusal })
    })
  const again = pages.signedIn((ctx, visit, { params: { id }, errors, typed }: InvalidForm<Params, undefined>) => showEnvelope(desk, ctx, visit, id, { errors, typed }))

  router.get(`${PAGE}/:id`, guard({ params, query: outcomeQuery }, pages.signedIn((ctx, visit, { params: { id }, query }: { params: Params; query: z.output<typeof outcomeQuery> }) => showEnvelope(desk, ctx, visit, id, { outcome: query.feito }))))
  router.post(
    `${PAGE}/:id/documentos`,
    uploads((ctx, visit) => showEnvelope(desk, ctx, visit, params.parse(ctx.params).id, { refusal: { code: 'signatures/too-much', detail: 'upload' } })),
    guard({ params, consumes: 'upload', ...uploadLimits, body: upload, onInvalid: again }, change((visit, { params: { id }, body }: { params: Params; body: z.output<typeof upload> }) => drafts.addDocuments(personOf(visit), id, body.arquivos))),
  )
  router.post(`${PAGE}/:id/documentos/:part/remover`, guard({ params: part }, change((visit, input: { params: z.output<typeof part> }) => drafts.removeDocument(personOf(visit), input.params.id, input.params.part))))
  router.post(`${PAGE}/:id/pessoas`, guard({ params, body: person, keep: ['cpf', 'nome'], onInvalid: again }, change((visit, { params: { id }, body }: { params: Params; body: z.output<typeof person> }) => drafts.addSigner(personOf(visit), id, { cpf: body.cpf, name: body.nome }))))
  router.post(`${PAGE}/:id/pessoas/eu`, guard({ params }, change((visit, { params: { id } }: { params: Params }) => drafts.addSigner(personOf(visit), id, personOf(visit)))))
  router.post(`${PAGE}/:id/pessoas/:part/remover`, guard({ params: part }, change((visit, input: { params: z.output<typeof part> }) => drafts.removeSigner(personOf(visit), input.params.id, input.params.part))))
  router.post(`${PAGE}/:id/prazo`, guard({ params, body: terms, onInvalid: again }, change(async (visit, { params: { id }, body }: { params: Params; body: z.output<typeof terms> }) => drafts.setTerms(personOf(visit), id, { order: body.ordem, days: body.dias }), 'document-saved')))
  router.post(`${PAGE}/:id/nivel`, guard({ params, body: lasting, onInvalid: again }, change((visit, { params: { id }, body }: { params: Params; body: z.output<typeof lasting> }) => drafts.setLevel(personOf(visit), id, body.nivel), 'document-saved')))
  const send = pages.signedIn(async (ctx, visit, { params: { id } }: { params: Params }) => {
    const refusal = await refusalOf(() => drafts.send(personOf(visit), id))
    ctx.status = refusal ? 422 : ctx.status
    if (refusal) return showEnvelope(desk, ctx, visit, id, { refusal })
    // Who signs alone goes on to it: nobody has to be told.
    const { signers } = await envelopes.get(personOf(visit), id)
    const isAlone = signers.length === 1 && signers[0]?.cpf === personOf(visit).cpf
    seeOther(ctx, isAlone ? `${at(id)}/assinar` : tell(at(id), 'document-sent'))
  })
  router.post(`${PAGE}/:id/enviar`, guard({ params }, send))
  router.post(`${PAGE}/:id/cancelar`, guard({ params }, change((visit, { params: { id } }: { params: Params }) => drafts.cancel(personOf(visit), id), 'document-cancelled')))
  router.post(`${PAGE}/:id/recusar`, guard({ params, body: refusing, keep: ['motivo'], onInvalid: again }, change((visit, { params: { id }, body }: { params: Params; body: z.output<typeof refusing> }) => envelopes.refuse(personOf(visit), id, body.motivo), 'document-refused')))
  return router
}

export async function showEnvelope(desk: SigningDesk, ctx: HttpContext, visit: Visit, id: string, { outcome, ...again }: Again = {}): Promise<void> {
  const { signing, about } = desk
  const by = personOf(visit)
  const envelope = await signing.envelopes.get(by, id)
  const attempt = await signing.envelopes.lastAttempt(by, id)
  const records = (await signing.records.ofEnvelope(by, id)).map(recordCard)
  showIn(desk, ctx, visit, {
    view: envelope.state === 'draft' ? 'signing/draft' : 'signing/envelope',
    outcome,
    data: {
      envelope: envelopeCard(envelope, by), records, together: signedTogether(envelope, records), levels: signing.levels, ...again, limits: ENVELOPE_LIMITS, kept: KEPT_DAYS, terms: TERM_DAYS,
      days: Math.round((envelope.expiresAt.getTime() - envelope.createdAt.getTime()) / 86_400_000),
      lost: attempt?.state === 'failed' || attempt?.state === 'lost' ? attempt : undefined,
      client: envelope.clientId && (await about.clientName(envelope.clientId)),
      asker: envelope.ownerId === undefined || envelope.ownerId === by.accountId ? undefined : await about.personName(envelope.ownerId),
      returnHref: returnAddress(envelope),
    },
  })
}

/** Files with several signatures beside them, and where all of those are in one. */
function signedTogether({ id, documents }: Envelope, records: readonly { documentId: string }[]) {
  const isOften = (document: { id: string }) => records.filter(({ documentId }) => documentId === document.id).length > 1
  return documents.filter((document) => document.form === 'file' && isOften(document)).map((document) => ({ name: document.name, href: `${PAGE}/${id}/documentos/${document.id}/assinaturas.p7s` }))
}

/** Where a relying party's signer goes back to, with its state; registered with the envelope, never taken from a request. */
function returnAddress({ id, state, returnTo, clientState }: { id: string; state: string; returnTo: string | undefined; clientState: string | undefined }): string | undefined {
  if (returnTo === undefined) return undefined
  const url = new URL(returnTo)
  url.searchParams.set('assinatura', id)
  url.searchParams.set('situacao', state)
  if (clientState !== undefined) url.searchParams.set('state', clientState)
  return url.href
}

function invalid(context: z.core.$RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message })
  return z.NEVER
}

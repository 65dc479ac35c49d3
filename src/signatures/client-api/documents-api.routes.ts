import Router from '@koa/router'
import { z } from 'zod'
import { parseCpf, parsePersonName } from '../../accounts/index.ts'
import { inRoom } from '../../platform/http/app.ts'
import { createBodyHold } from '../../platform/http/body/hold.ts'
import { bytes, guard } from '../../platform/http/guard.ts'
import { HTTP_PROBLEMS } from '../../platform/http/problems.ts'
import type { HttpContext, HttpMiddleware } from '../../platform/http/request-facts.ts'
import { Problem } from '../../platform/problem.ts'
import type { DocumentSigning } from '../confirmation/document-signing.ts'
import { TIME_STATES } from '../confirmation/late-time.store.ts'
import type { SignatureRecord } from '../confirmation/records.ts'
import { DEFAULT_TERM_DAYS, type Envelope, ENVELOPE_LIMITS, PADES_LEVELS, SIGNING_ORDERS, TERM_DAYS } from '../envelope/envelope.ts'
import { DOCUMENTS_PATH, type DocumentsClient, type RequireDocumentsClient } from './policy.ts'

export interface DocumentsApiDependencies {
  readonly documents: Pick<DocumentSigning, 'drafts' | 'envelopes' | 'records'>
  readonly publicUrl: string
  readonly requireClient: RequireDocumentsClient
  /** Quotas: calls by the minute, envelopes by the month. @throws {Problem} platform/too-many */
  readonly claim: (ctx: HttpContext, client: DocumentsClient, what: 'call' | 'envelope') => Promise<void>
}

const cpf = z.string().max(20).transform((text, context) => parseCpf(text) ?? refuse(context))
const name = z.string().max(200).transform((text, context) => parsePersonName(text) ?? refuse(context))
const opening = z.strictObject({
  assinantes: z.array(z.strictObject({ cpf, nome: name })).min(1).max(ENVELOPE_LIMITS.signers),
  ordem: z.enum(SIGNING_ORDERS).default('sequence'),
  prazo_dias: z.literal(TERM_DAYS).default(DEFAULT_TERM_DAYS),
  nivel: z.enum(PADES_LEVELS).optional(),
  /** Where signers go back to, on a site that is registered for the client; `estado` comes back with them. */
  retorno: z.url().max(500).optional(),
  estado: z.string().max(200).optional(),
})
const params = z.object({ id: z.uuid() })
const part = params.extend({ part: z.uuid() })
const naming = z.object({ nome: z.string().min(1).max(200) })
const opened = z.object({ id: z.string(), endereco: z.string() })
const added = z.object({ id: z.string(), nome: z.string(), sha256: z.string(), paginas: z.int().nullable() })
const state = z.object({
  id: z.string(), situacao: z.string(), ordem: z.string(), nivel: z.enum(PADES_LEVELS), expira_em: z.string(), documentos_ate: z.string(), endereco: z.string(),
  assinantes: z.array(z.object({ cpf: z.string(), situacao: z.string(), decidido_em: z.string().nullable(), motivo: z.string().nullable() })),
  documentos: z.array(z.object({ id: z.string(), nome: z.string(), forma: z.string(), sha256: z.string(), sha256_atual: z.string() })),
  assinaturas: z.array(z.object({ id: z.string(), documento: z.string(), assinante: z.string(), em: z.string(), formato: z.string(), carimbo: z.enum(TIME_STATES), serie: z.string(), sha256: z.string(), codigo: z.string(), representado: z.string().nullable() })),
})

/** Of documents that are on their way, over slow lines too: of all clients, and of one. */
const BODIES = { bytes: 20 * ENVELOPE_LIMITS.documentBytes, bytesEach: 5 * ENVELOPE_LIMITS.documentBytes, bodiesEach: 20, longest: ENVELOPE_LIMITS.documentBytes } as const

/** How a relying party has documents signed by citizens: it hands them in, sends the citizens here, and fetches the result. */
export function createDocumentsApi({ documents, publicUrl, requireClient, claim }: DocumentsApiDependencies): Router {
  const { drafts, envelopes, records } = documents
  const router = new Router()
  router.use(inRoom('signatures'))
  const clients = new WeakMap<HttpContext, DocumentsClient>()
  /** Token and quota before a byte of the body is read. */
  const admitted: HttpMiddleware = async (ctx, next) => {
    const client = await requireClient(ctx)
    await claim(ctx, client, 'call')
    clients.set(ctx, client)
    await next()
  }
  const callerOf = (ctx: HttpContext) => {
    const client = clients.get(ctx)
    if (!client) throw new Error('a call without its client')
    return { client, by: { clientId: client.id } }
  }
  const hold = createBodyHold(BODIES)
  const held: HttpMiddleware = (ctx, next) => hold(ctx, callerOf(ctx).client.id, next)
  const address = (id: string) => `${publicUrl}/conta/assinaturas/${id}`
  const at = `${DOCUMENTS_PATH}/processos`

  router.post(at, admitted, guard({ consumes: 'json', csrf: false, body: opening, response: opened }, async (ctx, { body }) => {
    const { client, by } = callerOf(ctx)
    checkReturn(client, body.retorno)
    await claim(ctx, client, 'envelope')
    const id = await drafts.create(by, [], { returnTo: body.retorno, clientState: body.estado, level: body.nivel })
    for (const signer of body.assinantes) await drafts.addSigner(by, id, { cpf: signer.cpf, name: signer.nome })
    await drafts.setTerms(by, id, { order: body.ordem, days: body.prazo_dias })
    ctx.status = 201
    ctx.body = { id, endereco: address(id) }
  }))

  router.post(`${at}/:id/documentos`, admitted, held, guard({ consumes: 'bytes', contentTypes: ['application/pdf', 'application/octet-stream'], csrf: false, limitBytes: ENVELOPE_LIMITS.documentBytes, isSlow: true, params, query: naming, body: bytes, response: added }, async (ctx, input) => {
    const { by } = callerOf(ctx)
    await drafts.addDocuments(by, input.params.id, [{ name: input.query.nome, bytes: input.body }])
    const document = (await envelopes.get(by, input.params.id)).documents.at(-1)
    ctx.status = 201
    ctx.body = document && { id: document.id, nome: document.name, sha256: document.sha256, paginas: document.pages ?? null }
  }))

  const change = (work: (by: { clientId: string }, id: string) => Promise<void>) =>
    guard({ consumes: 'json', csrf: false, params, response: state }, async (ctx, input) => {
      const { by } = callerOf(ctx)
      await work(by, input.params.id)
      await tell(ctx, by, input.params.id)
    })
  router.post(`${at}/:id/envio`, admitted, change(drafts.send))
  router.post(`${at}/:id/cancelamento`, admitted, change(drafts.cancel))

  async function tell(ctx: HttpContext, by: { clientId: string }, id: string): Promise<void> {
    ctx.body = spoken(await envelopes.get(by, id), await records.ofEnvelope(by, id), address(id))
  }
  router.get(`${at}/:id`, admitted, guard({ params, response: state }, (ctx, input) => tell(ctx, callerOf(ctx).by, input.params.id)))
  router.get(`${at}/:id/documentos/:part`, admitted, guard({ params: part }, async (ctx, input) => {
    const { document, bytes: file } = await envelopes.open(callerOf(ctx).by, input.params.id, input.params.part)
    ctx.type = document.form === 'pdf' ? 'application/pdf' : 'application/octet-stream'
    ctx.body = file
  }))
  router.get(`${at}/:id/documentos/:part/assinaturas`, admitted, guard({ params: part }, async (ctx, input) => {
    ctx.type = 'application/pkcs7-signature'
    ctx.body = (await records.together(callerOf(ctx).by, input.params.id, input.params.part)).bytes
  }))
  router.get(`${at}/:id/assinaturas/:part`, admitted, guard({ params: part }, async (ctx, input) => {
    ctx.type = 'application/pkcs7-signature'
    ctx.body = (await records.detached(callerOf(ctx).by, input.params.id, input.params.part)).bytes
  }))
  router.get(`${at}/:id/recibo`, admitted, guard({ params }, async (ctx, input) => {
    ctx.type = 'application/pdf'
    ctx.body = await records.receipt(callerOf(ctx).by, input.params.id)
  }))
  return router
}

/** No link of ours leads where an operator did not say that this client's people come from. */
function checkReturn({ redirectUris }: DocumentsClient, returnTo: string | undefined): void {
  if (returnTo === undefined) return
  const { origin, protocol } = new URL(returnTo)
  // `blob:https://…` has the origin of its site, and leads nowhere.
  const isKnown = origin !== 'null' && redirectUris.some((uri) => URL.canParse(uri) && new URL(uri).origin === origin && new URL(uri).protocol === protocol)
  if (!isKnown) throw new Problem(HTTP_PROBLEMS.invalidInput, { detail: 'retorno' })
}

function spoken(envelope: Envelope, records: readonly SignatureRecord[], endereco: string): z.output<typeof state> {
  return {
    id: envelope.id, situacao: envelope.state, ordem: envelope.order, nivel: envelope.level, expira_em: envelope.expiresAt.toISOString(), documentos_ate: envelope.contentsUntil.toISOString(), endereco,
    assinantes: envelope.signers.map((signer) => ({ cpf: signer.cpf, situacao: signer.state, decidido_em: signer.decidedAt?.toISOString() ?? null, motivo: signer.reason ?? null })),
    documentos: envelope.documents.map(({ id, name: nome, form, sha256, currentSha256 }) => ({ id, nome, forma: form === 'pdf' ? 'pades' : 'cades', sha256, sha256_atual: currentSha256 })),
    assinaturas: records.map((record) => ({
      id: record.id, documento: record.document.id, assinante: record.signerName, em: record.signedAt.toISOString(), formato: `${record.document.form === 'pdf' ? 'PAdES' : 'CAdES'} ${record.level}`, carimbo: record.timeState,
      serie: record.serial, sha256: record.sha256, codigo: record.code, representado: record.represented?.name ?? null,
    })),
  }
}

function refuse(context: z.core.$RefinementCtx): never {
  context.addIssue({ code: 'custom', message: 'platform.field.invalid' })
  return z.NEVER
}

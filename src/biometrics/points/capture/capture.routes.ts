import Router from '@koa/router'
import { z } from 'zod'
import { type Cpf, parseCpf } from '../../../accounts/index.ts'
import { inRoom } from '../../../platform/http/app.ts'
import { bytes, guard } from '../../../platform/http/guard.ts'
import type { Messages } from '../../../platform/http/messages.ts'
import { HTTP_PROBLEMS } from '../../../platform/http/problems.ts'
import type { HttpContext, HttpMiddleware } from '../../../platform/http/request-facts.ts'
import { isProblem, Problem } from '../../../platform/problem.ts'
import { type AdmissionDependencies, createAdmission } from '../../agencies/admission.ts'
import type { AgencyClient } from '../../agencies/policy.ts'
import type { Signs } from '../metering/signs.ts'
import { POINT_PROBLEMS } from '../problems.ts'
import type { CapturePoint } from '../registry/point.ts'
import type { Batches } from './batches.ts'
import * as contract from './contract.ts'
import { MOST_BYTES } from './judge-item.ts'
import { captureDocument } from './open-api.ts'
import type { CaptureItem } from './process.ts'
import type { Processes, ProcessView } from './processes.ts'
import type { PointDesk } from './point-desk.ts'
import { MOST_APPEND, type Uploads } from './uploads.ts'
import { itemOf, newItemOf, processHash, processOf, type Wording } from './wire.ts'

export const CAPTURE_BASE = '/api/coleta/v1'
/** What an append is, in the IETF's draft of resumable uploads for HTTP. */
const PARTIAL = 'application/partial-upload'

export interface CaptureRouteDependencies {
  readonly access: AdmissionDependencies
  readonly web: { readonly messages: Messages; readonly publicUrl: string }
  readonly work: { readonly processes: Processes; readonly uploads: Uploads; readonly batches: Batches }
  readonly desk: PointDesk
  readonly signs: Pick<Signs, 'beat'>
}

type Admit = HttpMiddleware & { readonly clientOf: (ctx: HttpContext) => AgencyClient }

const idParams = z.object({ id: z.uuid() })
const codeParams = z.object({ code: contract.pointCode })
const REQUEST_KEY = /^[\x21-\x7e]{8,100}$/
const STATES = { active: 'ativo', suspended: 'suspenso', retired: 'encerrado' } as const

/** The API for capture software below `/api/coleta/v1`. */
export function createCaptureRoutes(deps: CaptureRouteDependencies): Router {
  const router = new Router({ prefix: CAPTURE_BASE })
  router.use(inRoom('biometrics'))
  const admit = createAdmit(deps.access)
  addProcesses(router, deps, admit)
  addUploads(router, deps, admit)
  addPoints(router, deps, admit)
  const document = captureDocument(deps.web.publicUrl, CAPTURE_BASE)
  router.get(
    '/openapi.json',
    guard({}, (ctx) => {
      ctx.body = document
    }),
  )
  return router
}

/** A token that is bound to nothing is refused: stolen, it would put faces on people. */
function createAdmit(access: CaptureRouteDependencies['access']): Admit {
  const { admit, clientOf } = createAdmission(access)
  const bound = admit('biometria.capturar', ({ isBound }) => {
    if (!isBound) throw new Problem(POINT_PROBLEMS.notBound)
  })
  return Object.assign(bound, { clientOf })
}

const wordingOf = ({ web }: CaptureRouteDependencies): Wording => ({ messages: web.messages, base: web.publicUrl + CAPTURE_BASE })

function addProcesses(router: Router, deps: CaptureRouteDependencies, admit: Admit): void {
  const { work: { processes }, desk } = deps
  const wording = wordingOf(deps)
  const show = async (ctx: HttpContext, view: ProcessView) => {
    ctx.body = processOf(wording, ctx, await desk.namesOf(view.process), view)
  }

  router.post(
    '/processos',
    admit,
    guard({ body: contract.processRequest, response: contract.processAnswer, consumes: 'json', csrf: false }, async (ctx, { body }) => {
      const client = admit.clientOf(ctx)
      const key = ctx.get('Idempotency-Key')
      if (!REQUEST_KEY.test(key)) throw new Problem(POINT_PROBLEMS.keyMissing, { detail: '8 to 100 visible ASCII characters' })
      const point = await processes.getPoint(client.id, body.ponto)
      const { isReplay, ...view } = await processes.open(client, point, {
        key, requestHash: processHash(body), cpf: cpfOf(body.cpf), purpose: body.finalidade, operator: body.operador, device: body.aparelho,
        capturedAt: new Date(body.capturado_em), items: body.itens.map(newItemOf),
      })
      if (isReplay) ctx.set('Idempotent-Replayed', 'true')
      ctx.status = 201
      await show(ctx, view)
    }),
  )
  router.get(
    '/processos/:id',
    admit,
    guard({ params: idParams, response: contract.processAnswer }, async (ctx, { params }) => show(ctx, await processes.get(admit.clientOf(ctx).id, params.id))),
  )
  router.post(
    '/processos/:id/itens',
    admit,
    guard({ params: idParams, body: contract.itemRequest, response: contract.itemAnswer, consumes: 'json', csrf: false }, async (ctx, { params, body }) => {
      const added = await processes.addItem(admit.clientOf(ctx).id, params.id, newItemOf(body))
      ctx.status = 201
      ctx.body = itemOf(wording, ctx, added)
    }),
  )
  for (const [path, end] of [['conclusao', processes.conclude], ['desistencia', processes.giveUp]] as const) {
    router.post(
      `/processos/:id/${path}`,
      admit,
      guard({ params: idParams, response: contract.processAnswer, consumes: 'json', csrf: false }, async (ctx, { params }) => show(ctx, await end(admit.clientOf(ctx).id, params.id))),
    )
  }
}

function addUploads(router: Router, deps: CaptureRouteDependencies, admit: Admit): void {
  const { work: { processes, uploads } } = deps
  const wording = wordingOf(deps)

  router.get(
    '/itens/:id',
    admit,
    guard({ params: idParams, response: contract.itemAnswer }, async (ctx, { params }) => {
      const { item } = await processes.getItem(admit.clientOf(ctx).id, params.id)
      tellOffset(ctx, item)
      ctx.body = itemOf(wording, ctx, item)
    }),
  )
  router.patch(
    '/itens/:id',
    admit,
    guard({ params: idParams, body: bytes, response: contract.itemAnswer, consumes: 'bytes', contentTypes: [PARTIAL], csrf: false, limitBytes: MOST_APPEND }, async (ctx, { params, body }) => {
      const client = admit.clientOf(ctx)
      const { process, item } = await processes.getItem(client.id, params.id)
      try {
        const after = await uploads.append(process, item, { offset: offsetOf(ctx), bytes: body, isLast: ctx.get('Upload-Complete') === '?1' })
        tellOffset(ctx, after)
        ctx.body = itemOf(wording, ctx, after)
      } catch (error) {
        const isElsewhere = isProblem(error, POINT_PROBLEMS.offsetWrong) || isProblem(error, POINT_PROBLEMS.digestWrong)
        if (isElsewhere) tellOffset(ctx, (await processes.getItem(client.id, params.id)).item)
        throw error
      }
    }),
  )
}

/** Header fields of draft-ietf-httpbis-resumable-upload. */
function tellOffset(ctx: HttpContext, item: CaptureItem): void {
  const isOver = item.state !== 'receiving'
  ctx.set({
    'Upload-Offset': String(isOver ? item.size : item.received), 'Upload-Complete': isOver ? '?1' : '?0', 'Upload-Length': String(item.size),
    'Upload-Limit': `max-size=${MOST_BYTES}, max-append-size=${MOST_APPEND}`, 'Cache-Control': 'no-store',
  })
}

/** @throws {Problem} platform/malformed */
function offsetOf(ctx: HttpContext): number {
  const text = ctx.get('Upload-Offset')
  if (!/^\d{1,9}$/.test(text)) throw new Problem(HTTP_PROBLEMS.malformed, { detail: 'Upload-Offset: a whole number' })
  if (!/^\?[01]$/.test(ctx.get('Upload-Complete'))) throw new Problem(HTTP_PROBLEMS.malformed, { detail: 'Upload-Complete: ?0 or ?1' })
  return Number(text)
}

function addPoints(router: Router, deps: CaptureRouteDependencies, admit: Admit): void {
  const { work: { processes, batches }, desk, signs } = deps
  const wording = wordingOf(deps)
  const pointOf = (ctx: HttpContext, code: string): Promise<CapturePoint> => processes.getPoint(admit.clientOf(ctx).id, code)

  router.post(
    '/lotes',
    admit,
    guard({ body: contract.batchRequest, response: contract.batchAnswer, consumes: 'json', csrf: false, limitBytes: contract.MOST_MANIFEST + 1024 }, async (ctx, { body }) => {
      const { point, batch, missing, processes: opened, isReplay } = await batches.receive(admit.clientOf(ctx), body.lote)
      if (isReplay) ctx.set('Idempotent-Replayed', 'true')
      ctx.status = 201
      ctx.body = {
        id: batch.id, ponto: point.code, sequencia: batch.sequence, relogio: contract.WIRE_CLOCKS[batch.clock],
        assinado_em: batch.signedAt.toISOString(), recebido_em: batch.receivedAt.toISOString(), faltam: missing,
        processos: opened.map((view) => processOf(wording, ctx, { point: point.code, sequence: batch.sequence }, view)),
      }
    }),
  )
  router.get(
    '/pontos/:code',
    admit,
    guard({ params: codeParams, response: contract.pointAnswer }, async (ctx, { params }) => {
      const point = await pointOf(ctx, params.code)
      const { last, missing } = await desk.sequenceOf(point.id)
      ctx.body = {
        ponto: point.code, unidade: point.unitCode, situacao: STATES[point.state], ...(point.keyId && { chave: point.keyId }), ultimo_lote: last, faltam: missing,
      }
    }),
  )
  router.post(
    '/pontos/:code/sinais',
    admit,
    guard({ params: codeParams, body: contract.beatRequest, response: contract.beatAnswer, consumes: 'json', csrf: false }, async (ctx, { params, body }) => {
      const point = await pointOf(ctx, params.code)
      if (point.state !== 'active') throw new Problem(POINT_PROBLEMS.notActive)
      ctx.body = { proximo_em: (await signs.beat(point.id, body.pronto)).toISOString() }
    }),
  )
}

/** The guard has seen that it is one. */
function cpfOf(text: string): Cpf {
  const cpf = parseCpf(text)
  if (cpf === undefined) throw new Problem(HTTP_PROBLEMS.invalidInput)
  return cpf
}

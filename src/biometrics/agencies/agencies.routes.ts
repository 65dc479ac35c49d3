import { randomUUID } from 'node:crypto'
import Router from '@koa/router'
import { z } from 'zod'
import { type Cpf, createAddressLimit, networkOf, parseCpf } from '../../accounts/index.ts'
import type { Audit } from '../../audit/index.ts'
import { inRoom } from '../../platform/http/app.ts'
import { guard } from '../../platform/http/guard.ts'
import { HTTP_PROBLEMS } from '../../platform/http/problems.ts'
import { type HttpContext, requestFacts } from '../../platform/http/request-facts.ts'
import type { Messages } from '../../platform/http/messages.ts'
import { Problem } from '../../platform/problem.ts'
import type { Sql } from '../../platform/db.ts'
import { type Calls, spoken } from './call.ts'
import * as contract from './contract.ts'
import { type AgencyFaces, comparePictures, judgePicture } from './judgement.ts'
import { requestHash } from './metering/idempotency.ts'
import { openApiDocument } from './open-api.ts'
import { judged, MOST_BASE64, readPicture } from './picture.ts'
import { type AgencyClient, getPurpose } from './policy.ts'
import { WIRE_MISSING_FINGERS, WIRE_MISSING_WORDS } from '../finger.ts'
import type { Fingerprint, ReadFingerprints } from './fingerprints.ts'
import type { Receipts } from './receipt/receipts.ts'
import type { Signer } from './receipt/signer.ts'
import { type FindSubject, ledgerOf } from './subject.ts'
import { isOver, type Validation } from './validation/validation.ts'
import type { Validations } from './validation/validations.ts'

export const API_BASE = '/api/biometria/v1'

const RESULTS = { same: 'mesma_pessoa', other: 'outra_pessoa', unusable: 'nao_utilizavel' } as const
const ENDS = { passed: 'conferida', refused: 'nao_conferida', declined: 'desistiu', expired: 'expirada' } as const
const idParams = z.object({ id: z.uuid() })
const noMembers = z.object({})

export interface AgencyRouteDependencies {
  readonly platform: { readonly db: Sql; readonly audit: Pick<Audit, 'record'>; readonly messages: Messages; readonly publicUrl: string }
  readonly faces: AgencyFaces
  readonly calls: Calls
  readonly people: { readonly findSubject: FindSubject; readonly validations: Validations; readonly receipts: Receipts; readonly signer: Signer; readonly readFingerprints: ReadFingerprints }
  /** The face check's endpoints of `/validacoes/:uid`. */
  readonly checks: Router
}

/** The API for agencies: pictures compared and judged, selfies validated, reference images with a receipt. */
export function createAgencyRoutes(deps: AgencyRouteDependencies): Router {
  const { platform, checks } = deps
  const router = new Router({ prefix: API_BASE })
  router.use(inRoom('biometrics'))
  addPictures(router, deps)
  addValidations(router, deps)
  addReferences(router, deps)
  const document = openApiDocument(platform.publicUrl, API_BASE)
  router.get(
    '/openapi.json',
    guard({}, (ctx) => {
      ctx.body = document
    }),
  )
  const whole = new Router()
  whole.use(router.routes())
  whole.use(checks.routes())
  return whole
}

function addPictures(router: Router, { platform, faces, calls, people }: AgencyRouteDependencies): void {
  const { db, audit, messages } = platform

  async function compare(client: AgencyClient, body: z.output<typeof contract.compareRequest>, ctx: HttpContext) {
    const purpose = getPurpose(client, body.finalidade)
    const pictures = [readPicture('imagem_a', body.imagem_a), readPicture('imagem_b', body.imagem_b)] as const
    const [left, right] = await Promise.all([judged('imagem_a', faces.describe(pictures[0])), judged('imagem_b', faces.describe(pictures[1]))])
    const { result, reasons, modelId, metric, point, score } = comparePictures(faces.rule, [{ bytes: pictures[0], seen: left }, { bytes: pictures[1], seen: right }])
    const id = randomUUID()
    const person = body.cpf === undefined ? undefined : (await people.findSubject(cpfOf(body.cpf))).person
    await audit.record(db, {
      type: 'biometrics/agency-images-compared', actor: { kind: 'client', id: client.id }, clientId: client.id, ...ledgerOf(person),
      data: { callId: id, purpose: purpose.code, legalBasis: purpose.legalBasis, result, modelId, ...score },
    })
    return {
      id,
      resultado: RESULTS[result],
      motivos: reasons.map(({ picture, code }) => ({ imagem: picture === 0 ? 'a' : 'b', ...spoken(messages, ctx, [code])[0] })),
      modelo: modelId,
      ponto_de_operacao: point,
      ...(client.policy.scores && score && { pontuacao: { metrica: metric, distancia: score.distance, limiar: score.threshold } }),
    }
  }

  async function judge(client: AgencyClient, body: z.output<typeof contract.qualityRequest>, ctx: HttpContext) {
    const purpose = getPurpose(client, body.finalidade)
    const bytes = readPicture('imagem', body.imagem)
    const { passed: usable, overall, reasons, items } = judgePicture(body.perfil, await judged('imagem', faces.describe(bytes)), bytes)
    const id = randomUUID()
    await audit.record(db, {
      type: 'biometrics/agency-image-judged', actor: { kind: 'client', id: client.id }, clientId: client.id,
      data: { callId: id, purpose: purpose.code, legalBasis: purpose.legalBasis, profile: body.perfil, usable },
    })
    const medidas = items.map(({ measure, value, unit, threshold: { least, most }, passed }) => ({
      nome: measure, valor: value, unidade: unit, ...(least !== undefined && { minimo: least }), ...(most !== undefined && { maximo: most }), aprovada: passed,
    }))
    return { id, utilizavel: usable, nota: Number.isFinite(overall) ? overall : 0, motivos: spoken(messages, ctx, reasons), medidas }
  }

  router.post(
    '/comparacoes',
    ...calls.post({
      operation: 'comparacoes', scope: 'biometria.comparar', body: contract.compareRequest, answer: contract.compareAnswer,
      limitBytes: 2 * MOST_BASE64 + 4096, isLarge: true, run: compare,
    }),
  )
  router.post(
    '/qualidade',
    ...calls.post({
      operation: 'qualidade', scope: 'biometria.qualidade', body: contract.qualityRequest, answer: contract.qualityAnswer,
      limitBytes: MOST_BASE64 + 4096, isLarge: true, run: judge,
    }),
  )
}

function addValidations(router: Router, { platform, calls, people }: AgencyRouteDependencies): void {
  const { messages, publicUrl } = platform
  const { validations, signer } = people

  async function ask(client: AgencyClient, body: z.output<typeof contract.validationRequest>) {
    const about = { cpf: cpfOf(body.cpf), purpose: body.finalidade }
    const isPage = body.fluxo === 'pagina'
    const { validation, secret } = await validations.ask(
      client,
      isPage ? { ...about, flow: 'page', returnUri: body.retorno, returnState: body.estado } : { ...about, flow: 'api' },
    )
    const entrance = isPage ? { link: `${publicUrl}/validar/pedido/${secret}` } : { chave: secret }
    return { id: validation.id, situacao: 'aguardando', expira_em: validation.expiresAt.toISOString(), ...entrance }
  }

  async function resultOf(validation: Validation, ctx: HttpContext) {
    const { state, outcome, finishedAt } = validation
    if (state === 'asked' || state === 'opened') throw new Error('a validation that runs has no result')
    const resultado = ENDS[state]
    const reasons = state === 'refused' ? (outcome?.reasons ?? []) : []
    const worth = outcome && (state === 'passed' || state === 'refused') ? { ...(state === 'passed' && { classe: outcome.livenessClass }), modelo: outcome.modelId } : {}
    const jws = await signer.attest({
      iss: publicUrl, aud: validation.clientId, jti: validation.id, iat: Math.floor((finishedAt ?? validation.expiresAt).getTime() / 1000),
      resultado, finalidade: validation.purpose, motivos: reasons, ...worth,
    })
    return { resultado, motivos: spoken(messages, ctx, reasons), ...worth, concluida_em: (finishedAt ?? validation.expiresAt).toISOString(), jws }
  }

  router.post(
    '/validacoes',
    ...calls.post({
      operation: 'validacoes', scope: 'biometria.validar', body: contract.validationRequest, answer: contract.validationAnswer, status: 201, run: ask,
    }),
  )
  router.get(
    '/validacoes/:id',
    ...calls.get(
      { scope: 'biometria.validar', params: idParams, query: contract.validationQuery, answer: contract.validationResult },
      async (client, { params, query }, ctx) => {
        const validation = await validations.get(client.id, params.id)
        const about = { id: validation.id, situacao: isOver(validation) ? 'concluida' : 'aguardando', expira_em: validation.expiresAt.toISOString() }
        if (!isOver(validation)) return about
        // What happened on our page is told only to whoever brings what came back with the person; that nobody ever came, to the client.
        if (validation.flow === 'page' && validation.state !== 'expired') {
          if (query.codigo === undefined) return about
          await validations.redeem(validation, query.codigo)
        }
        return { ...about, ...(await resultOf(validation, ctx)) }
      },
    ),
  )
}

/** Checking a receipt asks for no token, and costs a signature: enough for a court's whole docket, and too little for a flood. */
const VERIFICATIONS = { burst: 30, perSecond: 0.5 }

function fingerOf(one: Fingerprint): object {
  const about = { dedo: one.finger, presencial: one.inPerson, capturada_em: one.capturedAt.toISOString() }
  if ('missing' in one) return { situacao: 'ausente', ...about, falta: WIRE_MISSING_WORDS.find((word) => WIRE_MISSING_FINGERS[word] === one.missing) }
  return { situacao: 'imagem', ...about, tipo: one.contentType, imagem: one.bytes.toString('base64'), sha256: one.digest, largura: one.width, altura: one.height }
}

function addReferences(router: Router, { calls, people }: AgencyRouteDependencies): void {
  const { receipts, signer, readFingerprints } = people
  router.post(
    '/digitais',
    ...calls.post({
      operation: 'digitais', scope: 'biometria.digitais', body: contract.fingerprintsRequest, answer: contract.fingerprintsAnswer, ownIdempotency: true,
      run: async (client, body) => {
        const asked = { cpf: cpfOf(body.cpf), purpose: body.finalidade, legalBasis: body.base_legal, process: body.processo, responsible: body.responsavel }
        return { digitais: (await readFingerprints(client, { ...asked, fingers: body.dedos })).map(fingerOf) }
      },
    }),
  )
  router.post(
    '/referencias',
    ...calls.post({
      operation: 'referencias', scope: 'biometria.referencia', body: contract.referenceRequest, answer: contract.referenceAnswer, ownIdempotency: true,
      run: (client, body, ctx) =>
        receipts.retrieve(
          client,
          { cpf: cpfOf(body.cpf), purpose: body.finalidade, legalBasis: body.base_legal, process: body.processo, responsible: body.responsavel },
          { key: calls.keyOf(ctx), requestHash: requestHash(body) },
        ),
    }),
  )
  const limit = createAddressLimit({ allowance: VERIFICATIONS, networkOf })
  router.post(
    '/recibos/verificacao',
    // Before a byte of the body is read.
    async (ctx, next) => {
      const { ip } = requestFacts(ctx)
      limit.check(ip)
      limit.spend(ip)
      await next()
    },
    guard({ body: contract.verificationRequest, response: contract.verificationAnswer, consumes: 'json', csrf: false }, async (ctx, { body }) => {
      const { signed, registered, sameImage } = await receipts.verify(body.recibo, body.assinatura, body.imagem_sha256)
      ctx.body = {
        valido: signed && registered && sameImage !== false,
        assinatura_confere: signed,
        registrado: registered,
        ...(sameImage !== undefined && { imagem_confere: sameImage }),
      }
    }),
  )
  router.get(
    '/recibos/chaves',
    guard({ query: noMembers, response: contract.keysAnswer }, async (ctx) => {
      ctx.body = { keys: await signer.publicKeys() }
    }),
  )
}

/** The guard has seen that it is one. */
function cpfOf(text: string): Cpf {
  const cpf = parseCpf(text)
  if (cpf === undefined) throw new Problem(HTTP_PROBLEMS.invalidInput)
  return cpf
}

import { localeOf } from '../../../platform/http/locale.ts'
import type { Messages } from '../../../platform/http/messages.ts'
import { HTTP_PROBLEMS } from '../../../platform/http/problems.ts'
import type { HttpContext } from '../../../platform/http/request-facts.ts'
import type { z } from 'zod'
import { Problem } from '../../../platform/problem.ts'
import { MISSING_FINGER_TYPE, WIRE_MISSING_FINGERS } from '../../finger.ts'
import { requestHash } from '../../agencies/metering/idempotency.ts'
import { type item, type itemAnswer, type processAnswer, WIRE_CLOCKS, WIRE_ITEM_STATES, WIRE_KINDS, WIRE_STATES } from './contract.ts'
import type { CaptureItem, ItemKind, NewItem } from './process.ts'
import type { ProcessView } from './processes.ts'

/** What makes a process this one, whoever sends it and in which order of members. */
export function processHash(request: object): Buffer {
  return requestHash(request)
}

/** Of a missing finger neither size nor digest is kept: they would tell the reason. */
const NOTHING = { contentType: MISSING_FINGER_TYPE, size: 1, sha256: Buffer.alloc(32) } as const

/** The guard has seen that what is announced is there, or why it is not. */
export function newItemOf({ tipo, dedo, conteudo, tamanho, sha256, falta }: z.output<typeof item>): NewItem {
  const about = { kind: WIRE_KINDS[tipo], finger: dedo }
  if (falta !== undefined) return { ...about, ...NOTHING, missing: WIRE_MISSING_FINGERS[falta] }
  if (conteudo === undefined || tamanho === undefined || sha256 === undefined) throw new Problem(HTTP_PROBLEMS.invalidInput)
  return { ...about, contentType: conteudo, size: tamanho, sha256: Buffer.from(sha256, 'hex') }
}

const wireKindOf = (kind: ItemKind) => Object.entries(WIRE_KINDS).find(([, ours]) => ours === kind)?.[0] ?? kind

/** How answers are worded in the caller's language, and where items are sent to. */
export interface Wording {
  readonly messages: Messages
  readonly base: string
}

export function itemOf({ messages, base }: Wording, ctx: HttpContext, one: CaptureItem): z.output<typeof itemAnswer> {
  return {
    id: one.id, tipo: wireKindOf(one.kind), ...(one.finger !== undefined && { dedo: one.finger }), ...(one.contentType === MISSING_FINGER_TYPE && { ausente: true as const }), situacao: WIRE_ITEM_STATES[one.state],
    recebido: one.received, tamanho: one.size, envio: `${base}/itens/${one.id}`,
    motivos: one.reasons.map((codigo) => ({ codigo, texto: messages.text(localeOf(ctx), codigo) })),
  }
}

export function processOf(wording: Wording, ctx: HttpContext, about: { point: string; sequence?: number | undefined }, { process, items }: ProcessView): z.output<typeof processAnswer> {
  return {
    id: process.id, ponto: about.point, situacao: WIRE_STATES[process.state], relogio: WIRE_CLOCKS[process.clock],
    capturado_em: process.capturedAt.toISOString(), recebido_em: process.receivedAt.toISOString(), expira_em: process.expiresAt.toISOString(),
    ...(process.finishedAt && { concluido_em: process.finishedAt.toISOString() }), ...(about.sequence !== undefined && { lote: about.sequence }),
    itens: items.map((one) => itemOf(wording, ctx, one)),
  }
}

import { localeOf } from '../../../platform/http/locale.ts'
import type { Messages } from '../../../platform/http/messages.ts'
import type { HttpContext } from '../../../platform/http/request-facts.ts'
import type { z } from 'zod'
import { requestHash } from '../../agencies/metering/idempotency.ts'
import { type item, type itemAnswer, type processAnswer, WIRE_CLOCKS, WIRE_ITEM_STATES, WIRE_KINDS, WIRE_STATES } from './contract.ts'
import type { CaptureItem, ItemKind, NewItem } from './process.ts'
import type { ProcessView } from './processes.ts'

/** What makes a process this one, whoever sends it and in which order of members. */
export function processHash(request: object): Buffer {
  return requestHash(request)
}

export function newItemOf({ tipo, dedo, conteudo, tamanho, sha256 }: z.output<typeof item>): NewItem {
  return { kind: WIRE_KINDS[tipo], finger: dedo, contentType: conteudo, size: tamanho, sha256: Buffer.from(sha256, 'hex') }
}

const wireKindOf = (kind: ItemKind) => Object.entries(WIRE_KINDS).find(([, ours]) => ours === kind)?.[0] ?? kind

/** How answers are worded in the caller's language, and where items are sent to. */
export interface Wording {
  readonly messages: Messages
  readonly base: string
}

export function itemOf({ messages, base }: Wording, ctx: HttpContext, one: CaptureItem): z.output<typeof itemAnswer> {
  return {
    id: one.id, tipo: wireKindOf(one.kind), ...(one.finger !== undefined && { dedo: one.finger }), situacao: WIRE_ITEM_STATES[one.state],
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

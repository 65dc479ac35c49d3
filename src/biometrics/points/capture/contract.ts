/** What capture software sends and gets: the guards of the routes, and the schemas of the OpenAPI document. Members are Portuguese, as in the agencies' API. */
import { z } from 'zod'
import { parseCpf } from '../../../accounts/index.ts'
import { PURPOSE } from '../../agencies/policy.ts'
import { CODE, MOST_CODE } from '../registry/point.ts'
import { WIRE_MISSING_WORDS } from '../../finger.ts'
import type { CLOCK_MARKS } from './clock-rule.ts'
import { MOST_BYTES } from './judge-item.ts'
import { type ItemKind, type ItemState, placeOf, type ProcessState } from './process.ts'

/** Kinds of items as they are named over the wire. */
export const WIRE_KINDS = {
  rosto: 'face', digital: 'fingerprint', foto: 'photo', assinatura: 'signature', documento_frente: 'document-front', documento_verso: 'document-back',
} as const satisfies Record<string, ItemKind>
export type WireKind = keyof typeof WIRE_KINDS
export const WIRE_ITEM_STATES = { receiving: 'recebendo', stored: 'guardado', refused: 'recusado' } as const satisfies Record<ItemState, string>
export const WIRE_STATES = { open: 'aberto', captured: 'capturado', 'given-up': 'desistido', expired: 'vencido' } as const satisfies Record<ProcessState, string>
export const WIRE_CLOCKS = { fits: 'confere', late: 'tardio', 'went-back': 'voltou' } as const satisfies Record<(typeof CLOCK_MARKS)[number], string>

const valuesOf = <T extends string>(table: Readonly<Record<string, T>>) => Object.values(table) as [T, ...T[]]
const id = z.uuid()
const moment = z.iso.datetime({ offset: true })
const said = (most: number) => z.string().trim().min(1).max(most).regex(/^[\p{L}\p{N} ._/:-]+$/u)

export const pointCode = z.string().max(MOST_CODE).regex(CODE).meta({ description: 'Código do ponto de coleta.' })
const cpf = z.string().max(14).refine((text) => parseCpf(text) !== undefined, 'agencies.field.cpf').meta({ description: 'CPF da pessoa, com ou sem pontuação.' })

export const item = z
  .strictObject({
    tipo: z.enum(Object.keys(WIRE_KINDS) as [WireKind, ...WireKind[]]),
    dedo: z.int().min(1).max(10).optional().meta({ description: 'Só para `digital`: 1 polegar direito … 5 mínimo direito, 6 polegar esquerdo … 10 mínimo esquerdo (ISO/IEC 19794-4).' }),
    conteudo: z.enum(['image/jpeg', 'image/png', 'image/webp', 'image/x-wsq']).optional().meta({ description: '`image/x-wsq` só para `digital`.' }),
    tamanho: z.int().min(1).max(MOST_BYTES).optional(),
    sha256: z.string().regex(/^[0-9a-f]{64}$/).optional(),
    falta: z.enum(WIRE_MISSING_WORDS).optional().meta({
      description: 'Só para `digital`, no lugar de conteúdo, tamanho e sha256: por que o dedo não tem impressão (ANSI/NIST-ITL: amputado = XX, os outros = UP).',
    }),
  })
  .refine(({ tipo, conteudo }) => conteudo !== 'image/x-wsq' || tipo === 'digital', { path: ['conteudo'] })
  .refine(({ tipo, falta, conteudo, tamanho, sha256 }) => {
    const announced = [conteudo, tamanho, sha256].filter((member) => member !== undefined).length
    return falta === undefined ? announced === 3 : announced === 0 && tipo === 'digital'
  }, { path: ['falta'] })
  .refine(({ tipo, dedo }) => (tipo === 'digital') === (dedo !== undefined), { path: ['dedo'] })

const items = z
  .array(item)
  .min(1)
  .max(20)
  .refine((all) => new Set(all.map(({ tipo, dedo }) => placeOf({ kind: WIRE_KINDS[tipo], finger: dedo }))).size === all.length)

const capture = {
  cpf,
  finalidade: z.string().regex(PURPOSE).max(60).meta({ description: 'Código de uma finalidade registrada para o cliente.' }),
  operador: said(60).meta({ description: 'Quem capturou, por matrícula ou código do órgão; não um nome.' }),
  aparelho: said(80),
  capturado_em: moment.meta({ description: 'Pelo relógio do ponto, com fuso.' }),
  itens: items,
}

export const processRequest = z.strictObject({ ponto: pointCode, ...capture })
export const itemRequest = item

const motivo = z.strictObject({ codigo: z.string(), texto: z.string() })
export const itemAnswer = z.strictObject({
  id, tipo: z.string(), dedo: z.int().optional(), ausente: z.literal(true).optional().meta({ description: 'Um dedo sem impressão: guardado sem envio.' }), situacao: z.enum(valuesOf(WIRE_ITEM_STATES)), recebido: z.int(), tamanho: z.int(),
  envio: z.string().meta({ description: 'Endereço para onde vão os bytes: HEAD diz até onde chegaram, PATCH continua.' }),
  motivos: z.array(motivo).meta({ description: 'De um item recusado; de um rosto guardado que difere da referência, um aviso.' }),
})
export const processAnswer = z.strictObject({
  id, ponto: z.string(), situacao: z.enum(valuesOf(WIRE_STATES)), relogio: z.enum(valuesOf(WIRE_CLOCKS)), capturado_em: z.string(), recebido_em: z.string(),
  expira_em: z.string(), concluido_em: z.string().optional(), lote: z.int().optional(), itens: z.array(itemAnswer),
})

/** What a point signs: the payload of the JWS. */
export const manifest = z.strictObject({
  ponto: pointCode,
  sequencia: z.int().min(1).max(2_000_000_000).meta({ description: 'Conta os lotes do ponto a partir de 1, sem falta.' }),
  assinado_em: moment,
  processos: z.array(z.strictObject({ chave: z.string().regex(/^[\x21-\x7e]{8,100}$/), ...capture })).min(1).max(50),
})
export type Manifest = z.output<typeof manifest>

/** Longest signed manifest: fifty processes of twenty items. */
export const MOST_MANIFEST = 600_000
export const batchRequest = z.strictObject({
  lote: z.string().min(20).max(MOST_MANIFEST).meta({ description: 'JWS compacta (ES256, `kid` = impressão RFC 7638 da chave do ponto, `typ` = mt-lote+jws) sobre o manifesto.' }),
})
export const batchAnswer = z.strictObject({
  id, ponto: z.string(), sequencia: z.int(), relogio: z.enum(valuesOf(WIRE_CLOCKS)), assinado_em: z.string(), recebido_em: z.string(),
  faltam: z.array(z.int()).meta({ description: 'Números anteriores que não chegaram; no máximo 100.' }),
  processos: z.array(processAnswer),
})

export const beatRequest = z.strictObject({ pronto: z.boolean().meta({ description: 'O ponto pode capturar agora: aparelhos, programa e atendente.' }) })
export const beatAnswer = z.strictObject({ proximo_em: z.string() })
export const pointAnswer = z.strictObject({
  ponto: z.string(), unidade: z.string(), situacao: z.enum(['ativo', 'suspenso', 'encerrado']), chave: z.string().optional(), ultimo_lote: z.int(), faltam: z.array(z.int()),
})

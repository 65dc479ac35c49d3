/** What goes over the wire: the guards of the routes, and the schemas of the OpenAPI document. Members are the law's and agencies' words. */
import { z } from 'zod'
import { parseCpf } from '../../accounts/index.ts'
import { base64File } from '../../platform/http/body/base64-file.ts'
import { WIRE_MISSING_WORDS } from '../finger.ts'
import { LIVENESS_CLASSES } from '../liveness/verdict.ts'
import { PICTURE_PROFILES, type PictureProfile } from './judgement.ts'
import { LEGAL_BASES, PURPOSE } from './policy.ts'
import { MOST_BASE64 } from './picture.ts'

const id = z.uuid()
const moment = z.iso.datetime()
const picture = base64File(MOST_BASE64).meta({ description: 'Foto JPEG, PNG ou WebP em base64, até 4 MB e 25 milhões de pixels.' })
const cpf = z
  .string()
  .max(14)
  .refine((text) => parseCpf(text) !== undefined, 'agencies.field.cpf')
  .meta({ description: 'CPF da pessoa, com ou sem pontuação.' })
const finalidade = z.string().regex(PURPOSE).max(60).meta({ description: 'Código de uma finalidade registrada para o cliente.' })
const motivo = z.object({ codigo: z.string(), texto: z.string() })
const modelo = z.string().meta({ description: 'Conjunto de redes e calibração que decidiu.' })

export const compareRequest = z.strictObject({
  imagem_a: picture,
  imagem_b: picture,
  finalidade,
  cpf: cpf.optional().meta({ description: 'De quem se trata, se for alguém determinado: a consulta aparece no histórico dessa pessoa.' }),
})
export const compareAnswer = z.strictObject({
  id,
  resultado: z.enum(['mesma_pessoa', 'outra_pessoa', 'nao_utilizavel']),
  motivos: z.array(z.strictObject({ imagem: z.enum(['a', 'b']), codigo: z.string(), texto: z.string() })),
  modelo,
  ponto_de_operacao: z.string().meta({ description: 'Taxa de falsa correspondência máxima de uma comparação.' }),
  pontuacao: z
    .strictObject({ metrica: z.string(), distancia: z.number(), limiar: z.number() })
    .optional()
    .meta({ description: 'Só para clientes cuja política permite.' }),
})

export const qualityRequest = z.strictObject({ imagem: picture, perfil: z.enum(Object.keys(PICTURE_PROFILES) as [PictureProfile, ...PictureProfile[]]), finalidade })
export const qualityAnswer = z.strictObject({
  id,
  utilizavel: z.boolean(),
  nota: z.number().meta({ description: '0 a 100; a partir de 50 serve. Escala nossa, não é a nota unificada da ISO/IEC 29794-5.' }),
  motivos: z.array(motivo),
  medidas: z.array(
    z.strictObject({ nome: z.string(), valor: z.number(), unidade: z.string(), minimo: z.number().optional(), maximo: z.number().optional(), aprovada: z.boolean() }),
  ),
})

export const validationRequest = z.discriminatedUnion('fluxo', [
  z.strictObject({
    fluxo: z.literal('pagina'),
    cpf,
    finalidade,
    retorno: z.string().max(2000).meta({ description: 'Endereço de volta, registrado para o cliente.' }),
    estado: z.string().max(500).optional().meta({ description: 'Volta como veio, em `estado`.' }),
  }),
  z.strictObject({
    fluxo: z.literal('aplicativo'),
    cpf,
    finalidade,
    pessoa_informada: z.literal(true).meta({ description: 'O aplicativo disse à pessoa quem pede, para quê e com que base legal, e ela quis seguir.' }),
  }),
])
export const validationAnswer = z.strictObject({
  id,
  situacao: z.literal('aguardando'),
  expira_em: moment,
  link: z.url().optional().meta({ description: 'Serve uma vez; entregue-o à própria pessoa.' }),
  chave: z.string().optional().meta({ description: 'Token do aplicativo para esta validação e nada mais: `Authorization: Bearer`.' }),
})
export const validationQuery = z.object({ codigo: z.string().max(100).optional().meta({ description: 'O que voltou com a pessoa; serve uma vez.' }) })
export const validationResult = z.strictObject({
  id,
  situacao: z.enum(['aguardando', 'concluida']),
  expira_em: moment,
  resultado: z.enum(['conferida', 'nao_conferida', 'desistiu', 'expirada']).optional(),
  motivos: z.array(motivo).optional(),
  classe: z.enum(LIVENESS_CLASSES).optional().meta({ description: 'Quanto vale uma conferência passada; não certificada ISO/IEC 30107-3.' }),
  modelo: modelo.optional(),
  concluida_em: moment.optional(),
  jws: z.string().optional().meta({ description: 'O mesmo resultado, assinado (ES256; chaves em /api/biometria/v1/recibos/chaves).' }),
})

export const referenceRequest = z.strictObject({
  cpf,
  finalidade,
  base_legal: z.enum(LEGAL_BASES),
  processo: z.string().min(5).max(80).regex(/^[\p{L}\p{N} ./-]+$/u).meta({ description: 'Número do processo, inquérito ou ordem.' }),
  responsavel: z.string().min(3).max(120).meta({ description: 'Quem pede, no órgão: nome e matrícula.' }),
})
export const fingerprintsRequest = referenceRequest.extend({
  dedos: z.array(z.int().min(1).max(10)).min(1).max(10).optional().meta({ description: 'Quais; sem isso, todos os que há (ISO/IEC 19794-4: 1 polegar direito … 10 mínimo esquerdo).' }),
})
const aboutFinger = { dedo: z.int(), presencial: z.boolean(), capturada_em: moment }
export const fingerprintsAnswer = z.strictObject({
  digitais: z.array(
    z.discriminatedUnion('situacao', [
      z.strictObject({
        situacao: z.literal('imagem'), ...aboutFinger, tipo: z.string().meta({ description: '`image/x-wsq` como veio do leitor, ou `image/jpeg`.' }), imagem: z.string().meta({ contentEncoding: 'base64' }),
        sha256: z.string(), largura: z.int(), altura: z.int(),
      }),
      z.strictObject({ situacao: z.literal('ausente'), ...aboutFinger, falta: z.enum(WIRE_MISSING_WORDS) }),
    ]),
  ),
})
export const receipt = z.looseObject({ id })
export const signature = z.strictObject({ protected: z.string().max(500), signature: z.string().max(200) })
export const referenceAnswer = z.strictObject({
  recibo: receipt,
  assinatura: signature.meta({ description: 'JWS destacada (RFC 7515, apêndice F); conteúdo = JSON canônico (RFC 8785) do recibo.' }),
  tipo: z.string(),
  imagem: z.string().meta({ contentEncoding: 'base64' }),
})

export const verificationRequest = z.strictObject({
  recibo: receipt,
  assinatura: signature,
  imagem_sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
})
export const verificationAnswer = z.strictObject({
  valido: z.boolean(),
  assinatura_confere: z.boolean(),
  registrado: z.boolean(),
  imagem_confere: z.boolean().optional(),
})
export const keysAnswer = z.strictObject({ keys: z.array(z.looseObject({ kid: z.string(), kty: z.string() })) })

export const sessionRequest = z.strictObject({ flashes: z.boolean(), slowLink: z.boolean().default(false) })
const step = z.strictObject({
  index: z.int(), total: z.int(), kind: z.string(), colour: z.string().optional(), holdMs: z.int(), limitMs: z.int(),
})
export const stepAnswer = z.looseObject({
  state: z.enum(['going', 'complete', 'over']),
  step: step.optional(),
  progress: z.number(),
  remainingMs: z.number(),
  canExtend: z.boolean(),
})
/** `first`: the first step, as `passo` answers it. */
export const sessionAnswer = z.strictObject({ id, nonce: z.string(), expiresAt: moment, maxFrames: z.int(), first: stepAnswer })
export const frameAnswer = z.looseObject({ ...stepAnswer.shape, accepted: z.boolean(), acknowledged: z.int() })
export const endAnswer = z.strictObject({
  passed: z.boolean(),
  reasons: z.array(z.strictObject({ code: z.string(), text: z.string() })),
  attemptsLeft: z.int(),
  next: z.string(),
})

/** What goes over the wire: the guards of the routes, and the schemas of the OpenAPI document. Members are the law's and agencies' words. */
import { z } from 'zod'
import { LEVELS } from '../../assurance/index.ts'
import { ACT_STATES } from '../decision/act.ts'
import { DECISION_REASONS } from '../decision/judge.ts'
import { parseDay } from '../mandate/day.ts'
import { MANDATE_STATES } from '../mandate/transition.ts'
import { parsePartyRef } from '../party/party.ts'
import { ENTERED_KINDS, MANDATE_KINDS, parsePowerName, ROLE_CODE, ROLE_STATES, roleDefinition } from '../role/role.ts'

const parte = z
  .string()
  .max(24)
  .refine((text) => parsePartyRef(text) !== undefined, 'proxies.field.party')
  .meta({ description: 'CPF, CNPJ (também alfanumérico) ou raiz de CNPJ, com ou sem pontuação.' })
const poder = z
  .string()
  .max(100)
  .refine((text) => parsePowerName(text) !== undefined, 'proxies.field.power')
  .meta({ description: 'Poder do catálogo, `espaço:código`.' })
const dia = z.string().refine((text) => parseDay(text) !== undefined, 'proxies.field.day').meta({ description: 'Dia, AAAA-MM-DD; o último conta até a meia-noite de Mato Grosso.' })
const codigo = z.string().regex(/^[a-z0-9][a-z0-9-]{1,40}$/)
const nome = z.string().min(3).max(200).meta({ description: 'Nome completo, como no registro: sem ele o número não basta.' })
const responsavel = z.string().min(3).max(60).meta({ description: 'Como o órgão identifica o servidor; fica selado.' })
const pessoa = z.strictObject({ documento: parte, nome })
const organizacao = z.strictObject({ organizacao: codigo })
const id = z.uuid()

export const decisionRequest = z.strictObject({
  ator: z.union([parte, organizacao]).meta({ description: 'Quem age: o CPF de quem entrou, ou a organização que ajuda.' }),
  representado: parte,
  poder,
  servico: z.string().regex(ROLE_CODE).max(64).optional().meta({ description: 'Código do serviço, como no catálogo; vai para o histórico.' }),
  instancia: z.string().max(120).optional().meta({ description: 'O veículo, processo ou imóvel, para procurações limitadas a um.' }),
  ato: id.optional().meta({ description: 'O ato aprovado pelos outros, para poderes conjuntos.' }),
  instante: z.iso.datetime({ offset: true }).optional().meta({ description: 'Agora, se não vier. Para outro momento só o prazo é julgado por ele.' }),
  registrar_uso: z.boolean().default(false).meta({ description: 'Registra o uso na mesma transação; o representado vê na hora. Só para agora.' }),
  responsavel: responsavel.optional(),
})
export const decisionAnswer = z.strictObject({
  permitido: z.boolean(),
  motivo: z.enum(DECISION_REASONS),
  procuracao: id.optional(),
  tipo: z.enum(MANDATE_KINDS).optional(),
  cadeia: z.array(z.strictObject({ procuracao: id, profundidade: z.int() })).meta({ description: 'Do representado até quem age.' }),
  valida_ate: z.string().optional(),
  obrigacoes: z.strictObject({
    nivel: z.enum(LEVELS).optional().meta({ description: 'A sessão de quem age tem de ter este nível.' }),
    conjunta: z.strictObject({ quorum: z.int(), aprovacoes: z.int() }).optional(),
    registro: z.strictObject({ fonte: z.string(), consultado_em: z.iso.datetime() }).optional(),
    registrar_uso: z.boolean(),
  }),
  uso: z.int().optional(),
})

export const lookupRequest = z.strictObject({
  outorgado: parte.optional(),
  representado: parte.optional(),
  espaco: z.string().max(32).optional().meta({ description: 'Só um dos espaços do órgão.' }),
  substabelecida_por: parte.optional().meta({ description: 'Só as que esta pessoa ou empresa passou adiante.' }),
  finalidade: z.string().min(5).max(200).meta({ description: 'Para quê: a consulta aparece no histórico da pessoa.' }),
})
const mandato = z.strictObject({
  id,
  tipo: z.enum(MANDATE_KINDS),
  situacao: z.enum(MANDATE_STATES),
  representado: z.strictObject({ tipo: z.string(), documento: z.string(), nome: z.string() }),
  outorgante: z.strictObject({ tipo: z.string(), documento: z.string(), nome: z.string() }),
  outorgado: z.strictObject({ tipo: z.string(), documento: z.string(), nome: z.string() }),
  poderes: z.array(z.strictObject({ poder: z.string(), versao: z.int() })),
  valida_de: z.string(),
  valida_ate: z.string().optional(),
  vale_desde: z.iso.datetime(),
  conjunta: z.strictObject({ quorum: z.int() }).optional(),
  instancia: z.string().optional(),
  substabelecimento_de: id.optional(),
  pode_substabelecer: z.boolean(),
})
export const lookupAnswer = z.strictObject({ procuracoes: z.array(mandato) })
export const mandateAnswer = mandato
export const changeAnswer = mandato.extend({ encerradas: z.array(id).meta({ description: 'O que tinha sido passado adiante dela e acabou junto, na mesma transação.' }) })

export const legalRequest = z.strictObject({
  tipo: z.enum(ENTERED_KINDS as [(typeof MANDATE_KINDS)[number], ...(typeof MANDATE_KINDS)[number][]]),
  representado: pessoa,
  representante: pessoa,
  poderes: z.array(poder).min(1).max(20),
  valida_de: dia.optional(),
  valida_ate: dia.optional(),
  documento: z.string().min(3).max(200).meta({ description: 'Decisão, certidão ou termo; fica selado.' }),
  responsavel,
})
export const helpRequest = z.strictObject({
  organizacao: z.strictObject({ codigo, nome }),
  cidadao: pessoa,
  poder,
  consentimento: z.string().min(3).max(200).meta({ description: 'Onde está a assinatura ou resposta do cidadão; fica selado.' }),
  responsavel,
})
export const askRequest = z.strictObject({ representado: pessoa, outorgado: pessoa, poderes: z.array(poder).min(1).max(20), valida_ate: dia })
export const askAnswer = z.strictObject({ pedido: id, situacao: z.literal('asked') })
export const changeRequest = z.union([
  z.strictObject({ acao: z.enum(['aprovar', 'rejeitar', 'suspender', 'liberar', 'encerrar']), responsavel }),
  z.strictObject({
    acao: z.enum(['cancelar-a-pedido', 'deixar-a-pedido']).meta({ description: 'A pedido de quem deu, ou de quem recebeu.' }),
    responsavel,
    pedido: z.string().min(3).max(200).meta({ description: 'Onde está guardado o pedido assinado; fica selado.' }),
  }),
])

const servico = z.string().regex(ROLE_CODE).max(64)
const instancia = z.string().min(1).max(120)
const descricao = z
  .string()
  .trim()
  .min(5)
  .max(300)
  .regex(/^[^\p{Cc}\p{Cf}]*$/u)
  .meta({ description: 'O que exatamente será feito, como as pessoas vão ler antes de aprovar.' })
export const actRequest = z.strictObject({
  ator: parte.meta({ description: 'Quem começa o ato: uma das pessoas que só juntas podem. Não é ainda a aprovação dela.' }),
  representado: parte,
  poder,
  servico: servico.optional(),
  instancia: instancia.optional(),
  descricao,
})
export const actAction = z.strictObject({ acao: z.literal('desistir') })
export const actAnswer = z.strictObject({
  ato: id,
  situacao: z.enum(ACT_STATES).meta({ description: '`approved`: já pode ser feito, uma vez, com `ato` na decisão.' }),
  poder: z.string(),
  servico: z.string().optional(),
  instancia: z.string().optional(),
  descricao: z.string().optional(),
  quorum: z.int(),
  aprovacoes: z.int(),
  recusas: z.int(),
  vence_em: z.iso.datetime(),
  endereco: z.string().meta({ description: 'Página em que cada pessoa vê o ato e aprova ou recusa, depois de entrar.' }),
})

export const rolesQuery = z.strictObject({ espaco: z.string().max(32).optional() })
const papel = z.strictObject({ poder: z.string(), versao: z.int(), situacao: z.enum(ROLE_STATES), modificado_em: z.iso.datetime(), definicao: roleDefinition })
export const rolesAnswer = z.strictObject({ poderes: z.array(papel) })
export const draftRequest = z.strictObject({ poder, definicao: roleDefinition })
export const roleAction = z.strictObject({ poder, acao: z.enum(['publicar', 'retirar']) })
export const roleAnswer = z.strictObject({ poder: z.string(), versao: z.int() })

import { z } from 'zod'
import { LOCALES } from '../../platform/http/locale.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'
import * as contract from './contract.ts'
import type { ProxyScope } from './policy.ts'

/** One operation as the document shows it; the routes guard with the same schemas. */
export interface DocumentedOperation {
  readonly method: 'get' | 'post' | 'put'
  readonly path: string
  readonly summary: string
  readonly scope: ProxyScope
  readonly body?: z.ZodType
  readonly query?: z.ZodObject
  readonly status?: number
  readonly answer: z.ZodType
  /** A request that works as it stands; `test/proxies/mandates-api.test.ts` sends it. */
  readonly example?: object
}

/** CPFs and a CNPJ of the public documentation; nobody is behind them but a demonstration's citizens. */
const MARIA = { documento: '529.982.247-25', nome: 'Maria Aparecida da Silva' }
const JOANA = { documento: '111.444.777-35', nome: 'Joana Batista Pereira' }
const EMPRESA = '12.ABC.345/01DE-35'
const everyLanguage = (text: string) => Object.fromEntries(LOCALES.map((locale) => [locale, text]))
const DEFINITION = {
  title: everyLanguage('Licenciar veículo'), description: everyLanguage('licenciar o seu veículo'), representedKinds: ['person', 'company'], delegateKinds: ['person'],
  longestDays: 365,
}

/** The whole API, in the order of the document: each example goes on from those before it. */
export const PROXY_OPERATIONS: readonly DocumentedOperation[] = [
  {
    method: 'put', path: '/procuracoes/v1/poderes', scope: 'procuracoes.catalogo', summary: 'Escreve o rascunho de um poder; a versão publicada não muda',
    body: contract.draftRequest, answer: contract.roleAnswer, example: { poder: 'detran:veiculo.licenciar', definicao: DEFINITION },
  },
  {
    method: 'post', path: '/procuracoes/v1/poderes', scope: 'procuracoes.catalogo', summary: 'Publica o rascunho, ou retira o poder do catálogo',
    body: contract.roleAction, answer: contract.roleAnswer, example: { poder: 'detran:veiculo.licenciar', acao: 'publicar' },
  },
  {
    method: 'get', path: '/procuracoes/v1/poderes', scope: 'procuracoes.consultar', summary: 'O catálogo do órgão, com rascunhos e versões retiradas; responde 304 a If-None-Match e If-Modified-Since',
    query: contract.rolesQuery, answer: contract.rolesAnswer,
  },
  {
    method: 'post', path: '/procuracoes/v1/pedidos', scope: 'procuracoes.registrar', status: 202,
    summary: 'Pede uma procuração em nome de quem está sendo atendido; o representado decide na conta dele, e o outorgado aceita na sua',
    body: contract.askRequest, answer: contract.askAnswer,
    example: { representado: MARIA, outorgado: JOANA, poderes: ['detran:veiculo.licenciar'], valida_ate: '2026-12-31' },
  },
  {
    method: 'post', path: '/procuracoes/v1/representacoes', scope: 'procuracoes.registrar', status: 202,
    summary: 'Registra uma representação legal com o documento; vale quando outra pessoa do órgão aprovar',
    body: contract.legalRequest, answer: contract.mandateAnswer,
    example: {
      tipo: 'curatela', representado: MARIA, representante: JOANA, poderes: ['detran:veiculo.curatela'], valida_ate: '2027-06-30',
      documento: 'Processo 1000123-45.2026.8.11.0041', responsavel: 'matrícula 12345',
    },
  },
  {
    method: 'post', path: '/procuracoes/v1/assistencias', scope: 'procuracoes.registrar', status: 201,
    summary: 'Ajuda no balcão: uma organização, um serviço, até o fim do dia, com o consentimento assinado',
    body: contract.helpRequest, answer: contract.mandateAnswer,
    example: {
      organizacao: { codigo: 'ganha-tempo-cpa', nome: 'Ganha Tempo CPA' }, cidadao: MARIA, poder: 'detran:veiculo.ajuda', consentimento: 'Termo 2026/77', responsavel: 'matrícula 12345',
    },
  },
  {
    method: 'post', path: '/procuracoes/v1/procuracoes/{id}/situacao', scope: 'procuracoes.registrar',
    summary: 'Aprova ou rejeita o que foi registrado (outra pessoa), suspende e libera por ordem judicial, encerra o que o órgão registrou, cancela ou deixa a pedido de quem deu ou recebeu',
    body: contract.changeRequest, answer: contract.changeAnswer, example: { acao: 'aprovar', responsavel: 'matrícula 67890' },
  },
  {
    method: 'post', path: '/procuracoes/v1/consultas', scope: 'procuracoes.consultar',
    summary: 'Procurações abertas de um representado ou de um outorgado, só dos espaços do órgão; no corpo, para que o CPF não fique em endereços',
    body: contract.lookupRequest, answer: contract.lookupAnswer, example: { representado: MARIA.documento, finalidade: 'Atendimento do processo 2026/123' },
  },
  {
    method: 'post', path: '/procuracoes/decisao', scope: 'procuracoes.decidir', summary: 'Esta pessoa pode fazer isto por aquela, agora?',
    body: contract.decisionRequest, answer: contract.decisionAnswer,
    example: { ator: JOANA.documento, representado: MARIA.documento, poder: 'detran:veiculo.curatela', registrar_uso: true },
  },
  {
    method: 'post', path: '/procuracoes/v1/atos', scope: 'procuracoes.decidir', status: 201,
    summary: 'Abre um ato que só vale com a aprovação de várias pessoas; o mesmo ato pedido de novo é o que está aberto',
    body: contract.actRequest, answer: contract.actAnswer,
    example: {
      ator: JOANA.documento, representado: EMPRESA, poder: 'detran:veiculo.licenciar', instancia: 'ABC1D23', descricao: 'Transferir o veículo de placa ABC1D23 para outra pessoa',
    },
  },
  {
    method: 'get', path: '/procuracoes/v1/atos/{id}', scope: 'procuracoes.decidir', summary: 'Como está um ato que este cliente abriu: aberto, aprovado, feito, recusado ou vencido',
    answer: contract.actAnswer,
  },
  {
    method: 'post', path: '/procuracoes/v1/atos/{id}', scope: 'procuracoes.decidir', summary: 'Desiste de um ato que este cliente abriu', body: contract.actAction,
    answer: contract.actAnswer, example: { acao: 'desistir' },
  },
]

/** The OpenAPI 3.1 document, from the schemas that guard the routes. */
export function openApiDocument(publicUrl: string): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const operation of PROXY_OPERATIONS) paths[operation.path] = { ...paths[operation.path], [operation.method]: describe(operation) }
  return {
    openapi: '3.1.0',
    info: {
      title: 'MT Login: procurações digitais', version: '1.0.0',
      description: 'Chamadas com token do próprio cliente (client_credentials, `resource` = endereço/procuracoes). O órgão só vê o que é dos seus espaços; toda consulta e todo uso aparecem na hora no histórico da pessoa.',
    },
    servers: [{ url: publicUrl }],
    paths,
    components: {
      securitySchemes: { oauth: { type: 'oauth2', flows: { clientCredentials: { tokenUrl: `${publicUrl}/token`, scopes: SCOPES } } } },
      schemas: { Problem: PROBLEM },
    },
  }
}

const SCOPES: Readonly<Record<ProxyScope, string>> = {
  'procuracoes.decidir': 'Decidir e registrar usos', 'procuracoes.consultar': 'Consultar procurações e catálogo',
  'procuracoes.registrar': 'Registrar representações legais, ajuda e pedidos; ordens judiciais', 'procuracoes.catalogo': 'Manter o catálogo de poderes',
}

const PROBLEM = {
  type: 'object', required: ['type', 'title', 'status'],
  properties: {
    type: { type: 'string', description: `…/problems/ e um código, como ${PROXIES_PROBLEMS.mandateNotFound.code}` }, title: { type: 'string' }, status: { type: 'integer' },
    detail: { type: 'string' }, instance: { type: 'string' },
  },
}

function describe({ summary, scope, body, query, status = 200, answer, example, path }: DocumentedOperation): object {
  const parameters = [
    ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string', format: 'uuid' } })),
    ...Object.keys(query?.shape ?? {}).map((name) => ({ name, in: 'query', required: false, schema: { type: 'string' } })),
  ]
  return {
    summary,
    security: [{ oauth: [scope] }],
    parameters,
    ...(body && { requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body, 'input'), ...(example && { example }) } } } }),
    responses: {
      [status]: { description: 'Feito', content: { 'application/json': { schema: schemaOf(answer, 'output') } } },
      default: { description: 'Recusado (RFC 9457)', content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } },
    },
  }
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}

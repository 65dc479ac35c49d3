import { createHash } from 'node:crypto'
import type { z } from 'zod'
import { EXAMPLE_CPF, EXAMPLE_PICTURE } from '../../agencies/open-api-examples.ts'
import { pathParameters, PROBLEM, schemaOf } from '../../agencies/open-api.ts'
import * as contract from './contract.ts'

/** One operation as the document shows it; the routes guard with the same schemas. */
export interface CaptureOperation {
  readonly method: 'get' | 'head' | 'post' | 'patch'
  readonly path: string
  readonly summary: string
  readonly body?: z.ZodType
  readonly takesBytes?: true
  readonly status?: 200 | 201
  readonly answer?: z.ZodType
  readonly headers?: readonly string[]
  /** A request that works as it stands; `test/biometrics/capture-open-api.test.ts` sends it. */
  readonly example?: object
}

const PICTURE = Buffer.from(EXAMPLE_PICTURE, 'base64')
const EXAMPLE_ITEM = { tipo: 'foto', conteudo: 'image/jpeg', tamanho: PICTURE.length, sha256: createHash('sha256').update(PICTURE).digest('hex') } as const
const EXAMPLE_PROCESS = {
  ponto: 'cba-centro-01', cpf: EXAMPLE_CPF, finalidade: 'habilitacao', operador: 'mat-12345', aparelho: 'Câmera X 1', capturado_em: '2026-11-28T09:30:00-04:00', itens: [EXAMPLE_ITEM],
}

/** The whole API, in the order of the document. */
export const CAPTURE_OPERATIONS: readonly CaptureOperation[] = [
  {
    method: 'post', path: '/processos', summary: 'Abre um processo: uma pessoa em um ponto, com os itens que virão', status: 201, headers: ['Idempotency-Key'],
    body: contract.processRequest, answer: contract.processAnswer, example: EXAMPLE_PROCESS,
  },
  { method: 'get', path: '/processos/{id}', summary: 'O processo e onde está cada item', answer: contract.processAnswer },
  {
    method: 'post', path: '/processos/{id}/itens', summary: 'Mais um item, ou outro no lugar de um recusado', status: 201, body: contract.itemRequest, answer: contract.itemAnswer,
    example: { ...EXAMPLE_ITEM, tipo: 'assinatura' },
  },
  { method: 'head', path: '/itens/{id}', summary: 'Até onde o envio chegou (`Upload-Offset`)' },
  { method: 'get', path: '/itens/{id}', summary: 'O item: até onde chegou, e o julgamento quando chegou todo', answer: contract.itemAnswer },
  {
    method: 'patch', path: '/itens/{id}', summary: 'Continua o envio; com `Upload-Complete: ?1` a imagem é conferida, julgada e guardada', takesBytes: true,
    headers: ['Upload-Offset', 'Upload-Complete'], answer: contract.itemAnswer,
  },
  { method: 'post', path: '/processos/{id}/conclusao', summary: 'Conclui e conta o processo; de novo, responde o mesmo', answer: contract.processAnswer },
  { method: 'post', path: '/processos/{id}/desistencia', summary: 'Encerra sem contar', answer: contract.processAnswer },
  { method: 'post', path: '/lotes', summary: 'Um lote capturado sem conexão, assinado pelo ponto; os arquivos vão depois pelos envios dos itens', status: 201, body: contract.batchRequest, answer: contract.batchAnswer },
  { method: 'get', path: '/pontos/{code}', summary: 'Situação do ponto, último lote e números que faltam', answer: contract.pointAnswer },
  { method: 'post', path: '/pontos/{code}/sinais', summary: 'Sinal de vida, a cada cinco minutos', body: contract.beatRequest, answer: contract.beatAnswer, example: { pronto: true } },
]

/** The OpenAPI 3.1 document, from the schemas that guard the routes. */
export function captureDocument(publicUrl: string, base: string): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const operation of CAPTURE_OPERATIONS) paths[base + operation.path] = { ...paths[base + operation.path], [operation.method]: describe(operation) }
  return {
    openapi: '3.1.0',
    info: {
      title: 'MT Login: coleta de imagens',
      version: '1.0.0',
      description:
        'Chamadas com token do próprio cliente (client_credentials, `resource` = endereço/api/biometria), preso a uma chave (DPoP, RFC 9449) ou a um certificado (RFC 8705): token solto é recusado. Envios seguem draft-ietf-httpbis-resumable-upload. Toda captura aparece no histórico da pessoa.',
    },
    servers: [{ url: publicUrl }],
    paths,
    components: {
      securitySchemes: {
        oauth: { type: 'oauth2', flows: { clientCredentials: { tokenUrl: `${publicUrl}/token`, scopes: { 'biometria.capturar': 'Captura nos pontos do cliente' } } } },
      },
      schemas: { Problem: PROBLEM, Manifesto: schemaOf(contract.manifest, 'input') },
    },
  }
}

function describe({ summary, path, body, takesBytes, status = 200, answer, headers = [], example }: CaptureOperation): object {
  const content = takesBytes ? { 'application/partial-upload': { schema: {} } } : body && { 'application/json': { schema: schemaOf(body, 'input'), ...(example && { example }) } }
  const parameters = pathParameters(path).map((parameter) => (path.includes('{code}') ? { ...parameter, schema: { type: 'string' } } : parameter))
  return {
    summary,
    security: [{ oauth: ['biometria.capturar'] }],
    parameters: [...parameters, ...headers.map((name) => ({ name, in: 'header', required: true, schema: { type: 'string' } }))],
    ...(content && { requestBody: { required: true, content } }),
    responses: {
      [status]: { description: 'Feito', ...(answer && { content: { 'application/json': { schema: schemaOf(answer, 'output') } } }) },
      default: { description: 'Recusado (RFC 9457); `type` termina no código', content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } },
    },
  }
}

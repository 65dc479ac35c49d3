import { z } from 'zod'
import * as contract from './contract.ts'
import { EXAMPLE_CPF, EXAMPLE_PICTURE, EXAMPLE_RETURN } from './open-api-examples.ts'
import type { AgencyScope } from './policy.ts'
import { AGENCY_PROBLEMS } from './problems.ts'

/** One operation as the document shows it; the routes guard with the same schemas. */
export interface DocumentedOperation {
  readonly method: 'get' | 'post'
  /** Below the API's base. */
  readonly path: string
  readonly summary: string
  /** A token's scope, the key of a validation, or nothing. */
  readonly needs: AgencyScope | 'chave' | undefined
  readonly body?: z.ZodType
  /** JPEG in the body instead of JSON. */
  readonly takesFrame?: boolean
  readonly query?: z.ZodObject
  readonly status?: 200 | 201 | 204
  readonly answer?: z.ZodType
  /** A request that works as it stands; `test/biometrics/agencies-open-api.test.ts` sends it. */
  readonly example?: object
}

const SESSION = '/validacoes/{uid}/sessao'

/** The whole API, in the order of the document. */
export const AGENCY_OPERATIONS: readonly DocumentedOperation[] = [
  {
    method: 'post', path: '/comparacoes', needs: 'biometria.comparar', summary: 'Compara duas fotos: mesma pessoa, outra pessoa, ou fotos que não servem',
    body: contract.compareRequest, answer: contract.compareAnswer, example: { imagem_a: EXAMPLE_PICTURE, imagem_b: EXAMPLE_PICTURE, finalidade: 'habilitacao' },
  },
  {
    method: 'post', path: '/qualidade', needs: 'biometria.qualidade', summary: 'Diz se uma foto serve e, se não, por quê',
    body: contract.qualityRequest, answer: contract.qualityAnswer, example: { imagem: EXAMPLE_PICTURE, perfil: 'documento', finalidade: 'habilitacao' },
  },
  {
    method: 'post', path: '/validacoes', needs: 'biometria.validar', summary: 'Pede que a pessoa de um CPF mostre o rosto, na nossa página ou no seu aplicativo', status: 201,
    body: contract.validationRequest, answer: contract.validationAnswer,
    example: { fluxo: 'pagina', cpf: EXAMPLE_CPF, finalidade: 'habilitacao', retorno: EXAMPLE_RETURN, estado: 'atendimento-17' },
  },
  {
    method: 'get', path: '/validacoes/{id}', needs: 'biometria.validar', summary: 'O resultado; no fluxo de página, com o código que voltou com a pessoa',
    query: contract.validationQuery, answer: contract.validationResult,
  },
  { method: 'post', path: SESSION, needs: 'chave', summary: 'Começa a conferência no aplicativo', status: 201, body: contract.sessionRequest, answer: contract.sessionAnswer, example: { flashes: true, slowLink: false } },
  { method: 'get', path: `${SESSION}/{id}/passo`, needs: 'chave', summary: 'O passo de agora; espera até 10 s por um depois de `depois`', query: z.object({ depois: z.string() }), answer: contract.stepAnswer },
  { method: 'post', path: `${SESSION}/{id}/quadro`, needs: 'chave', summary: 'Uma imagem da câmera, assinada com o nonce da conferência', takesFrame: true, answer: contract.frameAnswer },
  { method: 'post', path: `${SESSION}/{id}/mais-tempo`, needs: 'chave', summary: 'Um minuto a mais, uma vez', answer: contract.stepAnswer },
  { method: 'post', path: `${SESSION}/{id}/fim`, needs: 'chave', summary: 'O julgamento', answer: contract.endAnswer },
  { method: 'get', path: `${SESSION}/{id}/resultado`, needs: 'chave', summary: 'O mesmo, para quem perdeu a resposta', answer: contract.endAnswer },
  { method: 'post', path: `${SESSION}/{id}/cancelar`, needs: 'chave', summary: 'Desiste da conferência', status: 204 },
  {
    method: 'post', path: '/referencias', needs: 'biometria.referencia', summary: 'A foto de referência de uma pessoa, com recibo assinado',
    body: contract.referenceRequest, answer: contract.referenceAnswer,
    example: { cpf: EXAMPLE_CPF, finalidade: 'pericia', base_legal: 'lgpd-11-ii-d', processo: '1000123-45.2026.8.11.0041', responsavel: 'Perita Ana Souza, matrícula 12345' },
  },
  {
    method: 'post', path: '/digitais', needs: 'biometria.digitais', summary: 'As impressões digitais de uma pessoa, e por que faltam as que não há; guardadas e entregues como vieram, não comparadas',
    body: contract.fingerprintsRequest, answer: contract.fingerprintsAnswer,
  },
  { method: 'post', path: '/recibos/verificacao', needs: undefined, summary: 'Confere um recibo', body: contract.verificationRequest, answer: contract.verificationAnswer },
  { method: 'get', path: '/recibos/chaves', needs: undefined, summary: 'As chaves que conferem recibos e resultados (JWKS)', answer: contract.keysAnswer },
]

/** The OpenAPI 3.1 document, from the schemas that guard the routes. */
export function openApiDocument(publicUrl: string, base: string): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const operation of AGENCY_OPERATIONS) {
    const path = base + operation.path
    paths[path] = { ...paths[path], [operation.method]: describe(operation) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'MT Login: biometria para órgãos',
      version: '1.0.0',
      description:
        'Chamadas com token do próprio cliente (client_credentials, `resource` = endereço/api/biometria). Toda chamada sobre uma pessoa aparece no histórico dela, com o nome do órgão e a finalidade. Liveness não certificado ISO/IEC 30107-3.',
    },
    servers: [{ url: publicUrl }],
    paths,
    components: {
      securitySchemes: {
        oauth: { type: 'oauth2', flows: { clientCredentials: { tokenUrl: `${publicUrl}/token`, scopes: scopesOf() } } },
        chave: { type: 'http', scheme: 'bearer', description: 'A `chave` de uma validação' },
      },
      schemas: { Problem: PROBLEM },
    },
  }
}

function describe({ summary, needs, body, takesFrame, query, status = 200, answer, example, path }: DocumentedOperation): object {
  const content = takesFrame ? { 'image/jpeg': { schema: {} } } : body && { 'application/json': { schema: schemaOf(body, 'input'), ...(example && { example }) } }
  const isWork = body !== undefined && needs !== undefined && needs !== 'chave'
  return {
    summary,
    ...(needs && { security: needs === 'chave' ? [{ chave: [] }, { oauth: ['biometria.validar'] }] : [{ oauth: [needs] }] }),
    parameters: [...pathParameters(path), ...(query ? queryParameters(query) : []), ...(isWork ? [IDEMPOTENCY] : []), ...(takesFrame ? FRAME_HEADERS : [])],
    ...(content && { requestBody: { required: true, content } }),
    responses: {
      [status]: { description: 'Feito', ...(answer && { content: { 'application/json': { schema: schemaOf(answer, 'output') } } }) },
      default: { description: 'Recusado (RFC 9457); `type` termina no código', content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } },
    },
  }
}

export function schemaOf(schema: z.ZodType, io: 'input' | 'output'): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}

const IDEMPOTENCY = { name: 'Idempotency-Key', in: 'header', schema: { type: 'string', minLength: 8, maxLength: 128 }, description: 'O mesmo pedido com a mesma chave é feito e contado uma vez, por 24 horas.' }
const FRAME_HEADERS = ['X-Step', 'X-Sequence', 'X-Captured-At', 'X-Signature'].map((name) => ({ name, in: 'header', required: true, schema: { type: 'string' } }))

export const PROBLEM = {
  type: 'object',
  required: ['type', 'title', 'status'],
  properties: {
    type: { type: 'string', description: `…/problems/ e um código, como ${AGENCY_PROBLEMS.quotaSpent.code}` },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    instance: { type: 'string' },
    errors: { type: 'array', items: { type: 'object', properties: { pointer: { type: 'string' }, code: { type: 'string' } } } },
  },
}

export function pathParameters(path: string): object[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string', format: 'uuid' } }))
}

function queryParameters(query: z.ZodObject): object[] {
  return Object.entries(query.shape).map(([name, schema]) => ({ name, in: 'query', required: !(schema instanceof z.ZodOptional), schema: schemaOf(z.string(), 'input') }))
}

function scopesOf(): Record<string, string> {
  return {
    'biometria.qualidade': 'Qualidade de uma foto',
    'biometria.comparar': 'Comparação de duas fotos',
    'biometria.validar': 'Validação de uma selfie para um CPF',
    'biometria.referencia': 'Foto de referência com recibo; só por decisão de um operador',
    'biometria.digitais': 'Impressões digitais; só por decisão de um operador',
  }
}

/** OpenAPI 3.1 documents of the signing APIs, from the schemas that their routes parse with. */
import { z } from 'zod'

/** A body of a request or an answer. */
export interface DocumentedBody {
  readonly type: 'application/json' | 'application/x-www-form-urlencoded' | 'application/x-pem-file' | 'application/octet-stream' | 'text/plain' | 'text/html'
  /** Absent where the bytes or the text follow no schema. */
  readonly schema?: z.ZodType
}

/** One operation as the document shows it. */
export interface DocumentedOperation {
  readonly method: 'get' | 'post'
  /** Below the API's base. */
  readonly path: string
  readonly summary: string
  /** What the caller shows; absent for what everybody may ask. */
  readonly shows?: 'token' | 'client' | undefined
  readonly query?: z.ZodObject
  readonly body?: DocumentedBody
  readonly answers: Readonly<Record<number, DocumentedBody | string>>
}

export interface DocumentedApi {
  readonly title: string
  readonly description: string
  /** Path of the API, without the server. */
  readonly base: string
  readonly operations: readonly DocumentedOperation[]
  /** What its authorization server is called below the base, and which scopes it knows. */
  readonly oauth: { readonly authorize: string; readonly token: string; readonly scopes: Readonly<Record<string, string>> }
  /** Whatever is not in `answers`. */
  readonly refusal: DocumentedBody
}

/** The document; addresses are those of this server. */
export function openApiDocument({ title, description, base, operations, oauth, refusal }: DocumentedApi, publicUrl: string): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const operation of operations) paths[operation.path] = { ...paths[operation.path], [operation.method]: describe(operation, refusal) }
  const server = `${publicUrl}${base}`
  return {
    openapi: '3.1.0',
    info: { title, version: '1.0.0', description },
    servers: [{ url: server }],
    paths,
    components: {
      securitySchemes: {
        token: { type: 'oauth2', flows: { authorizationCode: { authorizationUrl: `${server}${oauth.authorize}`, tokenUrl: `${server}${oauth.token}`, scopes: oauth.scopes } } },
        client: { type: 'http', scheme: 'basic', description: 'client_id e client_secret; também no corpo' },
      },
    },
  }
}

function describe({ summary, shows, query, body, answers }: DocumentedOperation, refusal: DocumentedBody): object {
  return {
    summary,
    security: shows ? [{ [shows]: [] }] : [],
    parameters: Object.entries(query?.shape ?? {}).map(([name, schema]) => ({ name, in: 'query', required: !schema.safeParse(undefined).success, schema: schemaOf(schema, 'input') })),
    ...(body && { requestBody: { required: true, content: contentOf(body, 'input') } }),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, typeof answer === 'string' ? { description: answer } : { description: 'Feito', content: contentOf(answer, 'output') }])),
      default: { description: 'Recusado', content: contentOf(refusal, 'output') },
    },
  }
}

const contentOf = ({ type, schema }: DocumentedBody, io: 'input' | 'output') => ({ [type]: schema ? { schema: schemaOf(schema, io) } : {} })

function schemaOf(schema: z.core.$ZodType, io: 'input' | 'output'): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}

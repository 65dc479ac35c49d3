import { z } from 'zod'
import type { DocumentedApi, DocumentedBody } from './open-api.ts'
import { GOVBR_BASE } from './signing-clients.ts'

const json = (schema: z.ZodType): DocumentedBody => ({ type: 'application/json', schema })
const text = z.string()
/** SHA-256 in base64; what else comes along is none of our business. */
export const signRequest = z.looseObject({ hashBase64: z.string().max(200) })
export const federalRefusal = z.strictObject({ timestamp: z.int(), status: z.int(), error: z.string(), message: z.string(), path: z.string() })
export const federalToken = z.strictObject({ access_token: z.string(), token_type: z.literal('bearer'), expires_in: z.int() })
const SCOPES = ['sign', 'signature_session', 'sign govbr', 'signature_session govbr', 'govbr sign', 'govbr signature_session'] as const

/** The signing API of the federal login as this server speaks it. */
export const GOVBR_API: DocumentedApi = {
  title: 'MT Login: assinatura com chave emprestada (como a API de assinatura do gov.br)',
  description: 'As chamadas e os textos da API federal de assinatura; a assinatura é avançada, com certificado do Estado feito para ela.',
  base: GOVBR_BASE,
  oauth: { authorize: '/oauth2.0/authorize', token: '/oauth2.0/token', scopes: { sign: 'Assinar um documento', signature_session: 'Assinar até 100 documentos em 10 minutos' } },
  refusal: json(federalRefusal),
  operations: [
    {
      method: 'get', path: '/oauth2.0/authorize', summary: 'Leva o cidadão à página em que ele responde',
      query: z.object({
        response_type: z.literal('code'), client_id: text, redirect_uri: text, scope: z.enum(SCOPES), state: text.optional(), nonce: text.optional(),
        code_challenge: text.optional(), code_challenge_method: z.literal('S256').optional(),
      }),
      answers: { 303: 'À página do cidadão', 302: 'De volta ao sistema, com o erro' },
    },
    {
      method: 'post', path: '/oauth2.0/token', summary: 'Troca o código pelo token', shows: 'client',
      body: {
        type: 'application/x-www-form-urlencoded',
        schema: z.looseObject({ grant_type: z.literal('authorization_code'), code: text, redirect_uri: text, client_id: text.optional(), client_secret: text.optional(), code_verifier: text.optional() }),
      },
      answers: { 200: json(federalToken), 400: { type: 'text/plain' } },
    },
    { method: 'get', path: '/externo/v2/certificadoPublico', summary: 'O certificado do cidadão, em PEM', shows: 'token', answers: { 200: { type: 'application/x-pem-file' }, 403: { type: 'text/plain' } } },
    {
      method: 'post', path: '/externo/v2/assinarPKCS7', summary: 'Assina o resumo de um documento; a resposta é o PKCS#7 destacado', shows: 'token', body: json(signRequest),
      answers: { 200: { type: 'application/octet-stream' }, 403: { type: 'text/plain' } },
    },
  ],
}

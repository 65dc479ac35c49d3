import { z } from 'zod'
import type { DocumentedApi, DocumentedBody } from '../open-api.ts'
import { CSC_BASE } from '../signing-clients.ts'
import * as contract from './contract.ts'

const json = (schema: z.ZodType): DocumentedBody => ({ type: 'application/json', schema })
const form = (schema: z.ZodType): DocumentedBody => ({ type: 'application/x-www-form-urlencoded', schema })
const text = z.string()
const authorizing = z.object({
  response_type: z.literal('code'), client_id: text, redirect_uri: text, state: text.optional(), scope: z.enum(['service', 'credential']).optional(),
  code_challenge: text.optional(), code_challenge_method: z.literal('S256').optional(), credentialID: z.uuid().optional(), numSignatures: text.optional(),
  hashes: text.optional(), hashAlgorithmOID: z.literal(contract.SHA_256).optional(), authorization_details: text.optional(),
})
const token = z.looseObject({ grant_type: z.literal('authorization_code'), code: text, redirect_uri: text, client_id: text.optional(), client_secret: text.optional(), code_verifier: text.optional() })

/** The API of the Cloud Signature Consortium as this server speaks it. */
export const CSC_API: DocumentedApi = {
  title: 'MT Login: assinatura com o certificado do cidadão (CSC API v2)',
  description: 'Cloud Signature Consortium API 2.0.0.2. Certificados que o cidadão guarda aqui; o SAD é de um uso e só para os hashes que ele confirmou (SCAL2).',
  base: CSC_BASE,
  oauth: { authorize: '/oauth2/authorize', token: '/oauth2/token', scopes: { service: 'Ver os certificados do cidadão', credential: 'Assinar os hashes que o cidadão confirmou' } },
  refusal: json(contract.errorAnswer),
  operations: [
    { method: 'post', path: '/info', summary: 'O que o serviço oferece', body: json(contract.infoRequest), answers: { 200: json(contract.infoAnswer) } },
    { method: 'get', path: '/oauth2/authorize', summary: 'Leva o cidadão à página em que ele responde', query: authorizing, answers: { 303: 'À página do cidadão', 302: 'De volta ao sistema, com o erro' } },
    { method: 'post', path: '/oauth2/token', summary: 'Troca o código pelo token de serviço ou pelo SAD', shows: 'client', body: form(token), answers: { 200: json(contract.tokenAnswer) } },
    { method: 'post', path: '/oauth2/revoke', summary: 'Encerra um token', shows: 'client', body: form(z.looseObject({ token: text })), answers: { 200: 'Encerrado, ou não era nada' } },
    { method: 'post', path: '/credentials/list', summary: 'Os certificados do cidadão', shows: 'token', body: json(contract.listRequest), answers: { 200: json(contract.listAnswer) } },
    { method: 'post', path: '/credentials/info', summary: 'Um certificado', shows: 'token', body: json(contract.credentialRequest), answers: { 200: json(contract.credentialAnswer) } },
    { method: 'post', path: '/credentials/getChallenge', summary: 'O número que o sistema e a página do cidadão mostram (modo explicit)', shows: 'token', body: json(contract.challengeRequest), answers: { 200: json(contract.challengeAnswer) } },
    { method: 'post', path: '/credentials/authorize', summary: 'Pede a assinatura na conta do cidadão (modo explicit)', shows: 'token', body: json(contract.authorizeRequest), answers: { 202: json(contract.authorizeAnswer) } },
    {
      method: 'post', path: '/credentials/authorizeCheck', summary: 'Se o cidadão já respondeu; o SAD vem uma vez', shows: 'token', body: json(contract.checkRequest),
      answers: { 200: json(contract.sadAnswer), 202: json(contract.waitingAnswer) },
    },
    { method: 'post', path: '/signatures/signHash', summary: 'Assina hashes como vieram', shows: 'token', body: json(contract.signHashRequest), answers: { 200: json(contract.signHashAnswer) } },
    { method: 'post', path: '/signatures/signDoc', summary: 'Assinaturas AdES de documentos, ou de resumos de documentos', shows: 'token', body: json(contract.signDocRequest), answers: { 200: json(contract.signDocAnswer) } },
    { method: 'post', path: '/signatures/timestamp', summary: 'Um carimbo do tempo (RFC 3161)', shows: 'token', body: json(contract.stampRequest), answers: { 200: json(contract.stampAnswer) } },
  ],
}

import { z } from 'zod'
import { type AskContent, MOST_DOCUMENTS, type SigningApi } from '../../signatures/index.ts'

/** What an authorization request asks for, or the OAuth error that it earns. */
export type AskedContent = AskContent | { readonly error: 'invalid_scope' | 'invalid_request' | 'invalid_authorization_details'; readonly description: string }

type Query = Readonly<Record<string, string | undefined>>

const SHA_256 = '2.16.840.1.101.3.4.2.1'

export function contentOf(api: SigningApi, query: Query): AskedContent {
  return api === 'govbr' ? federalContent(query) : cscContent(query)
}

/** `sign` or `signature_session`, never both; `govbr` says which certificate, and is what comes without it. */
function federalContent({ scope = '' }: Query): AskedContent {
  const scopes = scope.split(/[\s+]+/).filter((one) => one !== '')
  const isOne = scopes.includes('sign')
  const isMany = scopes.includes('signature_session')
  const unknown = scopes.some((one) => !['sign', 'signature_session', 'govbr', 'icp_brasil'].includes(one))
  if (unknown || isOne === isMany) return { error: 'invalid_scope', description: 'either sign or signature_session' }
  if (scopes.includes('icp_brasil') && !scopes.includes('govbr')) return { error: 'invalid_scope', description: 'no ICP-Brasil certificates here' }
  return { kind: 'open', count: isOne ? 1 : MOST_DOCUMENTS }
}

function cscContent(query: Query): AskedContent {
  if (query['authorization_details'] !== undefined) return detailedContent(query['authorization_details'])
  if (query['scope'] === 'service') return { kind: 'service' }
  if (query['scope'] !== 'credential') return { error: 'invalid_scope', description: 'service or credential' }
  const digests = (query['hashes'] ?? query['hash'] ?? '').split(',').map(hexOf)
  const credentialId = z.uuid().safeParse(query['credentialID'])
  if (!credentialId.success) return { error: 'invalid_request', description: 'Invalid parameter credentialID' }
  if (query['hashAlgorithmOID'] !== SHA_256) return { error: 'invalid_request', description: 'Invalid parameter hashAlgorithmOID' }
  if (query['numSignatures'] !== String(digests.length)) return { error: 'invalid_request', description: 'Invalid parameter numSignatures' }
  return hashesContent(credentialId.data, digests.map((hash) => ({ hash, label: undefined }))) ?? { error: 'invalid_request', description: 'Invalid parameter hashes' }
}

const details = z.tuple([z.looseObject({
  type: z.literal('credential'),
  credentialID: z.uuid(),
  hashAlgorithmOID: z.literal(SHA_256),
  documentDigests: z.array(z.looseObject({ hash: z.string().max(100), label: z.string().trim().max(300).optional() })).min(1).max(MOST_DOCUMENTS),
})])

/** RFC 9396, as CSC v2 uses it: the names of the documents come along. */
function detailedContent(text: string): AskedContent {
  const refusal = { error: 'invalid_authorization_details', description: 'one of type credential, with credentialID, documentDigests and hashAlgorithmOID of SHA-256' } as const
  const parsed = details.safeParse(parsedJson(text))
  if (!parsed.success) return refusal
  const [{ credentialID, documentDigests }] = parsed.data
  return hashesContent(credentialID, documentDigests.map(({ hash, label }) => ({ hash: hexOf(hash), label }))) ?? refusal
}

function hashesContent(credentialId: string, asked: readonly { hash: string | undefined; label: string | undefined }[]): AskContent | undefined {
  if (asked.length > MOST_DOCUMENTS || new Set(asked.map(({ hash }) => hash)).size !== asked.length) return undefined
  const documents = asked.flatMap(({ hash, label }, index) => (hash === undefined ? [] : [{ hash, label: label || `${index + 1}` }]))
  return documents.length === asked.length ? { kind: 'hashes', credentialId, documents } : undefined
}

/** Base64 in either alphabet: the standard has the one in JSON and the other in addresses. */
function hexOf(base64: string): string | undefined {
  const bytes = Buffer.from(base64, 'base64url')
  return bytes.length === 32 && /^[\w+/-]{43}=?$/.test(base64) ? bytes.toString('hex') : undefined
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A key that its citizen lent to one client for some minutes; it opens with the client's one-use secret, which is kept nowhere. */
import { createHash, hkdfSync } from 'node:crypto'
import { z } from 'zod'
import { isProblem } from '../../platform/problem.ts'
import { PLATFORM_PROBLEMS } from '../../platform/problems.ts'
import { openWith, sealWith } from '../../platform/keyring.ts'
import { generalizedTime, int, octets, seq, utf8 } from '../asn1/der.ts'
import { type Activation, MOST_DOCUMENTS } from './activation.ts'

/** For what and until when a key was lent. Other terms do not open it. */
export const lentTerms = z.strictObject({
  /** The activation that lent it. */
  activationId: z.uuid(),
  accountId: z.uuid(),
  clientId: z.string().min(1),
  expiresAt: z.date(),
  allows: z.discriminatedUnion('kind', [
    /** These digests as they are (SCAL2). */
    z.strictObject({ kind: z.literal('hashes'), digests: z.array(z.string().regex(/^[0-9a-f]{64}$/)).min(1).max(MOST_DOCUMENTS) }),
    /** Signed attributes about documents that only the client shows; how many is counted outside. */
    z.strictObject({ kind: z.literal('open'), count: z.number().int().min(1).max(MOST_DOCUMENTS) }),
  ]),
})
export type LentTerms = z.infer<typeof lentTerms>

/** What an activation lends, by what its citizen agreed to; undefined where it lends nothing. */
export function termsOf({ id, accountId, clientId, documents, open }: Activation, expiresAt: Date): LentTerms | undefined {
  if (clientId === undefined) return undefined
  const facts = { activationId: id, accountId, clientId, expiresAt }
  if (open) return { ...facts, allows: { kind: 'open', count: open.count } }
  if (documents.length === 0 || documents.some(({ form }) => form !== 'hash')) return undefined
  return { ...facts, allows: { kind: 'hashes', digests: documents.map(({ digest }) => digest) } }
}

/** The private key under the secret and the terms. */
export function lendKey(pkcs8: Uint8Array, secret: Uint8Array, terms: LentTerms): Buffer {
  const key = keyFrom(secret)
  try {
    return sealWith(key, pkcs8, contextOf(terms))
  } finally {
    key.fill(0)
  }
}

/** PKCS#8 of the key, for the caller to wipe; undefined for another secret, or other terms. */
export function openLentKey(wrapped: Uint8Array, secret: Uint8Array, terms: LentTerms): Buffer | undefined {
  const key = keyFrom(secret)
  try {
    return openWith(key, wrapped, contextOf(terms))
  } catch (error) {
    if (isProblem(error, PLATFORM_PROBLEMS.sealBroken)) return undefined
    throw error
  } finally {
    key.fill(0)
  }
}

/** The secret is random, so one pass is enough. */
function keyFrom(secret: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), 'mt-login lent key 1', 32))
}

function contextOf({ activationId, accountId, clientId, expiresAt, allows }: LentTerms): string {
  const what = allows.kind === 'open' ? [int(allows.count)] : allows.digests.map((digest) => octets(Buffer.from(digest, 'hex')))
  const encoded = seq(utf8(activationId), utf8(accountId), utf8(clientId), generalizedTime(expiresAt), int(expiresAt.getUTCMilliseconds()), utf8(allows.kind), seq(...what))
  return `lent-key:${createHash('sha256').update(encoded).digest('hex')}`
}

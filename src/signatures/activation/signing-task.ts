import { z } from 'zod'
import { PERSON_KEY_KINDS } from '../authority/signer.ts'
import { activationContent } from './activation.ts'
import { lentItem } from '../lending/lent-item.ts'
import { lentTerms } from './lent-key.ts'

const bytes = z.instanceof(Uint8Array)
const activation = z.object({ content: activationContent, id: z.uuid(), accountId: z.uuid(), clientId: z.string().optional(), createdAt: z.date(), expiresAt: z.date() })
const keyKind = z.enum(PERSON_KEY_KINDS)

/** What the signing thread is asked. A ticket is one try of one activation. */
export const signingTask = z.discriminatedUnion('kind', [
  /** The evidence, judged. */
  z.object({ kind: z.literal('prove'), ticket: z.uuid(), activation, idToken: z.string().max(20_000), keys: z.array(z.record(z.string(), z.unknown())), now: z.date() }),
  /** The citizen's own key, by their password. */
  z.object({ kind: z.literal('unlock'), ticket: z.uuid(), wrapped: bytes, password: z.string(), context: z.string() }),
  /** The activation is burnt: its ticket may sign, with the key that was unlocked or one made for it. */
  z.object({ kind: z.literal('begin'), ticket: z.uuid(), keyKind, now: z.date() }),
  z.object({ kind: z.literal('sign'), ticket: z.uuid(), form: z.enum(['attributes', 'hash']), items: z.array(bytes).min(1).max(100), now: z.date() }),
  /** The activation is burnt: the key that it asks for is made here, and leaves under its citizen's password. */
  z.object({ kind: z.literal('make'), ticket: z.uuid(), keyKind, password: z.string(), context: z.string(), now: z.date() }),
  /** The activation is burnt: its key leaves under a client's secret, for what the citizen agreed to. */
  z.object({ kind: z.literal('lend'), ticket: z.uuid(), keyKind, secret: bytes, expiresAt: z.date(), now: z.date() }),
  /** A lent key under another secret of the same client: a code became a token. */
  z.object({ kind: z.literal('relend'), wrapped: bytes, secret: bytes, next: bytes, terms: lentTerms, now: z.date() }),
  z.object({ kind: z.literal('sign-lent'), wrapped: bytes, secret: bytes, terms: lentTerms, items: z.array(lentItem).min(1).max(100), now: z.date() }),
  z.object({ kind: z.literal('forget'), ticket: z.uuid() }),
])
export type SigningTask = z.input<typeof signingTask>

/** Words of a refusal by the thread. */
export const SIGNING_REFUSALS = ['unproven', 'wrong-password', 'spent', 'not-the-documents', 'unknown-ticket'] as const
export type SigningRefusal = (typeof SIGNING_REFUSALS)[number]

export interface SigningAnswer {
  readonly spki?: Uint8Array
  readonly wrapped?: Uint8Array
  readonly signatures?: readonly Uint8Array[]
  /** Of the documents that were signed, in hexadecimal. */
  readonly digests?: readonly string[]
}

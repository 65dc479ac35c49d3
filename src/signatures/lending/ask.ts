import { z } from 'zod'
import { MOST_DOCUMENTS } from '../activation/activation.ts'

/** What a client asks of a citizen. */
export const askContent = z.discriminatedUnion('kind', [
  /** So many signatures under documents that only the client shows, as the federal service has them. */
  z.strictObject({ kind: z.literal('open'), count: z.int().min(1).max(MOST_DOCUMENTS) }),
  /** To see the citizen's certificates (CSC scope `service`). */
  z.strictObject({ kind: z.literal('service') }),
  /** These hashes signed with this certificate (CSC scope `credential`). */
  z.strictObject({
    kind: z.literal('hashes'),
    credentialId: z.uuid(),
    documents: z.array(z.strictObject({ label: z.string().min(1).max(300), hash: z.string().regex(/^[0-9a-f]{64}$/) })).min(1).max(MOST_DOCUMENTS),
  }),
])
export type AskContent = z.infer<typeof askContent>

/** A client's request that waits for its citizen. */
export interface Ask {
  readonly id: string
  readonly clientId: string
  /** Whom it is for; undefined while anybody who signs in may answer. */
  readonly accountId: string | undefined
  /** One of the client's, exactly; nobody is ever sent elsewhere. */
  readonly redirectUri: string
  /** Goes back to the client as it came. */
  readonly state: string | undefined
  /** S256. */
  readonly codeChallenge: string | undefined
  readonly content: AskContent
  /** What the citizen is proving now. */
  readonly activationId: string | undefined
  readonly expiresAt: Date
  /** The client waits for the answer by a handle, and shows this number; undefined where the answer goes back with the browser. */
  readonly waiting: { readonly challenge: string; readonly publicKey: Buffer } | undefined
}

import type { JWK } from 'jose'
import { type Activations, createActivations } from './activation/activations.ts'
import type { SigningCore } from './activation/core.ts'
import type { EvidenceRule } from './activation/evidence.ts'
import type { WrapCost } from './activation/password-wrap.ts'
import { createSigningThread, type SigningThread } from './activation/signing-thread.ts'
import type { Authority } from './authority/authority.ts'
import { createIssuance } from './authority/issuance.ts'
import type { PersonKeyKind } from './authority/signer.ts'
import { createCredentials, type Credentials } from './credentials/credentials.ts'
import { type CertificateReview, createReview } from './credentials/review.ts'
import { createKeptKeys } from './credentials/kept-keys.ts'
import { type Asks, createAsks } from './lending/asks.ts'
import { createHandles, type Handles } from './lending/handles.ts'
import { createLendings, type Lendings } from './lending/lendings.ts'

/** argon2id of a password for signing: 64 MiB, three times over. */
export const DEFAULT_WRAP_COST: WrapCost = { memoryKib: 65_536, passes: 3 }

export interface RemoteSigningDependencies {
  readonly core: SigningCore
  readonly authority: Pick<Authority, 'active' | 'signerOf'>
  readonly settings: {
    readonly publicUrl: string
    readonly keyKind: PersonKeyKind
    readonly cost: WrapCost
    /** The provider and the client of our own area: nobody else's tokens prove a citizen's will. */
    readonly evidence: EvidenceRule
    /** The provider's keys at this moment. */
    readonly issuerKeys: () => readonly JWK[]
  }
}

/** Citizens' signatures: their certificates, what they agree to, and the thread where their keys are. */
export interface RemoteSigning {
  readonly credentials: Credentials
  readonly activations: Activations
  /** For what comes without anybody's act. */
  readonly review: CertificateReview
  /** Keys lent to relying parties that sign by an API. */
  readonly lendings: Lendings
  /** What those ask of citizens. */
  readonly asks: Asks
  /** What they ask without sending the citizen here. */
  readonly handles: Handles
  /** Who somebody is for a signature, at this moment. */
  readonly findSigner: SigningCore['people']['findSigner']
  readonly stats: SigningThread['stats']
  close(): Promise<void>
}

export function createRemoteSigning({ core, authority, settings }: RemoteSigningDependencies): RemoteSigning {
  const { publicUrl, evidence, cost } = settings
  const thread = createSigningThread({ evidence, cost })
  const issuance = createIssuance({ clock: core.clock, audit: core.audit, authority, publicUrl })
  const credentials = createCredentials({ core, thread, issuance, settings })
  const activations = createActivations({ core, thread, issuance, settings, findKept: createKeptKeys(core, credentials) })
  const lendings = createLendings({ core, thread, activations })
  const asks = createAsks({ core, activations, lendings, representedBy: async (accountId, id) => (await credentials.get(id, accountId)).represents })
  return { credentials, activations, lendings, asks, handles: createHandles({ core, lendings }), findSigner: core.people.findSigner, review: createReview(core, credentials), stats: thread.stats, close: thread.close }
}

import type { Audit } from '../audit/index.ts'
import type { Clock } from '../platform/clock.ts'
import type { Database } from '../platform/db.ts'
import type { Keyring } from '../platform/keyring.ts'
import { type Authority, createAuthority } from './authority/authority.ts'
import { createAuthorityKeys } from './keys/authority-keys.ts'
import type { KeyToken } from './keys/token.ts'
import { createCrlThread } from './status/crl-thread.ts'
import { createPdfThread } from './pdf/pdf-thread.ts'
import { createSeals, type Seals } from './signing/seal.ts'
import { createSigning, type Signing } from './signing/signing.ts'
import { type CertificateStatuses, createStatuses } from './status/status.ts'
import { createTrustList, type TrustList } from './verification/trust-list.ts'
import { createVerifier, type Verifier } from './verification/verifier.ts'
import { createTimeStamping, type TimeStamping } from './timestamp/time-stamping.ts'

export interface SignaturesDependencies {
  readonly db: Database
  readonly clock: Clock
  readonly keyring: Pick<Keyring, 'seal' | 'open' | 'isCurrent'>
  readonly audit: Pick<Audit, 'record'>
  readonly publicUrl: string
  /** Where keys of the authority are made; absent: under the keyring. */
  readonly token?: KeyToken | undefined
}

/** The authority and what stands on it. */
export interface Signatures {
  readonly authority: Authority
  readonly statuses: CertificateStatuses
  readonly stamping: TimeStamping
  readonly signing: Signing
  readonly seals: Seals
  readonly trust: TrustList
  readonly verifier: Pick<Verifier, 'verify' | 'verifyFile'>
  close(): Promise<void>
}

export function createSignatures(deps: SignaturesDependencies): Signatures {
  const { db, clock, audit, publicUrl } = deps
  const keys = createAuthorityKeys(deps)
  const authority = createAuthority({ db, clock, keys, audit, publicUrl })
  const stamping = createTimeStamping({ db, clock, audit, authority })
  const lists = createCrlThread()
  const statuses = createStatuses({ db, clock, publicUrl, authority, lists })
  const thread = createPdfThread()
  const signing = createSigning({ thread, stamping, authority, statuses })
  const seals = createSeals({ db, audit, authority, signing })
  const trust = createTrustList({ db, clock, audit })
  const verifier = createVerifier({ clock, authority, statuses, trust })
  return {
    authority,
    statuses,
    trust,
    verifier,
    stamping,
    signing,
    seals,
    async close() {
      await Promise.all([thread.close(), lists.close(), verifier.close(), keys.close()])
    },
  }
}

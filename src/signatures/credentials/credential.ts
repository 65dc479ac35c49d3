import type { Represented } from '../activation/activation.ts'
import type { PersonProfile } from '../authority/profiles.ts'
import type { PersonKeyKind } from '../authority/signer.ts'
import type { RevocationReason } from '../authority/crl.ts'

/** Why a certificate rests. */
export const HOLD_CAUSES = ['citizen', 'wrong-password'] as const
export type HoldCause = (typeof HOLD_CAUSES)[number]

/** Why one was ended, beside the reason that its list gives. */
export const END_CAUSES = ['citizen', 'support', 'operator', 'account-closed', 'death', 'not-me', 'level', 'representation'] as const
export type EndCause = (typeof END_CAUSES)[number]

/** What the list says for each cause (RFC 5280, 5.3.1). */
export const REASON_OF: Readonly<Record<EndCause, RevocationReason>> = {
  citizen: 'cessationOfOperation',
  support: 'privilegeWithdrawn',
  operator: 'privilegeWithdrawn',
  'account-closed': 'cessationOfOperation',
  death: 'cessationOfOperation',
  'not-me': 'keyCompromise',
  level: 'privilegeWithdrawn',
  representation: 'privilegeWithdrawn',
}

export const CREDENTIAL_STATES = ['active', 'suspended', 'revoked', 'expired', 'replaced'] as const
export type CredentialState = (typeof CREDENTIAL_STATES)[number]

/** A certificate that a citizen keeps, with its key here. */
export interface Credential {
  readonly id: string
  readonly accountId: string
  readonly authorityId: string
  readonly serial: string
  readonly profile: PersonProfile
  readonly keyKind: PersonKeyKind
  readonly state: CredentialState
  readonly heldFor: HoldCause | undefined
  readonly endedFor: EndCause | undefined
  readonly endedAt: Date | undefined
  readonly replacedBy: string | undefined
  readonly notBefore: Date
  readonly notAfter: Date
  readonly createdAt: Date
  /** Whom its holder represents by it; absent for one's own. */
  readonly represents: Represented | undefined
  /** In DER: its own, then the issuing authority's. */
  readonly certificates: readonly [Buffer, ...Buffer[]]
}

/** Wrong passwords after which a credential rests. */
export const MOST_TRIES = 5
/** Good at the same time. */
export const MOST_CREDENTIALS = 5

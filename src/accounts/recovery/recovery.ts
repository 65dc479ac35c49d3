import type { PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/server'
import type { Account, AccountId, PersonId, SecondFactor } from '../account.ts'
import type { Facts } from '../core.ts'
import type { Ceremony } from '../factors/passkeys.ts'
import type { PasswordFault } from '../password/policy.ts'
import type { FactorProof, WrongFactor } from '../sign-in/second-factor.ts'
import type { RecoveryMethod, RecoveryStep } from './step.ts'

/** One recovery in one browser. */
export interface RecoveryHandle {
  readonly id: string
  readonly binding: string
}

interface Wait {
  readonly kind: 'wait'
  readonly retryAfterSeconds: number
}

/** `gone`: over, used, or another browser's; start again. */
interface Gone {
  readonly kind: 'gone'
}

export type RecoveryStart = { readonly kind: 'started'; readonly id: string; readonly step: RecoveryStep } | { readonly kind: 'invalid-cpf' } | Wait

/** Answer to a proof: the next step with the factors it takes, or why not. */
export type RecoveryProgress =
  | { readonly kind: 'next'; readonly id: string; readonly step: RecoveryStep; readonly factors: readonly SecondFactor[] }
  | WrongFactor
  | Gone
  | Wait

export type RecoveryEnd = { readonly kind: 'recovered'; readonly account: Account } | { readonly kind: 'refused'; readonly fault: PasswordFault } | Gone

/** What the pages show of a recovery. */
export interface RecoveryView {
  readonly step: RecoveryStep
  readonly method: RecoveryMethod
  readonly factors: readonly SecondFactor[]
  /** Whose face must match. For the server only: the pages must not show whether it is there. */
  readonly subject: { readonly accountId: AccountId; readonly personId: PersonId } | undefined
  /** Under whom tries at a face check are counted: the account, or for a CPF without one an id that always stands in for that CPF. */
  readonly faceSubject: string
}

/** Whether the face in a passed liveness session is this person's; from `app.ts`, which asks biometrics. */
export type VerifyFaceRecovery = (asked: { accountId: AccountId; personId: PersonId; recoveryId: string; proof: string }) => Promise<boolean>

/**
 * Recovery of a lost password: prove the account by mail, by a code on paper or by face; show the second factor if there is one;
 * choose a new password. Unknown CPFs walk the same steps and prove nothing.
 *
 * Every step throws {Problem} accounts/step-out-of-order when the recovery stands elsewhere.
 */
export interface Recovery {
  start(asked: { cpf: string; method: RecoveryMethod; binding: string; facts: Facts }): Promise<RecoveryStart>
  find(handle: RecoveryHandle): Promise<RecoveryView | undefined>
  resend(handle: RecoveryHandle): Promise<{ readonly kind: 'sent' } | Gone | Wait>
  proveByCode(handle: RecoveryHandle, code: string, facts: Facts): Promise<RecoveryProgress>
  /** The mail's link, in any browser; from then on the recovery is `binding`'s browser's. */
  proveByLink(link: string, binding: string): Promise<RecoveryProgress>
  proveByRecoveryCode(handle: RecoveryHandle, code: string, facts: Facts): Promise<RecoveryProgress>
  proveByFace(handle: RecoveryHandle, proof: string, facts: Facts): Promise<RecoveryProgress>
  startPasskey(handle: RecoveryHandle): Promise<Ceremony<PublicKeyCredentialRequestOptionsJSON> | undefined>
  /** Where to show a certificate that is owed; undefined when none is, or that was asked too often. */
  startCertificate(handle: RecoveryHandle, page: string): Promise<string | undefined>
  proveSecondFactor(handle: RecoveryHandle, proof: FactorProof, facts: Facts): Promise<RecoveryProgress>
  /** Ends all sessions, tells all known addresses, and holds further changes for 24 hours. The citizen then signs in anew. */
  setPassword(handle: RecoveryHandle, password: string, facts: Facts): Promise<RecoveryEnd>
}

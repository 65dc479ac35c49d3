import type { Account } from '../account.ts'
import { type Core, type Facts, originOf, SYSTEM, type Tools } from '../core.ts'
import type { Passkeys, PasskeyProof } from '../factors/passkeys.ts'
import type { RecoveryCodes } from '../factors/recovery-codes.ts'
import type { Totp } from '../factors/totp.ts'

/** What the citizen shows as a second factor. */
export type FactorProof =
  | { readonly method: 'totp'; readonly code: string }
  | { readonly method: 'recovery-code'; readonly code: string }
  | { readonly method: 'passkey'; readonly ceremonyId: string; readonly binding: string; readonly response: unknown }

export type FactorVerdict =
  | { readonly kind: 'proved'; readonly amr: readonly string[] }
  | { readonly kind: 'wrong' }
  | { readonly kind: 'wait'; readonly retryAfterSeconds: number }

/** Checks a second factor of an account, at most ten times in ten minutes; one-time things are used up. */
export type VerifyFactor = (account: Account, proof: FactorProof, facts: Facts) => Promise<FactorVerdict>

export interface Factors {
  readonly totp: Totp
  readonly passkeys: Passkeys
  readonly recoveryCodes: RecoveryCodes
}

export function createVerifyFactor(core: Core, { throttle, limits }: Pick<Tools, 'throttle' | 'limits'>, factors: Factors): VerifyFactor {
  async function prove(account: Account, proof: FactorProof): Promise<readonly string[] | undefined> {
    switch (proof.method) {
      case 'totp':
        return (await factors.totp.use(account.id, proof.code)) ? ['otp'] : undefined
      case 'recovery-code':
        return (await core.db.transaction((tx) => factors.recoveryCodes.use(tx, account, proof.code))) ? ['otp'] : undefined
      case 'passkey': {
        const shown: PasskeyProof | undefined = await factors.passkeys.finishAuthentication({ ...proof, accountId: account.id })
        return shown?.amr
      }
    }
  }

  return async (account, proof, facts) => {
    const limit = limits.secondFactor(account.id)
    const admission = await throttle.admit([limit])
    if (!admission.admitted) return { kind: 'wait', retryAfterSeconds: admission.waitSeconds }
    const amr = await prove(account, proof)
    if (amr !== undefined) {
      await throttle.clear([limit])
      return { kind: 'proved', amr }
    }
    const data = { reason: proof.method, locked: (admission.points.get(limit.key) ?? 0) >= limit.free, origin: originOf(core, facts) }
    await core.audit.record(core.db, { type: 'accounts/sign-in-refused', actor: SYSTEM, subject: account.id, data })
    return { kind: 'wrong' }
  }
}

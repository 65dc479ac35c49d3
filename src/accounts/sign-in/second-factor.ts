import type { Account } from '../account.ts'
import { type Core, type Facts, originOf, SYSTEM, type Tools } from '../core.ts'
import type { CertificateRefusal } from '../factors/certificate-door.ts'
import type { Certificates } from '../factors/certificates.ts'
import type { Passkeys, PasskeyProof } from '../factors/passkeys.ts'
import type { RecoveryCodes } from '../factors/recovery-codes.ts'
import type { Totp } from '../factors/totp.ts'

/** What the citizen shows as a second factor. */
export type FactorProof =
  | { readonly method: 'totp'; readonly code: string }
  | { readonly method: 'recovery-code'; readonly code: string }
  | { readonly method: 'passkey'; readonly ceremonyId: string; readonly binding: string; readonly response: unknown }
  | { readonly method: 'certificate'; readonly ticket: string; readonly use: 'factor' | 'recovery'; readonly binding: string }

export type FactorVerdict =
  | Proved
  | WrongFactor
  | { readonly kind: 'wait'; readonly retryAfterSeconds: number }

/** `why` where a page can say more than that it was refused. */
export interface WrongFactor {
  readonly kind: 'wrong'
  readonly why?: CertificateRefusal
}

/** Checks a second factor of an account, at most ten times in ten minutes; one-time things are used up. */
export type VerifyFactor = (account: Account, proof: FactorProof, facts: Facts) => Promise<FactorVerdict>

export interface Factors {
  readonly totp: Totp
  readonly passkeys: Passkeys
  readonly certificates: Certificates
  readonly recoveryCodes: RecoveryCodes
}

export function createVerifyFactor(core: Core, { throttle, limits }: Pick<Tools, 'throttle' | 'limits'>, factors: Factors): VerifyFactor {
  async function prove(account: Account, proof: FactorProof): Promise<Proved | WrongFactor> {
    switch (proof.method) {
      case 'totp':
        return provedBy((await factors.totp.use(account.id, proof.code)) ? ['otp'] : undefined)
      case 'recovery-code':
        return provedBy((await core.db.transaction((tx) => factors.recoveryCodes.use(tx, account, proof.code))) ? ['otp'] : undefined)
      case 'passkey': {
        const shown: PasskeyProof | undefined = await factors.passkeys.finishAuthentication({ ...proof, accountId: account.id })
        return provedBy(shown?.amr)
      }
      case 'certificate': {
        const shown = await factors.certificates.proveFactor(account.id, proof)
        return shown.kind === 'proved' ? provedBy(shown.amr) : { kind: 'wrong', why: shown.why }
      }
    }
  }

  return async (account, proof, facts) => {
    const limit = limits.secondFactor(account.id)
    const admission = await throttle.admit([limit])
    if (!admission.admitted) return { kind: 'wait', retryAfterSeconds: admission.waitSeconds }
    const verdict = await prove(account, proof)
    if (verdict.kind === 'proved') {
      await throttle.clear([limit])
      return verdict
    }
    const data = { reason: proof.method, locked: (admission.points.get(limit.key) ?? 0) >= limit.free, origin: originOf(core, facts) }
    await core.audit.record(core.db, { type: 'accounts/sign-in-refused', actor: SYSTEM, subject: account.id, data })
    return verdict
  }
}

interface Proved {
  readonly kind: 'proved'
  readonly amr: readonly string[]
}

const provedBy = (amr: readonly string[] | undefined): Proved | WrongFactor => (amr === undefined ? { kind: 'wrong' } : { kind: 'proved', amr })

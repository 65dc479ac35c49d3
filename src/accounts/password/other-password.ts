import { Problem } from '../../platform/problem.ts'
import type { AccountId } from '../account.ts'
import { findAccount, findPasswordHash } from '../account.store.ts'
import type { Core, Tools } from '../core.ts'
import { ACCOUNTS_PROBLEMS } from '../problems.ts'
import { ownerOf } from './password-owner.ts'
import type { PasswordFault } from './policy.ts'

/**
 * Why a citizen's new password for something else cannot be used: a fault, or `same` as the account's own.
 *
 * Whoever asks tries the account's password by it, so tries are counted as those of a code are.
 * @throws {Problem} accounts/unknown-account, accounts/too-many-attempts
 */
export type FindOtherPasswordFault = (accountId: AccountId, password: string) => Promise<PasswordFault | 'same' | undefined>

export function createFindOtherPasswordFault({ db }: Pick<Core, 'db'>, { passwords, throttle, limits }: Pick<Tools, 'passwords' | 'throttle' | 'limits'>): FindOtherPasswordFault {
  return async (accountId, password) => {
    const account = await findAccount(db, accountId)
    if (account === undefined) throw new Problem(ACCOUNTS_PROBLEMS.unknownAccount)
    const fault = await passwords.findFault(password, ownerOf(account.citizen.reveal()))
    if (fault !== undefined) return fault
    await throttle.checkAdmitted([limits.codes(`other-password:${accountId}`)])
    const { matches } = await passwords.verify(password, await findPasswordHash(db, accountId))
    return matches ? 'same' : undefined
  }
}

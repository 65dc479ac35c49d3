import { Problem } from '../../platform/problem.ts'
import { findAccount, findPasswordHash, setPassword } from '../account.store.ts'
import { type Changer, changing } from '../change-guard.ts'
import { citizen, type Core, originOf, type Tools } from '../core.ts'
import { ACCOUNTS_PROBLEMS } from '../problems.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { ownerOf } from './password-owner.ts'
import type { PasswordFault } from './policy.ts'

export type PasswordChange = { readonly kind: 'changed' } | { readonly kind: 'wrong' } | { readonly kind: 'refused'; readonly fault: PasswordFault }

/**
 * Changes the password of somebody signed in, who proves the current one; all other sessions end and the citizen is told.
 *
 * @throws {Problem} accounts/too-many-attempts and what a change may meet.
 */
export type ChangePassword = (changer: Changer, passwords: { current: string; next: string }) => Promise<PasswordChange>

export function createChangePassword(core: Core, tools: Tools, sessions: Sessions): ChangePassword {
  const { db, clock, audit } = core
  const { passwords, throttle, limits, notices } = tools

  return async (changer, { current, next }) => {
    const { accountId, facts } = changer
    const account = await findAccount(db, accountId)
    if (account === undefined) throw new Problem(ACCOUNTS_PROBLEMS.unknownAccount)
    const limit = limits.codes(`password:${accountId}`)
    await throttle.checkAdmitted([limit])
    const { matches } = await passwords.verify(current, await findPasswordHash(db, accountId))
    if (!matches) return { kind: 'wrong' }
    await throttle.clear([limit])
    const fault = await passwords.findFault(next, ownerOf(account.citizen.reveal()))
    if (fault !== undefined) return { kind: 'refused', fault }
    const hash = await passwords.hash(next)
    await changing(core, changer, async (tx, locked) => {
      await setPassword(tx, accountId, hash, clock.now())
      await sessions.endAll(tx, accountId, 'password-changed', changer.sessionId)
      const data = { origin: originOf(core, facts) }
      await audit.record(tx, { type: 'accounts/password-changed', actor: citizen(accountId), subject: accountId, data })
      await notices.tellEverywhere(tx, locked, 'password-changed')
    })
    return { kind: 'changed' }
  }
}

import type { AuditActor } from '../../audit/index.ts'
import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import type { Account, AccountId, PersonId } from '../account.ts'
import { changeStatus, CLOSED_AND_ERASED, listClosed, lockAccount, removeAllCredentials } from '../account.store.ts'
import { type Changer, changing } from '../change-guard.ts'
import { citizen, type Core, type Tools } from '../core.ts'
import { ACCOUNTS_PROBLEMS } from '../problems.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { changeWays } from '../ways/ways.ts'

/** Why an account is suspended; its owner opens again only one that was suspended by "não fui eu". */
export const SUSPENSION_REASONS = ['not-me', 'operator'] as const
export type SuspensionReason = (typeof SUSPENSION_REASONS)[number]

/** Stopping an account: at once, with everything that is signed in. */
export interface Safety {
  /**
   * "Não fui eu": ends every session and token; only a recovery opens the account again. False when it was not active.
   *
   * `also` is what other rooms end with it, in the same transaction, under the account's lock.
   */
  suspend(accountId: AccountId, stop: { reason: SuspensionReason; actor: AuditActor; also?: (tx: Sql) => Promise<void> }): Promise<boolean>
  /** An operator's suspension is lifted. False when there was none. */
  resume(accountId: AccountId, actor: AuditActor): Promise<boolean>
  /**
   * Closes the account of somebody signed in: sessions end, ways to sign in and addresses go into history. The CPF may register again.
   *
   * `also` is what other rooms end with it, in the same transaction.
   *
   * @throws {Problem} what a change may meet.
   */
  close(changer: Changer, also?: (tx: Sql, account: Account) => Promise<void>): Promise<void>
  /**
   * Hands each person whose account was closed before `before`, and not opened again, to `erase`, in a transaction of their own under
   * the account's lock; false = not now, asked again next time. Returns how many were erased.
   */
  eraseClosed(before: Date, erase: (tx: Sql, personId: PersonId) => Promise<boolean>): Promise<number>
}

export function createSafety(core: Core, { tokens, notices }: Pick<Tools, 'tokens' | 'notices'>, sessions: Sessions): Safety {
  const { db, clock, audit } = core

  return {
    suspend: (accountId, { reason, actor, also = async () => {} }) =>
      db.transaction(async (tx) => {
        const account = await lockAccount(tx, accountId)
        if (account === undefined) throw new Problem(ACCOUNTS_PROBLEMS.unknownAccount)
        await also(tx)
        if (!(await changeWays(core, tx, accountId, (ways) => changeStatus(ways, accountId, { from: 'active', to: 'suspended', reason })))) return false
        await sessions.endAll(tx, accountId, 'suspended')
        await tokens.consumeAllOf(tx, accountId)
        await audit.record(tx, { type: 'accounts/suspended', actor, subject: accountId, data: { reason } })
        await notices.tellEverywhere(tx, account, 'suspended')
        return true
      }),
    resume: (accountId, actor) =>
      db.transaction(async (tx) => {
        const account = await lockAccount(tx, accountId)
        if (account?.statusReason !== 'operator') return false
        if (!(await changeWays(core, tx, accountId, (ways) => changeStatus(ways, accountId, { from: 'suspended', to: 'active', reason: 'operator' })))) return false
        await audit.record(tx, { type: 'accounts/resumed', actor, subject: accountId, data: { reason: 'operator' } })
        return true
      }),
    close: (changer, also = async () => {}) =>
      changing(core, changer, async (tx, account) => {
        await notices.tellEverywhere(tx, account, 'closed')
        await changeStatus(tx, account.id, { from: 'active', to: 'closed', reason: 'citizen' })
        await removeAllCredentials(tx, account.id, clock.now())
        await sessions.endAll(tx, account.id, 'closed')
        await tokens.consumeAllOf(tx, account.id)
        await audit.record(tx, { type: 'accounts/closed', actor: citizen(account.id), subject: account.id, data: { reason: 'citizen' } })
        await also(tx, account)
      }),
    async eraseClosed(before, erase) {
      let erased = 0
      for (let page = await listClosed(db, before); page.length > 0; page = await listClosed(db, before, page.at(-1))) {
        for (const accountId of page) {
          const isErased = await db.transaction(async (tx) => {
            const account = await lockAccount(tx, accountId)
            if (account?.status !== 'closed' || !(await erase(tx, account.personId))) return false
            return changeWays(core, tx, accountId, (ways) => changeStatus(ways, accountId, { from: 'closed', to: 'closed', reason: CLOSED_AND_ERASED }))
          })
          if (isErased) erased += 1
        }
      }
      return erased
    },
  }
}

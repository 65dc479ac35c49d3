import type { AuditActor } from '../../audit/index.ts'
import type { Sql } from '../../platform/db.ts'
import type { AccountId, PersonId } from '../account.ts'
import { findAccountOfPerson, holdChanges, insertBareAccount, lockAccount, reopenAccount, removeAllCredentials } from '../account.store.ts'
import { checkMayEnrolAtCounter } from '../change-guard.ts'
import { citizen, type Core, type Tools } from '../core.ts'
import { createPasskeys, type Passkeys } from '../factors/passkeys.ts'
import { createRecoveryCodes, type RecoveryCodes } from '../factors/recovery-codes.ts'
import { lockRegistrationOf } from '../registration/registration.store.ts'
import { AT_COUNTER, AT_KIOSK } from '../sessions/session.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { renewWays } from '../ways/ways.ts'

/** What a person who shows their face at the counter would find. `blocked` = operators or a noted death closed the account to everybody. */
export type AccessStanding = 'none' | 'open' | 'blocked'

/**
 * Ways in at the counter for whoever has no other: the person's own face opens them, in a browser of the person's; no member of the
 * staff sees, types or sets anything of it.
 */
export interface CounterAccess {
  standingOf(personId: PersonId): Promise<AccessStanding>
  /**
   * Signs in whom two people approved and whose face was just shown, for the time it takes to make one way in.
   *
   * Whoever has no account gets one. An account that is there loses every way in that it had, addresses too, after they were told: whoever
   * registered the CPF with public data keeps nothing. `undefined` when it is blocked.
   */
  open(tx: Sql, asked: { personId: PersonId; locale: string }): Promise<{ accountId: AccountId; sessionId: string } | undefined>
  /** Signs in by the face alone, to look and to stop things: nothing of the account's ways in can be changed by it. `undefined` when it is not active. */
  look(tx: Sql, accountId: AccountId): Promise<string | undefined>
  /** In a session of `open` only. */
  readonly passkeys: Pick<Passkeys, 'list' | 'startRegistration' | 'finishRegistration'>
  readonly recoveryCodes: Pick<RecoveryCodes, 'make' | 'countLeft'>
}

export function createCounterAccess(core: Core, tools: Tools, sessions: Sessions): CounterAccess {
  const { db, clock, audit } = core
  const { notices, tokens } = tools

  async function lockOf(tx: Sql, personId: PersonId) {
    const id = await findAccountOfPerson(tx, personId)
    return id && (await lockAccount(tx, id))
  }
  const standingOf = (account: { status: string; statusReason: string | undefined } | undefined): AccessStanding => {
    if (account === undefined || account.status === 'closed') return 'none'
    return account.status === 'active' || account.statusReason === 'not-me' ? 'open' : 'blocked'
  }

  return {
    standingOf: (personId) => db.transaction(async (tx) => standingOf(await lockOf(tx, personId))),
    async open(tx, { personId, locale }) {
      await lockRegistrationOf(tx, personId)
      const before = await lockOf(tx, personId)
      const standing = standingOf(before)
      if (standing === 'blocked') return undefined
      const now = clock.now()
      if (before !== undefined) await notices.tellEverywhere(tx, before, 'counter-access')
      const { id: accountId } = await renewWays(core, tx, async (ways) => {
        if (before === undefined) return { id: await insertBareAccount(ways, { personId, locale, now }) }
        await removeAllCredentials(ways, before.id, now)
        await reopenAccount(ways, before.id)
        await holdChanges(ways, before.id, 'counter', now)
        return { id: before.id }
      })
      if (before !== undefined) {
        await sessions.endAll(tx, accountId, 'recovered')
        await tokens.consumeAllOf(tx, accountId)
      }
      const actor: AuditActor = citizen(accountId)
      const session = await sessions.open(tx, { accountId, amr: ['face', AT_COUNTER], authenticatedAt: now })
      if (session === undefined) throw new Error('an account that was just opened takes no session')
      await audit.record(tx, { type: 'accounts/counter-access', actor, subject: accountId, data: { created: standing === 'none', sessionId: session.id } })
      return { accountId, sessionId: session.id }
    },
    async look(tx, accountId) {
      const account = await lockAccount(tx, accountId)
      const session = await sessions.open(tx, { accountId, amr: ['face', AT_KIOSK], authenticatedAt: clock.now() })
      if (account === undefined || session === undefined) return undefined
      await audit.record(tx, { type: 'accounts/kiosk-entered', actor: citizen(accountId), subject: accountId, data: { sessionId: session.id } })
      await notices.tellEverywhere(tx, account, 'kiosk-entered')
      return session.id
    },
    passkeys: createPasskeys(core, tools, checkMayEnrolAtCounter),
    recoveryCodes: createRecoveryCodes(core, tools, checkMayEnrolAtCounter),
  }
}

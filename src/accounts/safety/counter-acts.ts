import type { AuditActor } from '../../audit/index.ts'
import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import type { Account, AccountId, PersonId } from '../account.ts'
import { changeStatus, findAccount, findAccountOfPerson, forgetPassword, holdChanges, lockAccount, type PersonRecord, setRecord } from '../account.store.ts'
import { type ContactKind, maskAddress, parseAddress } from '../contacts/contact.ts'
import { listContacts, removePrimary } from '../contacts/contact.store.ts'
import type { Core, Tools } from '../core.ts'
import { listCertificates } from '../factors/certificate.store.ts'
import { listPasskeys, removePasskey } from '../factors/passkey.store.ts'
import { findCodesMade } from '../factors/recovery-code.store.ts'
import { findTotp, removeTotp } from '../factors/totp.store.ts'
import type { Cpf } from '../identity/cpf.ts'
import { findCpf, setDeathNoted } from '../identity/noted-deaths.store.ts'
import { ACCOUNTS_PROBLEMS } from '../problems.ts'
import { lockRegistrationOf } from '../registration/registration.store.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { createWaits } from '../throttle/waits.ts'
import { changeWays } from '../ways/ways.ts'
import { DOUBTED_MS, type KeptWays, removeOthers } from './kept-ways.ts'

/** What is gone with a lost device. */
export interface LostWays {
  readonly passkeyIds: readonly string[]
  readonly totp: boolean
  readonly phone: boolean
}

/** What an account has that a device can take with it, or somebody else may have added, without anything that opens it. */
export interface WaysOfAccount {
  readonly passkeys: readonly { readonly id: string; readonly label: string; readonly createdAt: Date }[]
  /** ICP-Brasil certificates, by who issued them. */
  readonly certificates: readonly { readonly id: string; readonly label: string; readonly createdAt: Date }[]
  readonly totpSince: Date | undefined
  readonly recoveryCodesSince: Date | undefined
  readonly contacts: readonly { readonly id: string; readonly kind: ContactKind; readonly masked: string; readonly createdAt: Date }[]
}

/**
 * What two people of the counter may do to an account, each in the transaction of their decision; none of it opens the account to them:
 * ways in are taken away, never given, and every address that the account has is told.
 */
export interface CounterActs {
  /** For whoever asks registers about a person. */
  cpfOf(personId: PersonId): Promise<Cpf | undefined>
  waysOf(accountId: AccountId): Promise<WaysOfAccount>
  /** Since when somebody else may have been in an account that its owner blocked: what came in later is doubted first. */
  doubtedSince(accountId: AccountId): Promise<Date>
  /** Ends what a lost device held and every session; further changes wait as after a recovery. @throws {Problem} accounts/account-not-active */
  endLost(tx: Sql, accountId: AccountId, lost: LostWays, actor: AuditActor): Promise<void>
  /**
   * Opens an account that its owner blocked by "não fui eu", with the ways in that they know and without the password, which may be in other
   * hands; waits are lifted, and every address is told, also those that go and those that somebody took out.
   *
   * The owner makes a new password by recovery. @throws {Problem} accounts/account-not-active when it is not such an account
   */
  unblock(tx: Sql, accountId: AccountId, kept: KeptWays, actor: AuditActor): Promise<void>
  /** Puts a name, social name and birth date in the place of what is on record here. */
  correctRecord(tx: Sql, personId: PersonId, record: PersonRecord): Promise<void>
  /** To every address: images that were not theirs no longer count for the account. */
  tellImagesWithdrawn(tx: Sql, accountId: AccountId): Promise<void>
  /** To every address: a proof of the counter's is held until a doubt about it is decided, or is good again. */
  tellProof(tx: Sql, accountId: AccountId, notice: 'proof-held' | 'proof-restored'): Promise<void>
  /** Nobody signs in as somebody who died: sessions and tokens end, nothing else is lost. False when it was noted already. */
  noteDeath(tx: Sql, personId: PersonId, actor: AuditActor): Promise<boolean>
  /** It was wrong: the account is as it was before, signed out. False when no death was noted. */
  withdrawDeath(tx: Sql, personId: PersonId, actor: AuditActor): Promise<boolean>
}

const DECEASED = 'deceased'

export function createCounterActs(core: Core, tools: Tools, sessions: Sessions): CounterActs {
  const { db, clock, audit } = core
  const { tokens, notices } = tools
  const waits = createWaits(tools.throttle, tools.limits)

  async function lock(tx: Sql, accountId: AccountId, isFit: (account: Account) => boolean): Promise<Account> {
    const account = await lockAccount(tx, accountId)
    if (account === undefined || !isFit(account)) throw new Problem(ACCOUNTS_PROBLEMS.accountNotActive)
    return account
  }

  return {
    cpfOf: (personId) => findCpf(db, personId),
    async waysOf(accountId) {
      const passkeys = (await listPasskeys(db, accountId)).map(({ id, label, createdAt }) => ({ id, label, createdAt }))
      const certificates = (await listCertificates(db, accountId)).map(({ id, issuer, addedAt }) => ({ id, label: issuer, createdAt: addedAt }))
      const contacts = (await listContacts(db, accountId, { former: false })).map(({ id, kind, value, createdAt }) => {
        const address = parseAddress(kind, value)
        return { id, kind, masked: address ? maskAddress(address) : '', createdAt }
      })
      return { passkeys, certificates, contacts, totpSince: (await findTotp(db, accountId))?.confirmedAt, recoveryCodesSince: await findCodesMade(db, accountId) }
    },
    doubtedSince: async (accountId) => new Date(((await findBlocked(audit, accountId)) ?? clock.now()).getTime() - DOUBTED_MS),
    async endLost(tx, accountId, lost, actor) {
      const account = await lock(tx, accountId, ({ status }) => status === 'active')
      const now = clock.now()
      // The lost phone too: where the loss is a lie, that is where its owner is.
      await notices.tellEverywhere(tx, account, 'ways-lost')
      const ended = await changeWays(core, tx, accountId, async (ways) => {
        let passkeys = 0
        for (const id of lost.passkeyIds) if (await removePasskey(ways, accountId, id, now)) passkeys += 1
        const totp = lost.totp && (await removeTotp(ways, accountId, now)) !== undefined
        const mobile = lost.phone && (await removePrimary(ways, accountId, 'phone', now)) !== undefined
        await holdChanges(ways, accountId, 'counter', now)
        return { passkeys, totp, mobile }
      })
      await sessions.endAll(tx, accountId, 'recovered')
      await tokens.consumeAllOf(tx, accountId)
      await audit.record(tx, { type: 'accounts/ways-lost', actor, subject: accountId, data: ended })
    },
    async unblock(tx, accountId, kept, actor) {
      const account = await lock(tx, accountId, ({ status, statusReason }) => status === 'suspended' && statusReason === 'not-me')
      const now = clock.now()
      await notices.tellFormerToo(tx, account, kept.doubtedSince, 'unblocked')
      const removed = await changeWays(core, tx, accountId, async (ways) => {
        const others = await removeOthers(ways, accountId, kept, now)
        await changeStatus(ways, accountId, { from: 'suspended', to: 'active', reason: 'counter' })
        await forgetPassword(ways, accountId, now)
        await holdChanges(ways, accountId, 'counter', now)
        return others
      })
      await sessions.endAll(tx, accountId, 'recovered')
      await tokens.consumeAllOf(tx, accountId)
      await waits.lift(tx, account)
      await audit.record(tx, { type: 'accounts/unblocked', actor, subject: accountId, data: { removed } })
    },
    async correctRecord(tx, personId, record) {
      await lockRegistrationOf(tx, personId)
      const accountId = await findAccountOfPerson(tx, personId)
      // A name is what its owner signs with: it is sealed with the ways in.
      await (accountId === undefined ? setRecord(tx, personId, record) : changeWays(core, tx, accountId, (ways) => setRecord(ways, personId, record)))
    },
    async tellImagesWithdrawn(tx, accountId) {
      const account = await findAccount(tx, accountId)
      if (account !== undefined) await notices.tellEverywhere(tx, account, 'images-withdrawn')
    },
    async tellProof(tx, accountId, notice) {
      const account = await findAccount(tx, accountId)
      if (account !== undefined) await notices.tellEverywhere(tx, account, notice)
    },
    async noteDeath(tx, personId, actor) {
      await lockRegistrationOf(tx, personId)
      if (!(await setDeathNoted(tx, personId, clock.now()))) return false
      const accountId = await findAccountOfPerson(tx, personId)
      const account = accountId && (await lockAccount(tx, accountId))
      if (account !== undefined && account.status !== 'closed') {
        const { id, status } = account
        await changeWays(core, tx, id, (ways) => changeStatus(ways, id, { from: status, to: 'suspended', reason: deceasedAfter(account) }))
        await sessions.endAll(tx, account.id, 'suspended')
        await tokens.consumeAllOf(tx, account.id)
        await notices.tellEverywhere(tx, account, 'death-noted')
      }
      await audit.record(tx, { type: 'accounts/death-noted', actor, subject: accountId ?? personId, data: {} })
      return true
    },
    async withdrawDeath(tx, personId, actor) {
      await lockRegistrationOf(tx, personId)
      if (!(await setDeathNoted(tx, personId, undefined))) return false
      const accountId = await findAccountOfPerson(tx, personId)
      const account = accountId && (await lockAccount(tx, accountId))
      if (account?.status === 'suspended' && isDeceased(account)) {
        const before = account.statusReason?.slice(DECEASED.length + 1) ?? ''
        const change = before === '' ? ({ to: 'active', reason: 'counter' } as const) : ({ to: 'suspended', reason: before } as const)
        await changeWays(core, tx, account.id, async (ways) => {
          await changeStatus(ways, account.id, { from: 'suspended', ...change })
          await holdChanges(ways, account.id, 'counter', clock.now())
        })
        await notices.tellEverywhere(tx, account, 'death-withdrawn')
      }
      await audit.record(tx, { type: 'accounts/death-withdrawn', actor, subject: accountId ?? personId, data: {} })
      return true
    },
  }
}

const LINES = 200
const MOST_PAGES = 25

/** When the account was last blocked by its owner; who knows of it may have written a great many lines since. */
async function findBlocked(audit: Core['audit'], accountId: AccountId): Promise<Date | undefined> {
  let before: number | undefined
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const lines = await audit.ledger(accountId, { before, limit: LINES })
    const blocked = lines.find(({ type, data }) => type === 'accounts/suspended' && data['reason'] === 'not-me')
    if (blocked || lines.length < LINES) return blocked?.at
    before = lines.at(-1)?.id
  }
  return undefined
}

/** `deceased`, with what suspended the account before: that stands again when the death does not. */
function deceasedAfter({ status, statusReason }: Account): string {
  return status === 'suspended' && statusReason !== undefined ? `${DECEASED}/${statusReason}` : DECEASED
}

function isDeceased({ statusReason }: Account): boolean {
  return statusReason === DECEASED || statusReason?.startsWith(`${DECEASED}/`) === true
}

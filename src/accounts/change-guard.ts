import type { Sql } from '../platform/db.ts'
import { isProblem, Problem } from '../platform/problem.ts'
import type { Account, AccountId } from './account.ts'
import { lockAccount } from './account.store.ts'
import type { Core, Facts } from './core.ts'
import { ACCOUNTS_PROBLEMS } from './problems.ts'
import { isSignInSealed } from './sessions/sealed-sign-in.ts'
import { AT_COUNTER, isByFaceAlone, type SignInSession } from './sessions/session.ts'
import { findProofs } from './sessions/session.store.ts'
import { changeWays, checkOwn, noteBroken } from './ways/ways.ts'
import type { WaysTx } from './ways/ways.store.ts'

/** Who asks for a change, and when they last proved who they are. */
export interface Changer {
  readonly accountId: AccountId
  readonly authenticatedAt: Date
  /** The sign-in session that the page belongs to; it must still be live. */
  readonly sessionId?: string | undefined
  readonly facts: Facts
}

/** False for 24 hours after a recovery: who took an account over must not be able to keep it (issue 2, 6). */
export function canChangeSensitive(account: Account, now: Date, holdSeconds: number): boolean {
  return account.recoveredAt === undefined || now.getTime() - account.recoveredAt.getTime() >= holdSeconds * 1000
}

/**
 * Locks the account for a change of credentials or addresses and checks that it may be made now.
 *
 * @throws {Problem} accounts/account-not-active, accounts/reauthentication-needed (sign-in older than 20 minutes or the
 * session over, or by face alone; ASVS 7.5.1), accounts/changes-held, accounts/ways-unconfirmed.
 */
export async function checkMayChange(core: Core, tx: Sql, changer: Changer): Promise<Account> {
  const account = await lockAccount(tx, changer.accountId)
  const now = core.clock.now()
  const { recentSeconds, holdSeconds } = core.settings.session
  if (account?.status !== 'active') throw new Problem(ACCOUNTS_PROBLEMS.accountNotActive)
  // First of all: who comes by ways that are not the owner's would be asked to sign in again for ever.
  await checkOwn(core, tx, account.id)
  const ageSeconds = (now.getTime() - changer.authenticatedAt.getTime()) / 1000
  if (ageSeconds > recentSeconds || !(await isLive(core, tx, changer))) throw new Problem(ACCOUNTS_PROBLEMS.reauthenticationNeeded)
  if (!canChangeSensitive(account, now, holdSeconds)) throw new Problem(ACCOUNTS_PROBLEMS.changesHeld)
  return account
}

async function isLive(core: Core, tx: Sql, { sessionId, accountId }: Changer): Promise<boolean> {
  if (sessionId === undefined) return true
  const session = await findSealed(core, tx, sessionId)
  return session?.accountId === accountId && session.endedAt === undefined && !isByFaceAlone(session)
}

/** A session that this server itself opened as its row tells. */
async function findSealed({ keyring }: Core, tx: Sql, sessionId: string): Promise<SignInSession | undefined> {
  const found = await findProofs(tx, sessionId)
  return found && isSignInSealed(keyring, found) ? found.session : undefined
}

/** Runs what a citizen asks for under the lock of their account, once it may be done. @throws {Problem} as `checkMayChange` */
export async function asChanger<Result>(core: Core, changer: Changer, work: (tx: Sql, account: Account) => Promise<Result>, check: CheckMayChange = checkMayChange): Promise<Result> {
  try {
    return await core.db.transaction(async (tx) => work(tx, await check(core, tx, changer)))
  } catch (error) {
    if (isProblem(error, ACCOUNTS_PROBLEMS.waysUnconfirmed)) await noteBroken(core, core.db, changer.accountId, 'change')
    throw error
  }
}

/** The same for a change of ways in, which are sealed after it. @throws {Problem} as `checkMayChange` */
export function changing<Result>(core: Core, changer: Changer, work: (ways: WaysTx, account: Account) => Promise<Result>, check?: CheckMayChange): Promise<Result> {
  return asChanger(core, changer, (tx, account) => changeWays(core, tx, account.id, (ways) => work(ways, account)), check)
}

/** How a change checks who makes it. */
export type CheckMayChange = typeof checkMayChange

/** As long as it takes to make one way in. */
const ENROL_SECONDS = 600

/**
 * The same for somebody whom two people of the counter approved and who showed their face a moment ago: they may make a way in, although
 * others wait.
 *
 * @throws {Problem} accounts/account-not-active, accounts/reauthentication-needed, accounts/ways-unconfirmed
 */
export const checkMayEnrolAtCounter: CheckMayChange = async (core, tx, { accountId, sessionId }) => {
  const account = await lockAccount(tx, accountId)
  if (account?.status !== 'active') throw new Problem(ACCOUNTS_PROBLEMS.accountNotActive)
  const session = sessionId === undefined ? undefined : await findSealed(core, tx, sessionId)
  const isOpen = session?.accountId === accountId && session.endedAt === undefined && session.amr.includes(AT_COUNTER)
  const ageSeconds = (core.clock.now().getTime() - (session?.createdAt.getTime() ?? 0)) / 1000
  if (!isOpen || ageSeconds > ENROL_SECONDS) throw new Problem(ACCOUNTS_PROBLEMS.reauthenticationNeeded)
  await checkOwn(core, tx, accountId)
  return account
}

import { randomUUID } from 'node:crypto'
import type { Account, AccountId, Cpf, Facts } from '../../accounts/index.ts'
import type { Level } from '../../assurance/index.ts'
import type { Audit, AuditActor } from '../../audit/index.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Database, Sql } from '../../platform/db.ts'
import type { Keyring } from '../../platform/keyring.ts'
import { Problem } from '../../platform/problem.ts'
import type { TellCitizen } from '../citizen-notice.ts'
import { ACTS_A_DAY, CASE_MINUTES, protocolOf, type SupportAct, type SupportCase, type SupportReason } from './case.ts'
import { checkLooks } from './looks.ts'
import { SUPPORT_PROBLEMS } from './problems.ts'
import { type ExplainedRefusal, refusalsIn } from './refusals.ts'
import {
  type CaseKey, closeCase, countActs, findLiveCase, insertAct, insertCase, listActs, listLiveCases, lockAccountForActs,
} from './support.store.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const LEDGER_LINES = 200
/** An attendant's words about somebody are kept for a complaint, and no longer. */

export interface SupportLook {
  readonly unitId: string
  readonly attendantId: AccountId
  readonly cpf: Cpf
  readonly reason: SupportReason
  /** In the attendant's words; kept sealed. */
  readonly note: string
}

/** What an attendant sees of somebody's account: how it stands, and nothing that opens it. */
export interface SupportView {
  readonly opened: SupportCase
  readonly protocol: string
  readonly account: Account
  readonly level: Level
  readonly openSessions: number
  readonly faceTriesLeft: number
  readonly refusals: readonly ExplainedRefusal[]
  readonly acts: readonly { readonly act: SupportAct; readonly doneAt: Date }[]
}

/** What the case needs from accounts and assurance; each act is the account's own, none takes or gives a secret. */
export interface SupportAccounts {
  findByCpf(cpf: Cpf): Promise<Account | undefined>
  get(id: AccountId): Promise<Account>
  levelOf(id: AccountId): Promise<Level>
  countSessions(id: AccountId): Promise<number>
  faceTriesLeft(id: AccountId): Promise<number>
  /** Lifts the waits after wrong passwords, codes and face checks. */
  unlock(tx: Sql, account: Account): Promise<void>
  endSessions(tx: Sql, id: AccountId): Promise<void>
  /** Ends every signature certificate of the account's person. */
  revokeCertificates(tx: Sql, account: Account, actor: AuditActor): Promise<void>
  /** Sends the way to recover to the account's own address. False where there is none, or too many were sent. */
  startRecovery(account: Account, facts: Facts): Promise<boolean>
}

/** Help for citizens who are at home: looked up with a reason, told to them, written down. */
export interface Support {
  /**
   * Opens a case on the account under a CPF; `undefined` where there is none. Counted either way, before anything is said.
   * @throws {Problem} support/too-many-looks, support/own-account
   */
  open(look: SupportLook): Promise<SupportCase | undefined>
  /** @throws {Problem} support/case-over */
  view(key: CaseKey): Promise<SupportView>
  listOpen(unitId: string, attendantId: AccountId): Promise<SupportCase[]>
  /**
   * Does it once, tells the citizen, and writes it down. False where a recovery could not be sent.
   * @throws {Problem} support/case-over, support/acted-too-often
   */
  act(key: CaseKey, act: SupportAct, facts: Facts): Promise<boolean>
  /** False when it was over. */
  close(key: CaseKey): Promise<boolean>
}

export interface SupportDependencies {
  readonly platform: { readonly db: Database; readonly clock: Clock; readonly keyring: Pick<Keyring, 'seal'> }
  readonly audit: Pick<Audit, 'record' | 'ledger'>
  readonly accounts: SupportAccounts
  readonly tell: TellCitizen
}

export function createSupport(deps: SupportDependencies): Support {
  const { db, clock } = deps.platform
  return {
    open: (look) => open(deps, look),
    view: async (key) => viewOf(deps, await getCase(db, key, clock.now())),
    listOpen: (unitId, attendantId) => listLiveCases(db, unitId, attendantId, clock.now()),
    act: (key, act, facts) => perform(deps, key, act, facts),
    close: (key) => db.transaction((tx) => closeCase(tx, key, clock.now())),
  }
}

const staff = (id: AccountId): AuditActor => ({ kind: 'operator', id })

async function getCase(sql: Sql, key: CaseKey, now: Date): Promise<SupportCase> {
  const found = await findLiveCase(sql, key, now)
  if (found === undefined) throw new Problem(SUPPORT_PROBLEMS.caseOver)
  return found
}

async function open({ platform, audit, accounts, tell }: SupportDependencies, look: SupportLook): Promise<SupportCase | undefined> {
  const { db, clock, keyring } = platform
  const { unitId, attendantId, reason } = look
  const now = clock.now()
  await checkLooks(db, attendantId, now)
  const account = await accounts.findByCpf(look.cpf)
  if (account?.id === attendantId) throw new Problem(SUPPORT_PROBLEMS.ownAccount)
  return db.transaction(async (tx) => {
    if (account === undefined) {
      await audit.record(tx, { type: 'helpdesk/support-in-vain', actor: staff(attendantId), data: { unitId, reason } })
      return undefined
    }
    const id = randomUUID()
    const opened = { id, unitId, attendantId, accountId: account.id, reason, openedAt: now, expiresAt: new Date(now.getTime() + CASE_MINUTES * MINUTE_MS) }
    await insertCase(tx, opened, keyring.seal(look.note, `support ${id}`))
    await audit.record(tx, { type: 'helpdesk/support-opened', actor: staff(attendantId), subject: account.id, data: { caseId: id, unitId, reason } })
    await tell(tx, account, 'support.opened', { protocol: protocolOf(opened) })
    return opened
  })
}

async function viewOf({ platform, audit, accounts }: SupportDependencies, opened: SupportCase): Promise<SupportView> {
  const { accountId } = opened
  const entries = await audit.ledger(accountId, { limit: LEDGER_LINES })
  return {
    opened,
    protocol: protocolOf(opened),
    account: await accounts.get(accountId),
    level: await accounts.levelOf(accountId),
    openSessions: await accounts.countSessions(accountId),
    faceTriesLeft: await accounts.faceTriesLeft(accountId),
    refusals: refusalsIn(entries, platform.clock.now()),
    acts: await listActs(platform.db, opened.id),
  }
}

async function perform({ platform, audit, accounts, tell }: SupportDependencies, key: CaseKey, act: SupportAct, facts: Facts): Promise<boolean> {
  const { db, clock } = platform
  const now = clock.now()
  const { accountId } = await getCase(db, key, now)
  const account = await accounts.get(accountId)
  await db.transaction(async (tx) => {
    await lockAccountForActs(tx, accountId)
    const opened = await getCase(tx, key, now)
    if ((await countActs(tx, accountId, act, new Date(now.getTime() - DAY_MS))) >= ACTS_A_DAY[act]) throw new Problem(SUPPORT_PROBLEMS.actedTooOften)
    await insertAct(tx, { id: randomUUID(), caseId: opened.id, accountId, act, doneAt: now })
    if (act === 'unlock') await accounts.unlock(tx, account)
    if (act === 'end-sessions') await accounts.endSessions(tx, accountId)
    if (act === 'revoke-certificates') await accounts.revokeCertificates(tx, account, staff(key.attendantId))
    await audit.record(tx, {
      type: 'helpdesk/support-acted', actor: staff(key.attendantId), subject: accountId, data: { caseId: opened.id, unitId: opened.unitId, act },
    })
    await tell(tx, account, `support.${act}`, { protocol: protocolOf(opened) })
  })
  // After the record of it: whoever is cut off in between has told more than was done, never less.
  return act === 'start-recovery' ? accounts.startRecovery(account, facts) : true
}

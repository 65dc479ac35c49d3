import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import type { Account, SecondFactor } from '../account.ts'
import { findAccount } from '../account.store.ts'
import { citizen, type Core, type Facts, originOf, SYSTEM, type Tools } from '../core.ts'
import { ACCOUNTS_PROBLEMS } from '../problems.ts'
import { secondFactorsOf } from '../sign-in/sign-in.ts'
import { type Candidate, findCandidate } from '../sign-in/sign-in.store.ts'
import type { Limit } from '../throttle/limits.ts'
import { isNewest, noteBroken, waysKeyOf } from '../ways/ways.ts'
import type { RecoveryFlow, RecoveryFlows } from './recovery-flow.ts'
import type { RecoveryProgress } from './recovery.ts'
import { nextStep } from './step.ts'

/** How a proof is checked. */
export interface Check {
  /** Outside of any transaction: what counts its own attempts, or takes long. */
  readonly before?: (account: Account) => Promise<boolean>
  /** In the transaction of the step that it opens: what it uses up comes back when the step is lost. */
  readonly within?: (tx: Sql, account: Account) => Promise<boolean>
}

/** The part that all ways to prove an account share: attempts, step, audit. */
export interface Proving {
  /** The second factors that this recovery owes; the paper codes do not count when they were the first proof. */
  factorsOf(flow: RecoveryFlow): Promise<readonly SecondFactor[]>
  /** Counts the attempt, checks it, and takes the step. */
  prove(flow: RecoveryFlow, facts: Facts, check: Check): Promise<RecoveryProgress>
  /**
   * Takes the step of a proof that was checked elsewhere; `binding` moves the recovery to another browser.
   *
   * @throws {Problem} accounts/ways-unconfirmed
   */
  advance(flow: RecoveryFlow, options?: { binding?: string; within?: Check['within'] }): Promise<RecoveryProgress>
}

export interface ProvingDependencies {
  readonly core: Core
  readonly tools: Pick<Tools, 'throttle' | 'limits'>
  readonly flows: RecoveryFlows
}

/** The counter of all attempts to prove one CPF, whatever the way. */
export function attemptsLimit(limits: Tools['limits'], flow: Pick<RecoveryFlow, 'cpf'>): Limit {
  return limits.codes(`recovery:${flow.cpf}`)
}

class StepLost extends Error {}

export function createProving({ core, tools, flows }: ProvingDependencies): Proving {
  const { db, audit, clock } = core

  async function accountOf(flow: RecoveryFlow): Promise<Account | undefined> {
    const account = flow.accountId && (await findAccount(db, flow.accountId))
    return account !== undefined && isRecoverable(account) ? account : undefined
  }

  /** The account and its ways in, of one moment. */
  async function candidateOf(flow: RecoveryFlow): Promise<Candidate | undefined> {
    const candidate = flow.accountId && (await findCandidate(db, flow.accountId, { cookieHash: null, recentSince: clock.now(), keyOf: waysKeyOf(core) }))
    return candidate !== undefined && isRecoverable(candidate.account) ? candidate : undefined
  }

  function owed(flow: RecoveryFlow, candidate: Candidate | undefined): readonly SecondFactor[] {
    const all = candidate === undefined ? [] : secondFactorsOf(candidate)
    return flow.method === 'recovery-code' ? all.filter((factor) => factor !== 'recovery-code') : all
  }

  async function advance(flow: RecoveryFlow, { binding, within }: { binding?: string; within?: Check['within'] } = {}): Promise<RecoveryProgress> {
    const candidate = await candidateOf(flow)
    if (candidate === undefined) return { kind: 'gone' }
    const { account } = candidate
    // Judged at each step: an address or a factor may be another for the moment of one.
    if (!isNewest(core, candidate.ways)) {
      await noteBroken(core, db, account.id, 'recovery')
      throw new Problem(ACCOUNTS_PROBLEMS.waysUnconfirmed)
    }
    if (flow.step === 'email-sent' && account.citizen.reveal().email !== flow.sentTo) return { kind: 'gone' }
    const factors = flow.step === 'second-factor' ? [] : owed(flow, candidate)
    const event = flow.step === 'second-factor' ? 'factor-proved' : factors.length > 0 ? 'proved-owing-factor' : 'proved'
    nextStep(flow.step, event)
    try {
      return await db.transaction(async (tx) => {
        if (within !== undefined && !(await within(tx, account))) return { kind: 'wrong' }
        const moved = await flows.advance(tx, flow, event, binding ?? flow.binding)
        if (moved === undefined) throw new StepLost()
        const data = { method: flow.step === 'second-factor' ? 'second-factor' : flow.method }
        await audit.record(tx, { type: 'accounts/recovery-proved', actor: citizen(account.id), subject: account.id, data })
        return { kind: 'next', id: flow.id, step: moved.step, factors }
      })
    } catch (error) {
      if (error instanceof StepLost) return { kind: 'gone' }
      throw error
    }
  }

  async function refuse(flow: RecoveryFlow, facts: Facts): Promise<RecoveryProgress> {
    const data = { method: flow.method, origin: originOf(core, facts) }
    await audit.record(db, { type: 'accounts/recovery-refused', actor: SYSTEM, ...(flow.accountId && { subject: flow.accountId }), data })
    return { kind: 'wrong' }
  }

  return {
    factorsOf: async (flow) => owed(flow, await candidateOf(flow)),
    advance,
    async prove(flow, facts, { before, within }) {
      const limit = attemptsLimit(tools.limits, flow)
      const admission = await tools.throttle.admit([limit])
      if (!admission.admitted) return { kind: 'wait', retryAfterSeconds: admission.waitSeconds }
      const account = await accountOf(flow)
      const isRight = account !== undefined && (before === undefined || (await before(account)))
      const progress = isRight ? await advance(flow, within && { within }) : undefined
      if (progress === undefined || progress.kind === 'wrong') return refuse(flow, facts)
      if (progress.kind === 'next') await tools.throttle.clear([limit])
      return progress
    },
  }
}

/** An active account, or one that its own owner suspended ("não fui eu"): only recovery opens that one again. */
export function isRecoverable(account: Account): boolean {
  return account.status === 'active' || (account.status === 'suspended' && account.statusReason === 'not-me')
}

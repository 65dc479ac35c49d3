import type { SecondFactor } from '../account.ts'
import { replaceHash } from '../account.store.ts'
import { citizen, type Core, type Facts, originOf, SYSTEM, type Tools } from '../core.ts'
import { type Cpf, parseCpf } from '../identity/cpf.ts'
import { createGate } from '../throttle/gate.ts'
import type { SignInLimits } from '../throttle/limits.ts'
import { changeWays, isNewest } from '../ways/ways.ts'
import type { Completion, SignedIn } from './completion.ts'
import { type Candidate, findCandidateByCpf } from './sign-in.store.ts'
import type { Tickets } from './ticket.ts'

/** A sign-in with CPF and password. */
export interface PasswordAttempt {
  readonly cpf: string
  readonly password: string
  readonly facts: Facts
  /** What ties a second step to this browser: the interaction's id, for example. */
  readonly binding: string
  /** An id of the caller's for the session; one that is live is refreshed instead. */
  readonly sessionId?: string | undefined
}

/** The right password of an account with a second factor: ask for one of `methods`, then `verifySecondFactor` with the ticket. */
export interface SecondFactorNeeded {
  readonly kind: 'second-factor'
  readonly ticket: string
  readonly methods: readonly SecondFactor[]
}

export type SignInResult =
  | SignedIn
  | SecondFactorNeeded
  /** Not a CPF at all: the field says so. */
  | { readonly kind: 'invalid-cpf' }
  /** Wrong password, no such account, closed, or locked: one answer for all (checklist 1, 6). */
  | { readonly kind: 'refused' }
  /** The right password of an account that its owner suspended: only recovery opens it. */
  | { readonly kind: 'suspended' }
  /** Too many attempts from this address: 429. */
  | { readonly kind: 'wait'; readonly retryAfterSeconds: number }

export type SignIn = (attempt: PasswordAttempt) => Promise<SignInResult>

export interface SignInDependencies {
  readonly core: Core
  readonly tools: Tools
  readonly completion: Completion
  readonly tickets: Tickets
}

/**
 * Sign-in by password. Every attempt is counted before it is evaluated; a right one gives back what was counted.
 *
 * An unknown CPF costs the same hash, the same statements and the same time as a wrong password, and a locked account waits as
 * long as a hash takes without computing one.
 */
export function createSignIn({ core, tools, completion, tickets }: SignInDependencies): SignIn {
  const { db } = core
  const { passwords, throttle, limits } = tools
  const { maxQueue } = core.settings.password
  const addresses = createGate({ width: Math.ceil(core.settings.throttle.perAddress / 2), maxWaiting: maxQueue })
  const accounts = createGate({ width: 2, maxWaiting: maxQueue })

  async function refuse(attempt: PasswordAttempt, candidate: Candidate | undefined, isLocked: boolean): Promise<SignInResult> {
    const reason = candidate === undefined ? 'unknown' : candidate.account.status === 'closed' ? 'closed' : 'password'
    const subject = candidate?.account.id
    const data = { reason, locked: isLocked, origin: originOf(core, attempt.facts) }
    await core.audit.record(db, { type: 'accounts/sign-in-refused', actor: SYSTEM, ...(subject && { subject }), data })
    return { kind: 'refused' }
  }

  async function proceed(attempt: PasswordAttempt, candidate: Candidate, spent: SignInLimits): Promise<SignInResult> {
    const { account } = candidate
    if (account.status === 'suspended') {
      await throttle.giveBack(listOf(spent))
      const data = { reason: 'suspended', locked: false, origin: originOf(core, attempt.facts) }
      await core.audit.record(db, { type: 'accounts/sign-in-refused', actor: citizen(account.id), subject: account.id, data })
      return { kind: 'suspended' }
    }
    const methods = secondFactorsOf(candidate)
    if (methods.length > 0) {
      await throttle.giveBack(listOf(spent))
      return { kind: 'second-factor', methods, ticket: await tickets.issue({ ...attempt, account, isOwn: isNewest(core, candidate.ways) }) }
    }
    const { facts, sessionId } = attempt
    return (await completion.complete({ candidate, amr: ['pwd'], facts, sessionId, spent })) ?? { kind: 'refused' }
  }

  async function evaluate(attempt: PasswordAttempt, candidate: Candidate | undefined, spent: SignInLimits, isLast: boolean): Promise<SignInResult> {
    const hash = candidate?.account.status === 'closed' ? null : (candidate?.passwordHash ?? null)
    const verdict = await passwords.verify(attempt.password, hash).catch(async (error: unknown) => {
      await throttle.giveBack(listOf(spent))
      throw error
    })
    if (candidate === undefined || hash === null || !verdict.matches) return refuse(attempt, candidate, isLast)
    const { rehash } = verdict
    const { id } = candidate.account
    if (rehash === undefined) return proceed(attempt, candidate, spent)
    await db.transaction((tx) => changeWays(core, tx, id, (ways) => replaceHash(ways, id, hash, rehash)))
    const fresh = await findCandidateByCpf(db, candidate.account.citizen.reveal().cpf, completion.candidateLookup(attempt.facts))
    // Another browser may have been first, with the same password.
    const isSame = fresh?.passwordHash === rehash || (fresh !== undefined && (await passwords.verify(attempt.password, fresh.passwordHash)).matches)
    return fresh !== undefined && isSame ? proceed(attempt, fresh, spent) : refuse(attempt, fresh, isLast)
  }

  async function attemptOnce(attempt: PasswordAttempt, candidate: Candidate | undefined, spent: SignInLimits): Promise<SignInResult> {
    const admission = await throttle.admit(listOf(spent))
    if (admission.admitted) {
      const isLast = [spent.near, spent.whole].some((limit) => limit !== undefined && (admission.points.get(limit.key) ?? 0) >= limit.free)
      return evaluate(attempt, candidate, spent, isLast)
    }
    if (admission.refusedBy.includes(spent.address.key)) return { kind: 'wait', retryAfterSeconds: admission.waitSeconds }
    await passwords.idle()
    return { kind: 'refused' }
  }

  return async (attempt) => {
    const cpf: Cpf | undefined = parseCpf(attempt.cpf)
    if (cpf === undefined) return { kind: 'invalid-cpf' }
    const candidate = await findCandidateByCpf(db, cpf, completion.candidateLookup(attempt.facts))
    const spent = limits.signIn({ cpf, ip: attempt.facts.ip, deviceId: candidate?.deviceId })
    return addresses.run(spent.address.key, () => accounts.run(spent.near.key, () => attemptOnce(attempt, candidate, spent)))
  }
}

/** The second factors that an account must show; a recovery code stands in only for another factor. */
export function secondFactorsOf(candidate: Candidate): SecondFactor[] {
  const main: SecondFactor[] = []
  if (candidate.hasPasskey) main.push('passkey')
  if (candidate.hasCertificate) main.push('certificate')
  if (candidate.hasTotp) main.push('totp')
  return main.length > 0 && candidate.hasRecoveryCode ? [...main, 'recovery-code'] : main
}

function listOf(limits: SignInLimits) {
  return [limits.address, limits.near, ...(limits.whole ? [limits.whole] : [])]
}

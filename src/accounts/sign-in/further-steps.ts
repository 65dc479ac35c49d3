import type { PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/server'
import type { Account, AccountId, SecondFactor } from '../account.ts'
import { findAccount } from '../account.store.ts'
import { type Core, type Facts, originOf, SYSTEM, type Tools } from '../core.ts'
import type { CertificateRefusal } from '../factors/certificate-door.ts'
import type { Certificates } from '../factors/certificates.ts'
import type { Ceremony, Passkeys } from '../factors/passkeys.ts'
import { addMethods, type SignInSession } from '../sessions/session.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Completion, SignedIn } from './completion.ts'
import type { FactorProof, VerifyFactor, WrongFactor } from './second-factor.ts'
import { secondFactorsOf } from './sign-in.ts'
import { type Candidate, findCandidate } from './sign-in.store.ts'
import type { Ticket, Tickets } from './ticket.ts'

interface Wait {
  readonly kind: 'wait'
  readonly retryAfterSeconds: number
}

/** Answer to a second step. `gone`: the ticket is used, over or another browser's, or the account changed; start again. */
export type SecondStepResult = SignedIn | WrongFactor | { readonly kind: 'gone' } | Wait

/** Answer to a passkey without a CPF. */
export type PasskeySignInResult = SignedIn | { readonly kind: 'refused' } | { readonly kind: 'suspended' } | Wait

/** Answer to a factor added to a session that is signed in. */
export type StepUpResult = { readonly kind: 'proved'; readonly session: SignInSession } | WrongFactor | { readonly kind: 'gone' } | Wait

/** Answer to a certificate without a CPF. */
export type CertificateSignInResult = SignedIn | { readonly kind: 'refused'; readonly why: CertificateRefusal } | { readonly kind: 'suspended' } | Wait

interface CertificateStep {
  readonly ticket: string
  readonly binding: string
  readonly facts: Facts
  readonly sessionId?: string | undefined
  /** Only this account's certificates will do. */
  readonly accountId?: AccountId | undefined
  /** Of the authorization request in which it is shown. */
  readonly nonce?: string | undefined
}

interface PasskeyStep {
  readonly ceremonyId: string
  readonly binding: string
  readonly response: unknown
  readonly facts: Facts
  readonly sessionId?: string | undefined
  /** Only this account's passkeys will do: whoever is signed in confirms that account. */
  readonly accountId?: AccountId | undefined
  /** Of the authorization request in which it is shown. */
  readonly nonce?: string | undefined
}

/** Every step of signing in that is not the password. */
export interface FurtherSteps {
  /** Second step after `SecondFactorNeeded`. */
  verifySecondFactor(step: { ticket: string; binding: string; proof: FactorProof; facts: Facts; nonce?: string | undefined }): Promise<SecondStepResult>
  /** The second factors that a ticket's account can show; empty when the ticket is gone. */
  methodsOf(ticket: string, binding: string): Promise<readonly SecondFactor[]>
  /** Passkey challenge for a ticket's account; `undefined` when the ticket is gone. */
  startTicketPasskey(ticket: string, binding: string): Promise<Ceremony<PublicKeyCredentialRequestOptionsJSON> | undefined>
  /** Passkey challenge without a CPF: the passkey says whose it is. */
  startPasskey(binding: string): Promise<Ceremony<PublicKeyCredentialRequestOptionsJSON>>
  /** Sign-in by a passkey alone: aal2. */
  signInWithPasskey(step: PasskeyStep): Promise<PasskeySignInResult>
  /** Where to show a certificate for a ticket's account; undefined when that is gone or was asked too often. */
  startTicketCertificate(ticket: string, binding: string, page: string): Promise<string | undefined>
  /** Where to show a certificate that says by itself whose it is; undefined when this address asked too often. */
  startCertificate(step: { binding: string; page: string; facts: Facts }): Promise<string | undefined>
  /** Sign-in by a certificate of a card or token alone: aal2. The ticket is burnt. */
  signInWithCertificate(step: CertificateStep): Promise<CertificateSignInResult>
  /** Signs in the browser that has just confirmed its registration there (`sameBrowser`), by the password that it chose. */
  signInRegistered(step: { account: Account; facts: Facts; sessionId?: string | undefined }): Promise<SignedIn | undefined>
  /** The second factors that an account can show; empty when it has none. */
  factorsOf(accountId: AccountId): Promise<readonly SecondFactor[]>
  /** Passkey challenge for `stepUp`. */
  startStepUpPasskey(accountId: AccountId, binding: string): Promise<Ceremony<PublicKeyCredentialRequestOptionsJSON>>
  /** Adds a factor to a live session (step-up to aal2). */
  stepUp(step: { sessionId: string; accountId: AccountId; proof: FactorProof; facts: Facts; nonce?: string | undefined }): Promise<StepUpResult>
}

export interface FurtherStepsDependencies {
  readonly core: Core
  readonly tools: Pick<Tools, 'throttle' | 'limits'>
  readonly verifyFactor: VerifyFactor
  readonly parts: { readonly completion: Completion; readonly tickets: Tickets; readonly passkeys: Passkeys; readonly certificates: Certificates; readonly sessions: Sessions }
}

export function createFurtherSteps({ core, tools, verifyFactor, parts }: FurtherStepsDependencies): FurtherSteps {
  const { db } = core
  const { completion, tickets, passkeys, certificates, sessions } = parts
  const noBrowser: Facts = { ip: '', userAgent: '', deviceCookie: undefined }
  const candidateOf = (id: AccountId, facts: Facts) => findCandidate(db, id, completion.candidateLookup(facts))

  async function factorsOf(accountId: AccountId): Promise<readonly SecondFactor[]> {
    const candidate = await candidateOf(accountId, noBrowser)
    return candidate === undefined ? [] : secondFactorsOf(candidate)
  }

  async function verifySecondFactor({ ticket: id, binding, proof, facts, nonce }: Parameters<FurtherSteps['verifySecondFactor']>[0]): Promise<SecondStepResult> {
    const ticket = await tickets.find(id, binding)
    const candidate = ticket && (await candidateOf(ticket.accountId, facts))
    if (ticket === undefined || candidate === undefined || !isStillGood(ticket, candidate)) return { kind: 'gone' }
    const verdict = await verifyFactor(candidate.account, proof, facts)
    if (verdict.kind !== 'proved') return verdict
    if (!(await tickets.consume(db, id))) return { kind: 'gone' }
    // A paper code is one of the ways and is used up now.
    const proved = proof.method === 'recovery-code' ? await candidateOf(ticket.accountId, facts) : candidate
    if (proved === undefined || !isStillGood(ticket, proved)) return { kind: 'gone' }
    const amr = addMethods(['pwd'], verdict.amr)
    return (await completion.complete({ candidate: proved, amr, facts, sessionId: ticket.sessionId, nonce, isBegunByOwn: ticket.isOwn })) ?? { kind: 'gone' }
  }

  async function signInWithPasskey(step: PasskeyStep): Promise<PasskeySignInResult> {
    const { facts, sessionId, accountId, nonce } = step
    const limit = tools.limits.passkey(facts.ip)
    const admission = await tools.throttle.admit([limit])
    if (!admission.admitted) return { kind: 'wait', retryAfterSeconds: admission.waitSeconds }
    const { ceremonyId, binding, response } = step
    const proof = await passkeys.finishAuthentication({ ceremonyId, binding, response })
    const candidate = proof && (await candidateOf(proof.accountId, facts))
    const isAnother = accountId !== undefined && candidate?.account.id !== accountId
    if (proof === undefined || candidate === undefined || candidate.account.status === 'closed' || isAnother) {
      const data = { reason: 'passkey', locked: false, origin: originOf(core, facts) }
      await core.audit.record(db, { type: 'accounts/sign-in-refused', actor: SYSTEM, data })
      return { kind: 'refused' }
    }
    await tools.throttle.giveBack([limit])
    if (candidate.account.status === 'suspended') return { kind: 'suspended' }
    return (await completion.complete({ candidate, amr: proof.amr, facts, sessionId, nonce })) ?? { kind: 'refused' }
  }

  return {
    verifySecondFactor,
    async methodsOf(id, binding) {
      const ticket = await tickets.find(id, binding)
      return ticket === undefined ? [] : factorsOf(ticket.accountId)
    },
    async startTicketPasskey(id, binding) {
      const ticket = await tickets.find(id, binding)
      return ticket && passkeys.startAuthentication({ accountId: ticket.accountId, binding })
    },
    startPasskey: (binding) => passkeys.startAuthentication({ binding }),
    async startTicketCertificate(id, binding, page) {
      const ticket = await tickets.find(id, binding)
      return ticket && certificates.begin({ use: 'factor', binding, accountId: ticket.accountId }, page)
    },
    async startCertificate({ binding, page, facts }) {
      const { admitted } = await tools.throttle.admit([tools.limits.certificate('ask', facts.ip)])
      return admitted ? certificates.begin({ use: 'sign-in', binding, accountId: undefined }, page) : undefined
    },
    signInWithPasskey,
    signInWithCertificate: createCertificateSignIn({ core, tools, parts }, candidateOf),
    async signInRegistered({ account, facts, sessionId }) {
      const candidate = await candidateOf(account.id, facts)
      return candidate && isSince(account, candidate.account) ? completion.complete({ candidate, amr: ['pwd'], facts, sessionId }) : undefined
    },
    factorsOf,
    startStepUpPasskey: (accountId, binding) => passkeys.startAuthentication({ accountId, binding }),
    async stepUp({ sessionId, accountId, proof, facts, nonce }) {
      const account = await findAccount(db, accountId)
      const session = await sessions.findLive(sessionId)
      if (account?.status !== 'active' || session?.accountId !== accountId) return { kind: 'gone' }
      const verdict = await verifyFactor(account, proof, facts)
      if (verdict.kind !== 'proved') return verdict
      return { kind: 'proved', session: await db.transaction((tx) => sessions.addFactor(tx, sessionId, { accountId, added: verdict.amr, nonce })) }
    },
  }
}

/** Sign-in by a certificate that says whose it is. */
function createCertificateSignIn(
  { core, tools, parts }: Pick<FurtherStepsDependencies, 'core' | 'tools' | 'parts'>,
  candidateOf: (id: AccountId, facts: Facts) => Promise<Candidate | undefined>,
): FurtherSteps['signInWithCertificate'] {
  async function refuse(facts: Facts, why: CertificateRefusal): Promise<CertificateSignInResult> {
    const data = { reason: 'certificate', locked: false, origin: originOf(core, facts) } as const
    await core.audit.record(core.db, { type: 'accounts/sign-in-refused', actor: SYSTEM, data })
    return { kind: 'refused', why }
  }

  return async ({ ticket, binding, facts, sessionId, accountId, nonce }) => {
    const limit = tools.limits.certificate('show', facts.ip)
    const admission = await tools.throttle.admit([limit])
    if (!admission.admitted) return { kind: 'wait', retryAfterSeconds: admission.waitSeconds }
    const proof = await parts.certificates.proveAlone({ ticket, binding })
    if (proof.kind === 'refused') return refuse(facts, proof.why)
    const candidate = await candidateOf(proof.accountId, facts)
    const isAnother = accountId !== undefined && proof.accountId !== accountId
    if (candidate === undefined || candidate.account.status === 'closed' || isAnother) return refuse(facts, 'strange')
    await tools.throttle.giveBack([limit])
    if (candidate.account.status === 'suspended') return { kind: 'suspended' }
    return (await parts.completion.complete({ candidate, amr: proof.amr, facts, sessionId, nonce })) ?? refuse(facts, 'over')
  }
}

/** The account is active and its password is still the one that was proved. */
function isStillGood(ticket: Ticket, { account }: Candidate): boolean {
  return account.status === 'active' && isSince(ticket, account)
}

/** Neither another password nor a recovery came since the account was read. */
function isSince(read: Partial<Pick<Account, 'passwordChangedAt' | 'recoveredAt'>>, now: Account): boolean {
  return read.passwordChangedAt?.getTime() === now.passwordChangedAt?.getTime() && read.recoveredAt?.getTime() === now.recoveredAt?.getTime()
}

import type { Audit } from '../audit/index.ts'
import type { Clock } from '../platform/clock.ts'
import type { Database, Sql } from '../platform/db.ts'
import type { Locale } from '../platform/http/locale.ts'
import type { Keyring } from '../platform/keyring.ts'
import type { Outbox } from '../platform/outbox.ts'
import { Problem } from '../platform/problem.ts'
import type { PoolStats } from '../platform/worker-pool.ts'
import { type Account, type AccountId, parseAccountId } from './account.ts'
import { findAccount, findAccountByCpf, holdActive, setLocale } from './account.store.ts'
import { canChangeSensitive } from './change-guard.ts'
import { type Contacts, createContacts } from './contacts/contacts.ts'
import type { Core, EndOidcSessions, Tools } from './core.ts'
import { type CertificateDoor, CLOSED_DOOR } from './factors/certificate-door.ts'
import { createCertificates } from './factors/certificates.ts'
import { createPasskeys } from './factors/passkeys.ts'
import { createRecoveryCodes } from './factors/recovery-codes.ts'
import { createTotp } from './factors/totp.ts'
import { type BaseRegister, withDeadline } from './identity/base-register.ts'
import type { Cpf } from './identity/cpf.ts'
import { createNotices, type Translations } from './notices.ts'
import { type ChangePassword, createChangePassword } from './password/password-change.ts'
import { createFindOtherPasswordFault, type FindOtherPasswordFault } from './password/other-password.ts'
import { createPasswords, type Passwords } from './password/passwords.ts'
import { ACCOUNTS_PROBLEMS } from './problems.ts'
import type { Recovery, VerifyFaceRecovery } from './recovery/recovery.ts'
import { createRecovery } from './recovery/recovery-steps.ts'
import { type AccountCreated, createRegistration, type Registration } from './registration/registration.ts'
import { type CounterAccess, createCounterAccess } from './safety/counter-access.ts'
import { createCounterActs, type CounterActs } from './safety/counter-acts.ts'
import { createSafety, type Safety } from './safety/safety.ts'
import { type Device, listDevices } from './sessions/device.store.ts'
import { createSessions, type Sessions } from './sessions/sessions.ts'
import type { AccountsSettings } from './settings.ts'
import { createCompletion } from './sign-in/completion.ts'
import { createFurtherSteps, type FurtherSteps } from './sign-in/further-steps.ts'
import { createVerifyFactor, type Factors } from './sign-in/second-factor.ts'
import { createSignIn, type SignIn } from './sign-in/sign-in.ts'
import { createTickets } from './sign-in/ticket.ts'
import { createFaceAttempts, type FaceAttempts } from './throttle/face-attempts.ts'
import { createLimits } from './throttle/limits.ts'
import { purgeCounters } from './throttle/throttle.store.ts'
import { createThrottle } from './throttle/throttle.ts'
import { createWaits, type Waits } from './throttle/waits.ts'
import { purgeTokens } from './token/one-time-token.store.ts'
import { createOneTimeTokens, type OneTimeTokens } from './token/one-time-tokens.ts'
import { sealFirst } from './ways/first-seal.ts'
import { isOwn, noteBroken } from './ways/ways.ts'

const KEPT_TOKEN_MS = 86_400_000

/** Everything about citizens' accounts. */
export interface Accounts {
  /** `undefined` for an id that is no account's, malformed ones included; suspended and closed accounts are found. */
  find(id: string): Promise<Account | undefined>
  /** @throws {Problem} accounts/unknown-account */
  get(id: string): Promise<Account>
  findByCpf(cpf: Cpf): Promise<Account | undefined>
  /** As `find`, inside another room's transaction. */
  findIn(tx: Sql, id: string): Promise<Account | undefined>
  /** Whether an account is active, and stays so until the end of the caller's transaction; asked before other locks are taken. */
  holdActive(tx: Sql, id: string): Promise<boolean>
  setLocale(id: AccountId, locale: Locale): Promise<void>
  /** False for 24 hours after a recovery. */
  canChangeSensitive(account: Account): boolean

  /** Whether what opens the account is what its owner set up here; an operator's alarm when it is not. For what needs its owner alone. */
  hasOwnWays(id: AccountId): Promise<boolean>
  /** Seals the ways of accounts from before there were seals, once in the life of a database; false when that was done already. */
  sealFirst(): Promise<boolean>

  readonly signIn: SignIn
  readonly steps: FurtherSteps
  readonly factors: Factors
  readonly sessions: Sessions
  listDevices(id: AccountId): Promise<Device[]>

  readonly registration: Registration
  readonly recovery: Recovery
  readonly contacts: Contacts
  readonly changePassword: ChangePassword
  /** For a password of another purpose, which must be neither weak nor the account's own. */
  readonly findOtherPasswordFault: FindOtherPasswordFault
  readonly safety: Safety
  /** What two people of the counter may do to an account. */
  readonly counter: CounterActs
  /** Ways in at the counter, by the person's own face. */
  readonly counterAccess: CounterAccess

  readonly faceAttempts: FaceAttempts
  readonly waits: Waits
  /** Codes, links and steps that work once, for other rooms' flows too. */
  readonly tokens: OneTimeTokens
  /** Resolves when the hash threads answer. */
  ready(): Promise<void>
  /** The hash threads and their queue, for metrics. */
  hashing(): PoolStats
  /** Removes what is over (tokens, counters, old sessions); an hourly job's work. */
  purge(): Promise<void>
  close(): Promise<void>
}

/** What `app.ts` hands in from outside of the room. */
export interface AccountsPorts {
  readonly outbox: Outbox
  readonly translations: Translations
  readonly register: BaseRegister
  readonly endOidcSessions: EndOidcSessions
  readonly accountCreated: AccountCreated
  readonly verifyFace: VerifyFaceRecovery
  /** Absent where no host asks for certificates. */
  readonly certificateDoor?: CertificateDoor
}

export interface AccountsDependencies {
  readonly platform: { readonly db: Database; readonly clock: Clock; readonly keyring: Keyring }
  readonly audit: Audit
  readonly ports: AccountsPorts
  readonly settings: AccountsSettings
}

/** Builds the room and starts its hash threads. */
export function createAccounts({ platform, audit, ports, settings }: AccountsDependencies): Accounts {
  const core: Core = { ...platform, audit, settings }
  const { db } = core
  const tools = createTools(core, ports)
  const sessions = createSessions(core, ports.endOidcSessions)
  const factors: Factors = {
    totp: createTotp(core, tools), passkeys: createPasskeys(core, tools), recoveryCodes: createRecoveryCodes(core, tools),
    certificates: createCertificates(core, tools, ports.certificateDoor ?? CLOSED_DOOR),
  }
  const verifyFactor = createVerifyFactor(core, tools, factors)
  const completion = createCompletion(core, tools)
  const tickets = createTickets(tools, db)
  const steps = createFurtherSteps({ core, tools, verifyFactor, parts: { completion, tickets, passkeys: factors.passkeys, certificates: factors.certificates, sessions } })
  const register = withDeadline(ports.register, settings.registerDeadlineMs)

  return {
    ...createLookups(core),
    async hasOwnWays(id) {
      if (await isOwn(core, db, id)) return true
      await noteBroken(core, db, id, 'signature')
      return false
    },
    sealFirst: () => sealFirst(core),
    signIn: createSignIn({ core, tools, completion, tickets }),
    steps,
    factors,
    sessions,
    registration: createRegistration({ core, tools, register, accountCreated: ports.accountCreated }),
    recovery: createRecovery({
      core, tools, factors, sessions,
      ports: { verifyFace: ports.verifyFace, verifyFactor },
    }),
    contacts: createContacts(core, tools),
    changePassword: createChangePassword(core, tools, sessions),
    findOtherPasswordFault: createFindOtherPasswordFault(core, tools),
    safety: createSafety(core, tools, sessions),
    counter: createCounterActs(core, tools, sessions),
    counterAccess: createCounterAccess(core, tools, sessions),
    faceAttempts: createFaceAttempts(core, tools.throttle, tools.limits),
    waits: createWaits(tools.throttle, tools.limits),
    tokens: tools.tokens,
    ready: () => tools.passwords.ready(),
    hashing: () => tools.passwords.stats(),
    purge: () => purge(core, sessions),
    close: () => tools.passwords.close(),
  }
}

function createTools(core: Core, { outbox, translations }: AccountsPorts): Tools {
  const { db, clock, keyring, settings } = core
  const keyOf = (name: string, ...parts: string[]) => `${name}:${keyring.hash(parts.join('|'), 'throttle').toString('base64url', 0, 24)}`
  const passwords: Passwords = createPasswords(settings.password)
  return {
    tokens: createOneTimeTokens({ db, clock, keyring }),
    passwords,
    throttle: createThrottle({ db, clock }),
    limits: createLimits(settings.throttle, keyOf),
    notices: createNotices({ outbox, translations, clock, serviceName: settings.serviceName, publicUrl: settings.publicUrl }),
  }
}

function createLookups({ db, clock, settings }: Core) {
  async function find(text: string): Promise<Account | undefined> {
    const id = parseAccountId(text)
    return id && findAccount(db, id)
  }

  return {
    find,
    async get(id: string): Promise<Account> {
      const account = await find(id)
      if (account === undefined) throw new Problem(ACCOUNTS_PROBLEMS.unknownAccount)
      return account
    },
    findByCpf: (cpf: Cpf) => findAccountByCpf(db, cpf),
    async findIn(tx: Sql, text: string) {
      const id = parseAccountId(text)
      return id && findAccount(tx, id)
    },
    async holdActive(tx: Sql, text: string) {
      const id = parseAccountId(text)
      return id !== undefined && holdActive(tx, id)
    },
    setLocale: (id: AccountId, locale: Locale) => setLocale(db, id, locale),
    canChangeSensitive: (account: Account) => canChangeSensitive(account, clock.now(), settings.session.holdSeconds),
    listDevices: (id: AccountId) => listDevices(db, id),
  }
}

async function purge({ db, clock }: Core, sessions: Sessions): Promise<void> {
  const now = clock.now()
  await purgeTokens(db, new Date(now.getTime() - KEPT_TOKEN_MS))
  await purgeCounters(db, now)
  await sessions.purge()
}

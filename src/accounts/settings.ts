/** What an operator can set about accounts; `app.ts` fills it from the configuration. */
export interface AccountsSettings {
  /** Name shown in authenticator apps and in mails. */
  readonly serviceName: string
  /** Base URL of the pages; the links in mails start with it, and it is the origin of passkeys. */
  readonly publicUrl: string
  readonly password: PasswordSettings
  readonly throttle: ThrottleSettings
  readonly session: SessionSettings
  readonly registerDeadlineMs: number
}

export interface PasswordSettings {
  /** 8 where a second factor or a face check guards what matters; NIST SP 800-63B-4 asks 15 of a password that stands alone. */
  readonly minLength: number
  readonly minScore: 0 | 1 | 2 | 3 | 4
  readonly cost: HashCost
  /** Hashing threads; each holds `cost.memoryKib` while it works. */
  readonly slots: number
  /** Hashes waiting for a thread; beyond it platform/busy. */
  readonly maxQueue: number
  readonly deadlineMs: number
}

/** Cost of argon2id (RFC 9106). */
export interface HashCost {
  readonly memoryKib: number
  readonly passes: number
  readonly parallelism: number
}

export interface ThrottleSettings {
  /** Sign-ins evaluated per address in 60 s. */
  readonly perAddress: number
  /** Wrong passwords in a row for one account from one address before the first wait. */
  readonly perAccountAndAddress: number
  /** Wrong passwords in a row for one account, from anywhere, before the first wait; also for each known device. */
  readonly perAccount: number
  /** Second-factor attempts per account in 10 minutes. */
  readonly secondFactor: number
  /** Messages with a code or link to one destination in 10 minutes. */
  readonly messagesPerDestination: number
  /** Registrations and recoveries started per address in an hour. */
  readonly startsPerAddress: number
  /** What strangers at one address may make this server remember: at once, and in every further second. A town hall shares one address. */
  readonly visitsPerAddress: { readonly burst: number; readonly perSecond: number }
}

export interface SessionSettings {
  readonly idleSeconds: number
  readonly totalSeconds: number
  /** Changes of credentials and addresses need a sign-in at most this old. */
  readonly recentSeconds: number
  /** Credentials and addresses cannot be changed for this long after a recovery. */
  readonly holdSeconds: number
}

/** The numbers of specs/security.md, 3 (login.gov's limits and NIST SP 800-63B). */
export const DEFAULT_SETTINGS: Omit<AccountsSettings, 'publicUrl'> = {
  serviceName: 'MT Login',
  password: {
    minLength: 8, minScore: 3, cost: { memoryKib: 19_456, passes: 2, parallelism: 1 }, slots: 2, maxQueue: 64, deadlineMs: 10_000,
  },
  throttle: {
    perAddress: 20, perAccountAndAddress: 5, perAccount: 10, secondFactor: 10, messagesPerDestination: 5, startsPerAddress: 60,
    visitsPerAddress: { burst: 300, perSecond: 5 },
  },
  session: { idleSeconds: 3600, totalSeconds: 86_400, recentSeconds: 1200, holdSeconds: 86_400 },
  registerDeadlineMs: 5000,
}

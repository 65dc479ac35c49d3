import type { ThrottleSettings } from '../settings.ts'

/**
 * How one counter limits. `window`: at most `free` in a fixed span that starts with the first. `backoff`: after `free`
 * failures in a row each further attempt waits twice as long as the last, from `delayMs` up to `maxDelayMs`.
 */
export interface Limit {
  readonly kind: 'window' | 'backoff'
  /** Keyed, never the value itself: the table holds no address and no CPF. */
  readonly key: string
  readonly free: number
  /** Length of the window; or how long a failure is remembered. */
  readonly spanMs: number
  readonly delayMs: number
  readonly maxDelayMs: number
  /** Also counted in each process by itself: what it guards is worth a change of rows. */
  readonly isRemembered?: boolean | undefined
}

/** Makes a look-up key out of something that must not be readable in the table. */
export type KeyOf = (name: string, ...parts: string[]) => string

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const FACE_CHECKS_AN_HOUR = 3
/** At one agency, so that none can use up what a person may try at all of them together. */
const FACE_CHECKS_A_DAY_AT_ONE_AGENCY = 8
const FACE_CHECKS_A_DAY_AT_AGENCIES = 24

/** Every limit of the room by name, with the numbers of specs/security.md, 3. */
export interface Limits {
  /** What a sign-in with a password spends: address and, of the account, either the known device or the address and the whole. */
  signIn(attempt: { cpf: string; ip: string; deviceId?: string | undefined }): SignInLimits
  secondFactor(accountId: string): Limit
  message(destination: string): Limit
  /** Wrong one-time codes for one address or person, over all of its tokens. */
  codes(subject: string): Limit
  start(what: string, ip: string): Limit
  passkey(ip: string): Limit
  /** Sign-ins that begin with a certificate: sent to be shown, and shown. */
  certificate(step: 'ask' | 'show', ip: string): Limit
  /** Face checks started for one person: at most three an hour, and without a passed one ever longer waits (specs/biometrics 4). */
  faceCheck(accountId: string): FaceLimits
  /** The same at one agency, and beside it what bounds whoever spreads guesses over many. */
  faceCheckAt(door: string, personId: string): FaceLimits & { readonly day: Limit; readonly everywhere: Limit }
}

export interface FaceLimits {
  readonly hour: Limit
  readonly run: Limit
}

export interface SignInLimits {
  readonly address: Limit
  /** Failures from this address, or on this known device. */
  readonly near: Limit
  /** Failures from anywhere; absent on a known device, so that nobody else's failures lock its owner out. */
  readonly whole?: Limit | undefined
}

/** The room's limits over keyed counters. */
export function createLimits(settings: ThrottleSettings, keyOf: KeyOf): Limits {
  const window = (key: string, free: number, spanMs: number): Limit => ({ kind: 'window', key, free, spanMs, delayMs: 0, maxDelayMs: 0 })
  const backoff = (key: string, free: number, delayMs: number, spanMs: number): Limit => ({ kind: 'backoff', key, free, spanMs, delayMs, maxDelayMs: HOUR })

  return {
    signIn({ cpf, ip, deviceId }) {
      const address = window(keyOf('address', networkOf(ip)), settings.perAddress, MINUTE)
      if (deviceId !== undefined) {
        return { address, near: backoff(keyOf('device', cpf, deviceId), settings.perAccount, 30 * SECOND, 24 * HOUR) }
      }
      return {
        address,
        near: backoff(keyOf('pair', cpf, networkOf(ip)), settings.perAccountAndAddress, MINUTE, 12 * HOUR),
        whole: backoff(keyOf('account', cpf), settings.perAccount, 30 * SECOND, 24 * HOUR),
      }
    },
    secondFactor: (accountId) => ({ ...window(keyOf('factor', accountId), settings.secondFactor, 10 * MINUTE), isRemembered: true }),
    message: (destination) => window(keyOf('message', destination), settings.messagesPerDestination, 10 * MINUTE),
    codes: (subject) => ({ ...backoff(keyOf('codes', subject), settings.perAccount, 30 * SECOND, 24 * HOUR), isRemembered: true }),
    start: (what, ip) => window(keyOf('start', what, networkOf(ip)), settings.startsPerAddress, HOUR),
    certificate: (step, ip) => window(keyOf('certificate', step, networkOf(ip)), settings.perAddress, MINUTE),
    passkey: (ip) => window(keyOf('passkey', networkOf(ip)), settings.perAddress, MINUTE),
    faceCheck: (accountId) => ({
      hour: window(keyOf('face', accountId), FACE_CHECKS_AN_HOUR, HOUR),
      run: backoff(keyOf('face-run', accountId), FACE_CHECKS_AN_HOUR, 20 * MINUTE, 24 * HOUR),
    }),
    faceCheckAt: (door, personId) => ({
      hour: window(keyOf('face-at', door, personId), FACE_CHECKS_AN_HOUR, HOUR),
      run: backoff(keyOf('face-at-run', door, personId), FACE_CHECKS_AN_HOUR, 20 * MINUTE, 24 * HOUR),
      day: window(keyOf('face-at-day', door, personId), FACE_CHECKS_A_DAY_AT_ONE_AGENCY, 24 * HOUR),
      everywhere: window(keyOf('face-everywhere', personId), FACE_CHECKS_A_DAY_AT_AGENCIES, 24 * HOUR),
    }),
  }
}

/** One subscriber's network: an IPv4 address, or the /64 of an IPv6 one (its owner has 2^64 addresses to spend). */
export function networkOf(ip: string): string {
  const plain = ip.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
  if (!plain.includes(':')) return plain
  const [head = '', tail] = plain.toLowerCase().split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0')
  return [...before, ...zeros, ...after].slice(0, 4).map((group) => group.replace(/^0+(?=.)/, '')).join(':')
}

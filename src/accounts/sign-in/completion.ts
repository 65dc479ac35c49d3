import { randomBytes, randomUUID } from 'node:crypto'
import type { Sql } from '../../platform/db.ts'
import type { Account } from '../account.ts'
import { citizen, type Core, type Facts, originOf, type Tools } from '../core.ts'
import { deviceLabel } from '../sessions/device-label.ts'
import { aalSeal, type ProvedWill, willSeal } from '../sessions/proof-seal.ts'
import { aalOf, type SignInSession } from '../sessions/session.ts'
import type { SignInLimits } from '../throttle/limits.ts'
import { isNewest, isOwn, noteBroken, waysKeyOf } from '../ways/ways.ts'
import { type Candidate, type CandidateLookup, recordSignIn, type SignInRecord } from './sign-in.store.ts'

const HOUR_MS = 3_600_000
/** More new devices than this in an hour are noted without a message: the first ones have told the citizen. */
const NOTICES_PER_HOUR = 5

/** A finished sign-in. */
export interface SignedIn {
  readonly kind: 'signed-in'
  readonly account: Account
  readonly session: SignInSession
  /** Value for the long-lived device cookie; set it on every sign-in. */
  readonly deviceCookie: string
}

export interface Proved {
  readonly candidate: Candidate
  readonly amr: readonly string[]
  readonly facts: Facts
  /** An id of the caller's for the session; one that is live is refreshed instead. */
  readonly sessionId?: string | undefined
  readonly spent?: SignInLimits | undefined
  /** Of the authorization request in which it was proved. */
  readonly nonce?: string | undefined
  /** False when the first step was taken by a password that is not the owner's. */
  readonly isBegunByOwn?: boolean | undefined
}

/** Turns a proof into a session. */
export interface Completion {
  /** What looks a candidate up, for this browser. */
  candidateLookup(facts: Facts): CandidateLookup
  /**
   * Session, device, counters, audit and (on a new device) the notice, in one transaction; without a notice that is one statement.
   *
   * `undefined` when the account stopped being active, its password changed, or it was recovered or made anew at the counter, since the
   * candidate was read.
   */
  complete(proved: Proved): Promise<SignedIn | undefined>
}

export function createCompletion(core: Core, { notices }: Pick<Tools, 'notices'>): Completion {
  const { db, clock, keyring, audit } = core
  const cookieHash = (cookie: string) => keyring.hash(cookie, 'device-cookie')

  async function recordAndTell(tx: Sql, record: SignInRecord, account: Account): Promise<SignInSession | undefined> {
    const session = await recordSignIn(tx, record)
    if (session !== undefined) await notices.tell(tx, account, 'new-device', { device: record.device.label })
    return session
  }

  /**
   * Who got in by ways that are not the owner's is signed in, and can neither sign nor change ways.
   *
   * The ways have to be the owner's when they were read and now; the owner may change them in between.
   */
  async function sealsOf({ account: { id: accountId }, ways }: Candidate, proved: Omit<ProvedWill, 'accountId'>, isBegunByOwn: boolean): Promise<Pick<SignInRecord, 'aalSeal' | 'willSeal'>> {
    if (isBegunByOwn && isNewest(core, ways) && (await isOwn(core, db, accountId))) return { aalSeal: aalSeal(keyring, { accountId, ...proved }), willSeal: willSeal(keyring, { accountId, ...proved }) }
    await noteBroken(core, db, accountId, 'sign-in')
    return { aalSeal: null, willSeal: null }
  }

  return {
    candidateLookup(facts) {
      const cookie = validCookie(facts.deviceCookie)
      return { cookieHash: cookie === undefined ? null : cookieHash(cookie), recentSince: new Date(clock.now().getTime() - HOUR_MS), keyOf: waysKeyOf(core) }
    },
    async complete({ candidate, amr, facts, sessionId = randomUUID(), spent, nonce, isBegunByOwn = true }) {
      const { account, devices } = candidate
      const deviceCookie = validCookie(facts.deviceCookie) ?? randomBytes(32).toString('base64url')
      const label = deviceLabel(facts.userAgent)
      const newDevice = candidate.deviceId === undefined
      const deviceId = candidate.deviceId ?? randomUUID()
      const data = { sessionId, amr: [...amr], deviceId, newDevice, origin: originOf(core, facts) }
      const [now, aal] = [clock.now(), aalOf(amr)]
      const record = {
        sessionId, accountId: account.id, amr, aal, now, ...(await sealsOf(candidate, { id: sessionId, at: now, amr, aal, nonce }, isBegunByOwn)), passwordChangedAt: account.passwordChangedAt, recoveredAt: account.recoveredAt,
        device: { id: deviceId, cookieHash: cookieHash(deviceCookie), label },
        counters: { near: spent?.near.key ?? null, whole: spent?.whole?.key ?? null, others: spent ? [spent.address.key] : [] },
        event: audit.prepare({ type: 'accounts/signed-in', actor: citizen(account.id), subject: account.id, data }),
      }
      const isTold = newDevice && devices.hasAny && devices.recent < NOTICES_PER_HOUR
      const session = await (isTold ? db.transaction((tx) => recordAndTell(tx, record, account)) : recordSignIn(db, record))
      return session && { kind: 'signed-in', account, session, deviceCookie }
    },
  }
}

/** A cookie that we could have set; anything else is as good as none. */
function validCookie(cookie: string | undefined): string | undefined {
  return cookie !== undefined && /^[A-Za-z0-9_-]{43}$/.test(cookie) ? cookie : undefined
}

import { randomUUID } from 'node:crypto'
import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import type { AccountId } from '../account.ts'
import { citizen, type Core, type EndOidcSessions } from '../core.ts'
import { ACCOUNTS_PROBLEMS } from '../problems.ts'
import { removeDevice } from './device.store.ts'
import { isOwn, noteBroken } from '../ways/ways.ts'
import { aalSeal, faceSeal, isSeal, willSeal } from './proof-seal.ts'
import { isSignInSealed } from './sealed-sign-in.ts'
import { addMethods, aalOf, type EndReason, isLiveSession, type SignInSession } from './session.ts'
import {
  endSession, endSessions, findProofs, findSession, listOpenSessions, openSession, purgeSessions, type SealedProofs, setFace, setMethods, touchSession,
} from './session.store.ts'

/** A session in use is written at most this often. */
const TOUCH_EVERY_MS = 60_000
/** Ends after which nothing granted before may live on. */
const TOTAL_ENDS: readonly EndReason[] = ['recovered', 'suspended', 'closed']
const KEPT_MS = 400 * 86_400_000

/** A finished sign-in, as the protocol's session records it. */
export interface NewSession {
  /** A new random one when absent. */
  readonly id?: string | undefined
  readonly accountId: AccountId
  readonly amr: readonly string[]
  readonly authenticatedAt: Date
  readonly deviceId?: string | undefined
}

/** Whose proof it is, and the `nonce` of the authorization request in which it was shown. */
export interface ShownInRequest {
  readonly accountId: AccountId
  readonly nonce?: string | undefined
}

/** The sign-in sessions of citizens: the truth about who is signed in where, and how. */
export interface Sessions {
  /**
   * Opens the session of a finished sign-in under the protocol's id, or notes a fresh sign-in in it.
   *
   * `undefined` when the account is not active or its password changed after `authenticatedAt`, or the id is an ended session's.
   */
  open(sql: Sql, opening: NewSession): Promise<SignInSession | undefined>
  /** The session if it is live now; notes its use. Idle and total limits apply (checklist 19). */
  findLive(id: string): Promise<SignInSession | undefined>
  /**
   * Since when a session of this account bears a second factor, and a face, that were shown in the request of this `nonce`: as this server
   * saw it, whatever the rows say.
   *
   * For what nobody may do who can only write rows.
   */
  findProved(accountId: AccountId, id: string, nonce: string): Promise<{ readonly secondFactorAt: Date | undefined; readonly faceAt: Date | undefined }>
  /** Which of the two a session is, live or over; notes the use of a live one. */
  use(session: SignInSession): Promise<{ session: SignInSession; isLive: boolean }>
  /** The protocol ended it by itself (sign-out at a relying party): notes that, without ending it there again. */
  noteSignedOut(id: string, reason: EndReason): Promise<void>
  /** Live sessions of an account, the last used first. */
  list(accountId: AccountId): Promise<SignInSession[]>
  /** Adds what a further factor of this account proved and makes the sign-in fresh. @throws {Problem} accounts/unknown-session */
  addFactor(tx: Sql, id: string, proof: ShownInRequest & { readonly added: readonly string[] }): Promise<SignInSession>
  /** Notes that this account's face check was passed. @throws {Problem} accounts/unknown-session */
  recordFace(tx: Sql, id: string, proof: ShownInRequest & { readonly livenessClass: string }): Promise<SignInSession>
  /** Ends one session and the protocol's side of it. False when it was over. */
  end(accountId: AccountId, id: string, reason: EndReason): Promise<boolean>
  /** Ends all sessions of an account but one, in the caller's transaction; returns their ids. */
  endAll(tx: Sql, accountId: AccountId, reason: EndReason, except?: string): Promise<string[]>
  /** Forgets a device and ends its sessions. False when there was none. */
  endDevice(accountId: AccountId, deviceId: string): Promise<boolean>
  purge(): Promise<number>
}

export function createSessions(core: Core, endOidcSessions: EndOidcSessions): Sessions {
  const { db, clock, settings, audit, keyring } = core

  async function use(session: SignInSession): Promise<{ session: SignInSession; isLive: boolean }> {
    const now = clock.now()
    if (!isLiveSession(session, now, settings.session)) return { session, isLive: false }
    if (now.getTime() - session.lastSeenAt.getTime() < TOUCH_EVERY_MS) return { session, isLive: true }
    await touchSession(db, session.id, now)
    return { session: { ...session, lastSeenAt: now }, isLive: true }
  }

  /** Of whose proof was just checked: a row may have become another account's meanwhile. */
  async function getOpen(tx: Sql, id: string, accountId: AccountId): Promise<SealedProofs> {
    const found = await findProofs(tx, id)
    if (found?.session.accountId !== accountId || !isLiveSession(found.session, clock.now(), settings.session)) throw new Problem(ACCOUNTS_PROBLEMS.unknownSession)
    return found
  }

  /** Whether a further proof in this session is its owner's: they got in by their own ways, which are theirs still. */
  async function bearsProofs(tx: Sql, found: SealedProofs): Promise<boolean> {
    if (isSignInSealed(keyring, found) && (await isOwn(core, tx, found.session.accountId))) return true
    await noteBroken(core, tx, found.session.accountId, 'session')
    return false
  }

  async function noteEnded(tx: Sql, accountId: AccountId, sessionIds: readonly string[], reason: EndReason): Promise<void> {
    for (const sessionId of sessionIds) {
      await audit.record(tx, { type: 'accounts/session-ended', actor: citizen(accountId), subject: accountId, data: { sessionId, reason } })
    }
    const offlineToo = TOTAL_ENDS.includes(reason)
    if (sessionIds.length > 0 || offlineToo) await endOidcSessions(tx, { accountId, sessionIds, reason, offlineToo })
  }

  return {
    async open(sql, { id = randomUUID(), deviceId, ...opening }) {
      const { accountId, amr, authenticatedAt: at } = opening
      const aal = aalOf(amr)
      const seal = (await isOwn(core, sql, accountId)) ? aalSeal(keyring, { id, accountId, at, aal, amr }) : null
      return openSession(sql, { ...opening, id, deviceId, aal, now: clock.now(), aalSeal: seal })
    },
    use,
    async findProved(accountId, id, nonce) {
      const found = await findProofs(db, id)
      if (found?.session.accountId !== accountId || found.session.endedAt !== undefined) return { secondFactorAt: undefined, faceAt: undefined }
      const { aal, amr, authenticatedAt, faceAt } = found.session
      const hasFactor = isSeal(found.willSeal, willSeal(keyring, { id, accountId, at: authenticatedAt, aal, amr, nonce }))
      const hasFace = faceAt !== undefined && isSeal(found.faceSeal, faceSeal(keyring, { id, accountId, at: faceAt, nonce }))
      return { secondFactorAt: hasFactor ? authenticatedAt : undefined, faceAt: hasFace ? faceAt : undefined }
    },
    async findLive(id) {
      const found = await findSession(db, id)
      const used = found && (await use(found))
      return used?.isLive === true ? used.session : undefined
    },
    noteSignedOut: (id, reason) =>
      db.transaction(async (tx) => {
        const session = await findSession(tx, id)
        if (session === undefined || !(await endSession(tx, session.accountId, id, { reason, now: clock.now() }))) return
        const { accountId } = session
        await audit.record(tx, { type: 'accounts/session-ended', actor: citizen(accountId), subject: accountId, data: { sessionId: id, reason } })
      }),
    async list(accountId) {
      const now = clock.now()
      const sessions = await listOpenSessions(db, accountId, new Date(now.getTime() - settings.session.idleSeconds * 1000))
      return sessions.filter((session) => isLiveSession(session, now, settings.session))
    },
    async addFactor(tx, id, { accountId, added, nonce }) {
      const found = await getOpen(tx, id, accountId)
      const { session } = found
      const amr = addMethods(session.amr, added)
      const proved = { id, accountId, at: clock.now(), amr, aal: aalOf(amr), nonce }
      const seals = (await bearsProofs(tx, found)) ? { seal: aalSeal(keyring, proved), will: willSeal(keyring, proved) } : { seal: null, will: null }
      const { at } = proved
      if (!(await setMethods(tx, { id, accountId }, { ...proved, ...seals }))) throw new Problem(ACCOUNTS_PROBLEMS.unknownSession)
      await audit.record(tx, { type: 'accounts/factor-added-to-session', actor: citizen(accountId), subject: accountId, data: { sessionId: id, amr } })
      return { ...session, amr, aal: aalOf(amr), authenticatedAt: at, lastSeenAt: at }
    },
    async recordFace(tx, id, { accountId, livenessClass, nonce }) {
      const found = await getOpen(tx, id, accountId)
      const { session } = found
      const amr = [...new Set([...session.amr, 'face'])]
      const at = clock.now()
      const seal = (await bearsProofs(tx, found)) ? faceSeal(keyring, { id, accountId, at, nonce }) : null
      if (!(await setFace(tx, { id, accountId }, { amr, at, livenessClass, seal }))) throw new Problem(ACCOUNTS_PROBLEMS.unknownSession)
      return { ...session, amr, faceAt: at, faceClass: livenessClass }
    },
    end: (accountId, id, reason) =>
      db.transaction(async (tx) => {
        if (!(await endSession(tx, accountId, id, { reason, now: clock.now() }))) return false
        await noteEnded(tx, accountId, [id], reason)
        return true
      }),
    async endAll(tx, accountId, reason, except) {
      const ids = await endSessions(tx, accountId, { reason, now: clock.now(), except })
      await noteEnded(tx, accountId, ids, reason)
      return ids
    },
    endDevice: (accountId, deviceId) =>
      db.transaction(async (tx) => {
        const now = clock.now()
        if (!(await removeDevice(tx, accountId, deviceId, now))) return false
        await audit.record(tx, { type: 'accounts/device-removed', actor: citizen(accountId), subject: accountId, data: { deviceId } })
        await noteEnded(tx, accountId, await endSessions(tx, accountId, { reason: 'device-removed', now, deviceId }), 'device-removed')
        return true
      }),
    purge: () => purgeSessions(db, new Date(clock.now().getTime() - KEPT_MS)),
  }
}

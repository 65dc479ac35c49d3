import { randomBytes } from 'node:crypto'
import type { z } from 'zod'
import type { Clock } from '../clock.ts'
import type { Sql } from '../db.ts'
import {
  deletePageSession,
  deletePageSessionsByAccount,
  deletePageSessionsBySid,
  findPageSession,
  insertPageSession,
  purgePageSessions,
  touchPageSession,
  updatePageSession,
} from './page-session.store.ts'
import { type HttpContext, scopeOf } from './request-facts.ts'

const TOUCH_EVERY_MS = 30_000
/** Longest life of a session in which nobody has signed in yet: a visit to the sign-in page and back. */
const STRANGER_SECONDS = 3600
const LONGEST_IDLE_MS = 24 * 3600 * 1000

/** A signed-in (or about to sign in) browser in one area of ours. */
export interface PageSession<Data> {
  readonly accountId: string | undefined
  /** The protocol session (`sid`) that it hangs on; ends with it. */
  readonly sid: string | undefined
  readonly data: Data
  readonly startedAt: Date
}

export interface PageSessionStart<Data> {
  readonly accountId?: string
  readonly sid?: string
  readonly data: Data
  /** Ends sooner than the area's sessions do. */
  readonly seconds?: number
}

/** Sessions of one area; the browser holds 256 random bits, the database their keyed hash and the sealed data. */
export interface PageSessions<Data> {
  /** Undefined without a session, or when it is idle, over or ended elsewhere. */
  read(ctx: HttpContext): Promise<PageSession<Data> | undefined>
  /** Starts a session under a new id and ends the one that this browser had: nothing set before signing in survives it. */
  begin(ctx: HttpContext, start: PageSessionStart<Data>): Promise<void>
  /** False when there is none any more. */
  update(ctx: HttpContext, data: Data): Promise<boolean>
  end(ctx: HttpContext): Promise<void>
}

export interface SealingKeyring {
  hash(value: string, purpose: string): Buffer
  seal(plain: string, context: string): Promise<Buffer> | Buffer
  open(sealed: Buffer, context: string): Promise<Buffer> | Buffer
}

export interface PageSessionDeps {
  readonly db: Sql
  readonly keyring: SealingKeyring
  readonly clock: Clock
}

export interface PageSessionArea<Data> {
  /** Also the cookie's name: `mt_portal`. */
  readonly area: string
  /** What the data must look like when read back; data of an older shape ends the session. */
  readonly data: z.ZodType<Data>
  readonly idleSeconds: number
  readonly absoluteSeconds: number
}

/** Sessions of one area of our pages, each area with its own cookie and limits. */
export function createPageSessions<Data>({ db, keyring, clock }: PageSessionDeps, area: PageSessionArea<Data>): PageSessions<Data> {
  const hashOf = (id: string) => keyring.hash(id, `page-session:${area.area}`)
  const contextOf = (idHash: Buffer) => `page_session:${area.area}:${idHash.toString('hex')}`
  const current = (ctx: HttpContext) => {
    const id = scopeOf(ctx).cookies.read(ctx, area.area)
    return id !== undefined && /^[\w-]{43}$/.test(id) ? hashOf(id) : undefined
  }

  async function end(ctx: HttpContext): Promise<void> {
    const idHash = current(ctx)
    if (idHash === undefined) return
    await deletePageSession(db, idHash)
    scopeOf(ctx).cookies.clear(ctx, area.area)
  }

  async function read(ctx: HttpContext): Promise<PageSession<Data> | undefined> {
    const idHash = current(ctx)
    const row = idHash && (await findPageSession(db, idHash, area.area))
    if (idHash === undefined || row === undefined) return undefined
    const now = clock.now()
    if (row.expires_at <= now || row.last_seen_at.getTime() + area.idleSeconds * 1000 <= now.getTime()) return void (await end(ctx))
    const data = area.data.safeParse(JSON.parse((await keyring.open(row.data, contextOf(idHash))).toString('utf8')))
    if (!data.success) return void (await end(ctx))
    if (now.getTime() - row.last_seen_at.getTime() > TOUCH_EVERY_MS) await touchPageSession(db, idHash, now)
    return { accountId: row.account_id ?? undefined, sid: row.sid ?? undefined, data: data.data, startedAt: row.created_at }
  }

  async function begin(ctx: HttpContext, start: PageSessionStart<Data>): Promise<void> {
    const before = current(ctx)
    if (before !== undefined) await deletePageSession(db, before)
    const id = randomBytes(32).toString('base64url')
    const idHash = hashOf(id)
    const now = clock.now()
    await insertPageSession(db, {
      idHash,
      area: area.area,
      accountId: start.accountId,
      sid: start.sid,
      data: await keyring.seal(JSON.stringify(start.data), contextOf(idHash)),
      now,
      expiresAt: new Date(now.getTime() + Math.min(start.seconds ?? area.absoluteSeconds, start.accountId === undefined ? STRANGER_SECONDS : area.absoluteSeconds, area.absoluteSeconds) * 1000),
    })
    scopeOf(ctx).cookies.write(ctx, area.area, id)
  }

  async function update(ctx: HttpContext, data: Data): Promise<boolean> {
    const idHash = current(ctx)
    return idHash !== undefined && updatePageSession(db, idHash, await keyring.seal(JSON.stringify(data), contextOf(idHash)))
  }

  return { read, begin, update, end }
}

/** Ends every page session that hangs on this protocol session, in all areas. */
export function destroyPageSessionsBySid(db: Sql, sid: string): Promise<number> {
  return deletePageSessionsBySid(db, sid)
}

/** Ends every page session of an account, in all areas: suspension, password change, "não fui eu". */
export function destroyPageSessionsByAccount(db: Sql, accountId: string): Promise<number> {
  return deletePageSessionsByAccount(db, accountId)
}

/** For a job: removes sessions that nobody can use any more. */
export function purgeEndedPageSessions(db: Sql, now: Date): Promise<number> {
  return purgePageSessions(db, now, new Date(now.getTime() - LONGEST_IDLE_MS))
}

import { z } from 'zod'
import type { Sql } from '../../platform/db.ts'
import { type Account, type AccountId, parseAccountId } from '../account.ts'
import type { Tools } from '../core.ts'

const KIND = 'second-factor'
/** Life of the step between the password and the second factor. */
const TTL_SECONDS = 600

const moment = z.iso.datetime().transform((text) => new Date(text)).optional()
const payload = z.object({ sessionId: z.string().optional(), isOwn: z.boolean().default(false), passwordChangedAt: moment, recoveredAt: moment })

/** What a ticket stands for: this account's password was right, in this browser. */
export interface Ticket {
  readonly id: string
  readonly accountId: AccountId
  readonly sessionId?: string | undefined
  /** Of the account whose password it was: as they were when it was read. */
  readonly passwordChangedAt?: Date | undefined
  readonly recoveredAt?: Date | undefined
  /** The password was the owner's own: rows may be others for the moment of one step. */
  readonly isOwn: boolean
}

/** Tickets between the two steps of a sign-in; each leads to one session. */
export interface Tickets {
  issue(step: { account: Account; binding: string; sessionId?: string | undefined; isOwn: boolean }): Promise<string>
  find(id: string, binding: string): Promise<Ticket | undefined>
  /** False for everybody but the first. */
  consume(sql: Sql, id: string): Promise<boolean>
}

export function createTickets({ tokens }: Pick<Tools, 'tokens'>, db: Sql): Tickets {
  return {
    async issue({ account: { id: accountId, passwordChangedAt, recoveredAt }, binding, sessionId, isOwn }) {
      const text = JSON.stringify({ sessionId, isOwn, passwordChangedAt, recoveredAt })
      return (await tokens.create(db, { kind: KIND, ttlSeconds: TTL_SECONDS, accountId, binding, payload: text })).id
    },
    async find(id, binding) {
      const token = await tokens.find({ kind: KIND, id, binding })
      const accountId = token?.accountId === undefined ? undefined : parseAccountId(token.accountId)
      if (token?.payload === undefined || accountId === undefined) return undefined
      return { id, accountId, ...payload.parse(JSON.parse(token.payload)) }
    },
    consume: (sql, id) => tokens.consume(sql, id),
  }
}

import { randomBytes, randomInt, randomUUID, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../platform/clock.ts'
import type { Sql } from '../../platform/db.ts'
import { isUuid } from '../../platform/database/uuid.ts'
import { equalSecrets, type Keyring } from '../../platform/keyring.ts'
import {
  consumeToken, consumeTokensOf, countTokenAttempt, findToken, findTokenByLink, insertToken, moveToken, renewToken, type StoredToken,
} from './one-time-token.store.ts'

/** Wrong codes before a token is useless (ASVS 6.5, NIST SP 800-63B). */
export const MAX_CODE_ATTEMPTS = 10
/** Life of a six-digit code. */
export const CODE_TTL_SECONDS = 600
/** Life of a link sent by mail. */
export const LINK_TTL_SECONDS = 86_400

/** What is asked of a new token. `binding` ties its code to one browser: only who holds the same text can use it. */
export interface NewToken {
  readonly kind: string
  readonly ttlSeconds: number
  readonly accountId?: string | undefined
  readonly binding?: string | undefined
  readonly payload?: string | undefined
  readonly state?: string | undefined
}

/** A live token as found; `payload` is opened. */
export interface Token {
  readonly id: string
  readonly kind: string
  readonly accountId: string | undefined
  readonly binding: string | undefined
  readonly state: string | undefined
  readonly payload: string | undefined
  readonly createdAt: Date
}

/** The secrets of a new token, for the message; stored only as keyed hashes. */
export interface TokenSecrets {
  readonly id: string
  readonly code: string
  readonly link: string
}

export type CodeCheck =
  | { readonly kind: 'right'; readonly token: Token }
  | { readonly kind: 'wrong'; readonly attemptsLeft: number }
  /** Used, over, unknown, bound to another browser, or without attempts left. */
  | { readonly kind: 'gone' }

/**
 * Things that work once: codes, links, challenges, steps of flows.
 *
 * Looking never uses up: `consume` does, in the transaction of the effect, by compare-and-set, so that of parallel uses one wins
 * and a crash between the two leaves both undone.
 */
export interface OneTimeTokens {
  create(sql: Sql, token: NewToken): Promise<TokenSecrets>
  /** Counts the attempt, outside of any transaction of the caller: a roll-back must not give it back. */
  checkCode(presented: { kind: string; id: string; binding?: string | undefined; code: string }): Promise<CodeCheck>
  findByLink(kind: string, link: string): Promise<Token | undefined>
  find(presented: { kind: string; id: string; binding?: string | undefined }, sql?: Sql): Promise<Token | undefined>
  consume(tx: Sql, id: string): Promise<boolean>
  consumeAllOf(tx: Sql, accountId: string, kind?: string): Promise<void>
  move(sql: Sql, move: { id: string; from: string; to: string; binding?: string | undefined }): Promise<boolean>
  renew(sql: Sql, id: string): Promise<TokenSecrets | undefined>
}

export interface OneTimeTokenDependencies {
  readonly db: Sql
  readonly clock: Clock
  readonly keyring: Keyring
}

export function createOneTimeTokens({ db, clock, keyring }: OneTimeTokenDependencies): OneTimeTokens {
  const codeHash = (id: string, code: string) => keyring.hash(`${id}:${code}`, 'one-time-code')
  const linkHash = (link: string) => keyring.hash(link, 'one-time-link')

  function makeSecrets(id: string): { secrets: TokenSecrets; secretHash: Buffer; linkHash: Buffer } {
    const code = String(randomInt(1_000_000)).padStart(6, '0')
    const link = randomBytes(32).toString('base64url')
    return { secrets: { id, code, link }, secretHash: codeHash(id, code), linkHash: linkHash(link) }
  }

  /** Whose step it is, in which browser, how far it came, and which link leads to it. */
  const sealOf = ({ id, kind, accountId, binding, state, linkHash: link }: Pick<StoredToken, 'id' | 'kind' | 'accountId' | 'binding' | 'state' | 'linkHash'>) =>
    keyring.hash(JSON.stringify([id, kind, accountId ?? null, binding ?? null, state ?? null, link?.toString('hex') ?? null]), 'one-time-token')
  /** A row that somebody changed is no token. */
  const isWhole = (stored: StoredToken) => stored.seal !== undefined && equalSecrets(stored.seal, sealOf(stored))

  async function findWhole(sql: Sql, id: string): Promise<StoredToken | undefined> {
    const stored = isUuid(id) ? await findToken(sql, id, clock.now()) : undefined
    return stored && isWhole(stored) ? stored : undefined
  }

  async function open(stored: StoredToken): Promise<Token> {
    const { id, kind, accountId, binding, state, createdAt, sealed } = stored
    const payload = sealed && (await keyring.open(sealed, contextOf(kind, id))).toString('utf8')
    return { id, kind, accountId, binding, state, createdAt, payload }
  }

  return {
    async create(sql, { kind, ttlSeconds, accountId, binding, payload, state }) {
      const { secrets, ...hashes } = makeSecrets(randomUUID())
      const now = clock.now()
      await insertToken(sql, {
        id: secrets.id, kind, ...hashes, accountId: accountId ?? null, binding: binding ?? null, state: state ?? null, createdAt: now,
        sealed: payload === undefined ? null : await keyring.seal(payload, contextOf(kind, secrets.id)),
        codeExpiresAt: after(now, Math.min(ttlSeconds, CODE_TTL_SECONDS)), expiresAt: after(now, ttlSeconds),
        seal: sealOf({ id: secrets.id, kind, accountId, binding, state, linkHash: hashes.linkHash }),
      })
      return secrets
    },
    async checkCode({ kind, id, binding, code }) {
      if (!isUuid(id)) return { kind: 'gone' }
      const attempt = { id, kind, binding: binding ?? null, maxAttempts: MAX_CODE_ATTEMPTS, now: clock.now() }
      const stored = await countTokenAttempt(db, attempt)
      if (stored === undefined || !isWhole(stored)) return { kind: 'gone' }
      if (!timingSafeEqual(stored.secretHash, codeHash(id, code.replace(/\D/g, '')))) {
        return { kind: 'wrong', attemptsLeft: MAX_CODE_ATTEMPTS - stored.attempts }
      }
      return { kind: 'right', token: await open(stored) }
    },
    async findByLink(kind, link) {
      const stored = await findTokenByLink(db, linkHash(link), clock.now())
      return stored?.kind === kind && isWhole(stored) ? open(stored) : undefined
    },
    async find({ kind, id, binding }, sql = db) {
      const stored = await findWhole(sql, id)
      return stored?.kind === kind && stored.binding === binding ? open(stored) : undefined
    },
    consume: (tx, id) => consumeToken(tx, id, clock.now()),
    consumeAllOf: (tx, accountId, kind) => consumeTokensOf(tx, accountId, clock.now(), kind),
    async move(sql, { id, from, to, binding }) {
      const stored = await findWhole(sql, id)
      if (stored?.state !== from || stored.seal === undefined) return false
      const next = { ...stored, state: to, binding: binding ?? stored.binding }
      return moveToken(sql, { id, from, to, binding: next.binding, now: clock.now(), sealed: { from: stored.seal, to: sealOf(next) } })
    },
    async renew(sql, id) {
      const stored = await findWhole(sql, id)
      if (stored?.seal === undefined) return undefined
      const { secrets, ...hashes } = makeSecrets(id)
      const now = clock.now()
      const sealed = { from: stored.seal, to: sealOf({ ...stored, ...hashes }) }
      return (await renewToken(sql, { id, ...hashes, codeExpiresAt: after(now, CODE_TTL_SECONDS), now, sealed })) ? secrets : undefined
    },
  }
}

function contextOf(kind: string, id: string): string {
  return `one-time-token:${kind}:${id}`
}

function after(now: Date, seconds: number): Date {
  return new Date(now.getTime() + seconds * 1000)
}

import { hash } from 'node:crypto'
import { errors, type JsonObject, type ProviderContext, type TokenInstance } from 'oidc-provider'
import { z } from 'zod'
import type { Clock } from '../../platform/clock.ts'
import type { Database } from '../../platform/db.ts'
import type { Keyring } from '../../platform/keyring.ts'
import { storedId } from '../adapter/adapter.ts'
import type { ArtifactStore } from '../adapter/artifact.ts'
import type { AuditPort } from '../ports.ts'

/** A retry sooner than this after an answer that was sent is not a lost answer: clients wait before they try again. */
export const LOST_ANSWER_AFTER_SECONDS = 2
/** How long a lost answer can be asked for again. */
export const GRACE_SECONDS = 30

const answerSchema = z.object({
  sealed: z.string(),
  readyAt: z.number(),
  successor: z.string(),
  /** Known to be lost: the connection broke before the answer was out. */
  undelivered: z.boolean(),
})
type Answer = z.output<typeof answerSchema>

const bodySchema = z.looseObject({ refresh_token: z.string() })

export interface RefreshGraceDeps {
  readonly store: ArtifactStore
  readonly clock: Clock
  readonly keyring: Pick<Keyring, 'seal' | 'open'>
  readonly audit: AuditPort
  readonly db: Database
}

/**
 * Rotation of refresh tokens that forgives a lost answer and nothing else.
 *
 * A used refresh token can come back for three reasons:
 * 1. **a parallel request** (it arrived before the first one was answered): refused, the family lives. So of any number of parallel
 *    requests exactly one succeeds.
 * 2. **a lost answer**: the client waited, heard nothing and tries again. It gets the *same* answer again, never another family member,
 *    if the connection is known to have broken, or if between 2 and 30 seconds have passed, and only while the successor is unused.
 * 3. **theft**: everything else, at once: the family dies and the reuse is put on record.
 *
 * Not for sender-constrained tokens, which are not rotated (FAPI 2.0, 5.3.2.1).
 */
export function createRefreshGrace(deps: RefreshGraceDeps): (ctx: ProviderContext, handle: () => Promise<void>) => Promise<void> {
  const { store, clock, keyring } = deps

  async function findAnswer(token: string): Promise<Answer | undefined> {
    const found = await store.find('RefreshAnswer', storedId('RefreshAnswer', token))
    return found && answerSchema.parse(found.payload)
  }

  async function keepAnswer(token: string, answer: Answer): Promise<void> {
    const expiresAt = new Date(clock.now().getTime() + GRACE_SECONDS * 1000)
    await store.upsert({ model: 'RefreshAnswer', id: storedId('RefreshAnswer', token), payload: { ...answer }, expiresAt })
  }

  /** The answer to give again; throws for a parallel request; `undefined` for a reuse that must kill the family. */
  async function again(token: string, arrivedAt: number): Promise<JsonObject | undefined> {
    const answer = await findAnswer(token)
    const now = clock.now().getTime()
    if (!answer || arrivedAt <= answer.readyAt) return undefined
    const isLost = answer.undelivered || now - answer.readyAt >= LOST_ANSWER_AFTER_SECONDS * 1000
    const successor = await store.find('RefreshToken', answer.successor)
    if (!isLost || !successor || successor.consumedAt) return undefined
    return bodySchema.parse(JSON.parse(keyring.open(Buffer.from(answer.sealed, 'base64'), contextOf(token)).toString()))
  }

  async function isParallel(token: string, usedAtSeconds: number, arrivedAt: number): Promise<boolean> {
    const answer = await findAnswer(token)
    if (answer) return arrivedAt <= answer.readyAt
    return clock.now().getTime() / 1000 - usedAtSeconds < GRACE_SECONDS
  }

  return async (ctx, handle) => {
    const arrivedAt = clock.now().getTime()
    const value = ctx.oidc.params?.['refresh_token']
    const { client, provider } = ctx.oidc
    const token = value === undefined ? undefined : await provider.RefreshToken.find(value, { ignoreExpiration: true })
    if (value !== undefined && token?.consumed !== undefined && token.clientId === client.clientId && !token.isExpired) {
      if (await isParallel(value, token.consumed, arrivedAt))
        throw new errors.InvalidGrant('refresh token in use by another request at this moment')
      const body = await again(value, arrivedAt)
      if (body) {
        ctx.body = body
        return
      }
      await recordReuse(deps, token)
    }
    await handle()
    const made = bodySchema.safeParse(ctx.body)
    if (value === undefined || !made.success || made.data.refresh_token === value) return
    const sealed = keyring.seal(JSON.stringify(made.data), contextOf(value)).toString('base64')
    const answer = {
      sealed,
      readyAt: clock.now().getTime(),
      successor: storedId('RefreshToken', made.data.refresh_token),
      undelivered: false,
    }
    await keepAnswer(value, answer)
    ctx.res.once('close', () => {
      if (!ctx.res.writableFinished) void keepAnswer(value, { ...answer, undelivered: true }).catch(() => {})
    })
  }
}

async function recordReuse({ audit, db, clock }: RefreshGraceDeps, token: TokenInstance): Promise<void> {
  const ageSeconds = Math.max(0, Math.floor(clock.now().getTime() / 1000) - (token.consumed ?? 0))
  await audit.record(db, {
    type: 'oidc/refresh-token-reused',
    actor: { kind: 'client', id: token.clientId },
    subject: token.accountId,
    clientId: token.clientId,
    data: { ageSeconds },
  })
}

function contextOf(token: string): string {
  return `oidc/refresh-answer:${hash('sha256', token, 'base64url')}`
}

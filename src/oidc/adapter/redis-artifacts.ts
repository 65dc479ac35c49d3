import { createRequire } from 'node:module'
import type { Redis } from 'ioredis'
import type { JsonObject } from 'oidc-provider'
import type { Clock } from '../../platform/clock.ts'
import { Problem } from '../../platform/problem.ts'
import type { Sensitive } from '../../platform/sensitive.ts'
import { OIDC_PROBLEMS } from '../problems.ts'
import { sessionUidOf } from './adapter.ts'
import { type ArtifactStore, type FoundArtifact, isVolatile, type NewArtifact } from './artifact.ts'
import { createCoalescer } from './coalescer.ts'

export interface RedisArtifactDeps {
  readonly url: Sensitive<string>
  readonly clock: Clock
  /** Holds what must outlive Redis: grants, refresh tokens, replay marks, registration tokens. */
  readonly durable: ArtifactStore
  /** Prefix of all keys, for several servers on one Redis. */
  readonly prefix?: string | undefined
}

export interface RedisArtifactStore extends ArtifactStore {
  close(): Promise<void>
}

const COMMAND_TIMEOUT_MS = 1500
const MOST_AT_ONCE = 100
const TOMBSTONE = '-'
const TOMBSTONE_MS = 3_600_000
const GRANT_CACHE_MS = 3_600_000

/** KEYS: artefact, then its index keys · ARGV: expiry, life, payload, id, grant, session. One step, so no index without its artefact. */
const PUT = `
  redis.call('HSET', KEYS[1], 'e', ARGV[1], 'p', ARGV[3], 'g', ARGV[5], 's', ARGV[6])
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  for i = 2, #KEYS do
    if string.sub(KEYS[i], -1) == '*' then
      redis.call('SADD', KEYS[i], ARGV[4])
      if redis.call('PTTL', KEYS[i]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[i], ARGV[2]) end
    else
      redis.call('SET', KEYS[i], ARGV[4], 'PX', ARGV[2])
    end
  end
  return 1`
/** The mark is in the artefact's own key: eviction can lose both but never the mark alone. */
const CONSUME = `
  local expires = redis.call('HGET', KEYS[1], 'e')
  if not expires or tonumber(expires) <= tonumber(ARGV[1]) then return 0 end
  return redis.call('HSETNX', KEYS[1], 'c', ARGV[1])`
/** KEYS: artefact · ARGV: where grants, session ids by uid, and sessions are. What a token's validity hangs on comes with it. */
const FIND = `
  local f = redis.call('HMGET', KEYS[1], 'e', 'p', 'c', 'g', 's')
  if not f[1] then return false end
  local grant = f[4] ~= '' and redis.call('GET', ARGV[1] .. f[4])
  local session = false
  if f[5] ~= '' then
    local id = redis.call('GET', ARGV[2] .. f[5])
    session = id and redis.call('HMGET', ARGV[3] .. id, 'e', 'p') or {'0', '{}'}
  end
  return {f[1], f[2], f[3], grant, session}`
const FIND_BY = `
  local id = redis.call('GET', KEYS[1])
  if not id then return false end
  return redis.call('HMGET', ARGV[1] .. id, 'e', 'p', 'c')`
const REVOKE = `
  for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do redis.call('DEL', ARGV[1] .. id) end
  return redis.call('DEL', KEYS[1])`

/** Loaded only where there is a Redis. */
const loadRedis = (): typeof import('ioredis') => createRequire(import.meta.url)('ioredis')

/**
 * The short-lived artefacts in one Redis, the rest in `durable`.
 *
 * Grants are read from Redis too, where revocation leaves a tombstone before the row goes: a reader that is about to cache what it has just
 * read can't overwrite it, so a revoked grant is dead for every process at once. Without Redis everything that needs it is 503; after a
 * FLUSHALL codes, tokens and sessions are unknown and people sign in again.
 */
export function createRedisArtifactStore({ url, clock, durable, prefix = 'mt:' }: RedisArtifactDeps): RedisArtifactStore {
  const { Redis } = loadRedis()
  const redis = new Redis(url.reveal(), {
    enableOfflineQueue: true,
    maxRetriesPerRequest: 1,
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: COMMAND_TIMEOUT_MS,
    retryStrategy: (attempt) => Math.min(attempt * 100, 2000),
    scripts: {
      mtPut: { lua: PUT },
      mtConsume: { lua: CONSUME, numberOfKeys: 1 },
      mtFind: { lua: FIND, numberOfKeys: 1, readOnly: true },
      mtFindBy: { lua: FIND_BY, numberOfKeys: 1, readOnly: true },
      mtRevoke: { lua: REVOKE, numberOfKeys: 1 },
    },
  })
  redis.on('error', () => {})
  const send = createCoalescer((commands: readonly Command[]) => sendAll(redis, commands), {
    mostAtOnce: MOST_AT_ONCE,
    isItemsFault: () => false,
  })
  const call = (name: string, ...args: (string | number)[]) => answered(send({ name, args, isScript: false }))
  const run = (name: string, ...args: (string | number)[]) => answered(send({ name, args, isScript: true }))

  const artifactKey = (model: string, id: string) => `${prefix}a:${model}:${id}`
  const grantKey = (id: string) => `${prefix}grant:${id}`
  const indexKeys = ({ model, payload }: NewArtifact): string[] => {
    const { uid, userCode, grantId, accountId } = payload
    return [
      ...(model === 'Session' && typeof uid === 'string' ? [`${prefix}uid:${uid}`] : []),
      ...(model === 'Session' && typeof accountId === 'string' ? [`${prefix}account:${accountId}:*`] : []),
      ...(typeof userCode === 'string' ? [`${prefix}code:${userCode}`] : []),
      ...(typeof grantId === 'string' ? [`${prefix}granted:${model}:${grantId}:*`] : []),
    ]
  }

  function fromFields(fields: unknown): FoundArtifact | undefined {
    if (!Array.isArray(fields)) return undefined
    const [expires, payload, consumed, grant, session]: unknown[] = fields
    if (typeof expires !== 'string' || typeof payload !== 'string' || Number(expires) <= clock.now().getTime()) return undefined
    return {
      payload: JSON.parse(payload),
      ...(typeof consumed === 'string' && { consumedAt: new Date(Number(consumed)) }),
      ...(typeof grant === 'string' && { grant: liveGrant(grant) ?? null }),
      ...(Array.isArray(session) && { session: fromFields(session)?.payload ?? null }),
    }
  }

  /** `undefined` for a tombstone and for an expired one. */
  function liveGrant(text: string): JsonObject | undefined {
    if (text === TOMBSTONE) return undefined
    const payload = JSON.parse(text)
    return payload.exp * 1000 > clock.now().getTime() ? payload : undefined
  }

  async function findGrant(id: string): Promise<FoundArtifact | undefined> {
    const cached = await call('GET', grantKey(id))
    if (typeof cached === 'string') {
      const payload = liveGrant(cached)
      return payload && { payload }
    }
    const found = await durable.find('Grant', id)
    if (found) await call('SET', grantKey(id), JSON.stringify(found.payload), 'NX', 'PX', GRANT_CACHE_MS)
    return found
  }

  return {
    async upsert(artifact) {
      if (!isVolatile(artifact.model)) {
        await durable.upsert(artifact)
        if (artifact.model === 'Grant') await call('SET', grantKey(artifact.id), JSON.stringify(artifact.payload), 'PX', GRANT_CACHE_MS)
        return
      }
      const expires = artifact.expiresAt?.getTime() ?? clock.now().getTime() + 86_400_000
      const keys = [artifactKey(artifact.model, artifact.id), ...indexKeys(artifact)]
      const refersTo = [artifact.payload['grantId'], sessionUidOf(artifact.payload)].map((value) =>
        typeof value === 'string' ? value : '',
      )
      const life = Math.max(1, expires - clock.now().getTime())
      await run('mtPut', keys.length, ...keys, expires, life, JSON.stringify(artifact.payload), artifact.id, ...refersTo)
    },
    insertOnce: (artifact) => durable.insertOnce(artifact),
    async find(model, id) {
      if (model === 'Grant') return findGrant(id)
      if (isVolatile(model))
        return fromFields(await run('mtFind', artifactKey(model, id), grantKey(''), `${prefix}uid:`, artifactKey('Session', '')))
      // Sessions are here, not there: what the durable store says about them is not known.
      const { session: _session, ...found } = (await durable.find(model, id)) ?? {}
      return 'payload' in found ? { ...found, payload: found.payload ?? {} } : undefined
    },
    findByUid: async (uid) => fromFields(await run('mtFindBy', `${prefix}uid:${uid}`, artifactKey('Session', ''))),
    findByUserCode: async (userCode) => fromFields(await run('mtFindBy', `${prefix}code:${userCode}`, artifactKey('DeviceCode', ''))),
    async consume(model, id) {
      if (!isVolatile(model)) return durable.consume(model, id)
      return (await run('mtConsume', artifactKey(model, id), clock.now().getTime())) === 1
    },
    async destroy(model, id) {
      if (model === 'Grant') await call('SET', grantKey(id), TOMBSTONE, 'PX', TOMBSTONE_MS)
      if (isVolatile(model)) await call('DEL', artifactKey(model, id))
      else await durable.destroy(model, id)
    },
    async revokeByGrantId(model, grantId) {
      if (isVolatile(model)) await run('mtRevoke', `${prefix}granted:${model}:${grantId}:*`, artifactKey(model, ''))
      else await durable.revokeByGrantId(model, grantId)
    },
    async sessionsOf(accountId) {
      const ids = await call('SMEMBERS', `${prefix}account:${accountId}:*`)
      const found = await Promise.all(
        (Array.isArray(ids) ? ids : []).map(async (id: string) => ({
          id,
          found: fromFields(await call('HMGET', artifactKey('Session', id), 'e', 'p', 'c')),
        })),
      )
      return found.flatMap(({ id, found: item }) => (item ? [{ id, payload: item.payload }] : []))
    },
    grantsOf: (accountId, clientId) => durable.grantsOf(accountId, clientId),
    purge: () => durable.purge(),
    async close() {
      redis.disconnect()
    },
  }
}

interface Command {
  readonly name: string
  readonly args: readonly (string | number)[]
  readonly isScript: boolean
}

type Reply = { readonly value: unknown } | { readonly error: Error }

/** One pipeline; each command has its own reply, so one that is refused spoils no other. */
async function sendAll(redis: Redis, commands: readonly Command[]): Promise<Reply[]> {
  const pipeline = redis.pipeline()
  for (const { name, args, isScript } of commands) {
    if (isScript) Reflect.get(pipeline, name).call(pipeline, ...args)
    else pipeline.call(name, ...args)
  }
  const replies = (await pipeline.exec()) ?? []
  return replies.map(([error, value]) => (error ? { error } : { value }))
}

/** @throws {Problem} oidc/state-down: never an "unknown" or "unused" made of silence. */
async function answered(work: Promise<Reply>): Promise<unknown> {
  try {
    const reply = await work
    if ('error' in reply) throw reply.error
    return reply.value
  } catch (cause) {
    throw new Problem(OIDC_PROBLEMS.stateDown, { cause, retryAfterSeconds: 2 })
  }
}

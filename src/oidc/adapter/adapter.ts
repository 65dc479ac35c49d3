import { hash } from 'node:crypto'
import { type Adapter, errors, type JsonObject } from 'oidc-provider'
import type { Clock } from '../../platform/clock.ts'
import type { Keyring } from '../../platform/keyring.ts'
import { Problem } from '../../platform/problem.ts'
import type { ArtifactStore, FoundArtifact } from './artifact.ts'
import { sealed, unsealed } from './artifact-seal.ts'
import { forgetAhead, isSessionStored, noteSession, rememberAhead, takeAhead } from './request-memory.ts'

export interface AdapterDeps {
  readonly store: ArtifactStore
  readonly clock: Clock
  readonly keyring: Pick<Keyring, 'seal' | 'open' | 'hash'>
}

/** Ids that open nothing by themselves and are referred to from elsewhere; all others are kept only as digests. */
const PLAIN_IDS = new Set(['Grant', 'ReplayDetection'])
/**
 * Models that a request finds more than once and must see as they were at first. A refresh token that a parallel request uses up in between
 * would look like a stolen one and kill its family; seen as it was, it loses the race to use it up (`consume`) and nothing more.
 */
const SEEN_ONCE = new Set(['Grant', 'RefreshToken'])
/** An unchanged session is written back at most this often; its idle timeout is that much coarser. */
const SESSION_SLACK_SECONDS = 60
const DEVICE_CODE = 'oidc/device-code'
/** Models that hold what a request said, word for word. */
const CARRIES_INPUT = new Set(['Interaction', 'AuthorizationCode', 'DeviceCode'])

/** How tokens of each kind begin; a value that begins otherwise is not looked for among them. */
export const TOKEN_PREFIXES: ReadonlyMap<string, string> = new Map([
  ['AccessToken', 'mta_'],
  ['RefreshToken', 'mtr_'],
  ['ClientCredentials', 'mtc_'],
])

/** The id under which an artefact is stored: a digest, so that reading the table gives nobody a usable token. */
export function storedId(model: string, id: string): string {
  return PLAIN_IDS.has(model) ? id : hash('sha256', id, 'base64url')
}

/** What oidc-provider stores through; one instance a model. */
export class ProviderAdapter implements Adapter {
  readonly #model: string
  readonly #deps: AdapterDeps

  constructor(model: string, deps: AdapterDeps) {
    this.#model = model
    this.#deps = deps
  }

  async upsert(id: string, payload: JsonObject, expiresIn?: number): Promise<void> {
    const stored = storedId(this.#model, id)
    if (this.#model === 'Session' && isSessionStored(stored, payload, SESSION_SLACK_SECONDS)) return
    if (CARRIES_INPUT.has(this.#model)) checkStorable(payload)
    forgetAhead()
    const expiresAt = expiresIn === undefined ? undefined : new Date(this.#deps.clock.now().getTime() + expiresIn * 1000)
    await answered(this.#deps.store.upsert({ model: this.#model, id: stored, payload: sealed(this.#deps.keyring, this.#model, stored, this.#toStore(id, payload)), expiresAt }))
  }

  async find(id: string): Promise<JsonObject | undefined> {
    if (!id.startsWith(TOKEN_PREFIXES.get(this.#model) ?? '')) return undefined
    const stored = storedId(this.#model, id)
    const ahead = SEEN_ONCE.has(this.#model) ? takeAhead(`${this.#model}:${stored}`) : undefined
    if (ahead !== undefined) return ahead ?? undefined
    const found = await answered(this.#deps.store.find(this.#model, stored))
    const content = found && unsealed(this.#deps.keyring, this.#model, found.payload, stored)
    if (!content) return undefined
    const { grantId } = content
    const sessionUid = sessionUidOf(content)
    if (typeof grantId === 'string') rememberAhead(`Grant:${grantId}`, found.grant)
    if (sessionUid !== undefined) rememberAhead(`Session:${sessionUid}`, found.session && (this.#session(found.session) ?? null))
    if (this.#model === 'Session') noteSession(stored, content)
    const payload = { ...restored({ ...found, payload: content }), jti: id }
    if (this.#model === 'RefreshToken') rememberAhead(`RefreshToken:${stored}`, payload)
    return payload
  }

  async findByUid(uid: string): Promise<JsonObject | undefined> {
    const ahead = takeAhead(`Session:${uid}`)
    if (ahead !== undefined) return ahead ?? undefined
    const found = await answered(this.#deps.store.findByUid(uid))
    const payload = found && this.#session(found.payload)
    return payload && restored({ ...found, payload })
  }

  #session(payload: JsonObject): JsonObject | undefined {
    return unsealed(this.#deps.keyring, 'Session', payload)
  }

  async findByUserCode(userCode: string): Promise<JsonObject | undefined> {
    if (!/^[\w-]{1,64}$/.test(userCode)) return undefined
    const found = await answered(this.#deps.store.findByUserCode(userCode))
    if (!found) return undefined
    const sealed = Buffer.from(String(found.payload['sealedJti']), 'base64')
    return { ...restored(found), jti: this.#deps.keyring.open(sealed, DEVICE_CODE).toString() }
  }

  /** @throws {OIDCProviderError} when somebody else was first: the loser of a race must not go on. */
  async consume(id: string): Promise<void> {
    if (await answered(this.#deps.store.consume(this.#model, storedId(this.#model, id)))) return
    if (this.#model === 'PushedAuthorizationRequest')
      throw new errors.InvalidRequestUri('request_uri is invalid, expired, or was already used')
    throw new errors.InvalidGrant('already used, in another request at this moment')
  }

  async destroy(id: string): Promise<void> {
    forgetAhead()
    await answered(this.#deps.store.destroy(this.#model, storedId(this.#model, id)))
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    forgetAhead()
    await answered(this.#deps.store.revokeByGrantId(this.#model, grantId))
  }

  /** Without the usable id; only a device code is also looked up by its user code, so that one is kept, sealed. */
  #toStore(id: string, { jti: _jti, sealedJti: _sealed, ...payload }: JsonObject): JsonObject {
    if (this.#model === 'DeviceCode') return { ...payload, sealedJti: this.#deps.keyring.seal(id, DEVICE_CODE).toString('base64') }
    return this.#model === 'Interaction' ? withoutSessionCookie(payload) : payload
  }
}

/** NUL and broken surrogates, which a request can carry in any parameter, are text to JSON and not to PostgreSQL. */
function checkStorable(payload: JsonObject): void {
  if (/\\u0000|\\ud[89a-f]/.test(JSON.stringify(payload))) throw new errors.InvalidRequest('a parameter holds characters that are not text')
}

/** Where tokens and interactions say which session they belong to. */
export function sessionUidOf({ sessionUid, session }: JsonObject): string | undefined {
  const uid: unknown = typeof session === 'object' && session !== null ? Reflect.get(session, 'uid') : sessionUid
  return typeof uid === 'string' ? uid : undefined
}

/** An interaction remembers which session it began in; the cookie's value itself is never needed again. */
function withoutSessionCookie(payload: JsonObject): JsonObject {
  const { session } = payload
  if (typeof session !== 'object' || session === null) return payload
  const { cookie: _cookie, ...rest }: JsonObject = { ...session }
  return { ...payload, session: rest }
}

function restored({ payload, consumedAt }: FoundArtifact): JsonObject {
  return consumedAt ? { ...payload, consumed: Math.floor(consumedAt.getTime() / 1000) } : payload
}

/** A store that does not answer is 503 at every endpoint, not an unknown token (and not 500). */
async function answered<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    if (cause instanceof Problem && cause.status === 503) throw new errors.OIDCProviderError(503, 'temporarily_unavailable', { cause })
    throw cause
  }
}

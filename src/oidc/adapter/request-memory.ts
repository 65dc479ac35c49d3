import { AsyncLocalStorage } from 'node:async_hooks'
import { type JsonObject, Provider } from 'oidc-provider'

interface SeenSession {
  readonly text: string
  readonly exp: number
}

interface Memory {
  /** Grants and sessions that came with a token, by `Grant:<id>` and `Session:<uid>`; each is handed out once. */
  readonly ahead: Map<string, JsonObject | null>
  /** Sessions as they were read, by the digest of their id. */
  readonly sessions: Map<string, SeenSession>
}

const memories = new WeakMap<object, Memory>()
const scope = new AsyncLocalStorage<object>()

function memory(): Memory | undefined {
  const owner = Provider.ctx ?? scope.getStore()
  if (!owner) return undefined
  const known = memories.get(owner)
  if (known) return known
  const fresh: Memory = { ahead: new Map(), sessions: new Map() }
  memories.set(owner, fresh)
  return fresh
}

/** Gives `work` outside the provider's own requests a memory of its own. */
export function withMemory<T>(work: () => Promise<T>): Promise<T> {
  return scope.run({}, work)
}

/** Keeps what was read together with a token for the rest of this request; the read is the moment at which validity is decided. */
export function rememberAhead(key: string, payload: JsonObject | null | undefined): void {
  if (payload !== undefined) memory()?.ahead.set(key, payload)
}

/** What was read ahead: a payload, `null` for known to be absent, `undefined` for not read. Each is given once. */
export function takeAhead(key: string): JsonObject | null | undefined {
  const ahead = memory()?.ahead
  const value = ahead?.get(key)
  ahead?.delete(key)
  return value
}

/** After any write of this request nothing read before may be trusted. */
export function forgetAhead(): void {
  memory()?.ahead.clear()
}

/** Notes a session as it was read, so that an unchanged one need not be written back. */
export function noteSession(id: string, payload: JsonObject): void {
  memory()?.sessions.set(id, { text: sessionText(payload), exp: expOf(payload) })
}

/** Whether this session is stored already with the same content and about the same end. */
export function isSessionStored(id: string, payload: JsonObject, slackSeconds: number): boolean {
  const seen = memory()?.sessions.get(id)
  if (!seen || seen.text !== sessionText(payload)) return false
  const gained = expOf(payload) - seen.exp
  return gained >= 0 && gained < slackSeconds
}

function sessionText({ uid, acr, amr, accountId, loginTs, transient, state, authorizations }: JsonObject): string {
  return JSON.stringify([uid, acr, amr, accountId, loginTs, transient, state, authorizations])
}

function expOf({ exp }: JsonObject): number {
  return typeof exp === 'number' ? exp : 0
}

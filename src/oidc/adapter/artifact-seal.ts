import type { JsonObject } from 'oidc-provider'
import { equalSecrets, type Keyring } from '../../platform/keyring.ts'

/** What says who is signed in where, and for what: rows that somebody wrote, changed or copied are none. */
const SEALED = new Set(['Session', 'Interaction', 'AuthorizationCode'])

type Hash = Pick<Keyring, 'hash'>

/** The payload to be stored, with a seal over all of it and the place where it lies. */
export function sealed(keyring: Hash, model: string, place: string, payload: JsonObject): JsonObject {
  if (!SEALED.has(model)) return payload
  const { seal: _former, ...kept } = payload
  const content = { ...kept, place }
  return { ...content, seal: sealOf(keyring, model, content).toString('base64url') }
}

/** The payload as it was stored here; undefined when it is not. `place` is unknown where it was found by something else in it. */
export function unsealed(keyring: Hash, model: string, payload: JsonObject, place?: string): JsonObject | undefined {
  if (!SEALED.has(model)) return payload
  const { seal, ...content } = payload
  if (typeof seal !== 'string' || (place !== undefined && content['place'] !== place)) return undefined
  if (!equalSecrets(Buffer.from(seal, 'base64url'), sealOf(keyring, model, content))) return undefined
  const { place: _place, ...rest } = content
  return rest
}

function sealOf({ hash }: Hash, model: string, content: JsonObject): Buffer {
  return hash(`${model} ${canonical(content)}`, 'oidc-artifact')
}

/** The same text however a database orders the members. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item ?? null)).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return `{${members.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join()}}`
}

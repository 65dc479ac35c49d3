import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Adapter, ClientInstance, JsonObject } from 'oidc-provider'
import { errors } from 'oidc-provider'
import type { Keyring } from '../../platform/keyring.ts'
import { Problem } from '../../platform/problem.ts'
import type { ClientSource } from '../provider-internals.ts'
import { type ClientPolicy, type ClientRecord, clientMetadataSchema, clientPolicySchema, usesSecret } from './client.ts'
import type { ClientDirectory } from './directory.ts'
import type { ClientRegistry } from './registry.ts'
import { isSecret } from './secret.ts'

/**
 * Stands where the provider's schema demands a secret in clear text. Nobody knows it and nothing compares with it: secrets are checked
 * against their hash, and no algorithm that would use one as a key is offered.
 */
const STAND_IN = randomBytes(32).toString('base64url')
const STRICT: ClientPolicy = clientPolicySchema.parse({})

/** How a client without an operator's decision is treated, such as one that has just registered itself. */
export const REGISTRATION_PRESETS = {
  strict: {},
  /** For libraries and test suites that know neither PKCE nor userinfo. */
  legacy: { pkce: 'optional', conformIdTokenClaims: false },
} as const satisfies Record<string, Partial<ClientPolicy>>

export type RegistrationPreset = keyof typeof REGISTRATION_PRESETS

export interface ProviderClients extends ClientSource {
  /** What the state allows the client behind a provider object. */
  policyOf(client: ClientInstance): ClientPolicy
  /** What `/reg` stores through. */
  readonly adapter: Adapter
}

/** Clients as the provider wants them, from the directory. */
export function createProviderClients(deps: {
  directory: ClientDirectory
  registry: () => ClientRegistry
  keyring: Pick<Keyring, 'hash'>
  /** What the initial access token of this registration says. */
  presetOf: () => RegistrationPreset
}): ProviderClients {
  const { directory, keyring } = deps
  const records = new WeakMap<ClientInstance, ClientRecord>()
  const recordsByKey = new WeakMap<object, ClientRecord>()
  /** Digests of secrets that were right, in memory only: the keyed hash costs more than the rest of a client's authentication. */
  const verified = new WeakMap<ClientRecord, Buffer>()

  async function register(id: string, metadata: JsonObject): Promise<void> {
    const { client_secret: secret } = metadata
    const known = Object.keys(clientMetadataSchema.shape)
    const registered = Object.fromEntries(Object.entries(metadata).filter(([name, value]) => known.includes(name) && value !== undefined))
    const parsed = clientMetadataSchema.safeParse(registered)
    if (!parsed.success)
      throw new errors.InvalidClientMetadata(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '))
    const own = typeof secret === 'string' ? { secret } : {}
    const actor = { kind: 'client', id } as const
    await deps
      .registry()
      .create({ id, metadata: parsed.data, policy: REGISTRATION_PRESETS[deps.presetOf()], actor, dynamic: true, ...own })
      .catch(asRegistrationError)
  }

  return {
    async find(id) {
      const record = await directory.find(id)
      if (record) recordsByKey.set(record, record)
      return record
    },
    metadataOf: (key) => providerMetadata(recordsByKey.get(key)),
    built(client, key) {
      const record = recordsByKey.get(key)
      if (record) records.set(client, record)
    },
    async isSecret(id, secret) {
      const record = await directory.find(id)
      if (record?.secretHash === undefined) return false
      const digest = hash('sha256', secret, 'buffer')
      const known = verified.get(record)
      if (known && timingSafeEqual(known, digest)) return true
      if (!isSecret(keyring, id, secret, record.secretHash)) return false
      verified.set(record, digest)
      return true
    },
    policyOf: (client) => records.get(client)?.policy ?? STRICT,
    adapter: {
      upsert: (id, payload) => register(id, payload),
      find: async () => undefined,
      findByUid: async () => undefined,
      findByUserCode: async () => undefined,
      consume: async () => {},
      destroy: async () => {},
      revokeByGrantId: async () => {},
    },
  }
}

function providerMetadata(record: ClientRecord | undefined): JsonObject {
  if (!record) throw new Error('a client is built from a record only')
  const { id, metadata, policy } = record
  return {
    ...metadata,
    client_id: id,
    scope: policy.allowedScopes.join(' '),
    ...(usesSecret(metadata) && { client_secret: STAND_IN }),
  }
}

function asRegistrationError(error: unknown): never {
  if (error instanceof Problem && error.status < 500) throw new errors.InvalidClientMetadata(error.detail ?? error.kind.title)
  throw error
}

import { randomUUID } from 'node:crypto'
import type { z } from 'zod'
import type { Clock } from '../../platform/clock.ts'
import type { Database, Sql } from '../../platform/db.ts'
import type { Keyring } from '../../platform/keyring.ts'
import { Problem } from '../../platform/problem.ts'
import type { Actor, AuditPort } from '../ports.ts'
import { OIDC_PROBLEMS } from '../problems.ts'
import { findClient, insertClient, listClients, setClientDisabled, updateClient } from './client.store.ts'
import {
  type ClientMetadata,
  type ClientPolicy,
  type ClientRecord,
  clearTextAddresses,
  clientMetadataSchema,
  clientPolicySchema,
  fapiFaults,
  representationFaults,
  usesSecret,
} from './client.ts'
import type { ClientDirectory } from './directory.ts'
import { createSecret, hashSecret } from './secret.ts'

export type ClientMetadataInput = z.input<typeof clientMetadataSchema>
export type ClientPolicyInput = z.input<typeof clientPolicySchema>

export interface ClientRegistration {
  /** Random when absent. */
  readonly id?: string | undefined
  readonly metadata: ClientMetadataInput
  readonly policy?: ClientPolicyInput | undefined
  readonly actor: Actor
  /** Only for a client that exists already under this secret, such as the demo's; otherwise one is made. */
  readonly secret?: string | undefined
  readonly dynamic?: boolean | undefined
}

export interface RegisteredClient {
  readonly client: ClientRecord
  /** Shown once; `undefined` when the client authenticates by a key or not at all. */
  readonly secret: string | undefined
}

/** Relying parties, for operators: each change is audited and in force everywhere at once. */
export interface ClientRegistry {
  /** @throws {Problem} oidc/client-invalid, oidc/client-taken */
  create(registration: ClientRegistration): Promise<RegisteredClient>
  /** Replaces the given members. @throws {Problem} oidc/client-unknown, oidc/client-invalid */
  change(
    id: string,
    change: { metadata?: Partial<ClientMetadataInput>; policy?: Partial<ClientPolicyInput>; actor: Actor },
  ): Promise<ClientRecord>
  /** A new secret; the old one stops at once. @throws {Problem} oidc/client-unknown */
  rotateSecret(id: string, actor: Actor): Promise<string>
  /** Its tokens and new requests are refused from now on. @throws {Problem} oidc/client-unknown */
  disable(id: string, actor: Actor): Promise<void>
  enable(id: string, actor: Actor): Promise<void>
  list(): Promise<ClientRecord[]>
  find(id: string): Promise<ClientRecord | undefined>
}

export interface ClientRegistryDeps {
  readonly db: Database
  readonly clock: Clock
  readonly keyring: Pick<Keyring, 'hash'>
  readonly audit: AuditPort
  readonly directory: ClientDirectory
}

/** The registry over the table `oidc_client`. */
export function createClientRegistry(deps: ClientRegistryDeps): ClientRegistry {
  const { db, clock, keyring, audit, directory } = deps

  async function get(sql: Sql, id: string): Promise<ClientRecord> {
    const client = await findClient(sql, id)
    if (!client) throw new Problem(OIDC_PROBLEMS.clientUnknown, { detail: id })
    return client
  }

  async function toggle(id: string, actor: Actor, disable: boolean): Promise<void> {
    await db.transaction(async (tx) => {
      const now = clock.now()
      if (!(await setClientDisabled(tx, id, disable ? now : undefined, now))) throw new Problem(OIDC_PROBLEMS.clientUnknown, { detail: id })
      await audit.record(tx, { type: disable ? 'oidc/client-disabled' : 'oidc/client-enabled', actor, data: { clientId: id } })
    })
    await directory.changed(id)
  }

  return {
    async create({ id = randomUUID(), actor, dynamic = false, ...given }) {
      const metadata = checked(clientMetadataSchema, given.metadata)
      const policy = checked(clientPolicySchema, given.policy ?? {})
      checkTogether(metadata, policy)
      const secret = usesSecret(metadata) ? (given.secret ?? createSecret()) : undefined
      const secretHash = secret === undefined ? undefined : hashSecret(keyring, id, secret)
      await db.transaction(async (tx) => {
        const isNew = await insertClient(tx, { id, metadata, policy, secretHash, now: clock.now() })
        if (!isNew) throw new Problem(OIDC_PROBLEMS.clientTaken, { detail: id })
        await audit.record(tx, {
          type: 'oidc/client-created',
          actor,
          data: { clientId: id, authMethod: metadata.token_endpoint_auth_method, dynamic },
        })
      })
      await directory.changed(id)
      return { client: await get(db, id), secret }
    },

    async change(id, { actor, ...change }) {
      await db.transaction(async (tx) => {
        const before = await get(tx, id)
        const metadata = checked(clientMetadataSchema, { ...before.metadata, ...change.metadata })
        const policy = checked(clientPolicySchema, { ...before.policy, ...change.policy })
        checkTogether(metadata, policy)
        await updateClient(tx, { id, metadata, policy, secretHash: before.secretHash, now: clock.now() })
        const changed = [...Object.keys(change.metadata ?? {}), ...Object.keys(change.policy ?? {})]
        await audit.record(tx, { type: 'oidc/client-changed', actor, data: { clientId: id, changed } })
      })
      await directory.changed(id)
      return get(db, id)
    },

    async rotateSecret(id, actor) {
      const secret = createSecret()
      await db.transaction(async (tx) => {
        const { metadata, policy } = await get(tx, id)
        if (!usesSecret(metadata)) throw new Problem(OIDC_PROBLEMS.clientInvalid, { detail: 'this client does not use a secret' })
        await updateClient(tx, { id, metadata, policy, secretHash: hashSecret(keyring, id, secret), now: clock.now() })
        await audit.record(tx, { type: 'oidc/client-secret-rotated', actor, data: { clientId: id } })
      })
      await directory.changed(id)
      return secret
    },

    disable: (id, actor) => toggle(id, actor, true),
    enable: (id, actor) => toggle(id, actor, false),
    list: () => listClients(db),
    find: (id) => findClient(db, id),
  }
}

function checked<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  const detail = result.error.issues.map((issue) => `${issue.path.join('.') || 'the registration'}: ${issue.message}`).join('; ')
  throw new Problem(OIDC_PROBLEMS.clientInvalid, { detail })
}

function checkTogether(metadata: ClientMetadata, policy: ClientPolicy): void {
  const faults = [...(policy.fapi2 ? fapiFaults(metadata) : []), ...representationFaults(policy, metadata)]
  const clear = clearTextAddresses(metadata, policy.allowInternalHosts)
  if (clear.length > 0) faults.push(`https is required: ${clear.join(', ')}`)
  if (metadata.token_endpoint_auth_method === 'none' && policy.pkce === 'optional')
    faults.push('a client without authentication must use PKCE')
  if (metadata.token_endpoint_auth_method === 'none' && metadata.grant_types.includes('client_credentials')) {
    faults.push('client_credentials needs client authentication')
  }
  if (faults.length > 0) throw new Problem(OIDC_PROBLEMS.clientInvalid, { detail: faults.join('; ') })
}

import type { Keyring } from '../../platform/keyring.ts'
import type { SigningApi, SigningClient, SigningClients } from '../../signatures/index.ts'
import { type ClientRecord, usesSecret } from '../clients/client.ts'
import type { ClientDirectory } from '../clients/directory.ts'
import { isSecret } from '../clients/secret.ts'

/** Clients as the signing APIs' own authorization servers know them: by their secret, or by PKCE alone. */
export function createSigningClients(directory: Pick<ClientDirectory, 'find'>, keyring: Pick<Keyring, 'hash'>): SigningClients {
  async function find(id: string, api: SigningApi): Promise<{ record: ClientRecord; client: SigningClient } | undefined> {
    const record = await directory.find(id)
    const policy = record?.policy.signing
    if (!record || !policy?.apis.includes(api)) return undefined
    const { client_name: name, redirect_uris: redirectUris, token_endpoint_auth_method: method } = record.metadata
    return { record, client: { id: record.id, name, redirectUris, isPublic: method === 'none', policy } }
  }
  return {
    find: async (id, api) => (await find(id, api))?.client,
    async authenticate(id, secret, api) {
      const found = await find(id, api)
      if (!found) return undefined
      const { record: { metadata, secretHash }, client } = found
      if (client.isPublic) return secret === undefined ? client : undefined
      // Whoever is registered for keys or certificates is not let in by less.
      const isRight = usesSecret(metadata) && secret !== undefined && secretHash !== undefined && isSecret(keyring, id, secret, secretHash)
      return isRight ? client : undefined
    },
  }
}

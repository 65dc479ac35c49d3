import type { Audit } from '../audit/index.ts'
import type { Database } from '../platform/db.ts'
import type { Keyring } from '../platform/keyring.ts'
import type { Sensitive } from '../platform/sensitive.ts'

export interface VaultDeps {
  readonly db: Database
  readonly audit: Pick<Audit, 'record'>
  readonly keyring: Pick<Keyring, 'rotate' | 'rewrap'>
  /** Who is at the keyboard. */
  readonly actorId: string
}

/** The keys that encrypt what is stored, as operators change them; each change is audited. */
export interface Vault {
  /** A new seal key; its id. */
  rotate(): Promise<string>
  /** All keys under another master key; how many. */
  changeMasterKey(key: Sensitive<Buffer>): Promise<number>
}

/** The event follows the change: the keyring has a transaction of its own, and a change without event is better than the reverse. */
export function createVault({ db, audit, keyring, actorId }: VaultDeps): Vault {
  const actor = { kind: 'operator', id: actorId } as const
  return {
    async rotate() {
      const keyId = await keyring.rotate()
      await audit.record(db, { type: 'admin/seal-key-rotated', actor, data: { keyId } })
      return keyId
    },
    async changeMasterKey(key) {
      const keys = await keyring.rewrap(key)
      await audit.record(db, { type: 'admin/master-key-changed', actor, data: { keys } })
      return keys
    },
  }
}

import { randomUUID } from 'node:crypto'
import type { Clock } from '../../platform/clock.ts'
import type { Database, Sql } from '../../platform/db.ts'
import type { Keyring } from '../../platform/keyring.ts'
import { Problem } from '../../platform/problem.ts'
import { createKeySigner, type KeyKind, makeKey, type Signer } from '../authority/signer.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import { findKey, insertKey, listSealedKeys, type StoredKey, updateSealed } from './key.store.ts'
import type { KeyToken } from './token.ts'

export interface AuthorityKeysDependencies {
  readonly db: Database
  readonly clock: Clock
  readonly keyring: Pick<Keyring, 'seal' | 'open' | 'isCurrent'>
  /** Where new keys are made; absent: here, and wrapped by the keyring. Keys that exist stay where they are. */
  readonly token?: KeyToken | undefined
}

/** Keys of the authority and of its services, wherever they live. */
export interface AuthorityKeys {
  /** @throws {Problem} signatures/key-unavailable */
  make(tx: Sql, kind: KeyKind): Promise<{ id: string; signer: Signer }>
  /** @throws {Problem} signatures/no-authority for a key that is not known, signatures/key-unavailable for one in a token that is not configured */
  signer(id: string): Promise<Signer>
  /** SubjectPublicKeyInfo. */
  findPublic(sql: Sql, id: string): Promise<Buffer | undefined>
  /** Wraps what the keyring keeps under the seal key in use; returns how many changed. */
  reseal(): Promise<number>
  close(): Promise<void>
}

const contextOf = (id: string) => `pki-key:${id}`

export function createAuthorityKeys({ db, clock, keyring, token }: AuthorityKeysDependencies): AuthorityKeys {
  const signers = new Map<string, Signer>()

  function open({ id, spki, sealed }: StoredKey): Signer {
    if (sealed) return createKeySigner(keyring.open(sealed, contextOf(id)))
    if (!token) throw new Problem(SIGNATURE_PROBLEMS.keyUnavailable, { detail: 'the key is in a token, and none is configured' })
    return token.signer(id, spki)
  }

  return {
    async make(tx, kind) {
      const id = randomUUID()
      if (token) {
        const signer = await token.make(id, kind)
        await insertKey(tx, { id, kind, spki: signer.spki, sealed: null }, clock.now())
        return { id, signer }
      }
      const pkcs8 = makeKey(kind)
      const signer = createKeySigner(pkcs8)
      await insertKey(tx, { id, kind, spki: signer.spki, sealed: keyring.seal(pkcs8, contextOf(id)) }, clock.now())
      return { id, signer }
    },
    async signer(id) {
      const known = signers.get(id)
      if (known) return known
      const key = await findKey(db, id)
      if (!key) throw new Problem(SIGNATURE_PROBLEMS.noAuthority)
      const signer = open(key)
      signers.set(id, signer)
      return signer
    },
    findPublic: async (sql, id) => (await findKey(sql, id))?.spki,
    reseal: () => db.transaction(async (tx) => {
      const outdated = (await listSealedKeys(tx)).filter(({ sealed }) => !keyring.isCurrent(sealed))
      for (const { id, sealed } of outdated) await updateSealed(tx, id, keyring.seal(keyring.open(sealed, contextOf(id)), contextOf(id)))
      return outdated.length
    }),
    close: async () => token?.close(),
  }
}

import type { Sql } from '../../platform/db.ts'
import type { KeyKind } from '../authority/signer.ts'

export interface StoredKey {
  readonly id: string
  readonly kind: KeyKind
  readonly spki: Buffer
  /** PKCS#8 under the keyring; null for a key that lives in a token. */
  readonly sealed: Buffer | null
}

export async function insertKey(sql: Sql, { id, kind, spki, sealed }: StoredKey, now: Date): Promise<void> {
  await sql.execute('INSERT INTO pki_key (id, kind, spki, sealed, home, created_at) VALUES ($1, $2, $3, $4, $5, $6)', [
    id, kind, spki, sealed, sealed ? 'keyring' : 'token', now,
  ])
}

export async function findKey(sql: Sql, id: string): Promise<StoredKey | undefined> {
  const [row] = await sql.query<StoredKey>('SELECT id, kind, spki, sealed FROM pki_key WHERE id = $1', [id])
  return row
}

/** Those that the keyring keeps. */
export async function listSealedKeys(sql: Sql): Promise<(StoredKey & { readonly sealed: Buffer })[]> {
  return sql.query(`SELECT id, kind, spki, sealed FROM pki_key WHERE home = 'keyring' ORDER BY created_at FOR UPDATE`)
}

export async function updateSealed(sql: Sql, id: string, sealed: Buffer): Promise<void> {
  await sql.execute('UPDATE pki_key SET sealed = $2 WHERE id = $1', [id, sealed])
}

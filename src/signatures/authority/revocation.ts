/** Ending, suspending and resuming a certificate inside somebody's transaction; its list is outdated from the commit on. */
import type { Sql } from '../../platform/db.ts'
import { markReleased, markRevoked, markStale } from './authority.store.ts'
import type { RevocationReason } from './crl.ts'

export interface CertificateName {
  readonly authorityId: string
  readonly serial: string
}

/** False when it was revoked already, or, for a suspension, suspended. */
export async function revokeIn(tx: Sql, { authorityId, serial }: CertificateName, reason: RevocationReason, at: Date): Promise<boolean> {
  const shard = await markRevoked(tx, authorityId, serial, { at, reason })
  if (shard !== undefined) await markStale(tx, authorityId, shard)
  return shard !== undefined
}

/** False when it was not suspended. */
export async function releaseIn(tx: Sql, { authorityId, serial }: CertificateName): Promise<boolean> {
  const shard = await markReleased(tx, authorityId, serial)
  if (shard !== undefined) await markStale(tx, authorityId, shard)
  return shard !== undefined
}

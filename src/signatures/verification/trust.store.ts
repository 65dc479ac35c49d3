import type { Sql } from '../../platform/db.ts'

/** What a signature below a root is worth (Lei 14.063/2020, art. 4): an operator says so of each. */
export const TRUST_LEVELS = ['advanced', 'qualified'] as const
export type TrustLevel = (typeof TRUST_LEVELS)[number]

/** Whose root it is, where that changes how signatures below it are judged. */
export const TRUST_KINDS = ['icp-brasil', 'gov-br', 'other'] as const
export type TrustKind = (typeof TRUST_KINDS)[number]

export interface TrustAnchor {
  readonly sha256: string
  readonly title: string
  readonly kind: TrustKind
  readonly level: TrustLevel
  readonly der: Buffer
}

export async function listAnchors(sql: Sql): Promise<TrustAnchor[]> {
  return sql.query<TrustAnchor>('SELECT sha256, title, kind, level, der FROM pki_trust_anchor ORDER BY title')
}

export async function insertAnchor(sql: Sql, { sha256, title, kind, level, der }: TrustAnchor, now: Date): Promise<void> {
  await sql.execute(
    `INSERT INTO pki_trust_anchor (sha256, title, kind, level, der, added_at) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (sha256) DO UPDATE SET title = excluded.title, kind = excluded.kind, level = excluded.level`,
    [sha256, title, kind, level, der, now],
  )
}

export async function deleteAnchor(sql: Sql, sha256: string): Promise<boolean> {
  return (await sql.execute('DELETE FROM pki_trust_anchor WHERE sha256 = $1', [sha256])) === 1
}

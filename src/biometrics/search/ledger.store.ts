import type { Sql } from '../../platform/db.ts'

/** In whose ledger a person's searches are shown: the account's, or the person's own until there is one. */
export async function findLedgers(sql: Sql, personIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (personIds.length === 0) return new Map()
  const rows = await sql.query<{ id: string; ledger: string }>(
    'SELECT p.id, coalesce(a.id, p.id)::text AS ledger FROM person p LEFT JOIN account a ON a.person_id = p.id WHERE p.id = ANY($1::uuid[])',
    [[...new Set(personIds)]],
  )
  return new Map(rows.map(({ id, ledger }) => [id, ledger]))
}

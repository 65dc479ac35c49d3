import type { Sql } from '../../../platform/db.ts'

/** In whose ledger a capture stands: the account's, or the person's own until there is one. */
export async function ledgerIdOf(sql: Sql, personId: string): Promise<string> {
  const [row] = await sql.query<{ id: string }>('SELECT id FROM account WHERE person_id = $1', [personId])
  return row?.id ?? personId
}

import type { Sql } from '../../platform/db.ts'

export interface KnownPerson {
  readonly personId: string
  /** Absent for somebody who never registered, such as one of an imported base. */
  readonly accountId: string | undefined
  readonly accountStatus: string | undefined
}

/** The person of a CPF, with their account if there is one. */
export async function findPersonByCpf(sql: Sql, cpf: string): Promise<KnownPerson | undefined> {
  return find(sql, 'p.cpf = $1', cpf)
}

export async function findPerson(sql: Sql, personId: string): Promise<KnownPerson | undefined> {
  return find(sql, 'p.id = $1', personId)
}

async function find(sql: Sql, condition: 'p.cpf = $1' | 'p.id = $1', value: string): Promise<KnownPerson | undefined> {
  const [row] = await sql.query<{ id: string; account_id: string | null; status: string | null }>(
    `SELECT p.id, a.id AS account_id, a.status FROM person p LEFT JOIN account a ON a.person_id = p.id WHERE ${condition}`,
    [value],
  )
  return row && { personId: row.id, accountId: row.account_id ?? undefined, accountStatus: row.status ?? undefined }
}

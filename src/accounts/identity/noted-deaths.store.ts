import type { Sql } from '../../platform/db.ts'
import type { PersonId } from '../account.ts'
import type { Cpf } from './cpf.ts'

export async function isDeathNoted(sql: Sql, cpf: Cpf): Promise<boolean> {
  return (await sql.query('SELECT 1 FROM person WHERE cpf = $1 AND death_noted_at IS NOT NULL', [cpf])).length > 0
}

/** Notes a death, or takes it back (`undefined`); false when it stood so already. */
export async function setDeathNoted(tx: Sql, personId: PersonId, at: Date | undefined): Promise<boolean> {
  const changed = await tx.execute('UPDATE person SET death_noted_at = $2 WHERE id = $1 AND (death_noted_at IS NULL) <> ($2::timestamptz IS NULL)', [
    personId, at ?? null,
  ])
  return changed === 1
}

/** The CPF of a person, for rooms that ask registers about them. */
export async function findCpf(sql: Sql, personId: PersonId): Promise<Cpf | undefined> {
  const [row] = await sql.query<{ cpf: Cpf }>('SELECT cpf FROM person WHERE id = $1', [personId])
  return row?.cpf
}

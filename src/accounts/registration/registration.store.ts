import { randomUUID } from 'node:crypto'
import type { Sql } from '../../platform/db.ts'
import { type AccountId, parseAccountId, parsePersonId, type PersonId } from '../account.ts'
import type { Cpf } from '../identity/cpf.ts'
import { findCpf } from '../identity/noted-deaths.store.ts'
import type { WaysTx } from '../ways/ways.store.ts'

export interface NewAccount {
  readonly cpf: Cpf
  readonly name: string
  readonly socialName: string | undefined
  readonly birthDate: string
  readonly passwordHash: string
  readonly locale: string
  readonly now: Date
}

/**
 * One registration of a CPF at a time, until the end of the transaction; and none while the counter decides about its person.
 *
 * Taken before any row of the person or the account. Whoever waited reads what the other left: the account in the rows and its number in the record together, never the number alone.
 */
export async function lockRegistration(tx: Sql, cpf: Cpf): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`registration ${cpf}`])
}

/** The same by the person. */
export async function lockRegistrationOf(tx: Sql, personId: PersonId): Promise<void> {
  const cpf = await findCpf(tx, personId)
  if (cpf !== undefined) await lockRegistration(tx, cpf)
}

/**
 * Adds the person, or takes the one that is known, and gives them an account; a closed account is opened again.
 *
 * `undefined` when the CPF has an open account already: of parallel registrations exactly one gets through.
 */
export async function insertAccount(
  tx: WaysTx,
  created: NewAccount,
): Promise<{ id: AccountId; personId: PersonId; reopened: boolean } | undefined> {
  const [person] = await tx.query<{ id: string }>(
    `INSERT INTO person (id, cpf, name, social_name, birth_date, created_at) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (cpf) DO UPDATE SET name = excluded.name, social_name = excluded.social_name, birth_date = excluded.birth_date
       WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.person_id = person.id AND a.status <> 'closed')
     RETURNING id`,
    [randomUUID(), created.cpf, created.name, created.socialName ?? null, created.birthDate, created.now],
  )
  // Who has an account is not renamed by a registration.
  if (person === undefined) return undefined
  const fresh = randomUUID()
  const [account] = await tx.query<{ id: string }>(
    `INSERT INTO account AS a (id, person_id, status, password_hash, password_changed_at, credentials_changed_at, locale, created_at)
     VALUES ($1, $2, 'active', $3, $4, $4, $5, $4)
     ON CONFLICT (person_id) DO UPDATE SET status = 'active', status_reason = NULL, password_hash = excluded.password_hash,
       password_changed_at = excluded.password_changed_at, credentials_changed_at = excluded.credentials_changed_at,
       locale = excluded.locale, recovered_at = NULL, recovered_by = NULL
     WHERE a.status = 'closed' RETURNING id`,
    [fresh, person.id, created.passwordHash, created.now, created.locale],
  )
  const id = account && parseAccountId(account.id)
  const personId = parsePersonId(person.id)
  return id && personId && { id, personId, reopened: id !== fresh }
}

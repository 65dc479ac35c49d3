/** Units and people as rows, for tests of the help desk's stores. */
import { randomUUID } from 'node:crypto'
import { type AccountId, parseAccountId } from '../../../src/accounts/index.ts'
import type { Database } from '../../../src/platform/db.ts'
import { cpfOfNobody } from '../../support/citizen-journey.ts'

let rows = 0

/** A unit with a code of its own. */
export async function addUnit(db: Database, code = `balcao-${++rows}`): Promise<string> {
  const id = randomUUID()
  await db.execute('INSERT INTO helpdesk_unit (id, code, name, municipality, opened_at) VALUES ($1, $2, $3, $4, $5)', [
    id, code, `Balcão ${code}`, 'Cuiabá', new Date('2026-01-01T00:00:00Z'),
  ])
  return id
}

/** Somebody with an active account. */
export async function addAccount(db: Database): Promise<AccountId> {
  const [personId, accountId, now] = [randomUUID(), randomUUID(), new Date('2026-01-01T00:00:00Z')]
  await db.execute('INSERT INTO person (id, cpf, name, birth_date, created_at) VALUES ($1, $2, $3, $4::date, $5)', [
    personId, cpfOfNobody(++rows), 'Tereza Fictícia de Teste', '1985-03-12', now,
  ])
  await db.execute(`INSERT INTO account (id, person_id, status, locale, created_at) VALUES ($1, $2, 'active', 'pt-BR', $3)`, [accountId, personId, now])
  const id = parseAccountId(accountId)
  if (id === undefined) throw new Error('no account')
  return id
}

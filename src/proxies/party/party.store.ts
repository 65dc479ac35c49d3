import { randomUUID } from 'node:crypto'
import { DEFAULT_LOCALE, type Locale, matchLocale } from '../../platform/http/locale.ts'
import type { Sql } from '../../platform/db.ts'
import { documentOf, type Party, type PartyId, type PartyKind, type Standing } from './party.ts'

export interface PartyRow {
  id: string
  kind: PartyKind
  document: string
  name: string
  standing: Standing
  standing_at: Date
}

const COLUMNS = 'id, kind, document, name, standing, standing_at'

export function toParty(row: PartyRow): Party {
  return { id: row.id as PartyId, kind: row.kind, document: row.document, name: row.name, standing: row.standing, standingAt: row.standing_at }
}

/** A party inside of another statement's row, as JSON: its time is text. */
export type JsonParty = Omit<PartyRow, 'standing_at'> & { readonly standing_at: string }

export const partyJson = (alias: string) =>
  `jsonb_build_object('id', ${alias}.id, 'kind', ${alias}.kind, 'document', ${alias}.document, 'name', ${alias}.name, 'standing', ${alias}.standing, 'standing_at', ${alias}.standing_at)`

export const toPartyOfJson = (json: JsonParty) => toParty({ ...json, standing_at: new Date(json.standing_at) })

export async function findParty(sql: Sql, document: string): Promise<Party | undefined> {
  const [row] = await sql.query<PartyRow>(`SELECT ${COLUMNS} FROM proxy_party WHERE document = $1`, [document])
  return row && toParty(row)
}

export async function findPartyById(sql: Sql, id: PartyId): Promise<Party | undefined> {
  const [row] = await sql.query<PartyRow>(`SELECT ${COLUMNS} FROM proxy_party WHERE id = $1`, [id])
  return row && toParty(row)
}

/** The party of a document with what its register says now; made on its first appearance. */
export async function saveParty(sql: Sql, party: { kind: Exclude<PartyKind, 'organisation'>; document: string; name: string; standing: Standing; now: Date }): Promise<Party> {
  const [row] = await sql.query<PartyRow>(
    `INSERT INTO proxy_party AS p (id, kind, document, name, standing, standing_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $6)
     ON CONFLICT (document) DO UPDATE SET name = excluded.name, standing = excluded.standing, standing_at = excluded.standing_at RETURNING ${COLUMNS}`,
    [randomUUID(), party.kind, party.document, party.name, party.standing, party.now],
  )
  if (!row) throw new Error('a party was not saved')
  return toParty(row)
}

/** The organisation of a code, under the name that its client gives it now; `undefined` when the code is another client's. */
export async function saveOrganisation(tx: Sql, { code, name, clientId, now }: { code: string; name: string; clientId: string; now: Date }): Promise<Party | undefined> {
  const [row] = await tx.query<PartyRow>(
    `INSERT INTO proxy_party AS p (id, kind, document, name, standing, standing_at, created_at, owner_client_id) VALUES ($1, 'organisation', $2, $3, 'regular', $4, $4, $5)
     ON CONFLICT (document) DO UPDATE SET name = excluded.name, standing_at = excluded.standing_at WHERE p.owner_client_id = $5 RETURNING ${COLUMNS}`,
    [randomUUID(), documentOf({ kind: 'organisation', code }), name, now, clientId],
  )
  return row && toParty(row)
}

/** Parties that stand in open mandates and were not looked up since; for the nightly round. */
export async function listStale(sql: Sql, before: Date, limit: number): Promise<Party[]> {
  const rows = await sql.query<PartyRow>(
    `SELECT ${COLUMNS} FROM proxy_party p WHERE standing_at < $1 AND kind <> 'organisation' AND EXISTS (
       SELECT 1 FROM mandate m WHERE (m.represented_id = p.id OR m.delegate_id = p.id) AND m.state IN ('pending_signature', 'pending_acceptance', 'active', 'suspended'))
     ORDER BY standing_at LIMIT $2`,
    [before, limit],
  )
  return rows.map(toParty)
}

/** The person behind an account with what cools off; credentials of a new account are no change of them. */
export interface AccountFacts {
  readonly accountId: string
  readonly personId: string
  readonly cpf: string
  readonly name: string
  readonly birthDate: string
  readonly status: string
  readonly changedAt: Date | undefined
}

interface FactsRow {
  account_id: string
  person_id: string
  cpf: string
  name: string
  birth_date: string
  status: string
  changed_at: Date | null
}

const FACTS = `SELECT a.id AS account_id, p.id AS person_id, p.cpf, coalesce(p.social_name, p.name) AS name, p.birth_date, a.status,
  greatest(a.recovered_at, CASE WHEN a.credentials_changed_at > a.created_at THEN a.credentials_changed_at END) AS changed_at
  FROM account a JOIN person p ON p.id = a.person_id`

const toFacts = (row: FactsRow): AccountFacts => ({
  accountId: row.account_id, personId: row.person_id, cpf: row.cpf, name: row.name, birthDate: row.birth_date, status: row.status,
  changedAt: row.changed_at ?? undefined,
})

export async function findAccountFacts(sql: Sql, accountId: string): Promise<AccountFacts | undefined> {
  const [row] = await sql.query<FactsRow>(`${FACTS} WHERE a.id = $1`, [accountId])
  return row && toFacts(row)
}

export async function findCpfOfPerson(sql: Sql, personId: string): Promise<string | undefined> {
  const [row] = await sql.query<{ cpf: string }>('SELECT cpf FROM person WHERE id = $1', [personId])
  return row?.cpf
}

/** Accounts in whose ledgers what concerns a party is shown: the person's, or those of a company's administrators. */
export async function listAccountsOf(sql: Sql, partyId: string): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `SELECT a.id FROM proxy_party q JOIN person p ON p.cpf = q.document JOIN account a ON a.person_id = p.id WHERE q.id = $1 AND q.kind = 'person'
     UNION SELECT a.id FROM proxy_party q JOIN company_administrator c ON c.root = left(q.document, 8) JOIN person p ON p.cpf = c.cpf
       JOIN account a ON a.person_id = p.id WHERE q.id = $1 AND q.kind = 'company' ORDER BY 1 LIMIT 50`,
    [partyId],
  )
  return rows.map(({ id }) => id)
}

/** Confirmed addresses of an account, mail first, and its language. */
export async function findReachable(tx: Sql, accountId: string): Promise<{ locale: Locale; addresses: { channel: 'mail' | 'sms'; to: string }[] }> {
  const rows = await tx.query<{ locale: string; kind: string; value: string }>(
    `SELECT a.locale, c.kind, c.value FROM account a JOIN contact c ON c.account_id = a.id AND c.removed_at IS NULL AND c.verified_at IS NOT NULL
     WHERE a.id = $1 ORDER BY c.kind, c.created_at`,
    [accountId],
  )
  return {
    locale: matchLocale(rows[0]?.locale) ?? DEFAULT_LOCALE,
    addresses: rows.map(({ kind, value }) => ({ channel: kind === 'email' ? ('mail' as const) : ('sms' as const), to: value })),
  }
}

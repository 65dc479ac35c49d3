import type { Cnpj, Cpf } from '../../accounts/index.ts'
import type { Sql } from '../../platform/db.ts'
import type { CompanyRecord } from './company-register.ts'
import type { CnpjRoot, Standing } from './party.ts'

/** What the register answered, with when. */
export interface KnownCompany extends CompanyRecord {
  readonly checkedAt: Date
}

interface CompanyRow {
  root: string
  cnpj: string
  name: string
  standing: Standing
  quorum: number
  source: string
  checked_at: Date
  administrators: string[]
  establishments: { cnpj: string; name: string; standing: Standing }[]
}

const SELECT = `SELECT c.root, c.cnpj, c.name, c.standing, c.quorum, c.source, c.checked_at,
  ARRAY(SELECT a.cpf FROM company_administrator a WHERE a.root = c.root ORDER BY a.cpf) AS administrators,
  coalesce((SELECT jsonb_agg(jsonb_build_object('cnpj', e.cnpj, 'name', e.name, 'standing', e.standing) ORDER BY e.cnpj) FROM company_establishment e WHERE e.root = c.root), '[]')
    AS establishments FROM company_record c`

const toCompany = (row: CompanyRow): KnownCompany => ({
  root: row.root as CnpjRoot, cnpj: row.cnpj, name: row.name, standing: row.standing, quorum: row.quorum, source: row.source,
  administrators: row.administrators as Cpf[], establishments: row.establishments.map((one) => ({ ...one, cnpj: one.cnpj as Cnpj })), checkedAt: row.checked_at,
})

export async function findCompany(sql: Sql, root: string): Promise<KnownCompany | undefined> {
  const [row] = await sql.query<CompanyRow>(`${SELECT} WHERE c.root = $1`, [root])
  return row && toCompany(row)
}

/** Companies whose administrators include this person, as last heard. */
export async function listCompaniesOf(sql: Sql, cpf: string): Promise<KnownCompany[]> {
  const rows = await sql.query<CompanyRow>(`${SELECT} WHERE c.root IN (SELECT root FROM company_administrator WHERE cpf = $1) ORDER BY c.name`, [cpf])
  return rows.map(toCompany)
}

export async function findLookup(sql: Sql, cpf: string): Promise<Date | undefined> {
  const [row] = await sql.query<{ checked_at: Date }>('SELECT checked_at FROM company_lookup WHERE cpf = $1', [cpf])
  return row?.checked_at
}

/** Replaces what was known of a company; in a transaction. */
export async function saveCompany(tx: Sql, company: CompanyRecord, now: Date): Promise<void> {
  await tx.execute(
    `INSERT INTO company_record (root, cnpj, name, standing, quorum, source, checked_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (root) DO UPDATE SET cnpj = excluded.cnpj, name = excluded.name, standing = excluded.standing, quorum = excluded.quorum,
       source = excluded.source, checked_at = excluded.checked_at`,
    [company.root, company.cnpj, company.name, company.standing, company.quorum, company.source, now],
  )
  await tx.execute('DELETE FROM company_administrator WHERE root = $1', [company.root])
  await tx.execute('INSERT INTO company_administrator (root, cpf) SELECT $1, unnest($2::text[])', [company.root, [...new Set(company.administrators)]])
  await tx.execute('DELETE FROM company_establishment WHERE root = $1', [company.root])
  const places = company.establishments
  await tx.execute('INSERT INTO company_establishment (root, cnpj, name, standing) SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[])', [
    company.root, places.map(({ cnpj }) => cnpj), places.map(({ name }) => name), places.map(({ standing }) => standing),
  ])
}

/** Notes that a person's companies were looked up: of those that the register no longer names, they are an administrator no more. */
export async function saveLookup(tx: Sql, cpf: string, roots: readonly string[], now: Date): Promise<void> {
  await tx.execute('DELETE FROM company_administrator WHERE cpf = $1 AND NOT root = ANY($2::text[])', [cpf, [...roots]])
  await tx.execute(
    'INSERT INTO company_lookup (cpf, checked_at) VALUES ($1, $2) ON CONFLICT (cpf) DO UPDATE SET checked_at = excluded.checked_at',
    [cpf, now],
  )
}

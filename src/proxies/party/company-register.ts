import type { Cnpj, Cpf } from '../../accounts/index.ts'
import type { CnpjRoot, Standing } from './party.ts'

/**
 * What the company register says of one company.
 *
 * A partner is not an administrator: only those who the register says may bind the company stand here, whatever share others hold.
 */
export interface CompanyRecord {
  readonly root: CnpjRoot
  /** Of the head office. */
  readonly cnpj: string
  readonly name: string
  readonly standing: Standing
  /** Administrators who must act together; 1 = each alone. */
  readonly quorum: number
  readonly administrators: readonly Cpf[]
  /** Besides the head office; whoever binds the company binds each of them. */
  readonly establishments: readonly Establishment[]
  /** Which register, e.g. `jucemat`, `receita`, `file`. */
  readonly source: string
}

/** A place of a company with a CNPJ of its own (filial). */
export interface Establishment {
  readonly cnpj: Cnpj
  /** What tells it from the others: its trade name or its town. */
  readonly name: string
  readonly standing: Standing
}

/** The register of companies: the Junta Comercial or the Receita by X-Via; a file serves until then. */
export interface CompanyRegister {
  find(root: CnpjRoot): Promise<CompanyRecord | undefined>
  /** Companies that this person binds, alone or with others. */
  findByAdministrator(cpf: Cpf): Promise<readonly CompanyRecord[]>
}

/** Every number under which something about a company is found. */
export function documentsOfCompany({ root, cnpj, establishments }: Pick<CompanyRecord, 'root' | 'cnpj' | 'establishments'>): string[] {
  return [...new Set([root, cnpj, ...establishments.map((one) => one.cnpj)])]
}

/**
 * How the register calls a company, or the one establishment that a number names; `undefined` for a number that it does not know.
 *
 * What is closed as a company is closed in all its places.
 */
export function findPlace(company: CompanyRecord, cnpj: string): { readonly name: string; readonly standing: Standing } | undefined {
  const { name, standing } = company
  if (cnpj === company.root || cnpj === company.cnpj) return { name, standing }
  const place = company.establishments.find((one) => one.cnpj === cnpj)
  return place && { name: `${name} – ${place.name}`, standing: standing === 'regular' ? place.standing : standing }
}

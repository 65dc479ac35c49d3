import type { Cpf } from '../../accounts/index.ts'
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
  /** Which register, e.g. `jucemat`, `receita`, `file`. */
  readonly source: string
}

/** The register of companies: the Junta Comercial or the Receita by X-Via; a file serves until then. */
export interface CompanyRegister {
  find(root: CnpjRoot): Promise<CompanyRecord | undefined>
  /** Companies that this person binds, alone or with others. */
  findByAdministrator(cpf: Cpf): Promise<readonly CompanyRecord[]>
}

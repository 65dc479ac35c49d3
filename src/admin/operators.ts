import type { Cpf } from '../accounts/index.ts'
import type { Audit } from '../audit/index.ts'
import type { Database } from '../platform/db.ts'
import { Problem } from '../platform/problem.ts'
import { listOperators, lockByCpf, type Operator, setRoles } from './operator.store.ts'
import { ADMIN_PROBLEMS } from './problems.ts'

/** What staff may be: who runs the system, who only reads its record, who decides about the others. */
export const ROLES = ['operator', 'auditor', 'admin'] as const
export type Role = (typeof ROLES)[number]

export interface OperatorsDeps {
  readonly db: Database
  readonly audit: Pick<Audit, 'record'>
  /** Who is at the keyboard. */
  readonly actorId: string
}

/** Staff roles of accounts; each change is audited and stands in the person's own ledger. */
export interface Operators {
  /** @throws {Problem} admin/account-unknown */
  grant(cpf: Cpf, roles: readonly Role[]): Promise<Operator>
  /** Takes all roles. @throws {Problem} admin/account-unknown */
  revoke(cpf: Cpf): Promise<Operator>
  list(): Promise<Operator[]>
}

/** Staff are citizens with an account of their own: they sign in like everybody, and nobody shares a login. */
export function createOperators({ db, audit, actorId }: OperatorsDeps): Operators {
  function change(cpf: Cpf, rolesAfter: (before: readonly string[]) => readonly string[]): Promise<Operator> {
    return db.transaction(async (tx) => {
      const operator = await lockByCpf(tx, cpf)
      if (!operator) throw new Problem(ADMIN_PROBLEMS.accountUnknown)
      const roles = [...new Set(rolesAfter(operator.roles))].sort()
      await setRoles(tx, operator.accountId, roles)
      await audit.record(tx, {
        type: 'admin/roles-changed',
        actor: { kind: 'operator', id: actorId },
        subject: operator.accountId,
        data: { before: [...operator.roles], after: roles },
      })
      return { ...operator, roles }
    })
  }
  return {
    grant: (cpf, roles) => change(cpf, (before) => [...before, ...roles]),
    revoke: (cpf) => change(cpf, () => []),
    list: () => listOperators(db),
  }
}

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
  /** Only a demonstration gives roles to an account without a second factor. */
  readonly isDemo?: boolean
}

/** Staff roles of accounts; each change is audited and stands in the person's own ledger. */
export interface Operators {
  /**
   * Gives roles to an account that has a second factor already: otherwise whoever learns the password would add a factor of their own
   * on the way in.
   * @throws {Problem} admin/account-unknown, admin/second-factor-missing
   */
  grant(cpf: Cpf, roles: readonly Role[]): Promise<Operator>
  /** Takes all roles. @throws {Problem} admin/account-unknown */
  revoke(cpf: Cpf): Promise<Operator>
  list(): Promise<Operator[]>
}

/** Staff are citizens with an account of their own: they sign in like everybody, and nobody shares a login. */
export function createOperators({ db, audit, actorId, isDemo = false }: OperatorsDeps): Operators {
  function change(cpf: Cpf, rolesAfter: (operator: Operator) => readonly string[]): Promise<Operator> {
    return db.transaction(async (tx) => {
      const operator = await lockByCpf(tx, cpf)
      if (!operator) throw new Problem(ADMIN_PROBLEMS.accountUnknown)
      const roles = [...new Set(rolesAfter(operator))].sort()
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
    grant: (cpf, roles) =>
      change(cpf, ({ roles: before, hasSecondFactor }) => {
        if (!hasSecondFactor && !isDemo) throw new Problem(ADMIN_PROBLEMS.secondFactorMissing)
        return [...before, ...roles]
      }),
    revoke: (cpf) => change(cpf, () => []),
    list: () => listOperators(db),
  }
}

import { ACCOUNTS_PROBLEMS } from '../accounts/index.ts'
import { isProblem } from '../platform/problem.ts'

/** The message of a refusal that the citizen can mend on the page; anything else goes on up. */
export function refusalOf(error: unknown, otherwise: string): string {
  if (isProblem(error, ACCOUNTS_PROBLEMS.tooManyAttempts)) return 'portal.field.too-many'
  const mendable = [ACCOUNTS_PROBLEMS.contactRefused, ACCOUNTS_PROBLEMS.wrongCode, ACCOUNTS_PROBLEMS.unknownFactor]
  if (mendable.some((kind) => isProblem(error, kind))) return otherwise
  throw error
}

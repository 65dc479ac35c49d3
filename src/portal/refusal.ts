import { ACCOUNTS_PROBLEMS } from '../accounts/index.ts'
import { isProblem, Problem, type ProblemKind } from '../platform/problem.ts'

/** The message of a refusal that the citizen can mend on the page; anything else goes on up. */
export function refusalOf(error: unknown, otherwise: string): string {
  if (isProblem(error, ACCOUNTS_PROBLEMS.tooManyAttempts)) return 'portal.field.too-many'
  const mendable = [ACCOUNTS_PROBLEMS.contactRefused, ACCOUNTS_PROBLEMS.wrongCode, ACCOUNTS_PROBLEMS.unknownFactor]
  if (mendable.some((kind) => isProblem(error, kind))) return otherwise
  throw error
}

/** A refusal that its page explains, by the text of the problem and with what to do next. */
export interface Refusal {
  readonly code: string
  readonly detail: string | undefined
}

/** Runs what may be refused by these kinds of problem; anything that the page cannot explain goes on up. */
export function explaining(kinds: readonly ProblemKind[]): (work: () => Promise<void>) => Promise<Refusal | undefined> {
  return async (work) => {
    try {
      await work()
      return undefined
    } catch (error) {
      if (!(error instanceof Problem) || !kinds.some(({ code }) => code === error.code)) throw error
      return { code: error.code, detail: error.detail }
    }
  }
}

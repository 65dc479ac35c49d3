import { Problem } from '../../platform/problem.ts'
import { ACCOUNTS_PROBLEMS } from '../problems.ts'
import type { BirthDate } from './birth-date.ts'
import type { Cpf } from './cpf.ts'
import { isSameName } from './person-name.ts'

/** State of a CPF in the base register; only `regular` may open an account. */
export const SITUATIONS = ['regular', 'pending', 'suspended', 'cancelled', 'void', 'deceased'] as const
export type Situation = (typeof SITUATIONS)[number]

/** What the base register of natural persons says about one CPF. */
export interface BaseRecord {
  readonly cpf: Cpf
  readonly name: string
  readonly socialName?: string | undefined
  readonly birthDate: BirthDate
  readonly situation: Situation
}

/** The base register: CPF → name, birth date, situation. The state's real one comes through X-Via; a file serves until then. */
export interface BaseRegister {
  find(cpf: Cpf): Promise<BaseRecord | undefined>
}

/**
 * The same register with a deadline on every answer.
 *
 * @throws {Problem} accounts/register-unavailable when it is late or fails: nobody is let through on a missing answer.
 */
export function withDeadline(register: BaseRegister, deadlineMs: number): BaseRegister {
  return {
    async find(cpf) {
      const late = Promise.withResolvers<never>()
      const timer = setTimeout(() => late.reject(new Error(`no answer in ${deadlineMs} ms`)), deadlineMs)
      try {
        return await Promise.race([register.find(cpf), late.promise])
      } catch (cause) {
        throw new Problem(ACCOUNTS_PROBLEMS.registerUnavailable, { cause, retryAfterSeconds: 30 })
      } finally {
        clearTimeout(timer)
      }
    },
  }
}

/** True when what was typed is what the register says; the social name counts as a name. */
export function isConsistent(record: BaseRecord, typed: { name: string; birthDate: BirthDate }): boolean {
  const named = isSameName(record.name, typed.name) || (record.socialName !== undefined && isSameName(record.socialName, typed.name))
  return named && record.birthDate === typed.birthDate
}

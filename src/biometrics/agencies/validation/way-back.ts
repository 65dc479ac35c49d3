import { randomBytes } from 'node:crypto'
import type { Clock } from '../../../platform/clock.ts'
import type { Sql } from '../../../platform/db.ts'
import { Problem } from '../../../platform/problem.ts'
import { AGENCY_PROBLEMS } from '../problems.ts'
import type { Validation } from './validation.ts'
import { setCode, sweepValidations, useCode } from './validation.store.ts'

const CODE_MS = 5 * 60_000

export interface WayBackDependencies {
  readonly db: Sql
  readonly clock: Clock
  readonly publicUrl: string
  readonly hashOf: (code: string) => Buffer
  /** How long validations are kept. */
  readonly keptDays: number
}

/** The person's way back to the agency, with a code that opens the result once. */
export interface WayBack {
  /** @throws {Problem} agencies/validation-over */
  wayBack(validation: Validation): Promise<string>
  /** @throws {Problem} agencies/code-refused */
  redeem(validation: Validation, code: string): Promise<void>
}

export function createWayBack({ db, clock, publicUrl, hashOf, keptDays }: WayBackDependencies): WayBack {
  return {
    async wayBack({ id, returnUri, returnState }) {
      const code = randomBytes(32).toString('base64url')
      const expiresAt = new Date(clock.now().getTime() + CODE_MS)
      const set = () => setCode(db, id, hashOf(code), expiresAt)
      // One whose time is over may not have been swept yet.
      const isSet = (await set()) || ((await sweepValidations(db, clock.now(), keptDays)) > 0 && (await set()))
      if (returnUri === undefined || !isSet) throw new Problem(AGENCY_PROBLEMS.validationOver)
      const url = new URL(returnUri)
      url.searchParams.set('codigo', code)
      if (returnState !== undefined) url.searchParams.set('estado', returnState)
      url.searchParams.set('iss', publicUrl)
      return url.href
    },

    async redeem({ id }, code) {
      if (!(await useCode(db, id, hashOf(code), clock.now()))) throw new Problem(AGENCY_PROBLEMS.codeRefused)
    },
  }
}

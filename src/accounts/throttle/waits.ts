import type { Sql } from '../../platform/db.ts'
import type { Account } from '../account.ts'
import type { Limits } from './limits.ts'
import type { Throttle } from './throttle.ts'

/** Waits that somebody's wrong tries left, lifted at the counter's word. */
export interface Waits {
  /**
   * Forgets what was counted against the account: wrong passwords from anywhere, second factors, face checks.
   *
   * What was counted against one network or one device stands: it is not the account's, and passes within the hour.
   */
  lift(tx: Sql, account: Account): Promise<void>
}

const NOWHERE = '0.0.0.0'

export function createWaits(throttle: Throttle, limits: Limits): Waits {
  return {
    async lift(tx, { id, citizen }) {
      const { whole } = limits.signIn({ cpf: citizen.reveal().cpf, ip: NOWHERE })
      const { hour, run } = limits.faceCheck(id)
      await throttle.clear([...(whole ? [whole] : []), limits.secondFactor(id), hour, run], tx)
    },
  }
}

import type { AccountId } from '../../accounts/index.ts'
import type { Keyring } from '../../platform/keyring.ts'
import { screenCode } from '../consent/consent.ts'

/**
 * What stands for one of the staff on papers that leave the counter: the same in every unit, and it leads to nobody without this server.
 *
 * Agents of the state act in public, and their name is not needed for that: whoever complains says the code, and the unit's manager knows whose it is.
 */
export function publicCodeOf(keyring: Pick<Keyring, 'hash'>, accountId: AccountId): string {
  return screenCode(keyring.hash(accountId, 'counter-staff-code'))
}

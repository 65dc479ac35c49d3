import type { Account } from '../../accounts/index.ts'
import type { Sql } from '../../platform/db.ts'
import { createFormats } from '../../platform/http/locale.ts'
import type { TellCitizen } from '../citizen-notice.ts'
import type { Unit } from '../staff/unit.store.ts'
import type { Appointment } from './appointment.store.ts'

export type AppointmentNotice = 'booked' | 'cancelled' | 'called-off' | 'reminder'

/** Looks everything up beforehand; what it returns tells the citizen, in the transaction of the change. */
export type PrepareNotice = (
  about: Pick<Appointment, 'accountId' | 'unitId' | 'startsAt'>,
  notice: AppointmentNotice,
) => Promise<(tx: Sql) => Promise<void>>

export interface PrepareNoticeDependencies {
  readonly tell: TellCitizen
  readonly findAccount: (id: string) => Promise<Account | undefined>
  readonly findUnit: (id: string) => Promise<Unit | undefined>
}

/** Notices about appointments, with unit and hour. */
export function createPrepareNotice({ tell, findAccount, findUnit }: PrepareNoticeDependencies): PrepareNotice {
  return async ({ accountId, unitId, startsAt }, notice) => {
    const [account, unit] = [await findAccount(accountId), await findUnit(unitId)]
    return async (tx) => {
      if (account === undefined || unit === undefined) return
      const when = createFormats(account.locale).dateTime(startsAt)
      await tell(tx, account, `appointments.${notice}`, { unit: `${unit.name}, ${unit.municipality}`, when })
    }
  }
}

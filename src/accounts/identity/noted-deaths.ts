import type { Sql } from '../../platform/db.ts'
import type { BaseRegister } from './base-register.ts'
import { isDeathNoted } from './noted-deaths.store.ts'

/**
 * The same register, in which whoever's death the counter noted is deceased, until that is taken back.
 *
 * A register learns of a death weeks later; everything that asks one (registration, mandates, the counter) does so through this.
 */
export function withNotedDeaths(register: BaseRegister, sql: Sql): BaseRegister {
  return {
    async find(cpf) {
      const record = await register.find(cpf)
      return record !== undefined && (await isDeathNoted(sql, cpf)) ? { ...record, situation: 'deceased' } : record
    },
  }
}

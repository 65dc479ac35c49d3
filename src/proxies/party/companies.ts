import type { Cpf } from '../../accounts/index.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Database } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'
import { findCompany, findLookup, type KnownCompany, listCompaniesOf, saveCompany, saveLookup } from './company.store.ts'
import type { CompanyRegister } from './company-register.ts'
import type { CnpjRoot } from './party.ts'

/** A register's answer is good for a day. */
const FRESH_MS = 86_400_000
const DEADLINE_MS = 5000

/** Who binds which company, as the register says; asked again once its answer is a day old. */
export interface Companies {
  /** @throws {Problem} proxies/company-register-unavailable when it must be asked and does not answer. */
  find(root: CnpjRoot): Promise<KnownCompany | undefined>
  /** Companies that this person binds, alone or with others. @throws {Problem} as `find` does */
  listOf(cpf: Cpf): Promise<KnownCompany[]>
}

export function createCompanies({ db, clock, register }: { db: Database; clock: Clock; register: CompanyRegister }): Companies {
  const isFresh = (at: Date | undefined) => at !== undefined && clock.now().getTime() - at.getTime() < FRESH_MS

  return {
    async find(root) {
      const known = await findCompany(db, root)
      if (known && isFresh(known.checkedAt)) return known
      const record = await inTime(register.find(root))
      if (record === undefined) return undefined
      const now = clock.now()
      await db.transaction((tx) => saveCompany(tx, record, now))
      return { ...record, checkedAt: now }
    },
    async listOf(cpf) {
      const known = await listCompaniesOf(db, cpf)
      if (isFresh(await findLookup(db, cpf)) && known.every(({ checkedAt }) => isFresh(checkedAt))) return known
      const records = [...(await inTime(register.findByAdministrator(cpf)))].sort((a, b) => (a.root < b.root ? -1 : 1))
      const now = clock.now()
      await db.transaction(async (tx) => {
        for (const record of records) await saveCompany(tx, record, now)
        await saveLookup(tx, cpf, records.map(({ root }) => root), now)
      })
      return listCompaniesOf(db, cpf)
    },
  }
}

/** Nobody represents a company on a missing answer. */
async function inTime<T>(answer: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`no answer in ${DEADLINE_MS} ms`)), DEADLINE_MS)
  try {
    return await Promise.race([answer, late.promise])
  } catch (cause) {
    throw new Problem(PROXIES_PROBLEMS.companyRegisterDown, { cause, retryAfterSeconds: 30 })
  } finally {
    clearTimeout(timer)
  }
}

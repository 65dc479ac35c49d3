import type { Sql } from '../../platform/db.ts'
import { type Core, SYSTEM } from '../core.ts'
import { sealUnsealed } from './ways.store.ts'
import { waysSeal } from './ways.ts'

const DONE = 'accounts/ways-first-sealed'
/** Nobody's: under it the record tells that this was done. */
const NOBODY = '00000000-0000-0000-0000-000000000000'
const PAGE = 500
const LOCK = 72_707_391

/**
 * Seals the ways of accounts from before there were seals, as they are at this moment; once in the life of a database.
 *
 * Afterwards an account without a seal is one that somebody wrote. That it was done is a line of the audit record, which nobody takes out
 * unnoticed. Of several processes one at a time seals a page, and none does once the line is there. False when it was done already.
 */
export async function sealFirst({ db, keyring, audit }: Core): Promise<boolean> {
  const isDone = async (sql: Sql) => (await audit.highest(sql, { type: DONE, subject: NOBODY, field: 'count' })) !== undefined
  if (await isDone(db)) return false
  for (let count = 0; ; ) {
    const page = await db.transaction(async (tx) => {
      await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK])
      if (await isDone(tx)) return undefined
      const sealed = await sealUnsealed(tx, PAGE, (ways) => waysSeal(keyring, ways))
      if (sealed === 0) await audit.record(tx, { type: DONE, actor: SYSTEM, subject: NOBODY, data: { count } })
      return sealed
    })
    if (page === undefined) return false
    if (page === 0) return true
    count += page
  }
}

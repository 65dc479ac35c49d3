import type { AccountId } from '../accounts/index.ts'
import type { Sql } from '../platform/db.ts'
import { type Level, LEVELS } from './level.ts'

/** Somebody who may be given an office: at the counter, or in an agency. */
export interface Candidate {
  readonly accountId: AccountId
  readonly hasSecondFactor: boolean
  readonly level: Level
}

/** An active account by its person's CPF, locked, with what it signs in with and its level of this moment. */
export async function lockCandidate(tx: Sql, cpf: string, now: Date): Promise<Candidate | undefined> {
  const [row] = await tx.query<{ id: AccountId; has_second_factor: boolean; grants: string[] }>(
    `SELECT a.id, EXISTS (SELECT 1 FROM totp_factor t WHERE t.account_id = a.id AND t.confirmed_at IS NOT NULL AND t.removed_at IS NULL)
       OR EXISTS (SELECT 1 FROM passkey k WHERE k.account_id = a.id AND k.removed_at IS NULL)
       OR EXISTS (SELECT 1 FROM certificate_factor c WHERE c.account_id = a.id AND c.removed_at IS NULL) AS has_second_factor,
       ARRAY(SELECT e.grants FROM evidence e WHERE e.person_id = a.person_id AND (e.withdrawn_at IS NULL OR e.withdrawn_at > $2)
         AND (e.expires_at IS NULL OR e.expires_at > $2)) AS grants
     FROM account a JOIN person p ON p.id = a.person_id WHERE p.cpf = $1 AND a.status = 'active' FOR UPDATE OF a`,
    [cpf, now],
  )
  return row && { accountId: row.id, hasSecondFactor: row.has_second_factor, level: LEVELS.findLast((level) => row.grants.includes(level)) ?? 'bronze' }
}

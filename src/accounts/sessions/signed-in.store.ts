import type { Account } from '../account.ts'
import { ACCOUNT_COLUMNS, ACCOUNT_TABLES, type AccountRow, toAccount } from '../account.store.ts'
import type { SignInSession } from './session.ts'
import { type SessionRow, toSession } from './session.store.ts'

/** An account's row with one of its sessions, whose names that the account has too are its own. */
export interface SignedInRow extends AccountRow, Omit<SessionRow, 'id' | 'account_id' | 'created_at'> {
  session_id: string | null
  session_created_at: Date
}

/** Columns of an account `a` and of its session `s`; for one statement of another room's store. */
export const SIGNED_IN_COLUMNS = `${ACCOUNT_COLUMNS}, s.id AS session_id, s.device_id, s.amr, s.aal, s.authenticated_at, s.face_at, s.face_class,
  s.created_at AS session_created_at, s.last_seen_at, s.ended_at`

/** The account $1 and its session $2; no other account's session is ever joined to it. */
export const SIGNED_IN_TABLES = `${ACCOUNT_TABLES} LEFT JOIN sign_in_session s ON s.id = $2 AND s.account_id = a.id`

/** Both as the domain sees them; no session when the account has none of that id. */
export function toSignedIn(row: SignedInRow): { account: Account; session: SignInSession | undefined } {
  const { id: account_id, session_id: id, session_created_at: created_at, ...rest } = row
  return { account: toAccount(row), session: id === null ? undefined : toSession({ ...rest, id, account_id, created_at }) }
}

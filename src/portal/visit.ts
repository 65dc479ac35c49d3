import type { Account, SignInSession } from '../accounts/index.ts'
import type { PageSessions } from '../platform/http/page-session.ts'
import type { HttpContext } from '../platform/http/request-facts.ts'
import type { AreaData } from './area.ts'

/** Somebody who is signed in to one of our areas at this moment. */
export interface AreaVisit {
  readonly account: Account
  /** The sign-in that this visit hangs on: "este aparelho". */
  readonly session: SignInSession
  /** Empty when the face at a counter signed in: it proves nothing to anybody. */
  readonly idToken: string
}

/** What is asked of the accounts room on every page of an area. */
export interface VisitAccounts {
  find(accountId: string): Promise<Account | undefined>
  findLiveSession(sessionId: string): Promise<SignInSession | undefined>
}

/** Who visits; a page session whose sign-in is over, or whose account is not active any more, ends here. */
export async function findSignedIn(
  ctx: HttpContext,
  sessions: PageSessions<AreaData>,
  accounts: VisitAccounts,
): Promise<AreaVisit | undefined> {
  const page = await sessions.read(ctx)
  if (page?.accountId === undefined || page.sid === undefined || (page.data.signedIn ?? page.data.byFace) === undefined) return undefined
  const account = await accounts.find(page.accountId)
  const session = await accounts.findLiveSession(page.sid)
  if (account?.status !== 'active' || session?.accountId !== account.id) return void (await sessions.end(ctx))
  return { account, session, idToken: page.data.signedIn?.idToken ?? '' }
}

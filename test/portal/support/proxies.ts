/** People who may give and take mandates, for the tests of their pages. */
import type { TestArea, TestCitizen } from './area.ts'

/** Somebody at prata. */
export async function citizenAtPrata(area: TestArea): Promise<TestCitizen> {
  const citizen = await area.citizen()
  await raise(area, citizen)
  return citizen
}

/** Lifts an account to prata. */
export async function raise(area: TestArea, { personId, accountId }: Pick<TestCitizen, 'personId' | 'accountId'>): Promise<void> {
  const { assurance } = area.app.rooms
  const evidence = { method: 'govbr', federalLevel: 'prata', personId, accountId, source: 'govbr', actor: { kind: 'system' } } as const
  await area.app.foundation.db.transaction(async (tx) => void (await assurance.add(tx, evidence)))
}

/** Makes the sign-ins of a citizen as strong and fresh as a signature wants them, in the place of a second factor. */
export async function proveNow(area: TestArea, { accountId }: TestCitizen): Promise<void> {
  const { db, clock } = area.app.foundation
  await db.execute('UPDATE sign_in_session SET aal = 2, authenticated_at = $2 WHERE account_id = $1 AND ended_at IS NULL', [accountId, clock.now()])
}

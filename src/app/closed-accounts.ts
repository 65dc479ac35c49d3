import { IMAGE_PROBLEMS } from '../biometrics/index.ts'
import { isProblem } from '../platform/problem.ts'
import type { Foundation } from './foundation.ts'
import type { Rooms } from './rooms.ts'

/** Days between closing an account and erasing the images of its person: somebody else may have closed it, and a reference taken in person is not easily replaced. */
export const CLOSED_GRACE_DAYS = 30

/**
 * Erases images and documents of whoever closed their account long enough ago; a daily job's work, returns how many people.
 *
 * Where a legal hold forbids it, it is tried again every day until the hold ends.
 */
export function eraseClosedAccounts({ clock }: Pick<Foundation, 'clock'>, { accounts, images, documents }: Pick<Rooms, 'accounts' | 'images' | 'documents'>): Promise<number> {
  const before = new Date(clock.now().getTime() - CLOSED_GRACE_DAYS * 86_400_000)
  return accounts.safety.eraseClosed(before, async (tx, personId) => {
    try {
      await images.destroyKey(tx, personId, { kind: 'system' })
      await documents.care.forget(tx, personId)
      return true
    } catch (error) {
      if (isProblem(error, IMAGE_PROBLEMS.legalHold)) return false
      throw error
    }
  })
}

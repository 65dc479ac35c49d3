import type { Core } from '../core.ts'
import { Problem } from '../../platform/problem.ts'
import { PROXIES_PROBLEMS } from '../problems.ts'
import { beginSigning, listUnderway, loseSigning, type StoredSigning } from './signing.store.ts'

/** No signing takes as long: whoever began it is dead. */
const DEAD_MS = 10 * 60_000

type Signing = Pick<StoredSigning, 'id' | 'accountId'>

/** Keys of grantors in the audit record: what was begun has an instrument in it, or is lost. */
export interface SigningRecord {
  /** On record before a key exists, so that one that was used for nothing is known. @throws {Problem} proxies/signing-over */
  begin(signing: Signing, activationId: string): Promise<void>
  /** Nothing was given by what was begun until then, and nothing will be; said once. */
  lose(signing: Signing, begunBy: Date): Promise<void>
  /** The same of everything that a dead process left. */
  loseDead(): Promise<void>
}

export function createSigningRecord({ platform: { db, clock }, audit }: Core): SigningRecord {
  async function lose({ id, accountId }: Signing, begunBy: Date): Promise<void> {
    await db.transaction(async (tx) => {
      if (!(await loseSigning(tx, { id, begunBy }))) return
      await audit.record(tx, { type: 'proxies/signing-lost', actor: { kind: 'system' }, subject: accountId, data: { signingId: id } })
    })
  }

  return {
    lose,
    async begin({ id, accountId }, activationId) {
      await db.transaction(async (tx) => {
        if (!(await beginSigning(tx, { id, activationId, at: clock.now() }))) throw new Problem(PROXIES_PROBLEMS.signingOver)
        await audit.record(tx, { type: 'proxies/signing-begun', actor: { kind: 'citizen', id: accountId }, subject: accountId, data: { signingId: id, activationId } })
      })
    },
    async loseDead() {
      const dead = new Date(clock.now().getTime() - DEAD_MS)
      for (const one of await listUnderway(db, dead)) await lose(one, dead)
    },
  }
}

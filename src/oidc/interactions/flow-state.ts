import type { Clock } from '../../platform/clock.ts'
import type { Sql } from '../../platform/db.ts'
import { deletePageSession, findPageSession, insertPageSession, updatePageSession } from '../../platform/http/page-session.store.ts'
import type { SealingKeyring } from '../../platform/http/page-session.ts'
import { type FlowState, flowState } from './flow.ts'

const AREA = 'interacao'
const LIFE_SECONDS = 3600

/** Remembers the step of an interaction, by its uid; sealed, and gone after an hour. */
export interface FlowStates {
  find(uid: string): Promise<FlowState | undefined>
  save(uid: string, state: FlowState): Promise<void>
  forget(uid: string): Promise<void>
}

/** Flow states in the table of page sessions. The uid is bound to the browser by the provider's own cookie. */
export function createFlowStates({ db, keyring, clock }: { db: Sql; keyring: SealingKeyring; clock: Clock }): FlowStates {
  const hashOf = (uid: string): Buffer => keyring.hash(uid, 'oidc-interaction')
  const contextOf = (idHash: Buffer): string => `oidc-interaction:${idHash.toString('hex')}`

  return {
    async find(uid) {
      const idHash = hashOf(uid)
      const row = await findPageSession(db, idHash, AREA)
      if (row === undefined || row.expires_at <= clock.now()) return undefined
      const parsed = flowState.safeParse(JSON.parse((await keyring.open(row.data, contextOf(idHash))).toString('utf8')))
      return parsed.success ? parsed.data : undefined
    },
    async save(uid, state) {
      const idHash = hashOf(uid)
      const data = await keyring.seal(JSON.stringify(state), contextOf(idHash))
      if (await updatePageSession(db, idHash, data)) return
      const now = clock.now()
      const expiresAt = new Date(now.getTime() + LIFE_SECONDS * 1000)
      await insertPageSession(db, { idHash, area: AREA, accountId: undefined, sid: undefined, data, now, expiresAt })
    },
    forget: (uid) => deletePageSession(db, hashOf(uid)),
  }
}

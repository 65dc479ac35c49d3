import type { Core } from '../core.ts'
import type { Party } from '../party/party.ts'
import { findPartyById } from '../party/party.store.ts'
import { type Act, type ActState, actStateOf, type Vote } from './act.ts'
import type { ActGroups } from './act-group.ts'
import { countApprovals, listVotes } from './act.store.ts'

/** How far an act has come. */
export interface ActProgress {
  readonly act: Act
  readonly state: ActState
  readonly represented: Party
  /** Of people who may still give them. */
  readonly approvals: number
  /** How many there are who may approve. */
  readonly members: number
  /** Of those who are still among them. */
  readonly refusals: number
  readonly votes: readonly Vote[]
}

export type Progress = (act: Act) => Promise<ActProgress>

export function createProgress(core: Core, groups: ActGroups): Progress {
  const { db, clock } = core.platform
  return async (act) => {
    const now = clock.now()
    const represented = await findPartyById(db, act.representedId)
    if (!represented) throw new Error('a party went away')
    const approvals = await countApprovals(db, act, now)
    const [members, votes] = [await groups.documentsOf(act), await listVotes(db, act.id)]
    return {
      act,
      represented,
      approvals,
      state: actStateOf(act, approvals, now),
      members: members.length,
      refusals: votes.filter(({ word, party }) => word === 'refused' && members.includes(party.document)).length,
      votes,
    }
  }
}

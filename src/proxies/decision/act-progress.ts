import type { Core } from '../core.ts'
import { dayOf } from '../mandate/day.ts'
import type { Party } from '../party/party.ts'
import { findPartyById } from '../party/party.store.ts'
import { type Act, type ActState, actStateOf, type Vote } from './act.ts'
import type { ActGroups } from './act-group.ts'
import { countGroupApprovals, countRegisterApprovals, listVotes } from './act.store.ts'

/** How far an act has come. */
export interface ActProgress {
  readonly act: Act
  readonly state: ActState
  readonly represented: Party
  /** Of people who may still give them. */
  readonly approvals: number
  /** How many there are who may approve. */
  readonly members: number
  readonly votes: readonly Vote[]
}

export type Progress = (act: Act) => Promise<ActProgress>

export function createProgress(core: Core, groups: ActGroups): Progress {
  const { db, clock } = core.platform
  return async (act) => {
    const now = clock.now()
    const [kind = '', id = ''] = act.groupKey.split(':')
    const represented = await findPartyById(db, act.representedId)
    if (!represented) throw new Error('a party went away')
    const approvals = kind === 'group' ? await countGroupApprovals(db, act.id, id, now, dayOf(now)) : await countRegisterApprovals(db, act.id, id)
    return {
      act,
      represented,
      approvals,
      state: actStateOf(act, approvals, now),
      members: await groups.count(act),
      votes: await listVotes(db, act.id),
    }
  }
}

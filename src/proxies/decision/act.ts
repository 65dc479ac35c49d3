import type { Party, PartyId } from '../party/party.ts'
import type { Power } from '../role/role.ts'

/** One act of several people: exactly what is done, in which service, with which thing. */
export interface Act extends Pick<Power, 'namespace' | 'code'> {
  readonly id: string
  readonly representedId: PartyId
  /** `group:<id>` of a mandate's group, or `register:<root>` of a company. */
  readonly groupKey: string
  readonly quorum: number
  /** Of the power, in which the act was opened; absent in acts of before 28 November 2026. */
  readonly version: number | undefined
  readonly service: string | undefined
  readonly instance: string | undefined
  /** What exactly is to be done, in the words of the system that asks. */
  readonly about: string | undefined
  /** The relying party that asks. */
  readonly clientId: string | undefined
  /** The member of the group who began it there. */
  readonly openedBy: PartyId | undefined
  readonly openedAt: Date
  readonly expiresAt: Date
  readonly usedAt: Date | undefined
  /** When and how it ended without being done. */
  readonly closed: { readonly at: Date; readonly outcome: ActOutcome } | undefined
}

export const ACT_OUTCOMES = ['refused', 'withdrawn', 'expired'] as const
export type ActOutcome = (typeof ACT_OUTCOMES)[number]

/** Where an act stands; told to agencies, so names only ever grow. */
export const ACT_STATES = ['open', 'approved', 'done', ...ACT_OUTCOMES] as const
export type ActState = (typeof ACT_STATES)[number]

/** One member's word on an act. */
export interface Vote {
  readonly party: Pick<Party, 'id' | 'name' | 'document'>
  readonly word: 'approved' | 'refused'
  readonly at: Date
}

/** Whether somebody may still approve, refuse or do it. */
export function isOpenAct({ usedAt, closed, expiresAt }: Act, now: Date): boolean {
  return usedAt === undefined && closed === undefined && expiresAt > now
}

/** `approvals` = of people who may still give them. */
export function actStateOf(act: Act, approvals: number, now: Date): ActState {
  if (act.usedAt !== undefined) return 'done'
  if (act.closed !== undefined) return act.closed.outcome
  if (act.expiresAt <= now) return 'expired'
  return approvals >= act.quorum ? 'approved' : 'open'
}

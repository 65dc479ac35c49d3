import type { Day } from '../mandate/day.ts'
import type { Party } from '../party/party.ts'
import type { Power } from '../role/role.ts'

export type RequestState = 'asked' | 'granted' | 'refused' | 'withdrawn' | 'lapsed'

/** A would-be delegate's wish; nothing counts before the represented agrees. */
export interface RepresentationRequest {
  readonly id: string
  readonly state: RequestState
  readonly represented: Party
  readonly delegate: Party
  readonly powers: readonly Power[]
  readonly validThrough: Day
  /** The agency that asked for the delegate, if one did: then the delegate still has to accept. */
  readonly clientId: string | undefined
  readonly createdAt: Date
  readonly decideBy: Date
}

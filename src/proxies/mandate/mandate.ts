import { isUuid } from '../../platform/database/uuid.ts'
import type { Party } from '../party/party.ts'
import type { MandateKind, Power } from '../role/role.ts'
import type { Day } from './day.ts'
import type { Capacity, MandateState } from './transition.ts'

declare const mandateIdBrand: unique symbol
export type MandateId = string & { readonly [mandateIdBrand]: true }

/** The id in a text from outside, or `undefined`. */
export function parseMandateId(text: string): MandateId | undefined {
  return isUuid(text) ? (text as MandateId) : undefined
}

/** Who may act for whom, with which powers, until when. */
export interface Mandate {
  readonly id: MandateId
  readonly kind: MandateKind
  readonly state: MandateState
  /** For whom the delegate acts: the same along a chain. */
  readonly represented: Party
  /** Who gave this link: the represented, or in a substabelecimento the delegate of the link above. */
  readonly grantor: Party
  readonly delegate: Party
  readonly parentId: MandateId | undefined
  readonly rootId: MandateId
  /** From the root to this one. */
  readonly path: readonly MandateId[]
  /** How many links may follow. */
  readonly subDepth: number
  /** Present when only `quorum` delegates of the group together may act. */
  readonly joint: { readonly groupId: string; readonly quorum: number } | undefined
  /** What it is limited to: a vehicle, a case, a property; free text of the grantor. */
  readonly instance: string | undefined
  readonly powers: readonly Power[]
  readonly validFrom: Day
  /** The last day on which it counts, in Mato Grosso; absent only where the law sets no end. */
  readonly validThrough: Day | undefined
  /** Broad powers count a day later than they are given. */
  readonly effectiveAt: Date
  /** Until when it can be signed or accepted. */
  readonly decideBy: Date | undefined
  /** Signatures that it needs of the grantor's side. */
  readonly signatures: number
  /** Who stops it, the highest first; it counts again once nobody does. */
  readonly stoppedBy: readonly Capacity[]
  /** `local`, or the agency's client that entered it. */
  readonly origin: string
  readonly createdAt: Date
  readonly endedAt: Date | undefined
}

type Named = Pick<Party, 'kind' | 'name' | 'document'>

/** What the instrument of a mandate says of it, which can be told before there is one. */
export interface Described extends Pick<Mandate, 'kind' | 'parentId' | 'subDepth' | 'instance' | 'validFrom' | 'validThrough'> {
  readonly represented: Named
  readonly grantor: Named
  readonly delegate: Named
  readonly joint: { readonly quorum: number } | undefined
}

/** One line of a mandate's history. */
export interface MandateEvent {
  readonly type: string
  readonly actor: { readonly kind: string; readonly id: string | undefined }
  readonly reason: string | undefined
  readonly at: Date
}

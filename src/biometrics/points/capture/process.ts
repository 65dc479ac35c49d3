import type { MISSING_FINGER_TYPE, MissingFinger } from '../../finger.ts'
import type { ImageKind } from '../../images/image.ts'
import type { ClockMark } from './clock-rule.ts'

/** What a point captures of a person; stored, never renamed. */
export const ITEM_KINDS = ['face', 'fingerprint', 'photo', 'signature', 'document-front', 'document-back'] as const
export type ItemKind = (typeof ITEM_KINDS)[number]

export const PROCESS_STATES = ['open', 'captured', 'given-up', 'expired'] as const
export type ProcessState = (typeof PROCESS_STATES)[number]

/** The one transition table of processes: nothing leads out of an end. */
export const PROCESS_MOVES = {
  conclude: { from: 'open', to: 'captured' },
  giveUp: { from: 'open', to: 'given-up' },
  expire: { from: 'open', to: 'expired' },
} as const satisfies Record<string, { readonly from: ProcessState; readonly to: ProcessState }>
export type ProcessMove = keyof typeof PROCESS_MOVES

/** An item is on its way until it is judged; one that was refused is sent anew as another item. */
export const ITEM_STATES = ['receiving', 'stored', 'refused'] as const
export type ItemState = (typeof ITEM_STATES)[number]

export interface NewItem {
  readonly kind: ItemKind
  /** ISO/IEC 19794-4: 1 right thumb … 5 right little, 6 left thumb … 10 left little. */
  readonly finger: number | undefined
  readonly contentType: 'image/jpeg' | 'image/png' | 'image/webp' | 'image/x-wsq' | typeof MISSING_FINGER_TYPE
  readonly size: number
  readonly sha256: Buffer
  /** Of a finger that is not there: stored at once, in the place of a print. */
  readonly missing?: MissingFinger | undefined
}

export interface CaptureItem extends NewItem {
  readonly id: string
  readonly processId: string
  /** In the order in which they were announced, from 1. */
  readonly position: number
  readonly received: number
  readonly state: ItemState
  readonly reasons: readonly string[]
  readonly imageId: string | undefined
}

export interface CaptureProcess {
  readonly id: string
  readonly pointId: string
  readonly clientId: string
  readonly personId: string
  readonly batchId: string | undefined
  /** The same key at the same point is the same process. */
  readonly requestKey: string
  readonly requestHash: Buffer
  readonly purpose: string
  readonly legalBasis: string
  /** Who captured, in the point's own words. */
  readonly operator: string
  readonly device: string
  readonly clock: ClockMark
  readonly state: ProcessState
  readonly capturedAt: Date
  readonly receivedAt: Date
  readonly expiresAt: Date
  readonly finishedAt: Date | undefined
}

/** What takes the same place in a process: one face, each finger once. */
export const placeOf = ({ kind, finger }: Pick<NewItem, 'kind' | 'finger'>): string => (finger === undefined ? kind : `${kind}-${finger}`)

/** Kind and slot in the image store. */
export function storedAs({ kind, finger }: Pick<NewItem, 'kind' | 'finger'>): { kind: ImageKind; slot: string } {
  if (kind === 'photo') return { kind: 'other', slot: 'photo' }
  return { kind, slot: finger === undefined ? '' : String(finger) }
}

/** Items that may be concluded: all are judged, and each place that was announced holds a picture. */
export function isComplete(items: readonly CaptureItem[]): boolean {
  const stored = new Set(items.filter(({ state }) => state === 'stored').map(placeOf))
  return items.length > 0 && items.every((item) => item.state !== 'receiving' && stored.has(placeOf(item)))
}

import type { Reason } from '../attendance/attendance.ts'
import { CASE_TYPES } from '../cases/case-type.ts'
import type { Item } from '../capture/item.store.ts'

/** Which text is agreed to: what is kept, or what is only compared and then forgotten. */
export type Purpose = 'keep' | 'compare'

export function purposeOf(reason: Reason): Purpose {
  return CASE_TYPES[reason].face === 'proves' ? 'compare' : 'keep'
}

/** Keys of each text's parts, in their order. */
export const CONSENT_PARTS = {
  keep: ['what', 'face', 'document', 'signature', 'fingers', 'why', 'rights', 'free'],
  compare: ['what', 'face', 'document', 'signature', 'why', 'rights', 'free'],
} as const satisfies Record<Purpose, readonly string[]>

export const ANSWERS = ['accepted', 'refused'] as const
export type Answer = (typeof ANSWERS)[number]

/** What the citizen said on the second screen last, and when. */
export interface ScreenAnswer {
  readonly answer: Answer
  readonly at: Date
}

/** How the citizen agreed to what is kept of them, or that they did not. */
export interface Agreement {
  readonly given: boolean
  readonly way: 'screen' | 'signature'
  readonly at: Date
}

/** Whichever came last counts: an answer on the screen, or a signature under the text; `undefined` while there is neither. */
export function agreementOf(answer: ScreenAnswer | undefined, items: readonly Pick<Item, 'kind' | 'capturedAt'>[]): Agreement | undefined {
  const signed = items.filter(({ kind }) => kind === 'signature').map(({ capturedAt }) => capturedAt.getTime())
  const signedAt = signed.length > 0 ? new Date(Math.max(...signed)) : undefined
  if (signedAt !== undefined && (answer === undefined || signedAt > answer.at)) return { given: true, way: 'signature', at: signedAt }
  return answer && { given: answer.answer === 'accepted', way: 'screen', at: answer.at }
}

/** How far the second screen of a case is. */
export const SCREEN_STATES = ['none', 'offered', 'paired', ...ANSWERS, 'chosen'] as const
export type ScreenState = (typeof SCREEN_STATES)[number]

/** Letters and digits that nobody mistakes for one another on another screen. */
const CODE_LETTERS = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ'
const CODE_LENGTH = 8

/** The code for typing on the other screen, out of random bytes: 40 bits, in two groups. */
export function screenCode(bytes: Uint8Array): string {
  const letters = [...bytes.subarray(0, CODE_LENGTH)].map((byte) => CODE_LETTERS[byte % CODE_LETTERS.length] ?? '2').join('')
  return `${letters.slice(0, 4)}-${letters.slice(4)}`
}

/** A code however it was typed; `undefined` for what is none. */
export function parseScreenCode(text: string): string | undefined {
  const letters = text.toUpperCase().replace(/[^0-9A-Z]/g, '')
  const isCode = letters.length === CODE_LENGTH && [...letters].every((letter) => CODE_LETTERS.includes(letter))
  return isCode ? `${letters.slice(0, 4)}-${letters.slice(4)}` : undefined
}

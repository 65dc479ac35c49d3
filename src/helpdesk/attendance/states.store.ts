import { type AttendanceState, DRAFT_STATES, LIVE_STATES } from './attendance.ts'

/** States as the list behind SQL's `IN`; the names are the program's own and hold no quotes. */
const listOf = (states: readonly AttendanceState[]): string => `(${states.map((state) => `'${state}'`).join(', ')})`

/** Being captured, and changed by whoever holds them. */
export const DRAFTS = listOf(DRAFT_STATES)
/** Neither decided nor ended by time. */
export const LIVE = listOf(LIVE_STATES)
/** An account may come to these, before and after the approval. */
export const BINDABLE = listOf([...LIVE_STATES, 'approved'])

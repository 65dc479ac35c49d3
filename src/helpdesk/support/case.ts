import type { AccountId } from '../../accounts/index.ts'

/** Why an attendant looks at an account; stored, never renamed. */
export const SUPPORT_REASONS = ['call', 'message', 'present', 'report'] as const
export type SupportReason = (typeof SUPPORT_REASONS)[number]

/** What an attendant may do for somebody. Nothing here signs in, or shows, sets or sends a secret to anybody but the account's owner. */
export const SUPPORT_ACTS = ['unlock', 'end-sessions', 'start-recovery', 'revoke-certificates'] as const
export type SupportAct = (typeof SUPPORT_ACTS)[number]

/** How often one account takes an act in a day, whoever does it: an unlock gives a guesser tries too. */
export const ACTS_A_DAY: Readonly<Record<SupportAct, number>> = { unlock: 2, 'end-sessions': 5, 'start-recovery': 3, 'revoke-certificates': 3 }

/** How often one attendant looks somebody up, found or not. */
export const LOOKS = { hour: 20, day: 80 } as const
export type LookSpan = keyof typeof LOOKS

/** After this time the account is looked up anew, with a reason. */
export const CASE_MINUTES = 30

export interface SupportCase {
  readonly id: string
  readonly unitId: string
  readonly attendantId: AccountId
  readonly accountId: AccountId
  readonly reason: SupportReason
  readonly openedAt: Date
  readonly expiresAt: Date
}

/** The number that citizen and attendant can say to each other. */
export function protocolOf({ id }: Pick<SupportCase, 'id'>): string {
  return `A-${id.slice(0, 8).toUpperCase()}`
}

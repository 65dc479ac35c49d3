import type { AccountId } from '../../accounts/index.ts'
import { isLevelAtLeast, type Level } from '../../assurance/index.ts'

/** What somebody may be in a unit; names are stored and never change. */
export const STAFF_ROLES = ['attendant', 'supervisor', 'unit-manager', 'image-operator'] as const
export type StaffRole = (typeof STAFF_ROLES)[number]

/** Identity level that a role asks of who holds it, at the grant and at every request. */
export const LEVEL_OF_ROLE: Readonly<Record<StaffRole, Level>> = {
  attendant: 'bronze',
  supervisor: 'ouro',
  'unit-manager': 'bronze',
  'image-operator': 'bronze',
}

/** Longest time for which a role is given at once. */
export const LONGEST_ROLE_DAYS = 366

/** A role as it was given. */
export interface GivenRole {
  readonly id: string
  readonly unitId: string
  readonly accountId: AccountId
  readonly role: StaffRole
  /** The level on which it was given: below it the role sleeps. */
  readonly level: Level
  readonly startsAt: Date
  readonly endsAt: Date
  readonly suspendedAt: Date | undefined
  readonly endedAt: Date | undefined
}

/** `asleep` = the person's level fell below the one that the role was given on; it wakes when the level is back. */
export type RoleState = 'live' | 'not-yet' | 'over' | 'suspended' | 'asleep'

/** Whether a role counts at `now` for somebody whose evidence bears `level` at this moment. */
export function roleState(role: GivenRole, level: Level, now: Date): RoleState {
  if (role.endedAt !== undefined || role.endsAt <= now) return 'over'
  if (role.suspendedAt !== undefined) return 'suspended'
  if (role.startsAt > now) return 'not-yet'
  return isLevelAtLeast(level, role.level) && isLevelAtLeast(level, LEVEL_OF_ROLE[role.role]) ? 'live' : 'asleep'
}

/** A role, and what it is worth at this moment. */
export interface RoleNow extends GivenRole {
  readonly state: RoleState
  /** The person's level at this moment. */
  readonly levelNow: Level
}

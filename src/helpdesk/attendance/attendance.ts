import { z } from 'zod'
import type { AccountId, PersonId } from '../../accounts/index.ts'
import { MISSING_FINGERS } from '../../biometrics/index.ts'
import type { Sensitive } from '../../platform/sensitive.ts'
import { requestSchema } from '../cases/request.ts'
import type { StaffRole } from '../staff/role.ts'

/** Why somebody is at the counter; names are stored and never change. */
export const REASONS = [
  'enrolment', 're-enrolment', 'name-change', 'social-name', 'lost-phone', 'blocked-account', 'death', 'death-correction', 'wrong-person',
] as const
export type Reason = (typeof REASONS)[number]

export const ATTENDANCE_STATES = ['open', 'captured', 'awaiting-approval', 'approved', 'refused', 'abandoned', 'expired'] as const
export type AttendanceState = (typeof ATTENDANCE_STATES)[number]

/** What may happen to a case, and what comes of it. Everything that is not here is refused. */
export const TRANSITIONS = {
  open: { capture: 'captured', abandon: 'abandoned', expire: 'expired' },
  captured: { recapture: 'open', submit: 'awaiting-approval', abandon: 'abandoned', refuse: 'refused', expire: 'expired' },
  'awaiting-approval': { approve: 'approved', refuse: 'refused', expire: 'expired' },
  approved: {},
  refused: {},
  abandoned: {},
  expired: {},
} as const satisfies Record<AttendanceState, Readonly<Record<string, AttendanceState>>>

export type Step = 'capture' | 'recapture' | 'submit' | 'approve' | 'refuse' | 'abandon' | 'expire'

/** Where a step leads from a state; `undefined` when it is out of order. */
export function stateAfter(state: AttendanceState, step: Step): AttendanceState | undefined {
  const steps: Readonly<Partial<Record<Step, AttendanceState>>> = TRANSITIONS[state]
  return steps[step]
}

const statesThatMay = (step: Step): readonly AttendanceState[] => ATTENDANCE_STATES.filter((state) => stateAfter(state, step) !== undefined)
/** A draft is what its holder may still give up; live is whatever time ends. */
export const DRAFT_STATES = statesThatMay('abandon')
export const LIVE_STATES = statesThatMay('expire')
export const isDraft = ({ state }: Pick<Attendance, 'state'>): boolean => DRAFT_STATES.includes(state)
export const isLive = ({ state }: Pick<Attendance, 'state'>): boolean => LIVE_STATES.includes(state)

export const DOCUMENT_TYPES = ['cin', 'rg', 'cnh', 'passport', 'crnm', 'professional', 'birth-certificate', 'death-certificate'] as const

/** A document that was seen; its number and the rest are sealed. */
export const documentSchema = z.object({
  type: z.enum(DOCUMENT_TYPES),
  number: z.string(),
  issuer: z.string(),
  issuedOn: z.string(),
})
export type SeenDocument = z.infer<typeof documentSchema>

/** What the case knows of its person: from the base register when it was opened. */
export const factsSchema = z.object({
  cpf: z.string(),
  name: z.string(),
  socialName: z.string().optional(),
  birthDate: z.string(),
  situation: z.string(),
  /** What the case asks for, where its reason has a request. */
  request: requestSchema.optional(),
  /** The document that an approved case rests on whose pictures are forgotten. */
  seen: documentSchema.optional(),
})
export type Facts = z.infer<typeof factsSchema>

/** What was found before anything is accepted. */
export const checksSchema = z.object({
  /** Against the person's own reference image. */
  oneToOne: z
    .discriminatedUnion('kind', [
      z.object({ kind: z.literal('none') }),
      z.object({ kind: z.enum(['same', 'different']), distance: z.number(), threshold: z.number() }),
    ])
    .optional(),
  /** Against everybody else. `off` = this database cannot search: the supervisor's eyes take its place, and say so. */
  oneToN: z.enum(['clear', 'hit', 'off']).optional(),
  /** Shots behind the template. */
  shots: z.number().int().optional(),
})
export type Checks = z.infer<typeof checksSchema>

/** One case at the counter. */
export interface Attendance {
  readonly id: string
  readonly protocol: string
  readonly unitId: string
  readonly personId: PersonId
  readonly reason: Reason
  readonly state: AttendanceState
  /** Who alone may change the draft, and as what. */
  readonly holderId: AccountId
  readonly holderRole: StaffRole
  readonly facts: Sensitive<Facts>
  readonly checks: Checks
  /** Stopped by the search; a reviewer decides. */
  readonly haltedAt: Date | undefined
  readonly openedAt: Date
  readonly changedAt: Date
  readonly expiresAt: Date
  readonly decidedBy: AccountId | undefined
  readonly decidedAt: Date | undefined
  readonly decision: string | undefined
}

/** Ten fingers, as ISO/IEC 19794-4 numbers them. */
export const FINGERS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10'] as const
export type Finger = (typeof FINGERS)[number]
/** Why a finger is not there. */
export const MISSING_FINGER_REASONS = MISSING_FINGERS

/** Shots that a face's template is the mean of, at least. */
export const LEAST_SHOTS = 3
export const MOST_SHOTS = 5

/** A draft that nobody touches ends after this time, one that waits for approval after the longer one. */
export const DRAFT_HOURS = 24
export const APPROVAL_DAYS = 7

import type { ProblemKind } from '../../platform/problem.ts'

export const APPOINTMENT_PROBLEMS = {
  slotTaken: { code: 'appointments/slot-taken', status: 409, title: 'The hour is taken or not offered' },
  appointmentHeld: { code: 'appointments/appointment-held', status: 409, title: 'The account has an appointment already' },
  appointmentOver: { code: 'appointments/appointment-over', status: 409, title: 'The appointment is not booked any more' },
  appointmentOtherDay: { code: 'appointments/appointment-other-day', status: 409, title: 'The appointment is on another day' },
  bookedTooOften: { code: 'appointments/booked-too-often', status: 429, title: 'Too many hours were booked and given back' },
} as const satisfies Record<string, ProblemKind>

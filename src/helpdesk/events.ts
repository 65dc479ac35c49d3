import { z } from 'zod'
import { defineEvents } from '../audit/index.ts'
import { LEVELS } from '../assurance/index.ts'
import { REFUSALS } from './approval/approvals.ts'
import { REVIEW_REASONS } from './approval/review.store.ts'
import { REASONS } from './attendance/attendance.ts'
import { RECORD_FIELDS } from './attendance/attendance.store.ts'
import { WRONG_FINDINGS } from './cases/request.ts'
import { ANSWERS } from './consent/consent.ts'
import { DOUBTS } from './sampling/sample.ts'
import { STAFF_ROLES } from './staff/role.ts'

const attendance = { attendanceId: z.uuid() }
const kiosk = { kioskId: z.uuid(), unitId: z.uuid() }
const role = { roleId: z.uuid(), unitId: z.uuid(), role: z.enum(STAFF_ROLES) }

/** What the help desk writes into the audit record; stored as JSON, so names and shapes only ever grow. */
export const helpdeskEvents = defineEvents({
  'helpdesk/unit-opened': z.object({ unitId: z.uuid() }),
  'helpdesk/role-granted': z.object({ ...role, level: z.enum(LEVELS), endsAt: z.iso.datetime() }),
  'helpdesk/role-suspended': z.object(role),
  'helpdesk/role-resumed': z.object(role),
  'helpdesk/role-ended': z.object(role),
  'helpdesk/unit-rules-set': z.object({ unitId: z.uuid(), faceProfile: z.string(), matchPoint: z.string(), sampleShare: z.int().optional(), layer: z.enum(['operator', 'above', 'own']).optional() }),
  'helpdesk/attendance-opened': z.object({ ...attendance, unitId: z.uuid(), reason: z.enum(REASONS) }),
  /** A look that opened nothing, of what it told the attendant: the CPF is not regular, or has a case. */
  'helpdesk/attendance-in-vain': z.object({ unitId: z.uuid(), reason: z.enum(REASONS), found: z.enum(['cpf-irregular', 'already-open', 'reason-unfit']) }),
  'helpdesk/attendance-seen': z.object({ ...attendance, unitId: z.uuid(), role: z.enum(STAFF_ROLES) }),
  'helpdesk/attendance-taken-over': z.object({ ...attendance, unitId: z.uuid(), role: z.enum(STAFF_ROLES) }),
  'helpdesk/attendance-captured': z.object({
    ...attendance,
    oneToOne: z.enum(['none', 'same', 'different']),
    oneToN: z.enum(['clear', 'hit', 'off']),
  }),
  'helpdesk/attendance-submitted': z.object(attendance),
  'helpdesk/attendance-ended': z.object({
    ...attendance,
    state: z.enum(['approved', 'refused', 'abandoned', 'expired']),
    decision: z.enum(['approved', 'fraud', ...REFUSALS]).optional(),
  }),
  /** The approval will be looked at again; nobody at the counter is told which. */
  'helpdesk/approval-drawn': z.object({ ...attendance, unitId: z.uuid(), share: z.int() }),
  'helpdesk/second-look': z.object({ ...attendance, unitId: z.uuid(), verdict: z.enum(['matches', 'contradicted']), doubt: z.enum(DOUBTS).optional() }),
  'helpdesk/record-corrected': z.object({ ...attendance, fields: z.array(z.enum(RECORD_FIELDS)) }),
  'helpdesk/consent-asked': z.object(attendance),
  /** Said on the citizen's own screen, where nobody is signed in. */
  'helpdesk/consent-answered': z.object({ ...attendance, answer: z.enum(ANSWERS) }),
  /** On the citizen's own screen: which ways into a blocked account stay. */
  'helpdesk/ways-chosen': z.object(attendance),
  /** Images that hung on the wrong person were withdrawn. */
  'helpdesk/images-disowned': z.object({ ...attendance, imageIds: z.array(z.uuid()), finding: z.enum(WRONG_FINDINGS) }),
  /** The person signed at the counter that the unit helps them today. */
  'helpdesk/help-signed': z.object({ ...attendance, mandateId: z.uuid() }),
  'helpdesk/binding-offered': z.object(attendance),
  'helpdesk/binding-refused': z.object(attendance),
  /** The link or the code was used by the person's account; it is not bound yet. */
  'helpdesk/binding-claimed': z.object(attendance),
  'helpdesk/binding-unproved': z.object(attendance),
  'helpdesk/account-bound': z.object({ ...attendance, by: z.enum(['face', 'staff']).optional() }),
  'helpdesk/receipt-sent': z.object(attendance),
  /** By whoever had the link of the message. */
  'helpdesk/receipt-taken': z.object(attendance),
  'helpdesk/access-offered': z.object(attendance),
  /** A face was shown on a citizen's screen at the counter, for a way in or (without a case) to look. */
  'helpdesk/access-face-passed': z.object({ attendanceId: z.uuid().optional() }),
  'helpdesk/access-face-refused': z.object({ attendanceId: z.uuid().optional() }),
  'helpdesk/kiosk-registered': z.object(kiosk),
  'helpdesk/kiosk-paired': z.object(kiosk),
  'helpdesk/kiosk-ended': z.object(kiosk),
  'helpdesk/fraud-review-opened': z.object({ ...attendance, reviewId: z.uuid(), kind: z.enum(['another-person', 'not-the-person', 'wrong-person', 'second-look']) }),
  'helpdesk/fraud-review-decided': z.object({
    ...attendance,
    reviewId: z.uuid(),
    state: z.enum(['confirmed', 'dismissed']),
    reason: z.enum(REVIEW_REASONS),
  }),
})

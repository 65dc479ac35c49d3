import type { ProblemKind } from '../platform/problem.ts'

/** The help desk's problem kinds; a code is also the key of its text in views/messages. */
export const HELPDESK_PROBLEMS = {
  unitUnknown: { code: 'helpdesk/unit-unknown', status: 404, title: 'No such unit' },
  unitCodeTaken: { code: 'helpdesk/unit-code-taken', status: 409, title: 'Another unit has this code' },
  roleUnknown: { code: 'helpdesk/role-unknown', status: 404, title: 'No such role' },
  roleHeld: { code: 'helpdesk/role-held', status: 409, title: 'The person has this role in this unit already' },
  notForOneself: { code: 'helpdesk/not-for-oneself', status: 403, title: 'Nobody changes their own roles' },
  notAbove: { code: 'helpdesk/not-above', status: 403, title: 'Only the manager above may change this role' },
  managerThere: { code: 'helpdesk/manager-there', status: 409, title: 'The unit has a manager, who gives the other roles' },
  staffUnfit: { code: 'helpdesk/staff-unfit', status: 422, title: 'No active account with a second factor and the level that the role asks for' },
  endRefused: { code: 'helpdesk/end-refused', status: 422, title: 'A role ends within 366 days' },
  roleNeeded: { code: 'helpdesk/role-needed', status: 403, title: 'The role that this needs is not live now' },
  cpfUnknown: { code: 'helpdesk/cpf-unknown', status: 422, title: 'The base register does not know the CPF' },
  cpfIrregular: { code: 'helpdesk/cpf-irregular', status: 422, title: 'The base register does not list the CPF as regular' },
  ownCase: { code: 'helpdesk/own-case', status: 403, title: 'Nobody attends to themselves' },
  alreadyOpen: { code: 'helpdesk/already-open', status: 409, title: 'The person has an attendance under way' },
  tooManyDrafts: { code: 'helpdesk/too-many-drafts', status: 429, title: 'Too many drafts at once' },
  attendanceUnknown: { code: 'helpdesk/attendance-unknown', status: 404, title: 'No such attendance in this unit' },
  heldByAnother: { code: 'helpdesk/held-by-another', status: 409, title: 'Somebody else holds the attendance' },
  stepOutOfOrder: { code: 'helpdesk/step-out-of-order', status: 409, title: 'This step is not open now' },
  captureIncomplete: { code: 'helpdesk/capture-incomplete', status: 422, title: 'Something is missing' },
  halted: { code: 'helpdesk/halted', status: 409, title: 'The attendance is stopped until a reviewer decides' },
  fourEyes: { code: 'helpdesk/four-eyes', status: 403, title: 'Whoever had a hand in an attendance does not decide it' },
  eyesNeeded: { code: 'helpdesk/eyes-needed', status: 422, title: 'Without the search the supervisor compares the faces' },
  reviewUnknown: { code: 'helpdesk/review-unknown', status: 404, title: 'No such review in this unit' },
  reviewDecided: { code: 'helpdesk/review-decided', status: 409, title: 'The review was decided meanwhile' },
} as const satisfies Record<string, ProblemKind>

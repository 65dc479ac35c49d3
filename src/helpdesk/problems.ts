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
} as const satisfies Record<string, ProblemKind>

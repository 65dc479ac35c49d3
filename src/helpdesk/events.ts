import { z } from 'zod'
import { defineEvents } from '../audit/index.ts'
import { LEVELS } from '../assurance/index.ts'
import { STAFF_ROLES } from './staff/role.ts'

const role = { roleId: z.uuid(), unitId: z.uuid(), role: z.enum(STAFF_ROLES) }

/** What the help desk writes into the audit record; stored as JSON, so names and shapes only ever grow. */
export const helpdeskEvents = defineEvents({
  'helpdesk/unit-opened': z.object({ unitId: z.uuid() }),
  'helpdesk/role-granted': z.object({ ...role, level: z.enum(LEVELS), endsAt: z.iso.datetime() }),
  'helpdesk/role-suspended': z.object(role),
  'helpdesk/role-resumed': z.object(role),
  'helpdesk/role-ended': z.object(role),
})

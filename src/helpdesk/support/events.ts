import { z } from 'zod'
import { defineEvents } from '../../audit/index.ts'
import { SUPPORT_ACTS, SUPPORT_REASONS } from './case.ts'

const about = { caseId: z.uuid(), unitId: z.uuid() }

/** What the staff did to accounts of citizens at home; all but a look in vain is in the citizen's ledger. */
export const supportEvents = defineEvents({
  'helpdesk/support-opened': z.object({ ...about, reason: z.enum(SUPPORT_REASONS) }),
  /** Nobody has an account under the CPF that was looked up. */
  'helpdesk/support-in-vain': z.object({ unitId: z.uuid(), reason: z.enum(SUPPORT_REASONS) }),
  'helpdesk/support-acted': z.object({ ...about, act: z.enum(SUPPORT_ACTS) }),
})

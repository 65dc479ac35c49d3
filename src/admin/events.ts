import { z } from 'zod'
import { defineEvents } from '../audit/index.ts'

/** What operators do to the machine room, for the audit record; stored as JSON, so names and shapes only ever grow. */
export const adminEvents = defineEvents({
  'admin/roles-changed': z.object({ before: z.array(z.string()), after: z.array(z.string()) }),
  'admin/seal-key-rotated': z.object({ keyId: z.string() }),
  /** One batch of rows whose term was over, by the name of the term; counts only. */
  'admin/retention-applied': z.object({ term: z.string(), ending: z.enum(['deleted', 'blanked', 'anonymised']), days: z.int(), rows: z.int() }),
  'admin/master-key-changed': z.object({ keys: z.int() }),
})

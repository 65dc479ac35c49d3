import { z } from 'zod'
import { defineEvents } from '../audit/index.ts'

/** What the citizen's area writes into the audit record; stored as JSON, so names and shapes only ever grow. */
export const portalEvents = defineEvents({
  /** "Não fui eu", and of which line of the ledger. */
  'portal/use-disowned': z.object({ entry: z.int().optional() }),
})

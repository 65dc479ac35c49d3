import { z } from 'zod'
import { parsePartyRef } from '../../proxies/index.ts'

/** Somebody by number and name, as it is typed. */
export const person = z.object({
  document: z.string().max(30).refine((text) => ['person', 'company'].includes(parsePartyRef(text)?.kind ?? ''), 'procuracoes.field.document'),
  name: z.string().trim().min(3, 'procuracoes.field.name').max(150),
})

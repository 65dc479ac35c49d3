import { z } from 'zod'
import { type Day, parseDay } from '../mandate/day.ts'
import type { GrantTerms } from '../mandate/terms.ts'
import { documentOf, type PartyRef, parsePartyRef } from '../party/party.ts'

/** What a grantor was shown and is asked to sign; kept sealed until they do. */
export interface SigningPlan {
  readonly company: string | undefined
  /** The mandate of which a part is passed on. */
  readonly parentId: string | undefined
  readonly terms: GrantTerms
  readonly at: Date
  /** In the order of the delegates. */
  readonly texts: readonly SigningText[]
}

export interface SigningText {
  readonly code: string
  /** SHA-256 of what the PDF says, before it is a PDF. */
  readonly words: string
  readonly pdf: Buffer
}

const day = z.string().transform((text, context): Day => parseDay(text) ?? refuse(context))
const stored = z.object({
  company: z.string().optional(),
  parentId: z.string().optional(),
  at: z.coerce.date(),
  texts: z.array(z.object({ code: z.string(), words: z.string(), pdf: z.base64().transform((text) => Buffer.from(text, 'base64')) })),
  terms: z.object({
    kind: z.enum(['procuracao', 'advocaticia']).optional(),
    delegates: z.array(
      z.object({ document: z.string().transform((text, context): PartyRef => parsePartyRef(text) ?? refuse(context)), name: z.string() }),
    ),
    powers: z.array(z.object({ namespace: z.string(), code: z.string(), version: z.int() })),
    validFrom: day.optional(),
    validThrough: day,
    subDepth: z.int().optional(),
    quorum: z.int().optional(),
    instance: z.string().optional(),
  }),
})

export function writePlan({ terms, texts, ...plan }: SigningPlan): string {
  const delegates = terms.delegates.map(({ ref, name }) => ({ document: documentOf(ref), name }))
  return JSON.stringify({
    ...plan,
    terms: { ...terms, delegates },
    texts: texts.map(({ code, words, pdf }) => ({ code, words, pdf: pdf.toString('base64') })),
  })
}

export function readPlan(text: string): SigningPlan {
  const { company, parentId, at, texts, terms } = stored.parse(JSON.parse(text))
  return {
    company,
    parentId,
    at,
    texts,
    terms: { ...terms, delegates: terms.delegates.map(({ document, name }) => ({ ref: document, name })) },
  }
}

function refuse(context: z.RefinementCtx): never {
  context.addIssue({ code: 'custom', message: 'unreadable' })
  return z.NEVER
}

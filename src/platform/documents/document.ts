import { z } from 'zod'

const text = z.string().max(20_000)

/** A part of a readable document, in the order in which it is read. */
const blockSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('heading'), text }),
  z.object({ kind: z.literal('text'), text, small: z.boolean().optional() }),
  z.object({ kind: z.literal('list'), items: z.array(text).max(200) }),
  /** What is known, by name: a name beside its value, a line each. */
  z.object({ kind: z.literal('facts'), facts: z.array(z.object({ name: text, value: text })).max(200) }),
  /** `numbers` names the columns that stand on the right. */
  z.object({
    kind: z.literal('table'),
    columns: z.array(text).min(1).max(12),
    rows: z.array(z.array(text)).max(10_000),
    numbers: z.array(z.int().nonnegative()).optional(),
  }),
  /** Codes to be kept on paper, large and evenly spaced, in two columns. */
  z.object({ kind: z.literal('codes'), codes: z.array(z.string().max(80)).max(40) }),
  /** Where a third person can check the document: the code in words, and its address as a QR code that is also a link. */
  z.object({ kind: z.literal('verification'), label: text, code: z.string().max(80), url: z.url() }),
  /** Lines to sign on, with what stands under each. */
  z.object({ kind: z.literal('signature-lines'), captions: z.array(text).min(1).max(4) }),
])
export type DocumentBlock = z.infer<typeof blockSchema>

export const documentSchema = z.object({
  title: text,
  language: z.enum(['pt-BR', 'en', 'es']),
  /** Stands at the top of every page: who issues it. */
  issuer: text,
  /** At the foot of every page, before the page's number. */
  foot: text.optional(),
  /** Time that the file says it was made at: the same document at the same time is the same file to the byte. */
  at: z.date(),
  blocks: z.array(blockSchema).max(500),
})

/** A readable document: what is said, not how it looks. */
export type ReadableDocument = z.infer<typeof documentSchema>

import { z } from 'zod'

/** What was found about images that hang on the wrong person. */
export const WRONG_FINDINGS = ['mixed-up', 'fraud'] as const

/** What a case asks for beyond what is captured; sealed with the case's facts. */
export const requestSchema = z.discriminatedUnion('kind', [
  /** Empty = the record shall have none. */
  z.object({ kind: z.literal('social-name'), socialName: z.string() }),
  z.object({ kind: z.literal('lost-phone'), passkeyIds: z.array(z.uuid()), totp: z.boolean(), phone: z.boolean() }),
  /** What the citizen knows as theirs of a blocked account's ways in; the rest goes. */
  z.object({
    kind: z.literal('kept-ways'), passkeyIds: z.array(z.uuid()), certificateIds: z.array(z.uuid()), contactIds: z.array(z.uuid()), totp: z.boolean(), recoveryCodes: z.boolean(),
    doubtedSince: z.iso.datetime(),
  }),
  z.object({ kind: z.literal('wrong-person'), imageIds: z.array(z.uuid()).min(1), finding: z.enum(WRONG_FINDINGS), note: z.string() }),
])
export type CaseRequest = z.infer<typeof requestSchema>
export type RequestKind = CaseRequest['kind']

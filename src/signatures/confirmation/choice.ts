import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Sql } from '../../platform/db.ts'
import { type EnvelopeCore, openText, sealText } from '../envelope/core.ts'
import type { Envelope } from '../envelope/envelope.ts'
import { findChoice, setChoice } from '../envelope/envelope.store.ts'

/** Where the stamp goes: one of nine places, or wherever it was dragged to, as the share of the free room left of it and above it. */
const stampPlace = z.object({
  page: z.union([z.literal('first'), z.literal('last'), z.int().min(1).max(2000)]),
  left: z.number().min(0).max(1),
  top: z.number().min(0).max(1),
})
export type StampPlace = z.output<typeof stampPlace>

/** In whose name somebody signs, and by which power of which mandate (`registro` where the company register permits). */
const inNameOf = z.object({ mandateId: z.string().max(36), party: z.string().max(40), power: z.string().max(200) })
export type InNameOf = z.output<typeof inNameOf>

const choiceSchema = z.object({
  stamp: stampPlace.optional(),
  as: inNameOf.optional(),
  /** A certificate that the signer keeps; without it one is made for this signature alone. */
  credentialId: z.uuid().optional(),
})
/** What a signer has decided before they confirm; without a stamp nothing is drawn. */
export type SigningChoice = z.output<typeof choiceSchema>

/** Bottom right of the last page, in one's own name. */
export const DEFAULT_CHOICE: SigningChoice = { stamp: { page: 'last', left: 1, top: 1 } }

/** Stands for what a page of confirmation shows: which bytes, as whom, with which stamp and certificate. Another choice, or another version, is another. */
export function shownAs({ documents }: Pick<Envelope, 'documents'>, { stamp, as, credentialId }: SigningChoice): string {
  const said = [stamp && [stamp.page, stamp.left, stamp.top], as && [as.mandateId, as.party, as.power], credentialId, documents.map(({ id, currentSha256 }) => [id, currentSha256])]
  return createHash('sha256').update(JSON.stringify(said)).digest('base64url')
}

export async function saveChoice(core: Pick<EnvelopeCore, 'platform'>, sql: Sql, signerId: string, choice: SigningChoice): Promise<void> {
  await setChoice(sql, signerId, sealText(core, JSON.stringify(choiceSchema.parse(choice)), signerId))
}

export async function readChoice(core: Pick<EnvelopeCore, 'platform'>, sql: Sql, signerId: string): Promise<SigningChoice | undefined> {
  const sealed = await findChoice(sql, signerId)
  if (!sealed) return undefined
  const parsed = choiceSchema.safeParse(JSON.parse(openText(core, sealed, signerId)))
  return parsed.success ? parsed.data : undefined
}

const planSchema = z.object({ at: z.iso.datetime().transform((text) => new Date(text)), choice: choiceSchema, codes: z.record(z.string(), z.string()) })
/** What an attempt prepared: with the same plan and the same documents the same bytes are prepared again. */
export type SigningPlan = z.output<typeof planSchema>

export const sealPlan = (core: Pick<EnvelopeCore, 'platform'>, plan: SigningPlan, attemptId: string): Buffer => sealText(core, JSON.stringify(plan), attemptId)
export const openPlan = (core: Pick<EnvelopeCore, 'platform'>, sealed: Buffer, attemptId: string): SigningPlan => planSchema.parse(JSON.parse(openText(core, sealed, attemptId)))

import { z } from 'zod'
import { documentSchema } from '../attendance/attendance.ts'
import { RECORD_FIELDS } from '../attendance/attendance.store.ts'

/** Why a second look says that an approval does not match; codes, with texts of the pages. */
export const DOUBTS = ['not-the-person', 'document-doubt', 'bad-picture', 'differences', 'other'] as const
export type Doubt = (typeof DOUBTS)[number]

/** `restored` = contradicted, and the review of that found nothing. */
export type SampleState = 'waiting' | 'matches' | 'contradicted' | 'restored'

/** What the approver compared and the image store does not keep. */
export const seenSchema = z.object({
  document: documentSchema.optional(),
  differences: z.array(z.object({ name: z.enum(RECORD_FIELDS), before: z.string(), now: z.string() })),
})
export type Seen = z.infer<typeof seenSchema>

/** Whether an approval is drawn: `roll` is one of 0 to 99, each as likely; a share of 100 draws all, 0 none. */
export function isDrawn(share: number, roll: number): boolean {
  return roll < share
}

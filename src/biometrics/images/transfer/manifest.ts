import { z } from 'zod'
import { CAPTURE_METHODS, IMAGE_KINDS } from '../image.ts'

const word = (most: number) => z.string().trim().min(1).max(most).regex(/^[^\0-\x1f\x7f]+$/)

const lineSchema = z
  .object({
    cpf: z.string().max(20),
    kind: z.enum(IMAGE_KINDS),
    file: z.string().min(1).max(1024),
    /** Hex; when given, the file must have it. */
    sha256: z.string().regex(/^[0-9a-f]{64}$/).optional(),
    slot: z.string().regex(/^[a-z0-9-]{1,40}$/).optional(),
    source: word(100).optional(),
    source_id: word(200).optional(),
    captured_at: z.iso.datetime({ offset: true }),
    capture_point: word(200).optional(),
    operator: word(200).optional(),
    device: word(200).optional(),
    method: z.enum(CAPTURE_METHODS).default('import'),
    in_person: z.boolean().default(false),
    trusted: z.boolean().default(false),
  })
  .strict()

/** One line of a manifest: an image, whose it is, and where it comes from. */
export type ManifestLine = z.infer<typeof lineSchema>

/** Longer ones are no lines of a manifest. */
export const LONGEST_LINE = 16 * 1024
const EARLIEST = Date.parse('1900-01-01T00:00:00Z')

/** The line, or `undefined` when it is not one; what it says is not quoted. */
export function parseManifestLine(text: string, now: Date): ManifestLine | undefined {
  if (text.length > LONGEST_LINE) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const parsed = lineSchema.safeParse(value)
  if (!parsed.success) return undefined
  const captured = Date.parse(parsed.data.captured_at)
  return captured >= EARLIEST && captured <= now.getTime() ? parsed.data : undefined
}

/** What a client may have signed with a lent key, and of which document each is. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { NotDer } from '../asn1/reader.ts'
import { digestOf } from '../activation/signed-attributes.ts'

const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array)

export const lentItem = z.discriminatedUnion('kind', [
  /** 32 bytes, to be signed as they are. */
  z.object({ kind: z.literal('hash'), digest: bytes }),
  /** Signed attributes (DER, SET OF) about a document with this very digest. */
  z.object({ kind: z.literal('attributes'), attributes: bytes }),
  /** Signed attributes about the update of a PDF: its first bytes are the document, `place` is what the signature goes into. */
  z.object({
    kind: z.literal('update'), attributes: bytes, file: bytes, documentBytes: z.int().min(1),
    place: z.object({ from: z.int().min(1), digits: z.int().min(2) }),
  }),
])
export type LentItem = z.infer<typeof lentItem>

/** What the key signs. */
export const signedPart = (item: LentItem): Uint8Array => (item.kind === 'hash' ? item.digest : item.attributes)

/** SHA-256 (hexadecimal) of the document that an item is about; `undefined` when it is about none. */
export function documentOf(item: LentItem): string | undefined {
  if (item.kind === 'hash') return item.digest.length === 32 ? Buffer.from(item.digest).toString('hex') : undefined
  const about = attributesDigest(item.attributes)
  if (item.kind === 'attributes') return about
  return about === digestAround(item) ? sha256(item.file.subarray(0, item.documentBytes)) : undefined
}

function attributesDigest(attributes: Uint8Array): string | undefined {
  try {
    return digestOf(Buffer.from(attributes), { kind: 'self' })
  } catch (error) {
    if (error instanceof NotDer) return undefined
    throw error
  }
}

const [OPEN, CLOSE] = [0x3c, 0x3e]

/** Of everything but the place, which lies behind the document, in its angle brackets. */
function digestAround({ file, documentBytes, place }: Extract<LentItem, { kind: 'update' }>): string | undefined {
  const [open, close] = [place.from - 1, place.from + place.digits]
  if (open < documentBytes || file[open] !== OPEN || file[close] !== CLOSE) return undefined
  return sha256(file.subarray(0, open), file.subarray(close + 1))
}

function sha256(...parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

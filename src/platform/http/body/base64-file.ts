import { createHash } from 'node:crypto'
import { z } from 'zod'

/** What a text in base64 says; its reader says how strict it is. */
export interface Base64File {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** SHA-256 of the bytes, hexadecimal. */
  readonly sha256: string
  /** Every letter counted: nothing was left out as no base64. */
  readonly isWhole: boolean
  /** The very text that the bytes are written as: standard alphabet, padded, no other spelling. */
  readonly isCanonical: boolean
  /** Of the text. */
  readonly characters: number
}

export function readBase64(text: string): Base64File {
  // Of its own memory, which can be given away.
  const bytes = new Uint8Array(Buffer.from(text, 'base64'))
  const view = Buffer.from(bytes.buffer)
  return {
    bytes,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    isWhole: bytes.length === Math.floor(((text.length - paddingOf(text)) * 3) / 4),
    isCanonical: view.toString('base64') === text,
    characters: text.length,
  }
}

const paddingOf = (text: string): number => (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0)

/**
 * A member that holds a file in base64, whether it was decoded where a large body was read or comes as text.
 *
 * Nothing that is parsed from JSON has bytes, so nobody can send the decoded form.
 */
export function base64File(longest: number) {
  return z
    .unknown()
    .check((context) => {
      const { value } = context
      const length = typeof value === 'string' ? value.length : isBase64File(value) ? value.characters : undefined
      if (length === undefined) context.issues.push({ code: 'invalid_type', expected: 'string', input: value })
      else if (length === 0) context.issues.push({ code: 'too_small', origin: 'string', minimum: 1, input: value })
      else if (length > longest) context.issues.push({ code: 'too_big', origin: 'string', maximum: longest, input: value })
    })
    .meta({ type: 'string', minLength: 1, maxLength: longest, contentEncoding: 'base64' })
    .transform((value): Base64File => (isBase64File(value) ? value : readBase64(String(value))))
}

export function isBase64File(value: unknown): value is Base64File {
  return typeof value === 'object' && value !== null && 'bytes' in value && value.bytes instanceof Uint8Array
}

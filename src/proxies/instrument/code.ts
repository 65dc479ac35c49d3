import { randomBytes } from 'node:crypto'

/** No letters that look like digits. */
const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const LENGTH = 16

/** A code of 80 random bits that can be read from paper: `7K2M-9QXT-…`. */
export function newCode(): string {
  const text = [...randomBytes(LENGTH)].map((byte) => LETTERS[byte % LETTERS.length]).join('')
  return text.replace(/(.{4})(?=.)/g, '$1-')
}

/** What was typed as the code that it means, or `undefined`: case, spaces and look-alikes do not matter. */
export function parseCode(text: string): string | undefined {
  const letters = text.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1')
  const isCode = letters.length === LENGTH && [...letters].every((letter) => LETTERS.includes(letter))
  return isCode ? letters.replace(/(.{4})(?=.)/g, '$1-') : undefined
}

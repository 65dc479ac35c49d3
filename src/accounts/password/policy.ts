import { wordsOfName } from '../identity/person-name.ts'

/** Bytes beyond which a password is refused before any work is spent on it. */
export const MAX_PASSWORD_BYTES = 1024

/** Why a new password cannot be used; each is a message key of the pages. */
export const PASSWORD_FAULTS = ['too-short', 'too-long', 'common', 'personal', 'guessable'] as const
export type PasswordFault = (typeof PASSWORD_FAULTS)[number]

/** Who the password is for: what an attacker would try first. */
export interface PasswordOwner {
  readonly cpf: string
  readonly names: readonly string[]
  readonly emails: readonly string[]
  readonly birthDate?: string | undefined
}

/** Words of this place that no password may rest on. */
const PLACE_WORDS = [
  'mtlogin', 'mt login', 'mt-login', 'matogrosso', 'mato grosso', 'mato-grosso', 'cuiaba', 'cuiabá', 'pantanal', 'ganhatempo', 'govbr', 'gov.br',
  'mtcidadao', 'cidadao', 'cidadã', 'senha', 'minhasenha', 'mudar', 'acesso', 'entrar',
]

/** True when it may be hashed at all. */
export function isHashable(password: string): boolean {
  return Buffer.byteLength(password.normalize('NFC')) <= MAX_PASSWORD_BYTES
}

/**
 * The faults that need no dictionary: length, and the owner's own data.
 *
 * No composition rules (NIST SP 800-63B-4 §3.1.1.2). Length counts code points after NFC.
 */
export function findSimpleFault(password: string, owner: PasswordOwner, minLength: number): PasswordFault | undefined {
  const text = password.normalize('NFC')
  if (!isHashable(text)) return 'too-long'
  if ([...text].length < minLength) return 'too-short'
  return isPersonal(text, owner) ? 'personal' : undefined
}

/** Words that count as known to the attacker when strength is estimated. */
export function badWords(owner: PasswordOwner): string[] {
  const names = owner.names.flatMap((name) => [...wordsOfName(name), name.toLowerCase()])
  const mails = owner.emails.flatMap((email) => [email, email.slice(0, email.lastIndexOf('@')), ...email.split(/[@.+_-]/)])
  const words = [...PLACE_WORDS, ...names, ...mails.map((word) => word.toLowerCase()), owner.cpf, ...datesOf(owner.birthDate)]
  return [...new Set(words.filter((word) => word.length >= 2))]
}

/** The CPF (or its nine first digits), an address, or nothing but names and the place's words. */
function isPersonal(text: string, owner: PasswordOwner): boolean {
  const folded = fold(text)
  if (folded.replace(/\D/g, '').includes(owner.cpf.slice(0, 9))) return true
  if (owner.emails.some((email) => folded.includes(fold(email)))) return true
  const words = badWords(owner).map(fold).filter((word) => word.length >= 3).sort((left, right) => right.length - left.length)
  const rest = words.reduce((remaining, word) => remaining.replaceAll(word, ''), folded)
  return rest !== folded && rest.replace(/[^\p{L}\p{N}]/gu, '').length < 3
}

function datesOf(birthDate: string | undefined): string[] {
  const [year, month, day] = birthDate?.split('-') ?? []
  if (year === undefined || month === undefined || day === undefined) return []
  return [day + month + year, day + month + year.slice(2), year + month + day, year]
}

function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
}

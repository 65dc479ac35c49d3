import type { Citizen } from '../account.ts'
import type { PasswordOwner } from './policy.ts'

/** What a password of this citizen must not rest on. */
export function ownerOf({ cpf, name, socialName, email, birthDate }: Citizen): PasswordOwner {
  return { cpf, names: [name, ...(socialName === undefined ? [] : [socialName])], emails: email === undefined ? [] : [email], birthDate }
}

import { type BirthDate, parseBirthDate } from '../identity/birth-date.ts'
import { type Cpf, parseCpf } from '../identity/cpf.ts'
import { type EmailAddress, parseEmailAddress } from '../identity/email-address.ts'
import { parsePersonName } from '../identity/person-name.ts'

/** What a citizen types to register. */
export interface RegistrationForm {
  readonly cpf: string
  readonly name: string
  readonly birthDate: string
  readonly email: string
  readonly password: string
}

export type RegistrationField = keyof RegistrationForm

/** A field that cannot be accepted, and why; `code` is a message key of the pages. */
export interface FieldFault {
  readonly field: RegistrationField
  readonly code: 'invalid' | 'too-short' | 'too-long' | 'common' | 'personal' | 'guessable'
}

export interface ParsedForm {
  readonly cpf: Cpf
  readonly name: string
  readonly birthDate: BirthDate
  readonly email: EmailAddress
}

/** The form as domain values, or every field that is none. */
export function parseForm(form: RegistrationForm, now: Date): ParsedForm | FieldFault[] {
  const cpf = parseCpf(form.cpf)
  const name = parsePersonName(form.name)
  const birthDate = parseBirthDate(form.birthDate, now)
  const email = parseEmailAddress(form.email)
  if (cpf !== undefined && name !== undefined && birthDate !== undefined && email !== undefined) return { cpf, name, birthDate, email }
  const faults = Object.entries({ cpf, name, birthDate, email }).filter(([, value]) => value === undefined)
  return faults.map(([field]) => ({ field: fieldNamed(field), code: 'invalid' }))
}

function fieldNamed(name: string): RegistrationField {
  return name === 'cpf' || name === 'name' || name === 'birthDate' ? name : 'email'
}

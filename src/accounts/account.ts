import type { Locale } from '../platform/http/locale.ts'
import type { Sensitive } from '../platform/sensitive.ts'
import type { BirthDate } from './identity/birth-date.ts'
import type { Cpf } from './identity/cpf.ts'
import type { EmailAddress } from './identity/email-address.ts'
import type { MobilePhone } from './identity/mobile-phone.ts'

declare const accountIdBrand: unique symbol
declare const personIdBrand: unique symbol

/** Id of an account: a UUID, never shown to relying parties as it is when they are pairwise. */
export type AccountId = string & { readonly [accountIdBrand]: true }
/** Id of the person behind an account; images and evidence hang on it. */
export type PersonId = string & { readonly [personIdBrand]: true }

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** The id in a text that came from outside, or `undefined`. */
export function parseAccountId(text: string): AccountId | undefined {
  return UUID.test(text) ? (text as AccountId) : undefined
}

/** The id in a text that came from outside, or `undefined`. */
export function parsePersonId(text: string): PersonId | undefined {
  return UUID.test(text) ? (text as PersonId) : undefined
}

export const ACCOUNT_STATUSES = ['active', 'suspended', 'closed'] as const
export type AccountStatus = (typeof ACCOUNT_STATUSES)[number]

/** Who the account's owner is; wrapped, so that a logged account shows nothing of it. */
export interface Citizen {
  readonly cpf: Cpf
  readonly name: string
  readonly socialName: string | undefined
  readonly birthDate: BirthDate
  /** Confirmed primary address. */
  readonly email: EmailAddress | undefined
  /** Confirmed primary number. */
  readonly phone: MobilePhone | undefined
}

/** One citizen's account. */
export interface Account {
  readonly id: AccountId
  readonly personId: PersonId
  readonly status: AccountStatus
  readonly statusReason: string | undefined
  readonly citizen: Sensitive<Citizen>
  readonly locale: Locale
  /** Staff roles; empty for citizens. */
  readonly roles: readonly string[]
  readonly passwordChangedAt: Date | undefined
  /** Last recovery; sensitive changes wait for 24 hours after it. */
  readonly recoveredAt: Date | undefined
  readonly createdAt: Date
}

/** The name that pages greet with: the social name where there is one (Decreto 8.727/2016). */
export function displayName(citizen: Citizen): string {
  return citizen.socialName ?? citizen.name
}

/** Ways to prove a second factor that an account has. */
export const SECOND_FACTORS = ['passkey', 'certificate', 'totp', 'recovery-code'] as const
export type SecondFactor = (typeof SECOND_FACTORS)[number]

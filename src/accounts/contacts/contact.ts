import { type EmailAddress, maskEmailAddress, parseEmailAddress } from '../identity/email-address.ts'
import { type MobilePhone, maskMobilePhone, parseMobilePhone } from '../identity/mobile-phone.ts'

export type ContactKind = 'email' | 'phone'

/** An address as typed, parsed by its kind. */
export type Address = { readonly kind: 'email'; readonly value: EmailAddress } | { readonly kind: 'phone'; readonly value: MobilePhone }

/** A confirmed address of an account, or one that it had. */
export interface Contact {
  readonly id: string
  readonly kind: ContactKind
  readonly value: string
  readonly isPrimary: boolean
  readonly verifiedAt: Date | undefined
  readonly createdAt: Date
  /** Set for an address that was replaced or removed; kept as history. */
  readonly removedAt: Date | undefined
}

/** The address in a typed text, or `undefined`. */
export function parseAddress(kind: ContactKind, text: string): Address | undefined {
  if (kind === 'email') {
    const value = parseEmailAddress(text)
    return value && { kind, value }
  }
  const value = parseMobilePhone(text)
  return value && { kind, value }
}

/** Enough of an address for its owner to know it. */
export function maskAddress(address: Address): string {
  return address.kind === 'email' ? maskEmailAddress(address.value) : maskMobilePhone(address.value)
}

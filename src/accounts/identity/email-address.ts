import { domainToASCII } from 'node:url'

declare const emailBrand: unique symbol

/** A mail address in one spelling: lower case, domain in ASCII. */
export type EmailAddress = string & { readonly [emailBrand]: true }

/**
 * The address in a text, in one spelling, or `undefined` when mail could not be sent to it.
 *
 * No quoted local parts, no comments, no address literals: real citizens have none, and they are how header injection starts.
 * Upper and lower case of the local part are taken as equal, as every large provider does.
 */
export function parseEmailAddress(text: string): EmailAddress | undefined {
  const trimmed = text.normalize('NFC').trim().toLowerCase()
  const at = trimmed.lastIndexOf('@')
  const local = trimmed.slice(0, at)
  const domain = domainToASCII(trimmed.slice(at + 1))
  if (at < 1 || local.length > 64 || local.length + domain.length > 253) return undefined
  if (!/^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/.test(local)) return undefined
  if (!/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/.test(domain)) return undefined
  return `${local}@${domain}` as EmailAddress
}

/** `ma***@example.com`: enough for its owner to know it. */
export function maskEmailAddress(address: EmailAddress): string {
  const at = address.lastIndexOf('@')
  return `${address.slice(0, at > 3 ? 2 : 1)}***${address.slice(at)}`
}

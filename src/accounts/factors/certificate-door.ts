import type { AccountId } from '../account.ts'
import type { Cpf } from '../identity/cpf.ts'

/** What a certificate is asked for. A ticket is good for that alone. */
export const CERTIFICATE_USES = ['enrol', 'sign-in', 'factor', 'recovery'] as const
export type CertificateUse = (typeof CERTIFICATE_USES)[number]

/** Who asks for a certificate, in which browser. */
export interface CertificateAsker {
  readonly use: CertificateUse
  /** What ties the ticket to this browser: an interaction's id, a recovery's binding, a session. */
  readonly binding: string
  /** Unknown only at a sign-in that begins with the certificate. */
  readonly accountId: AccountId | undefined
}

/** An ICP-Brasil certificate whose key a browser has just proved to hold. */
export interface ShownCertificate {
  readonly cpf: Cpf
  readonly fingerprint: Buffer
  readonly issuer: string
  readonly inHardware: boolean
  readonly notAfter: Date
  /** Whether it names the person of this civil name. */
  isNamed(civilName: string): boolean
}

/** Why a certificate opens nothing; the page says what to do. `strange` = it is no way in to this account. */
export type CertificateRefusal =
  | 'unreadable' | 'unknown-issuer' | 'not-in-time' | 'not-a-person' | 'purpose' | 'another-person' | 'another-name' | 'revoked' | 'unchecked' | 'over' | 'strange' | 'taken' | 'software'

export type ReadCertificate = { readonly kind: 'read'; readonly certificate: ShownCertificate } | { readonly kind: 'refused'; readonly why: CertificateRefusal }

/** The host that asks browsers for an ICP-Brasil certificate; supplied by the room that judges certificates. */
export interface CertificateDoor {
  /** Its address; undefined where there is none, or no authority is trusted. */
  host(): Promise<string | undefined>
  /** Where to send the browser; it comes back to `page` + `/retorno?bilhete=…`. Undefined when this was asked too often. */
  begin(asker: CertificateAsker, page: string): Promise<string | undefined>
  /**
   * Burns the ticket, whoever brings it, and judges what lies behind: chain, time, purpose, holder, and then revocation.
   *
   * Its issuer is asked only when `fault` finds none: nobody learns of a stranger's certificate from us.
   */
  read(ticket: string, asker: CertificateAsker | undefined, fault: (certificate: ShownCertificate) => Promise<CertificateRefusal | undefined>): Promise<ReadCertificate>
}

/** Where no host asks for certificates. */
export const CLOSED_DOOR: CertificateDoor = {
  host: async () => undefined,
  begin: async () => undefined,
  read: async () => ({ kind: 'refused', why: 'over' }),
}

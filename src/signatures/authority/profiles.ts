import { OID, POLICY_OID } from '../asn1/oids.ts'

/** Bits of KeyUsage by their place (RFC 5280, 4.2.1.3). */
export const KEY_USAGE = { digitalSignature: 0, nonRepudiation: 1, keyCertSign: 5, cRLSign: 6 } as const

/** What certificates of one kind say, beside names, key and times. */
export interface Profile {
  /** Of a certificate authority: how many may stand below it. */
  readonly pathLength?: number
  readonly usage: readonly (keyof typeof KEY_USAGE)[]
  readonly purposes?: { readonly critical: boolean; readonly oids: readonly string[] }
  /** Absent for what must not name a policy. */
  readonly policy?: string
  /** A responder's certificate is not asked about: whoever asks would go round in circles (RFC 6960, 4.2.2.2.1). */
  readonly noCheck?: true
  readonly days: number
  /** Days before its end in which a new one takes over. */
  readonly renewDays: number
}

const YEAR = 365

const PERSON = { usage: ['digitalSignature', 'nonRepudiation'], purposes: { critical: false, oids: [OID.emailProtection, OID.documentSigning] } } as const

/** Every kind that the authority issues. */
export const PROFILES = {
  root: { usage: ['keyCertSign', 'cRLSign'], days: 20 * YEAR, renewDays: 0 },
  issuing: { pathLength: 0, usage: ['keyCertSign', 'cRLSign'], policy: POLICY_OID.certificates, days: 10 * YEAR, renewDays: 0 },
  ocsp: { usage: ['digitalSignature'], purposes: { critical: false, oids: [OID.ocspSigning] }, noCheck: true, days: 60, renewDays: 20 },
  tsa: {
    usage: ['digitalSignature', 'nonRepudiation'], purposes: { critical: true, oids: [OID.timeStamping] }, policy: POLICY_OID.certificates, days: 5 * YEAR,
    renewDays: 2 * YEAR,
  },
  seal: {
    usage: ['digitalSignature', 'nonRepudiation'], purposes: { critical: false, oids: [OID.emailProtection, OID.documentSigning] },
    policy: POLICY_OID.certificates, days: 2 * YEAR, renewDays: 60,
  },
  citizen: { ...PERSON, policy: POLICY_OID.citizens, days: YEAR, renewDays: 30 },
  /** One hour, for one confirmation; its key is never kept. */
  'citizen-one-shot': { ...PERSON, policy: POLICY_OID.oneShot, days: 1 / 24, renewDays: 0 },
  representative: { ...PERSON, policy: POLICY_OID.representatives, days: YEAR, renewDays: 30 },
  servant: { ...PERSON, policy: POLICY_OID.servants, days: YEAR, renewDays: 30 },
} as const satisfies Record<string, Profile>

export type ProfileName = keyof typeof PROFILES

/** The certificates that the server itself works with; each has a key of its own. */
export const SERVICES = ['ocsp', 'tsa', 'seal'] as const
export type Service = (typeof SERVICES)[number]

/** Certificates of people. */
export const PEOPLE = ['citizen', 'citizen-one-shot', 'representative', 'servant'] as const satisfies readonly ProfileName[]
export type PersonProfile = (typeof PEOPLE)[number]

import type { ProblemKind } from '../platform/problem.ts'

/** Refusals of the certificate authority and of what works with it. */
export const SIGNATURE_PROBLEMS = {
  noAuthority: { code: 'signatures/no-authority', status: 503, title: 'There is no certificate authority here yet' },
  authorityExists: { code: 'signatures/authority-exists', status: 409, title: 'There is a certificate authority already' },
  authorityUnfit: { code: 'signatures/authority-unfit', status: 422, title: 'The certificates are not those of this request' },
  certificateUnknown: { code: 'signatures/certificate-unknown', status: 404, title: 'This authority issued no such certificate' },
  certificateRevoked: { code: 'signatures/certificate-revoked', status: 409, title: 'The certificate is revoked already' },
  notSignable: { code: 'signatures/not-signable', status: 422, title: 'This PDF cannot be signed' },
  notVerifiable: { code: 'signatures/not-verifiable', status: 422, title: 'This file cannot be judged' },
  clockBehind: { code: 'signatures/clock-behind', status: 503, title: 'The clock went back; nothing is stamped until it is right' },
  activationOver: { code: 'signatures/activation-over', status: 410, title: 'This confirmation was used, has expired, or never was' },
  activationUnproven: { code: 'signatures/activation-unproven', status: 403, title: 'The confirmation is not for these documents' },
  tooManyActivations: { code: 'signatures/too-many-activations', status: 429, title: 'Too many confirmations were begun' },
  notEntitled: { code: 'signatures/not-entitled', status: 403, title: 'This account may not sign now' },
  mandateRefused: { code: 'signatures/mandate-refused', status: 403, title: 'Nobody may sign for this party by this power now' },
  notTheDocuments: { code: 'signatures/not-the-documents', status: 422, title: 'That is not what was confirmed' },
  credentialUnknown: { code: 'signatures/credential-unknown', status: 404, title: 'There is no such certificate in this account' },
  credentialUnusable: { code: 'signatures/credential-unusable', status: 409, title: 'The certificate cannot be used now' },
  wrongSigningPassword: { code: 'signatures/wrong-signing-password', status: 403, title: 'The password for signing is another' },
  weakSigningPassword: { code: 'signatures/weak-signing-password', status: 422, title: 'The password for signing is too easy to find' },
  tooManyCertificates: { code: 'signatures/too-many-certificates', status: 409, title: 'The account has as many certificates as it may' },
} as const satisfies Record<string, ProblemKind>

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
} as const satisfies Record<string, ProblemKind>

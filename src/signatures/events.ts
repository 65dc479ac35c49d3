import { z } from 'zod'
import { defineEvents } from '../audit/index.ts'
import { CERTIFICATE_FAULTS } from './icp/judge.ts'
import { TRUST_LEVELS } from './verification/trust.store.ts'
import { END_CAUSES, HOLD_CAUSES } from './credentials/credential.ts'
import { REVOCATION_REASONS, type RevocationReason } from './authority/crl.ts'

const REASONS = Object.keys(REVOCATION_REASONS) as [RevocationReason, ...RevocationReason[]]
const credential = { credentialId: z.uuid(), serial: z.string() }
const authority = { authorityId: z.uuid() }
const envelope = { envelopeId: z.uuid() }
const attempt = { ...envelope, attemptId: z.uuid() }

/** What the authority did; stored as JSON, so names and shapes only ever grow. */
export const signatureEvents = defineEvents({
  'signatures/authority-requested': z.object({ ...authority, keyId: z.uuid() }),
  'signatures/authority-installed': z.object({ ...authority, rootSha256: z.string(), demo: z.boolean() }),
  'signatures/root-list-installed': z.object({ ...authority, number: z.string() }),
  'signatures/root-trusted': z.object({ rootSha256: z.string(), level: z.enum(TRUST_LEVELS) }),
  'signatures/root-distrusted': z.object({ rootSha256: z.string() }),
  'signatures/certificate-issued': z.object({ ...authority, serial: z.string(), profile: z.string() }),
  'signatures/certificate-revoked': z.object({ ...authority, serial: z.string(), reason: z.enum(REASONS) }),
  'signatures/document-sealed': z.object({ serial: z.string(), digest: z.string() }),
  'signatures/person-certified': z.object({ ...authority, serial: z.string(), profile: z.string() }),
  'signatures/activation-used': z.object({ activationId: z.uuid(), credential: z.enum(['one-shot', 'kept', 'new']), documents: z.int() }),
  'signatures/signed': z.object({
    activationId: z.uuid(), serial: z.string(), digests: z.array(z.string()), mandateId: z.string().optional(), power: z.string().optional(),
  }),
  /** A client may list them for an hour. */
  'signatures/certificates-shown': z.object({ askId: z.uuid() }),
  'signatures/credential-issued': z.object({ ...credential, replaces: z.uuid().optional() }),
  /** Under the credential's own id: wrong passwords ever, and how many of them count no more. */
  'signatures/wrong-password': z.object({ total: z.int() }),
  'signatures/tries-cleared': z.object({ total: z.int(), seal: z.string() }),
  'signatures/credential-suspended': z.object({ ...credential, cause: z.enum(HOLD_CAUSES) }),
  'signatures/credential-resumed': z.object(credential),
  'signatures/credential-revoked': z.object({ ...credential, reason: z.enum(REASONS), cause: z.enum(END_CAUSES) }),
  'signatures/envelope-sent': z.object({ ...envelope, documents: z.int(), signers: z.int() }),
  'signatures/signer-invited': z.object(envelope),
  'signatures/envelope-refused': z.object(envelope),
  'signatures/envelope-cancelled': z.object(envelope),
  'signatures/envelope-expired': z.object(envelope),
  /** The key is about to be used; what becomes of it is one of the next three. */
  'signatures/signing-begun': z.object({ ...attempt, activationId: z.string() }),
  'signatures/documents-signed': z.object({ ...attempt, serial: z.string(), level: z.string(), documents: z.array(z.string()).max(100), mandateId: z.uuid().optional(), withoutTime: z.literal(true).optional() }),
  'signatures/signing-failed': z.object({ ...attempt, why: z.string() }),
  /** The process was killed with the key in hand: nothing was delivered. */
  'signatures/signing-lost': z.object(attempt),
  /** A signature that was made while no time-stamp could be had has one now. */
  'signatures/time-added': z.object({ ...envelope, signatures: z.array(z.uuid()).max(100), sha256: z.string().optional() }),
  /** It will have none. */
  'signatures/time-given-up': z.object({ ...envelope, signatures: z.array(z.uuid()).max(200), why: z.string() }),
  'signatures/documents-erased': z.object({ ...envelope, documents: z.int() }),
  'signatures/icp-accepted': z.object({ certificateId: z.uuid(), evidenceId: z.uuid() }),
  'signatures/icp-refused': z.object({ why: z.enum(CERTIFICATE_FAULTS) }),
  'signatures/icp-ended': z.object({ certificateId: z.uuid(), why: z.string() }),
  'signatures/time-stamped': z.object({ serial: z.string() }),
})

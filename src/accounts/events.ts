import { z } from 'zod'
import { defineEvents } from '../audit/index.ts'
import { WAYS_PLACES } from './ways/places.ts'

/** Keyed hash of the network that a request came from: tells two apart, names none. */
const origin = z.string()
const method = z.enum(['email', 'recovery-code', 'face'])

/** What the accounts room writes into the audit record; stored as JSON, so names and shapes only ever grow. */
export const accountsEvents = defineEvents({
  'accounts/registered': z.object({ contactId: z.uuid(), reopened: z.boolean() }),
  'accounts/registration-repeated': z.object({ origin }),
  'accounts/signed-in': z.object({
    sessionId: z.string(), amr: z.array(z.string()), deviceId: z.uuid(), newDevice: z.boolean(), origin,
  }),
  'accounts/sign-in-refused': z.object({
    reason: z.enum(['unknown', 'password', 'closed', 'suspended', 'totp', 'recovery-code', 'passkey', 'certificate']), origin,
    /** This was the last attempt before a wait. */
    locked: z.boolean(),
  }),
  'accounts/factor-added-to-session': z.object({ sessionId: z.string(), amr: z.array(z.string()) }),
  'accounts/password-changed': z.object({ origin }),
  'accounts/totp-enabled': z.object({ factorId: z.uuid() }),
  'accounts/totp-removed': z.object({ factorId: z.uuid() }),
  'accounts/passkey-added': z.object({ passkeyId: z.uuid() }),
  'accounts/passkey-removed': z.object({ passkeyId: z.uuid() }),
  'accounts/passkey-suspect': z.object({ passkeyId: z.uuid() }),
  'accounts/certificate-added': z.object({ certificateId: z.uuid() }),
  'accounts/certificate-removed': z.object({ certificateId: z.uuid() }),
  'accounts/certificate-revoked': z.object({ certificateId: z.uuid() }),
  'accounts/recovery-codes-made': z.object({ count: z.int() }),
  'accounts/recovery-code-used': z.object({ left: z.int() }),
  'accounts/contact-added': z.object({ contactId: z.uuid(), kind: z.enum(['email', 'phone']) }),
  'accounts/contact-removed': z.object({ contactId: z.uuid(), kind: z.enum(['email', 'phone']) }),
  'accounts/device-removed': z.object({ deviceId: z.uuid() }),
  'accounts/session-ended': z.object({ sessionId: z.string(), reason: z.string() }),
  'accounts/recovery-started': z.object({ method, origin }),
  'accounts/recovery-refused': z.object({ method, origin }),
  'accounts/recovery-proved': z.object({ method: z.enum(['email', 'recovery-code', 'face', 'second-factor']) }),
  'accounts/recovered': z.object({ method, origin }),
  'accounts/suspended': z.object({ reason: z.string() }),
  'accounts/resumed': z.object({ reason: z.string() }),
  /** By two people of the counter: what a lost device held. */
  'accounts/ways-lost': z.object({ passkeys: z.int(), totp: z.boolean(), mobile: z.boolean() }),
  /** By the person's face at a counter: an account was made, or emptied of its ways in, to get one new one. */
  'accounts/counter-access': z.object({ created: z.boolean(), sessionId: z.string() }),
  'accounts/kiosk-entered': z.object({ sessionId: z.string() }),
  /** How many ways in went that the owner did not know as theirs. */
  'accounts/unblocked': z.object({ removed: z.object({ passkeys: z.int(), certificates: z.int(), contacts: z.int(), totp: z.boolean() }).optional() }),
  'accounts/death-noted': z.object({}),
  'accounts/death-withdrawn': z.object({}),
  /** Under a number's own subject, apart from the account's ledger: how often its ways in were sealed. */
  'accounts/ways-sealed': z.object({ version: z.int() }),
  /** Somebody changed what opens the account elsewhere than here. */
  'accounts/ways-broken': z.object({ place: z.enum(WAYS_PLACES) }),
  /** Once in the life of a database: accounts from before seals got theirs. */
  'accounts/ways-first-sealed': z.object({ count: z.int() }),
  'accounts/closed': z.object({ reason: z.string() }),
})

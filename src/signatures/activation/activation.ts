/** What a citizen agreed to sign, and the one number that stands for all of it. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { generalizedTime, int, octets, seq, utf8 } from '../asn1/der.ts'
import { REPRESENTED_KINDS } from '../cms/representation.ts'

/** How long a citizen's will may wait for its proof (EN 419 241-1 SCAL2; issue: five minutes). */
export const ACTIVATION_SECONDS = 300
/** As many as the federal service allows in one confirmation. */
export const MOST_DOCUMENTS = 100

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)

/**
 * One document of a confirmation, in the order that was shown.
 *
 * `sha256` is of the exact bytes that the citizen saw, `digest` what the signature is made over: for `cades` the same, for `pades` the
 * digest of the prepared file around its place, for `hash` 32 bytes that a client hands in, to be signed as they are.
 */
export const activationDocument = z.strictObject({
  name: z.string().min(1).max(300),
  form: z.enum(['pades', 'cades', 'hash']),
  sha256,
  digest: sha256,
})
export type ActivationDocument = z.infer<typeof activationDocument>

/** As whom somebody signs: themself, or a party that a mandate lets them represent. */
export const signatory = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('self') }),
  z.strictObject({
    kind: z.literal('representative'),
    /** The mandate that permits, or an agency's permission to its servant; `registro` where the company register does. */
    mandateId: z.string().regex(/^(registro|[0-9a-f-]{36})$/),
    /** As everybody reads it in the signature: a CNPJ, a CPF with its ends covered, or an agency's code. */
    represented: z.strictObject({ kind: z.enum(REPRESENTED_KINDS), name: z.string().min(1).max(200), identifier: z.string().min(1).max(32) }),
    /** In the mandate's words, or a servant's post. */
    role: z.string().min(1).max(200),
    /** What the decision is asked: the party's whole document and the power, `namespace:code`. Neither is told in the signature. */
    party: z.string().min(1).max(40),
    power: z.string().min(1).max(200),
  }),
])
export type Signatory = z.infer<typeof signatory>
export type Represented = Extract<Signatory, { kind: 'representative' }>

/** As pages and papers say it: an agency's servant by the post in it, anybody else by their number. */
export function shownParty({ represented, role }: Represented): Represented['represented'] {
  return represented.kind === 'organisation' ? { ...represented, identifier: role } : represented
}

/** A key made for this confirmation alone, one that the citizen keeps here, or a new one to keep (then there are no documents). */
export const credentialChoice = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('one-shot') }),
  z.strictObject({ kind: z.literal('kept'), credentialId: z.uuid() }),
  z.strictObject({ kind: z.literal('new'), credentialId: z.uuid(), replaces: z.uuid().optional() }),
])
export type CredentialChoice = z.infer<typeof credentialChoice>

export const activationContent = z.strictObject({
  signatory,
  credential: credentialChoice,
  documents: z.array(activationDocument).max(MOST_DOCUMENTS),
  /** Signatures under documents that only the client shows, as the federal service has them; then there are no documents here. */
  open: z.strictObject({ count: z.number().int().min(1).max(MOST_DOCUMENTS) }).optional(),
}).refine(({ credential, documents, open }) => [credential.kind === 'new', documents.length > 0, open !== undefined].filter(Boolean).length === 1, 'documents, or a new key, or open signatures')
export type ActivationContent = z.infer<typeof activationContent>

export interface Activation extends ActivationContent {
  readonly id: string
  readonly accountId: string
  /** The client that asks for the signature; absent for our own pages. */
  readonly clientId: string | undefined
  readonly createdAt: Date
  readonly expiresAt: Date
}

/** SHA-256 over everything that the citizen agreed to: another word, hash, order, person, key or time is another digest. */
export function bindingDigest({ id, accountId, clientId, signatory: who, credential, documents, open, createdAt, expiresAt }: Activation): Buffer {
  const encoded = seq(
    utf8('mt-login signature activation 1'),
    utf8(id),
    utf8(accountId),
    utf8(clientId ?? ''),
    seq(generalizedTime(createdAt), int(createdAt.getUTCMilliseconds()), generalizedTime(expiresAt), int(expiresAt.getUTCMilliseconds())),
    seq(utf8(who.kind), ...(who.kind === 'self' ? [] : representativeTexts(who).map(utf8))),
    seq(utf8(credential.kind), ...credentialIds(credential).map(utf8)),
    seq(...documents.map(({ name, form, sha256: seen, digest }) => seq(utf8(name), utf8(form), octets(Buffer.from(seen, 'hex')), octets(Buffer.from(digest, 'hex'))))),
    ...(open ? [int(open.count)] : []),
  )
  return createHash('sha256').update(encoded).digest()
}

function representativeTexts({ mandateId, represented, role, party, power }: Represented): string[] {
  return [mandateId, represented.kind, represented.name, represented.identifier, role, party, power]
}

function credentialIds(credential: CredentialChoice): string[] {
  if (credential.kind === 'one-shot') return []
  return credential.kind === 'kept' ? [credential.credentialId] : [credential.credentialId, credential.replaces ?? '']
}

/** The digest as the `nonce` of the authorization request whose id_token will prove the citizen's will. */
export function nonceOf(activation: Activation): string {
  return bindingDigest(activation).toString('base64url')
}

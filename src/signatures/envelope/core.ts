import type { Account, Accounts, Cpf } from '../../accounts/index.ts'
import type { Audit } from '../../audit/index.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Database, Sql } from '../../platform/db.ts'
import type { Keyring } from '../../platform/keyring.ts'
import { Problem } from '../../platform/problem.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import type { DocumentForm, Envelope, EnvelopeDocument, PadesLevel, Person, Signer } from './envelope.ts'
import { findEnvelope, type StoredDocument, type StoredSigner, type StoredWhole } from './envelope.store.ts'
import type { NotifySigner } from './notices.ts'

/** Looks into a file before it is taken. @throws {Problem} signatures/not-signable */
export type InspectPdf = (pdf: Uint8Array) => Promise<{ pages: number }>

/** What every part of the signing of documents is built over. */
export interface EnvelopeCore {
  readonly platform: { readonly db: Database; readonly clock: Clock; readonly keyring: Keyring }
  readonly audit: Pick<Audit, 'record'>
  readonly accounts: Pick<Accounts, 'find' | 'findByCpf'>
  readonly inspect: InspectPdf
  readonly ports: EnvelopePorts
}

/** What the operator decided. */
export interface SigningPolicy {
  /** While no time-stamp can be had: nothing is signed, or it is signed and stamped later. */
  readonly withoutTime: 'refuse' | 'queue'
  /** How long signatures under PDFs may be made to last; the first one unless somebody chose. */
  readonly levels: readonly PadesLevel[]
}

/** What `app.ts` hands in. */
export interface EnvelopePorts {
  readonly notify: NotifySigner
  readonly policy: SigningPolicy
  /** Runs `tellSigners` of this envelope soon after the transaction. */
  readonly queueTelling: (tx: Sql, envelopeId: string) => Promise<void>
}

export const cpfHashOf = ({ platform: { keyring } }: Pick<EnvelopeCore, 'platform'>, cpf: Cpf): Buffer => keyring.hash(cpf, 'signing-signer')

/** Texts of a row, sealed for that row alone. */
export function sealText({ platform: { keyring } }: Pick<EnvelopeCore, 'platform'>, text: string, rowId: string): Buffer {
  return keyring.seal(text, `signing:${rowId}`)
}

export function openText({ platform: { keyring } }: Pick<EnvelopeCore, 'platform'>, sealed: Buffer, rowId: string): string {
  return keyring.open(sealed, `signing:${rowId}`).toString('utf8')
}

export function toEnvelope(core: Pick<EnvelopeCore, 'platform'>, { envelope: row, documents, signers }: StoredWhole): Envelope {
  return {
    id: row.id, ownerId: row.owner_id ?? undefined, clientId: row.client_id ?? undefined, returnTo: row.return_to ?? undefined,
    clientState: row.client_state ?? undefined, state: row.state, order: row.signing_order, level: row.level,
    createdAt: row.created_at, sentAt: row.sent_at ?? undefined, expiresAt: row.expires_at, endedAt: row.ended_at ?? undefined,
    contentsUntil: row.contents_until, contentsGoneAt: row.contents_gone_at ?? undefined,
    documents: documents.map((one) => toDocument(core, one)), signers: signers.map((one) => toSigner(core, one)),
  }
}

function toDocument(core: Pick<EnvelopeCore, 'platform'>, row: StoredDocument): EnvelopeDocument {
  return {
    id: row.id, position: row.position, name: openText(core, row.name, row.id), form: row.form, pages: row.pages ?? undefined, size: row.size,
    sha256: row.sha256.toString('hex'), currentSha256: row.current_sha256.toString('hex'), version: row.version,
  }
}

function toSigner(core: Pick<EnvelopeCore, 'platform'>, row: StoredSigner): Signer {
  return {
    // Sealed by us after it was parsed.
    id: row.id, position: row.position, cpf: openText(core, row.cpf, row.id) as Cpf, name: openText(core, row.name, row.id), state: row.state,
    toldAt: row.told_at ?? undefined, remindedAt: row.reminded_at ?? undefined, decidedAt: row.decided_at ?? undefined,
    reason: row.reason ? openText(core, row.reason, row.id) : undefined,
  }
}

/** Whether somebody may see an envelope: its owner always, its signers once it was sent. */
export function canSee(envelope: Envelope, { accountId, cpf }: Pick<Person, 'accountId' | 'cpf'>): boolean {
  return envelope.ownerId === accountId || (envelope.state !== 'draft' && envelope.sentAt !== undefined && envelope.signers.some((signer) => signer.cpf === cpf))
}

/** Who asks for an envelope: a citizen, or the relying party that made it. */
export type Asker = Person | { readonly clientId: string }

/** @throws {Problem} signatures/envelope-unknown, also for what is not theirs: nobody learns that it exists */
export async function getEnvelope(core: Pick<EnvelopeCore, 'platform'>, sql: Sql, by: Asker, id: string, options: { lock?: boolean } = {}): Promise<Envelope> {
  const found = await findEnvelope(sql, id, options)
  const envelope = found && toEnvelope(core, found)
  const isTheirs = envelope && ('clientId' in by ? envelope.clientId === by.clientId : canSee(envelope, by))
  if (!isTheirs) throw new Problem(SIGNATURE_PROBLEMS.envelopeUnknown)
  return envelope
}

/** @throws {Problem} signatures/envelope-unknown, for a signer too */
export async function getOwned(core: Pick<EnvelopeCore, 'platform'>, tx: Sql, by: Asker, id: string): Promise<Envelope> {
  const envelope = await getEnvelope(core, tx, by, id, { lock: true })
  if (!('clientId' in by) && envelope.ownerId !== by.accountId) throw new Problem(SIGNATURE_PROBLEMS.envelopeUnknown)
  return envelope
}

export function formOf(bytes: Uint8Array): DocumentForm {
  // Readers look for the header within the first kilobyte; ours is strict, as a signature counts from the first byte.
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 5)).toString('latin1') === '%PDF-' ? 'pdf' : 'file'
}

/** Active accounts of these people, as far as they have one; read before a transaction, which may not read it. */
export async function accountsOf({ accounts }: Pick<EnvelopeCore, 'accounts'>, people: readonly { cpf: Cpf }[]): Promise<Account[]> {
  const found = await Promise.all(people.map(({ cpf }) => accounts.findByCpf(cpf)))
  return found.filter((account) => account !== undefined).filter(({ status }) => status === 'active')
}

import type { Cpf } from '../../accounts/index.ts'
import type { EnvelopeState } from './transition.ts'

export const SIGNING_ORDERS = ['sequence', 'parallel'] as const
export type SigningOrder = (typeof SIGNING_ORDERS)[number]

/** How long a signature can be checked: with a time-stamp, with the evidence of revocation too, or renewed for decades. */
export const PADES_LEVELS = ['B-T', 'B-LT', 'B-LTA'] as const
export type PadesLevel = (typeof PADES_LEVELS)[number]

/** `pdf` = signed inside (PAdES) · `file` = any other file, the signature goes beside it (CAdES). */
export type DocumentForm = 'pdf' | 'file'

export interface EnvelopeDocument {
  readonly id: string
  readonly position: number
  readonly name: string
  readonly form: DocumentForm
  readonly pages: number | undefined
  readonly size: number
  /** Of the document as it came, in hexadecimal. */
  readonly sha256: string
  /** With the signatures so far; changes with each. */
  readonly currentSha256: string
  readonly version: number
}

export interface Signer {
  readonly id: string
  readonly position: number
  readonly cpf: Cpf
  /** As whoever asked wrote it, until they sign. */
  readonly name: string
  readonly state: 'pending' | 'signed' | 'refused'
  readonly toldAt: Date | undefined
  readonly remindedAt: Date | undefined
  readonly decidedAt: Date | undefined
  /** Why they refused, in their words. */
  readonly reason: string | undefined
}

/** Documents that go to their signers together. */
export interface Envelope {
  readonly id: string
  readonly ownerId: string | undefined
  readonly clientId: string | undefined
  readonly returnTo: string | undefined
  readonly clientState: string | undefined
  readonly state: EnvelopeState
  readonly order: SigningOrder
  readonly level: PadesLevel
  readonly createdAt: Date
  readonly sentAt: Date | undefined
  readonly expiresAt: Date
  readonly endedAt: Date | undefined
  /** When the documents themselves are erased; names and hashes stay. */
  readonly contentsUntil: Date
  readonly contentsGoneAt: Date | undefined
  readonly documents: readonly EnvelopeDocument[]
  readonly signers: readonly Signer[]
}

/** A citizen in front of an envelope. */
export interface Person {
  readonly accountId: string
  readonly cpf: Cpf
  readonly name: string
}

/** Who may sign now: everybody who has not in parallel, the first of them in sequence. */
export function signersInTurn({ state, order, signers }: Pick<Envelope, 'state' | 'order' | 'signers'>): readonly Signer[] {
  if (state !== 'waiting') return []
  const pending = signers.filter((signer) => signer.state === 'pending')
  return order === 'parallel' ? pending : pending.slice(0, 1)
}

export function signerOf({ signers }: Pick<Envelope, 'signers'>, { cpf }: Pick<Person, 'cpf'>): Signer | undefined {
  return signers.find((signer) => signer.cpf === cpf)
}

/** What an envelope may hold, and how long. */
export const ENVELOPE_LIMITS = {
  documents: 100,
  documentBytes: 20 * 1024 * 1024,
  envelopeBytes: 200 * 1024 * 1024,
  signers: 20,
  /** Of one owner: envelopes that are open, and bytes that are kept in all. */
  ofCitizen: { open: 100, bytes: 500 * 1024 * 1024 },
  ofClient: { open: 20_000, bytes: 20 * 1024 * 1024 * 1024 },
  /** People that one owner may ask within a day. */
  invitationsPerDay: 100,
} as const

export const DAY_MS = 86_400_000
/** Days after which documents are erased: of a draft nobody sends, of what is signed, of what came to nothing. */
export const KEPT_DAYS = { draft: 7, signed: 30, dropped: 7 } as const
/** Days that signers may have. */
export const TERM_DAYS = [7, 15, 30, 60, 90] as const
export const DEFAULT_TERM_DAYS = 30
/** A waiting signer is reminded after these many days, at most as often as there are entries. */
export const REMINDER_AFTER_DAYS = [2, 5, 10] as const

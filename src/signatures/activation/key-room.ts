/** The inside of the signing thread: where citizens' private keys are made, opened, used and forgotten. */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { NotDer } from '../asn1/reader.ts'
import { makeKey } from '../authority/signer.ts'
import type { Activation, CredentialChoice, Signatory } from './activation.ts'
import { type EvidenceRule, findEvidenceFault } from './evidence.ts'
import { documentOf, signedPart } from '../lending/lent-item.ts'
import { lendKey, type LentTerms, openLentKey, termsOf } from './lent-key.ts'
import { unwrapKey, wrapKey, type WrapCost } from './password-wrap.ts'
import { signPrehashed } from './prehash.ts'
import { digestOf } from './signed-attributes.ts'
import type { SigningAnswer, SigningRefusal, signingTask } from './signing-task.ts'
import type { z } from 'zod'

/** A refusal; `message` says more to the log. */
export class SigningRefused extends Error {
  readonly code: SigningRefusal
  constructor(code: SigningRefusal, message: string = code) {
    super(message)
    this.name = 'SigningRefused'
    this.code = code
  }
}

export interface KeyRoomSettings {
  readonly evidence: EvidenceRule
  readonly cost: WrapCost
}

export interface KeyRoom {
  answer(task: z.output<typeof signingTask>): Promise<SigningAnswer>
}

interface Ticket {
  readonly activation: Activation
  /** Digests that may still be signed, each as often as it stands in the activation. */
  readonly left: string[]
  key: KeyObject | undefined
  maySign: boolean
}

/** How long a burnt activation's key may still be used: the documents are ready when the citizen confirms. */
const USE_MS = 60_000

type Task<Kind> = Extract<z.output<typeof signingTask>, { kind: Kind }>

/** One thread's keys. Nothing that this answers holds a private key but `make`, whose key is closed by its owner's password. */
export function createKeyRoom({ evidence, cost }: KeyRoomSettings): KeyRoom {
  const tickets = new Map<string, Ticket>()
  /** Activations that began in this thread, until they expire: a second defence behind the database's. */
  const spent = new Map<string, number>()

  function ticketOf(id: string): Ticket {
    const found = tickets.get(id)
    if (!found) throw new SigningRefused('unknown-ticket')
    return found
  }

  function sweep(now: Date): void {
    for (const [id, { activation }] of tickets) if (now.getTime() > activation.expiresAt.getTime() + USE_MS) tickets.delete(id)
    for (const [id, expiresAt] of spent) if (now.getTime() > expiresAt) spent.delete(id)
  }

  async function prove({ ticket, activation: given, idToken, keys, now }: Task<'prove'>): Promise<SigningAnswer> {
    sweep(now)
    const { content, clientId, ...facts } = given
    const activation = { ...facts, clientId, ...content }
    const fault = await findEvidenceFault(evidence, { idToken, keys, activation, now })
    if (fault !== undefined) throw new SigningRefused('unproven', fault)
    if (spent.has(activation.id)) throw new SigningRefused('spent')
    tickets.set(ticket, { activation, left: activation.documents.map(({ form, digest }) => claimOf(form, digest)), key: undefined, maySign: false })
    return {}
  }

  function unlock({ ticket, wrapped, password, context }: Task<'unlock'>): SigningAnswer {
    const found = ticketOf(ticket)
    if (found.activation.credential.kind !== 'kept') throw new SigningRefused('unknown-ticket')
    const pkcs8 = unwrapKey(wrapped, password, context)
    if (!pkcs8) throw new SigningRefused('wrong-password')
    found.key = keyOf(pkcs8)
    return { spki: spkiOf(found.key) }
  }

  /** Of all tickets of one activation the first alone goes on. */
  function spend(ticket: string, now: Date, kinds: readonly CredentialChoice['kind'][]): Ticket {
    sweep(now)
    const found = ticketOf(ticket)
    const { id, credential, expiresAt } = found.activation
    if (spent.has(id)) throw new SigningRefused('spent')
    if (!kinds.includes(credential.kind)) throw new SigningRefused('unknown-ticket')
    spent.set(id, expiresAt.getTime())
    return found
  }

  function begin({ ticket, keyKind, now }: Task<'begin'>): SigningAnswer {
    // An activation for a kept key is no reason to make another.
    const isUnlocked = tickets.get(ticket)?.key !== undefined
    const found = spend(ticket, now, isUnlocked ? ['kept'] : ['one-shot'])
    found.key ??= keyOf(makeKey(keyKind))
    found.maySign = true
    return { spki: spkiOf(found.key) }
  }

  function signAll({ ticket, form, items, now }: Task<'sign'>): SigningAnswer {
    const found = ticketOf(ticket)
    const { key, activation, left } = found
    if (!key || !found.maySign || now.getTime() > activation.expiresAt.getTime() + USE_MS) throw new SigningRefused('unknown-ticket')
    const claims = items.map((item) => (form === 'hash' ? claimOf('hash', Buffer.from(item).toString('hex')) : claimOf('attributes', attributesDigest(Buffer.from(item), activation.signatory))))
    const after = [...left]
    for (const claim of claims) {
      const at = after.indexOf(claim)
      if (at < 0) throw new SigningRefused('not-the-documents')
      after.splice(at, 1)
    }
    left.splice(0, left.length, ...after)
    if (left.length === 0) tickets.delete(ticket)
    return { digests: claims.map((claim) => claim.slice(claim.indexOf(':') + 1)), signatures: items.map((item) => (form === 'hash' ? signPrehashed(Buffer.from(item), key) : sign('sha256', item, key))) }
  }

  function make({ ticket, keyKind, password, context, now }: Task<'make'>): SigningAnswer {
    spend(ticket, now, ['new'])
    tickets.delete(ticket)
    const pkcs8 = makeKey(keyKind)
    const wrapped = wrapKey(pkcs8, password, context, cost)
    const spki = spkiOf(keyOf(pkcs8))
    return { spki, wrapped }
  }

  function lend({ ticket, keyKind, secret, expiresAt, now }: Task<'lend'>): SigningAnswer {
    const isUnlocked = tickets.get(ticket)?.key !== undefined
    const { activation, key: unlocked } = spend(ticket, now, isUnlocked ? ['kept'] : ['one-shot'])
    tickets.delete(ticket)
    const terms = termsOf(activation, expiresAt)
    if (!terms) throw new SigningRefused('not-the-documents')
    const key = unlocked ?? keyOf(makeKey(keyKind))
    return { spki: spkiOf(key), wrapped: lent(key, secret, terms) }
  }

  return {
    async answer(task) {
      if (task.kind === 'lend') return lend(task)
      if (task.kind === 'relend') return relend(task)
      if (task.kind === 'sign-lent') return signLent(task)
      if (task.kind === 'make') return make(task)
      if (task.kind === 'prove') return prove(task)
      if (task.kind === 'unlock') return unlock(task)
      if (task.kind === 'begin') return begin(task)
      if (task.kind === 'sign') return signAll(task)
      tickets.delete(task.ticket)
      return {}
    },
  }
}

/** Raw hashes are signed only where the citizen agreed to raw hashes: else any hash would be a document nobody saw. */
const claimOf = (form: string, digest: string) => `${form === 'hash' ? 'hash' : 'attributes'}:${digest}`

/** The digest of the one document that signed attributes are about. @throws {SigningRefused} not-the-documents */
function attributesDigest(bytes: Buffer, who: Signatory): string {
  try {
    return digestOf(bytes, who)
  } catch (error) {
    if (error instanceof NotDer) throw new SigningRefused('not-the-documents', error.message)
    throw error
  }
}

/** The key, with the bytes that it came in wiped. */
function keyOf(pkcs8: Buffer): KeyObject {
  try {
    return createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  } finally {
    pkcs8.fill(0)
  }
}

function lent(key: KeyObject, secret: Uint8Array, terms: LentTerms): Buffer {
  const pkcs8 = key.export({ type: 'pkcs8', format: 'der' })
  try {
    return lendKey(pkcs8, secret, terms)
  } finally {
    pkcs8.fill(0)
  }
}

function borrowed({ wrapped, secret, terms, now }: Pick<Task<'sign-lent'>, 'wrapped' | 'secret' | 'terms' | 'now'>): KeyObject {
  const pkcs8 = now < terms.expiresAt ? openLentKey(wrapped, secret, terms) : undefined
  if (!pkcs8) throw new SigningRefused('unknown-ticket')
  return keyOf(pkcs8)
}

function relend(task: Task<'relend'>): SigningAnswer {
  return { wrapped: lent(borrowed(task), task.next, task.terms) }
}

/** Which of the allowed ones were used before is the caller's to know: what is signed here is in the terms. */
function signLent({ items, ...task }: Task<'sign-lent'>): SigningAnswer {
  const key = borrowed(task)
  const { allows } = task.terms
  const digests = items.map((item) => {
    const digest = allows.kind === 'open' && item.kind !== 'attributes' ? undefined : documentOf(item)
    if (digest === undefined) throw new SigningRefused('not-the-documents')
    return digest
  })
  if (allows.kind === 'open' && items.length > allows.count) throw new SigningRefused('not-the-documents')
  if (allows.kind === 'hashes') takeEach(digests, allows.digests)
  return { digests, signatures: items.map((item) => (item.kind === 'hash' ? signPrehashed(Buffer.from(item.digest), key) : sign('sha256', signedPart(item), key))) }
}

/** Each as often as it was agreed to. @throws {SigningRefused} not-the-documents */
function takeEach(digests: readonly string[], allowed: readonly string[]): void {
  const left = [...allowed]
  for (const digest of digests) {
    const at = left.indexOf(digest)
    if (at < 0) throw new SigningRefused('not-the-documents')
    left.splice(at, 1)
  }
}

const spkiOf = (key: KeyObject): Buffer => createPublicKey(key).export({ type: 'spki', format: 'der' })

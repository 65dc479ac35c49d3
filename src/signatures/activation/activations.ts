import { randomUUID } from 'node:crypto'
import { decodeJwt, type JWK } from 'jose'
import { isProblem, Problem } from '../../platform/problem.ts'
import type { Issuance } from '../authority/issuance.ts'
import type { PersonKeyKind } from '../authority/signer.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import { type ActivatedSigner, createActivatedSigner } from './activated-signer.ts'
import { type Activation, ACTIVATION_SECONDS, type ActivationContent, activationContent, bindingDigest, nonceOf, type Represented, type Signatory } from './activation.ts'
import { burnActivation, countActivations, findOpenActivation, insertActivation, purgeActivations } from './activation.store.ts'
import { certifiedPerson, citizenActor, entitledSigner, type SigningCore } from './core.ts'
import type { SignerFacts } from './ports.ts'
import { type LentTerms, termsOf } from './lent-key.ts'
import type { SigningThread, SigningTicket } from './signing-thread.ts'

/** A citizen's own key, ready to be opened. */
export interface KeptKey {
  readonly serial: string
  readonly spki: Buffer
  readonly certificates: readonly [Buffer, ...Buffer[]]
  readonly wrapped: Buffer
  readonly context: string
  /** The one party for which it signs, and for nobody else; absent for one's own. */
  readonly represents: Represented | undefined
  /** Counts a try before it is made, so that many at once are no more than few. @throws {Problem} signatures/credential-unusable */
  claimTry(): Promise<void>
  /** What came of it; the last wrong one suspends the credential. */
  settleTry(outcome: 'right' | 'wrong' | 'not-made'): Promise<void>
}

/** @throws {Problem} signatures/credential-unknown, signatures/credential-unusable */
export type FindKeptKey = (accountId: string, credentialId: string) => Promise<KeptKey>

export interface NewActivation extends Pick<ActivationContent, 'signatory' | 'credential' | 'documents' | 'open'> {
  readonly accountId: string
  /** The relying party that asks; absent for our own pages. */
  readonly clientId?: string | undefined
}

export interface OpenedActivation {
  readonly id: string
  /** The `nonce` of the authorization request that asks the citizen for their proof. */
  readonly nonce: string
  readonly expiresAt: Date
}

/** The way to a citizen's signature: what they agree to, then the proof that they did, then a signer for just that. */
export interface Activations {
  /** @throws {Problem} signatures/not-entitled, signatures/too-many-activations */
  open(activation: NewActivation): Promise<OpenedActivation>
  /** What an activation that is still open is about, for the page that shows it; only to its own citizen. */
  find(id: string, accountId: string): Promise<Activation | undefined>
  /**
   * A signer for exactly the documents of the activation, which is used up by this.
   *
   * A wrong password leaves the activation as it is. Nothing is signed and no key exists before the proof was judged and the activation burnt.
   * @throws {Problem} signatures/activation-over, activation-unproven, not-entitled, mandate-refused, wrong-signing-password, credential-unusable
   */
  confirm(proof: { id: string; idToken: string; password?: string | undefined }): Promise<ActivatedSigner>
  /**
   * The proof becomes a key that the activation's client may use until a moment, under the client's secret; the activation is used up by this.
   *
   * @throws {Problem} as `confirm`; signatures/not-the-documents where a client may not be lent a key
   */
  lend(proof: { id: string; idToken: string; password?: string | undefined; secret: Uint8Array; expiresAt: Date }): Promise<LentToClient>
  /** Forgets what nobody confirmed in time, and what was signed a day ago. */
  purge(): Promise<number>
}

/** A key that was lent, for whoever keeps it. */
export interface LentToClient {
  readonly terms: LentTerms
  readonly serial: string
  readonly wrapped: Buffer
}

export interface ActivationDependencies {
  readonly core: SigningCore
  readonly thread: SigningThread
  readonly issuance: Issuance
  readonly findKept: FindKeptKey
  readonly settings: { readonly keyKind: PersonKeyKind; readonly issuerKeys: () => readonly JWK[] }
}

const KEEP_MS = 86_400_000
const HOUR_MS = 3_600_000
/** Each wants a proof in person: more than this an hour is a program. */
const MOST_AN_HOUR = 60

export function createActivations(deps: ActivationDependencies): Activations {
  const { core } = deps
  const { db, clock } = core
  return {
    open: (asked) => openActivation(core, asked),
    async find(id, accountId) {
      const found = await findOpenActivation(db, id, clock.now())
      return found?.accountId === accountId ? found : undefined
    },
    async confirm({ id, idToken, password }) {
      const proven = await proveActivation(deps, { id, idToken })
      const { activation, ticket } = proven
      const begin = async () => ({ spki: await ticket.begin(deps.settings.keyKind, clock.now()) })
      const ready = await makeReady(deps, proven, { password, begin })
      return createActivatedSigner(core, { activation, ticket, ...ready })
    },
    async lend({ id, idToken, password, secret, expiresAt }) {
      const proven = await proveActivation(deps, { id, idToken })
      const { activation, ticket } = proven
      const terms = termsOf(activation, expiresAt)
      if (!terms) throw new Problem(SIGNATURE_PROBLEMS.notTheDocuments)
      const begin = () => ticket.lend({ keyKind: deps.settings.keyKind, secret, expiresAt }, clock.now())
      const { serial, wrapped } = await makeReady(deps, proven, { password, begin })
      return { terms, serial, wrapped }
    },
    purge: () => purgeActivations(db, new Date(clock.now().getTime() - KEEP_MS)),
  }
}

/** Opens an activation, of a signature or of a new key to keep. */
export async function openActivation(core: SigningCore, { accountId, clientId, ...asked }: NewActivation): Promise<OpenedActivation> {
  const { db, clock } = core
  await entitledSigner(core, accountId)
  const createdAt = clock.now()
  if ((await countActivations(db, accountId, new Date(createdAt.getTime() - HOUR_MS))) >= MOST_AN_HOUR) {
    throw new Problem(SIGNATURE_PROBLEMS.tooManyActivations, { retryAfterSeconds: HOUR_MS / 1000 })
  }
  const content = activationContent.parse({ signatory: asked.signatory, credential: asked.credential, documents: asked.documents, ...(asked.open && { open: asked.open }) })
  const expiresAt = new Date(createdAt.getTime() + ACTIVATION_SECONDS * 1000)
  const activation: Activation = { ...content, id: randomUUID(), accountId, clientId, createdAt, expiresAt }
  await insertActivation(db, activation, bindingDigest(activation))
  return { id: activation.id, nonce: nonceOf(activation), expiresAt }
}

export interface Proven {
  readonly activation: Activation
  readonly signer: SignerFacts
  readonly ticket: SigningTicket
}

/** Judges the proof; nothing is used up yet. */
export async function proveActivation(
  { core, thread, settings }: Pick<ActivationDependencies, 'core' | 'thread' | 'settings'>,
  { id, idToken }: { id: string; idToken: string },
): Promise<Proven> {
  const now = core.clock.now()
  const activation = await findOpenActivation(core.db, id, now)
  if (!activation) throw new Problem(SIGNATURE_PROBLEMS.activationOver)
  const signer = await entitledSigner(core, activation.accountId)
  const ticket = await thread.prove({ activation, idToken, keys: settings.issuerKeys(), now })
  if (!(await hasProved(core, activation, idToken))) {
    await ticket.forget()
    throw new Problem(SIGNATURE_PROBLEMS.activationUnproven, { detail: 'unseen' })
  }
  return { activation, signer, ticket }
}

/** In whole seconds, as tokens count. */
function hasProved({ people }: SigningCore, activation: Activation, idToken: string): Promise<boolean> {
  const { sid } = decodeJwt(idToken)
  const { accountId, createdAt } = activation
  const since = new Date(Math.floor(createdAt.getTime() / 1000) * 1000)
  return typeof sid === 'string' ? people.hasProved({ accountId, sid, nonce: nonceOf(activation), since }) : Promise.resolve(false)
}

/** Uses the activation up; whoever comes second is refused. */
export async function burn({ db, clock, audit }: SigningCore, { id, accountId, clientId, credential, documents }: Activation): Promise<void> {
  await db.transaction(async (tx) => {
    if (!(await burnActivation(tx, id, clock.now()))) throw new Problem(SIGNATURE_PROBLEMS.activationOver)
    await audit.record(tx, {
      type: 'signatures/activation-used', actor: citizenActor(accountId), subject: accountId, ...(clientId && { clientId }),
      data: { activationId: id, credential: credential.kind, documents: documents.length },
    })
  })
}

async function checkRepresentation({ people }: SigningCore, { accountId, signatory }: Activation): Promise<void> {
  if (signatory.kind === 'representative' && !(await people.mayRepresent(accountId, signatory))) throw new Problem(SIGNATURE_PROBLEMS.mandateRefused)
}

interface Begin<Begun extends { readonly spki: Buffer }> {
  readonly password: string | undefined
  /** Once the activation is burnt: where the key comes to be, or comes out. */
  readonly begin: () => Promise<Begun>
}

type Ready<Begun> = Begun & { readonly certificates: readonly [Buffer, ...Buffer[]]; readonly serial: string }

/** The activation is used up, and its key is ready; a refusal leaves nothing of the key. */
async function makeReady<Begun extends { readonly spki: Buffer }>(deps: ActivationDependencies, proven: Proven, begin: Begin<Begun>): Promise<Ready<Begun>> {
  const { credential } = proven.activation
  try {
    return credential.kind === 'kept' ? await unlockKept(deps, proven, { ...begin, credentialId: credential.credentialId }) : await makeOnce(deps, proven, begin)
  } catch (error) {
    await proven.ticket.forget().catch(() => {})
    throw error
  }
}

async function makeOnce<Begun extends { readonly spki: Buffer }>({ core, issuance }: ActivationDependencies, { activation, signer }: Proven, { begin }: Begin<Begun>): Promise<Ready<Begun>> {
  if (activation.credential.kind !== 'one-shot') throw new Problem(SIGNATURE_PROBLEMS.activationOver)
  // What can fail without the key fails before the activation is used up.
  const issue = await issuance.prepare()
  await burn(core, activation)
  await checkRepresentation(core, activation)
  const begun = await begin()
  const { accountId } = activation
  const { certificates, serial } = await core.db.transaction((tx) =>
    issue(tx, { profile: 'citizen-one-shot', person: certifiedPerson(core, signer), personId: signer.personId, actor: citizenActor(accountId), spki: begun.spki }),
  )
  return { ...begun, certificates, serial }
}

async function unlockKept<Begun extends { readonly spki: Buffer }>(
  { core, findKept }: ActivationDependencies,
  { activation, ticket }: Proven,
  { credentialId, password, begin }: Begin<Begun> & { readonly credentialId: string },
): Promise<Ready<Begun>> {
  const key = await findKept(activation.accountId, credentialId)
  if (!isFor(key.represents, activation.signatory)) throw new Problem(SIGNATURE_PROBLEMS.credentialUnusable, { detail: 'representative' })
  if (password === undefined) throw new Problem(SIGNATURE_PROBLEMS.wrongSigningPassword)
  await key.claimTry()
  try {
    await ticket.unlock({ wrapped: key.wrapped, password, context: key.context })
  } catch (error) {
    await key.settleTry(isProblem(error, SIGNATURE_PROBLEMS.wrongSigningPassword) ? 'wrong' : 'not-made')
    throw error
  }
  await key.settleTry('right')
  await burn(core, activation)
  await checkRepresentation(core, activation)
  const begun = await begin()
  if (!begun.spki.equals(key.spki)) throw new Problem(SIGNATURE_PROBLEMS.credentialUnusable)
  return { ...begun, certificates: key.certificates, serial: key.serial }
}

/** A representative's certificate signs in the name of that party alone; a servant's also in that post alone. */
export function isFor(represents: Represented | undefined, who: Signatory): boolean {
  return represents === undefined || (who.kind === 'representative' && who.party === represents.party && (represents.represented.kind !== 'organisation' || who.mandateId === represents.mandateId))
}

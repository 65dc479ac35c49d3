import { randomUUID } from 'node:crypto'
import type { AuditActor } from '../../audit/index.ts'
import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import type { Represented } from '../activation/activation.ts'
import { type ActivationDependencies, burn, openActivation, type OpenedActivation, proveActivation } from '../activation/activations.ts'
import { certifiedPerson, citizenActor, entitledSigner, type SigningCore } from '../activation/core.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import { type Credential, type EndCause, type HoldCause, MOST_CREDENTIALS } from './credential.ts'
import { countKept, destroyExpiredKeys, findCredential, insertCredential, listCredentials, lockCredential, lockCredentialsOf, setReplaced } from './credential.store.ts'
import { createLife, type EndedCertificates } from './life.ts'

/** Certificates that citizens keep. */
export interface Credentials {
  /** Newest first, those that are over too. */
  list(accountId: string): Promise<Credential[]>
  /** One of an account. @throws {Problem} signatures/credential-unknown */
  get(id: string, accountId: string): Promise<Credential>
  /**
   * Begins a new certificate, or one in the place of another; the citizen's proof is bound to it as to a signature.
   * With `as` it says that its holder represents a company, or serves an agency, and ends when that does; one in the place of another says what that said.
   * @throws {Problem} signatures/not-entitled, signatures/mandate-refused, signatures/too-many-certificates, signatures/credential-unknown, signatures/credential-unusable
   */
  begin(ask: { accountId: string; replaces?: string | undefined; as?: Represented | undefined }): Promise<OpenedActivation>
  /** Why the password cannot be the one for signing; a word, or nothing. */
  findPasswordFault(accountId: string, password: string): Promise<string | undefined>
  /** @throws {Problem} signatures/activation-over, activation-unproven, not-entitled, weak-signing-password, no-authority */
  finish(proof: { id: string; idToken: string; password: string }): Promise<Credential>
  /** Rests until somebody resumes it. @throws {Problem} signatures/credential-unknown, signatures/credential-unusable */
  suspend(change: CredentialChange<HoldCause>): Promise<void>
  /** @throws {Problem} signatures/credential-unknown; signatures/credential-unusable when it does not rest */
  resume(change: CredentialChange<HoldCause>): Promise<void>
  /** Never to be taken back; its key is destroyed. @throws {Problem} signatures/credential-unknown, signatures/certificate-revoked */
  revoke(change: CredentialChange<EndCause>): Promise<void>
  /** Every certificate of a person, kept and one-shot, ends in the caller's transaction. */
  revokeAll(tx: Sql, end: { personId: string; accountId: string; cause: EndCause; actor: AuditActor }): Promise<EndedCertificates>
  /** Destroys keys whose certificates have ended. */
  purge(): Promise<number>
}

export interface CredentialChange<Cause> {
  readonly id: string
  readonly accountId: string
  readonly cause: Cause
  readonly actor: AuditActor
}

/** Where a citizen's key is sealed: no other credential's bytes open in its place. */
export const sealContext = (credentialId: string, accountId: string): string => `signature-credential:${credentialId}:${accountId}`

export function createCredentials(deps: Omit<ActivationDependencies, 'findKept'>): Credentials {
  const { core } = deps
  const { db, clock, people } = core
  const life = createLife(core)
  const get = (id: string, accountId: string) => getCredential(core, id, accountId)
  return {
    list: (accountId) => listCredentials(db, accountId, clock.now()),
    get,
    async begin({ accountId, replaces, as }) {
      const before = await checkMayHave(core, accountId, replaces)
      const represents = before ? before.represents : as
      if (represents && !(isCertified(represents) && (await people.stillRepresents(accountId, represents)))) throw new Problem(SIGNATURE_PROBLEMS.mandateRefused)
      const credential = { kind: 'new', credentialId: randomUUID(), ...(replaces !== undefined && { replaces }) } as const
      return openActivation(core, { accountId, signatory: represents ?? { kind: 'self' }, credential, documents: [] })
    },
    findPasswordFault: people.findPasswordFault,
    finish: (proof) => finish({ ...deps, revoke: life.revoke }, proof),
    ...life,
    purge: () => destroyExpiredKeys(db, clock.now()),
  }
}

export async function getCredential({ db, clock }: Pick<SigningCore, 'db' | 'clock'>, id: string, accountId: string): Promise<Credential> {
  const found = await findCredential(db, id, clock.now())
  if (found?.accountId !== accountId) throw new Problem(SIGNATURE_PROBLEMS.credentialUnknown)
  return found
}

/** What is replaced counts no more. */
async function checkMayHave(core: SigningCore, accountId: string, replaces: string | undefined): Promise<Credential | undefined> {
  await entitledSigner(core, accountId)
  if (replaces !== undefined) {
    const before = await getCredential(core, replaces, accountId)
    if (before.state === 'replaced' || before.state === 'revoked') throw new Problem(SIGNATURE_PROBLEMS.credentialUnusable)
    return before
  }
  await checkFew(core.db, accountId, core.clock.now())
  return undefined
}

async function checkFew(sql: Sql, accountId: string, now: Date): Promise<void> {
  if ((await countKept(sql, accountId, now)) >= MOST_CREDENTIALS) throw new Problem(SIGNATURE_PROBLEMS.tooManyCertificates)
}

/** Nobody gets a certificate of another person. */
const isCertified = ({ represented }: Represented): boolean => represented.kind !== 'person'

async function finish(deps: Omit<ActivationDependencies, 'findKept'> & Pick<Credentials, 'revoke'>, { id, idToken, password }: { id: string; idToken: string; password: string }): Promise<Credential> {
  const { core, issuance, settings } = deps
  const { activation, signer, ticket } = await proveActivation(deps, { id, idToken })
  const { accountId, credential, signatory } = activation
  const represents = signatory.kind === 'representative' ? signatory : undefined
  if (credential.kind !== 'new') throw new Problem(SIGNATURE_PROBLEMS.activationOver)
  const fault = await core.people.findPasswordFault(accountId, password)
  if (fault !== undefined) throw new Problem(SIGNATURE_PROBLEMS.weakSigningPassword, { detail: fault })
  await checkMayHave(core, accountId, credential.replaces)
  const as = represents && (await asOf(core, accountId, represents))
  const issue = await issuance.prepare()
  await burn(core, activation)
  // Whoever is represented sees it.
  if (represents && !(await core.people.mayRepresent(accountId, represents))) throw new Problem(SIGNATURE_PROBLEMS.mandateRefused)
  const profile = as?.kind ?? 'citizen'
  const { credentialId, replaces } = credential
  const context = sealContext(credentialId, accountId)
  const { spki, wrapped } = await ticket.make({ keyKind: settings.keyKind, password, context }, core.clock.now())
  const sealed = core.keyring.seal(wrapped, context)
  await core.db.transaction(async (tx) => {
    const { personId } = signer
    // Whoever stops the account ends its certificates under the same lock: none is made beside that, and of many at once no more than few.
    if (!(await core.people.holdActive(tx, accountId))) throw new Problem(SIGNATURE_PROBLEMS.notEntitled, { detail: 'account' })
    await lockCredentialsOf(tx, accountId)
    if (replaces === undefined) await checkFew(tx, accountId, core.clock.now())
    const made = await issue(tx, { profile, person: { ...certifiedPerson(core, signer), as }, personId, actor: citizenActor(accountId), spki })
    const { authorityId, serial, notAfter } = made
    await insertCredential(tx, { id: credentialId, accountId, personId, authorityId, serial, profile, keyKind: settings.keyKind, spki, sealed, notAfter, represents }, core.clock.now())
    if (replaces !== undefined && !((await lockCredential(tx, replaces, accountId)) && (await setReplaced(tx, replaces, credentialId, core.clock.now())))) {
      throw new Problem(SIGNATURE_PROBLEMS.credentialUnusable)
    }
    await core.audit.record(tx, {
      type: 'signatures/credential-issued', actor: citizenActor(accountId), subject: accountId, data: { credentialId, serial, ...(replaces && { replaces }) },
    })
    await core.people.tell(tx, accountId, replaces === undefined ? 'issued' : 'renewed')
  })
  // A mandate that ended while the key was made saw no certificate to end.
  if (represents && !(await core.people.stillRepresents(accountId, represents))) {
    await deps.revoke({ id: credentialId, accountId, cause: 'representation', actor: SYSTEM })
    throw new Problem(SIGNATURE_PROBLEMS.mandateRefused)
  }
  return getCredential(core, credentialId, accountId)
}

/** @throws {Problem} signatures/mandate-refused for a company that its register does not know, or a post that is over */
async function asOf({ people }: SigningCore, accountId: string, represents: Represented) {
  const as = await people.certifiedAs(accountId, represents)
  if (as === undefined) throw new Problem(SIGNATURE_PROBLEMS.mandateRefused)
  return as
}

const SYSTEM: AuditActor = { kind: 'system' }

import { randomUUID } from 'node:crypto'
import type { AuditActor } from '../../audit/index.ts'
import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { type ActivationDependencies, burn, openActivation, type OpenedActivation, proveActivation } from '../activation/activations.ts'
import { certifiedPerson, citizenActor, entitledSigner, type SigningCore } from '../activation/core.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import { type Credential, type EndCause, type HoldCause, MOST_CREDENTIALS } from './credential.ts'
import { countKept, destroyExpiredKeys, findCredential, insertCredential, listCredentials, lockCredential, setReplaced } from './credential.store.ts'
import { createLife, type EndedCertificates } from './life.ts'

/** Certificates that citizens keep. */
export interface Credentials {
  /** Newest first, those that are over too. */
  list(accountId: string): Promise<Credential[]>
  /** One of an account. @throws {Problem} signatures/credential-unknown */
  get(id: string, accountId: string): Promise<Credential>
  /**
   * Begins a new certificate, or one in the place of another; the citizen's proof is bound to it as to a signature.
   * @throws {Problem} signatures/not-entitled, signatures/too-many-certificates, signatures/credential-unknown, signatures/credential-unusable
   */
  begin(ask: { accountId: string; replaces?: string | undefined }): Promise<OpenedActivation>
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
    async begin({ accountId, replaces }) {
      await checkMayHave(core, accountId, replaces)
      const credential = { kind: 'new', credentialId: randomUUID(), ...(replaces !== undefined && { replaces }) } as const
      return openActivation(core, { accountId, signatory: { kind: 'self' }, credential, documents: [] })
    },
    findPasswordFault: people.findPasswordFault,
    finish: (proof) => finish(deps, proof),
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
async function checkMayHave(core: SigningCore, accountId: string, replaces: string | undefined): Promise<void> {
  await entitledSigner(core, accountId)
  if (replaces !== undefined) {
    const { state } = await getCredential(core, replaces, accountId)
    if (state === 'replaced' || state === 'revoked') throw new Problem(SIGNATURE_PROBLEMS.credentialUnusable)
    return
  }
  if ((await countKept(core.db, accountId, core.clock.now())) >= MOST_CREDENTIALS) throw new Problem(SIGNATURE_PROBLEMS.tooManyCertificates)
}

async function finish(deps: Omit<ActivationDependencies, 'findKept'>, { id, idToken, password }: { id: string; idToken: string; password: string }): Promise<Credential> {
  const { core, issuance, settings } = deps
  const { activation, signer, ticket } = await proveActivation(deps, { id, idToken })
  const { accountId, credential } = activation
  if (credential.kind !== 'new') throw new Problem(SIGNATURE_PROBLEMS.activationOver)
  const fault = await core.people.findPasswordFault(accountId, password)
  if (fault !== undefined) throw new Problem(SIGNATURE_PROBLEMS.weakSigningPassword, { detail: fault })
  await checkMayHave(core, accountId, credential.replaces)
  const issue = await issuance.prepare()
  await burn(core, activation)
  const { credentialId, replaces } = credential
  const context = sealContext(credentialId, accountId)
  const { spki, wrapped } = await ticket.make({ keyKind: settings.keyKind, password, context }, core.clock.now())
  const sealed = core.keyring.seal(wrapped, context)
  await core.db.transaction(async (tx) => {
    const { personId } = signer
    const made = await issue(tx, { profile: 'citizen', person: certifiedPerson(core, signer), personId, actor: citizenActor(accountId), spki })
    const { authorityId, serial, notAfter } = made
    await insertCredential(tx, { id: credentialId, accountId, personId, authorityId, serial, profile: 'citizen', keyKind: settings.keyKind, spki, sealed, notAfter }, core.clock.now())
    if (replaces !== undefined && !((await lockCredential(tx, replaces, accountId)) && (await setReplaced(tx, replaces, credentialId, core.clock.now())))) {
      throw new Problem(SIGNATURE_PROBLEMS.credentialUnusable)
    }
    await core.audit.record(tx, {
      type: 'signatures/credential-issued', actor: citizenActor(accountId), subject: accountId, data: { credentialId, serial, ...(replaces && { replaces }) },
    })
    await core.people.tell(tx, accountId, replaces === undefined ? 'issued' : 'renewed')
  })
  return getCredential(core, credentialId, accountId)
}

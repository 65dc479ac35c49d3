import { randomUUID } from 'node:crypto'
import { isProblem, Problem } from '../../platform/problem.ts'
import { ACTIVATION_SECONDS, type CredentialChoice, type Represented } from '../activation/activation.ts'
import { type Activations, isFor } from '../activation/activations.ts'
import type { Credential } from '../credentials/credential.ts'
import type { Credentials } from '../credentials/credentials.ts'
import { type EnvelopeCore, getEnvelope } from '../envelope/core.ts'
import { DAY_MS, type Envelope, type Person, type Signer, signerOf, signersInTurn } from '../envelope/envelope.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import { DEFAULT_CHOICE, type InNameOf, openPlan, readChoice, saveChoice, sealPlan, shownAs, type SigningChoice } from './choice.ts'
import { newPlan, type PreparationDependencies, type Prepared, prepareAll } from './preparation.ts'
import { createPreparedShelf } from './prepared-shelf.ts'
import { createSigningAct } from './signing-act.ts'
import { type Attempt, countAttempts, dropLease, findAttempt, insertAttempt, takeLease } from './signing.store.ts'

/** From what a signer chose to their signature under every document of the envelope. */
export interface Confirmations {
  /** @throws {Problem} signatures/not-your-turn */
  choiceOf(by: Person, id: string): Promise<SigningChoice>
  /** @throws {Problem} signatures/not-your-turn, signatures/mandate-unfit, signatures/credential-unusable */
  choose(by: Person, id: string, choice: SigningChoice): Promise<void>
  /**
   * Names exactly what will be signed, as whom; the proof of the citizen's will must answer this `nonce`.
   *
   * `shown` is what the citizen had before them (`shownAs`): what was changed since, in another window or by another signer, is shown first.
   *
   * @throws {Problem} signatures/signing-busy while another signer of the same documents is at it: signatures follow one another;
   *   signatures/attempt-over when it is not what was shown
   */
  begin(by: Person, id: string, shown?: string): Promise<{ attemptId: string; nonce: string; expiresAt: Date }>
  /** Certificates that this person keeps and that can sign now, beside one that is made for the signature alone. */
  certificates(by: Person): Promise<readonly Credential[]>
  /**
   * Signs every document and stores all of it, or nothing; says whether it has its time, or will be stamped later.
   *
   * @throws {Problem} signatures/attempt-over, signatures/not-your-turn, signatures/signing-busy, and what the key refuses;
   *   signatures/wrong-signing-password, with `missing` where a kept certificate has none yet: the attempt goes on
   */
  finish(by: Person, attemptId: string, proof: { idToken: string; password?: string | undefined }): Promise<{ hasTime: boolean }>
}

/** Whom a person may sign for, by the register of mandates. */
export interface Powers {
  /** Parties and powers that permit signing, now. */
  list(by: Person): Promise<readonly Represented[]>
  /** Decided again. @throws {Problem} signatures/mandate-unfit */
  get(by: Person, as: InNameOf): Promise<Represented>
}

export interface ConfirmationDependencies extends PreparationDependencies {
  readonly activations: Pick<Activations, 'open' | 'confirm'>
  readonly powers: Powers
  readonly credentials: Pick<Credentials, 'list'>
}

/** A batch of a hundred takes a second or two; after this long others may sign again. */
const ACT_MS = 60_000
/** After a wrong password the turn is still theirs for so long: as long as what they confirmed may live. */
const RETRY_MS = ACTIVATION_SECONDS * 1000
const ATTEMPTS_A_DAY = 40

export function createConfirmations(core: EnvelopeCore, deps: ConfirmationDependencies): Confirmations {
  const { db, clock } = core.platform
  const { activations, powers } = deps
  const act = createSigningAct(core, deps)
  const shelf = createPreparedShelf()

  async function inTurn(by: Person, id: string): Promise<{ envelope: Envelope; signer: Signer }> {
    const envelope = await getEnvelope(core, db, by, id)
    const signer = signerOf(envelope, by)
    if (!signer || !signersInTurn(envelope).includes(signer)) throw new Problem(SIGNATURE_PROBLEMS.notYourTurn)
    return { envelope, signer }
  }

  async function lease(envelopeId: string, signerId: string, until: Date): Promise<void> {
    if (!(await takeLease(db, envelopeId, { signerId, now: clock.now(), until }))) throw new Problem(SIGNATURE_PROBLEMS.signingBusy, { retryAfterSeconds: 60 })
  }

  const usable = async ({ accountId }: Person) => (await deps.credentials.list(accountId)).filter(({ state }) => state === 'active')
  const after = (ms: number) => new Date(clock.now().getTime() + ms)

  return {
    async choiceOf(by, id) {
      const { signer } = await inTurn(by, id)
      return (await readChoice(core, db, signer.id)) ?? DEFAULT_CHOICE
    },
    async choose(by, id, choice) {
      const { signer } = await inTurn(by, id)
      if (choice.as) await powers.get(by, choice.as)
      if (choice.credentialId !== undefined) {
        const kept = (await usable(by)).find(({ id: one }) => one === choice.credentialId)
        if (!kept || (kept.represents && !(choice.as && isFor(kept.represents, await powers.get(by, choice.as))))) throw new Problem(SIGNATURE_PROBLEMS.credentialUnusable, { detail: 'representative' })
      }
      await saveChoice(core, db, signer.id, choice)
    },
    async begin(by, id, shown) {
      const { signer } = await inTurn(by, id)
      if ((await countAttempts(db, by.accountId, after(-DAY_MS))) >= ATTEMPTS_A_DAY) throw new Problem(SIGNATURE_PROBLEMS.tooMuch, { detail: 'attempts' })
      await lease(id, signer.id, after(ACT_MS))
      try {
        // After the lease: whoever signed before has left a new version.
        const { envelope } = await inTurn(by, id)
        const choice = (await readChoice(core, db, signer.id)) ?? DEFAULT_CHOICE
        if (shown !== undefined && shown !== shownAs(envelope, choice)) throw new Problem(SIGNATURE_PROBLEMS.attemptOver, { detail: 'changed' })
        const represented = choice.as && (await powers.get(by, choice.as))
        const plan = newPlan(envelope, choice, clock.now())
        const prepared = await prepareAll(core, deps, { envelope, plan, by, represented })
        const opened = await activations.open({
          accountId: by.accountId, clientId: envelope.clientId, signatory: represented ?? { kind: 'self' }, credential: credentialOf(choice), documents: prepared.map(named),
        })
        const attempt: Attempt = { id: randomUUID(), envelopeId: id, signerId: signer.id, accountId: by.accountId, activationId: opened.id, state: 'open' }
        await insertAttempt(db, attempt, sealPlan(core, plan, attempt.id), clock.now())
        await lease(id, signer.id, opened.expiresAt)
        shelf.put(attempt.id, prepared, new Date(Date.now() + ACTIVATION_SECONDS * 1000))
        return { attemptId: attempt.id, nonce: opened.nonce, expiresAt: opened.expiresAt }
      } catch (error) {
        await dropLease(db, id, signer.id)
        throw error
      }
    },
    certificates: usable,
    async finish(by, attemptId, proof) {
      const attempt = await findAttempt(db, attemptId)
      if (attempt?.accountId !== by.accountId || attempt.state !== 'open') throw new Problem(SIGNATURE_PROBLEMS.attemptOver)
      const { envelopeId, signerId } = attempt
      const plan = openPlan(core, attempt.plan, attemptId)
      if (plan.choice.credentialId !== undefined && proof.password === undefined) throw new Problem(SIGNATURE_PROBLEMS.wrongSigningPassword, { detail: 'missing' })
      await lease(envelopeId, signerId, after(ACT_MS))
      let mayRetry = false
      try {
        const { envelope, signer } = await inTurn(by, envelopeId)
        const represented = plan.choice.as && (await powers.get(by, plan.choice.as))
        const prepared = currentOf(shelf.take(attemptId), envelope) ?? (await prepareAll(core, deps, { envelope, plan, by, represented }))
        return await act({ by, attempt, envelope, signer, at: plan.at, represented }, prepared, () => activations.confirm({ id: attempt.activationId, ...proof }))
      } catch (error) {
        mayRetry = isProblem(error, SIGNATURE_PROBLEMS.wrongSigningPassword)
        throw error
      } finally {
        await (mayRetry ? lease(envelopeId, signerId, after(RETRY_MS)) : dropLease(db, envelopeId, signerId))
      }
    },
  }
}

const credentialOf = ({ credentialId }: SigningChoice): CredentialChoice => (credentialId === undefined ? { kind: 'one-shot' } : { kind: 'kept', credentialId })

/** What was prepared, when it is still of the documents as they are now. */
function currentOf(prepared: readonly Prepared[] | undefined, { documents }: Envelope): readonly Prepared[] | undefined {
  const isCurrent = prepared?.length === documents.length && documents.every(({ id, version }, index) => prepared[index]?.document.id === id && prepared[index]?.document.version === version)
  return isCurrent ? prepared : undefined
}

function named({ document: { name, form, currentSha256, sha256 }, digest }: Prepared) {
  return { name, form: form === 'pdf' ? ('pades' as const) : ('cades' as const), sha256: form === 'pdf' ? currentSha256 : sha256, digest: digest.toString('hex') }
}

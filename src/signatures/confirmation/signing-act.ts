import { createHash, randomUUID } from 'node:crypto'
import type { Account } from '../../accounts/index.ts'
import type { Sql } from '../../platform/db.ts'
import { isProblem, Problem } from '../../platform/problem.ts'
import type { ActivatedSigner } from '../activation/activated-signer.ts'
import { type Represented, shownParty } from '../activation/activation.ts'
import { parseCertificate } from '../authority/certificate.ts'
import type { CmsDraft } from '../cms/signed-data.ts'
import { replaceContents } from '../envelope/content.store.ts'
import { accountsOf, type EnvelopeCore, getEnvelope, sealText } from '../envelope/core.ts'
import { DAY_MS, type Envelope, KEPT_DAYS, type Person, type Signer, signersInTurn } from '../envelope/envelope.ts'
import { decideSigner, setState } from '../envelope/envelope.store.ts'
import { getTransition } from '../envelope/transition.ts'
import { fewAtOnce } from '../few-at-once.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import { isLongTerm, type SignatureForm, type Signing } from '../signing/signing.ts'
import { isTimeMissing } from './late-times.ts'
import type { Prepared } from './preparation.ts'
import { type Attempt, beginAttempt, endAttempt, insertDetached, insertSignatures, reopenAttempt } from './signing.store.ts'

export interface SigningAct {
  readonly by: Person
  readonly attempt: Attempt
  readonly envelope: Envelope
  readonly signer: Signer
  readonly at: Date
  readonly represented: Represented | undefined
}

interface Signed extends Prepared {
  /** The signed PDF, or the signature beside the file. */
  readonly bytes: Buffer
}

/** Detached signatures have no place for more. */
export const BESIDE_LEVEL = 'B-T'

/**
 * One person's signature under every document of an envelope: all of it is stored in one transaction, or none of it.
 *
 * The order is what makes it safe to kill: (1) everything that can fail without the key was done before; (2) that the key is about to be used
 * is committed; (3) the key is used; (4) one transaction stores files, history, audit. Between 2 and 4 nothing signed leaves this process.
 */
export function createSigningAct(
  core: EnvelopeCore,
  { signing }: { readonly signing: Signing },
): (act: SigningAct, prepared: readonly Prepared[], release: () => Promise<ActivatedSigner>) => Promise<{ hasTime: boolean }> {
  const { db, clock } = core.platform

  async function sign(act: SigningAct, prepared: readonly Prepared[], key: ActivatedSigner): Promise<{ signed: Signed[]; hasTime: boolean }> {
    const { level } = act.envelope
    const signatures = await key.sign(draftsOf(act, prepared, key, level).map(({ toBeSigned }) => toBeSigned))
    try {
      return { signed: await finish(act, prepared, { key, signatures, form: level }), hasTime: true }
    } catch (error) {
      if (core.ports.policy.withoutTime === 'refuse' || !isTimeMissing(error)) throw error
      return { signed: await finish(act, prepared, { key, signatures, form: 'B-B' }), hasTime: false }
    }
  }

  /** What the key signs does not depend on the form. */
  function draftsOf({ at }: SigningAct, prepared: readonly Prepared[], { certificates, attributes }: ActivatedSigner, form: SignatureForm): CmsDraft[] {
    const beside = form === 'B-B' ? form : BESIDE_LEVEL
    return prepared.map(({ document: { form: kind }, digest }) => signing.draft({ kind, digest, certificates, attributes, at, form: kind === 'pdf' ? form : beside }))
  }

  async function finish(act: SigningAct, prepared: readonly Prepared[], { key, signatures, form }: { key: ActivatedSigner; signatures: readonly Buffer[]; form: SignatureForm }): Promise<Signed[]> {
    const { certificates } = key
    const cms = await fewAtOnce(draftsOf(act, prepared, key, form), async (draft, index) => {
      const signature = signatures[index]
      if (!signature) throw new Error('the key signed fewer documents than it was asked to')
      return draft.complete(signature)
    })
    // After the signatures: it says that the certificate was good when they were there.
    const evidence = isLongTerm(form) && prepared.some(({ pdf }) => pdf) ? await signing.evidence(certificates) : undefined
    return fewAtOnce(prepared, async (one, index) => {
      const own = cms[index] ?? Buffer.alloc(0)
      return { ...one, bytes: one.pdf ? await signing.finishPdf(one.pdf, { cms: own, certificates, form, evidence }) : own }
    })
  }

  async function begin({ by, attempt, envelope }: SigningAct): Promise<void> {
    await db.transaction(async (tx) => {
      if (!(await beginAttempt(tx, attempt.id, clock.now()))) throw new Problem(SIGNATURE_PROBLEMS.attemptOver)
      const data = { envelopeId: envelope.id, attemptId: attempt.id, activationId: attempt.activationId }
      await core.audit.record(tx, { type: 'signatures/signing-begun', actor: { kind: 'citizen', id: by.accountId }, clientId: envelope.clientId, data })
    })
  }

  async function fail({ by, attempt, envelope }: SigningAct, error: unknown): Promise<void> {
    await db.transaction(async (tx) => {
      // A wrong password used nothing up: they may try again with what they confirmed.
      const mayRetry = isProblem(error, SIGNATURE_PROBLEMS.wrongSigningPassword)
      if (!(mayRetry ? await reopenAttempt(tx, attempt.id) : await endAttempt(tx, attempt.id, 'failed', clock.now()))) return
      const data = { envelopeId: envelope.id, attemptId: attempt.id, why: error instanceof Problem ? error.code : 'platform/unexpected' }
      await core.audit.record(tx, { type: 'signatures/signing-failed', actor: { kind: 'citizen', id: by.accountId }, subject: by.accountId, clientId: envelope.clientId, data })
    })
  }

  return async (act, prepared, release) => {
    const tellable = await whomToTell(core, act)
    await begin(act)
    let key: ActivatedSigner | undefined
    try {
      key = await release()
      const { signed, hasTime } = await sign(act, prepared, key)
      const { serial, certificates: [certificate] } = key
      const waitsUntil = hasTime ? undefined : parseCertificate(certificate).notAfter
      await db.transaction((tx) => store(core, tx, { act, signed, serial, tellable, waitsUntil }))
      return { hasTime }
    } catch (error) {
      await fail(act, error)
      throw error
    } finally {
      await key?.close()
    }
  }
}

/** Accounts that hear of it when this was the last signature; read before the transaction. */
async function whomToTell(core: EnvelopeCore, { by, envelope }: SigningAct): Promise<Account[]> {
  const owner = envelope.ownerId === undefined ? undefined : await core.accounts.find(envelope.ownerId)
  const signers = await accountsOf(core, envelope.signers)
  const all = new Map([...signers, ...(owner?.status === 'active' ? [owner] : [])].map((account) => [account.id, account]))
  return [...all.values()].filter(({ id }) => id !== by.accountId)
}

interface Storing {
  readonly act: SigningAct
  readonly signed: readonly Signed[]
  readonly serial: string
  readonly tellable: readonly Account[]
  /** How long a time-stamp may come later; absent where there is one. */
  readonly waitsUntil: Date | undefined
}

async function store(core: EnvelopeCore, tx: Sql, { act, signed, serial, tellable, waitsUntil }: Storing): Promise<void> {
  const { by, attempt, signer, represented, envelope: seen } = act
  const now = core.platform.clock.now()
  const envelope = await getEnvelope(core, tx, by, seen.id, { lock: true })
  if (!signersInTurn(envelope).some(({ id }) => id === signer.id)) throw new Problem(SIGNATURE_PROBLEMS.notYourTurn)
  if (!(await endAttempt(tx, attempt.id, 'signed', now))) throw new Problem(SIGNATURE_PROBLEMS.attemptOver)
  const rows = signed.map((one) => ({ ...rowOf(core, act, one), one }))
  await insertSignatures(tx, { attempt, serial, level: seen.level, mandateId: mandateOf(represented), at: now, waitsUntil }, rows)
  await storeBytes(tx, rows)
  await decideSigner(tx, signer.id, { state: 'signed', at: now, name: sealText(core, by.name, signer.id) })
  const data = {
    envelopeId: seen.id, attemptId: attempt.id, serial, level: seen.level, documents: rows.map(({ sha256 }) => sha256.toString('hex')),
    ...(represented && { mandateId: mandateOf(represented) }), ...(waitsUntil && { withoutTime: true }),
  }
  await core.audit.record(tx, { type: 'signatures/documents-signed', actor: { kind: 'citizen', id: by.accountId }, subject: by.accountId, clientId: seen.clientId, data })
  await goOn(core, tx, { envelope, signer, tellable, now })
}

async function storeBytes(tx: Sql, rows: readonly { readonly id: string; readonly sha256: Buffer; readonly one: Signed }[]): Promise<void> {
  for (const { id, one: { document, content, bytes } } of rows) {
    if (document.form === 'file') await insertDetached(tx, { signatureId: id, documentId: document.id, sealed: content.sealBeside(bytes, id) })
  }
  const versions = rows
    .filter(({ one }) => one.document.form === 'pdf')
    .map(({ sha256, one: { document, content, bytes } }) => ({ documentId: document.id, version: document.version, sha256, sealed: content.reseal(bytes) }))
  // The lease has run out and somebody else signed: theirs stands, and this one is signed anew on top of it.
  if (!(await replaceContents(tx, versions))) throw new Problem(SIGNATURE_PROBLEMS.signingBusy)
}

function rowOf(core: EnvelopeCore, { by, represented }: SigningAct, { document, bytes, code }: Signed) {
  const id = randomUUID()
  return {
    id, documentId: document.id, code: sealText(core, code, id), codeHash: core.platform.keyring.hash(code, 'signing-code'),
    sha256: document.form === 'pdf' ? createHash('sha256').update(bytes).digest() : Buffer.from(document.sha256, 'hex'),
    signerName: sealText(core, by.name, id),
    represented: represented && sealText(core, JSON.stringify(nameOf(represented)), id),
  }
}

function nameOf(represented: Represented): { name: string; identifier: string } {
  const { name, identifier } = shownParty(represented)
  return { name, identifier }
}

/** The company register's word is no mandate. */
const mandateOf = (represented: Represented | undefined): string | undefined => (represented?.mandateId === 'registro' ? undefined : represented?.mandateId)

/** The next signer's turn, or the end of the envelope. */
async function goOn(core: EnvelopeCore, tx: Sql, { envelope, signer, tellable, now }: { envelope: Envelope; signer: Signer; tellable: readonly Account[]; now: Date }): Promise<void> {
  if (envelope.signers.some(({ id, state }) => id !== signer.id && state === 'pending')) return core.ports.queueTelling(tx, envelope.id)
  const { to } = getTransition('completed', envelope.state, 'signer')
  await setState(tx, envelope.id, { state: to, at: now, contentsUntil: new Date(now.getTime() + KEPT_DAYS.signed * DAY_MS) })
  for (const account of tellable) await core.ports.notify(tx, account, { notice: 'completed', envelopeId: envelope.id, params: {} })
}

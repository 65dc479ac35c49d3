import { createHash, randomUUID } from 'node:crypto'
import type { Account } from '../../accounts/index.ts'
import { localDay, momentOf } from '../../platform/clock.ts'
import type { Sql } from '../../platform/db.ts'
import { isProblem, Problem } from '../../platform/problem.ts'
import { eachInTurn } from '../each-in-turn.ts'
import { replaceContents } from '../envelope/content.store.ts'
import { openContent } from '../envelope/contents.ts'
import { type EnvelopeCore, toEnvelope } from '../envelope/core.ts'
import type { Envelope, EnvelopeDocument, PadesLevel } from '../envelope/envelope.ts'
import { findEnvelope } from '../envelope/envelope.store.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import { isLongTerm, type SignatureForm, type Signing } from '../signing/signing.ts'
import {
  giveUpTimes, type LateSignature, listDueDocuments, listGivenUpSince, listLateOf, listOutlivedTimes, postponeTimes, replaceDetached, settleTimes, type TimedSignature,
} from './late-time.store.ts'
import { BESIDE_LEVEL } from './signing-act.ts'
import { dropLease, findDetached, takeLease } from './signing.store.ts'

/** Puts times under signatures that were made while none could be had. */
export interface LateTimes {
  /**
   * Every signature that is due and whose certificate still lives gets its time; the rest is given up, and its people are told.
   *
   * May run twice at once and be killed anywhere: a file is replaced in one transaction, or is what it was.
   */
  add(): Promise<{ stamped: number; givenUp: number }>
}

/** What says that there is no time to be had now, rather than that something is wrong with the document. */
const WITHOUT_TIME = [SIGNATURE_PROBLEMS.clockBehind, SIGNATURE_PROBLEMS.noAuthority, SIGNATURE_PROBLEMS.keyUnavailable]
export const isTimeMissing = (error: unknown): boolean => WITHOUT_TIME.some((kind) => isProblem(error, kind))
/** What no later try changes. */
const NEVER = [SIGNATURE_PROBLEMS.documentGone, SIGNATURE_PROBLEMS.notSignable]
const UNVOUCHED = [SIGNATURE_PROBLEMS.certificateRevoked, SIGNATURE_PROBLEMS.certificateUnknown]

const BATCH = 200
const LEASE_MS = 60_000
const MINUTE_MS = 60_000
/** Certificates for one signature live an hour: whoever waits longer between tries misses it. */
const LONGEST_PAUSE_MINUTES = 8

export function createLateTimes(core: EnvelopeCore, { signing }: { readonly signing: Pick<Signing, 'addTime' | 'addTimeBeside' | 'evidence'> }): LateTimes {
  const { db, clock } = core.platform
  const after = (ms: number) => new Date(clock.now().getTime() + ms)

  /** The number of signatures that have their time now. */
  async function stamp(documentId: string): Promise<number> {
    const late = await listLateOf(db, documentId)
    const [first] = late
    if (!first) return 0
    const lease = randomUUID()
    // Whoever is signing this envelope has prepared the file as it is.
    if (!(await takeLease(db, first.envelopeId, { signerId: lease, now: clock.now(), until: after(LEASE_MS) }))) return 0
    try {
      await (first.form === 'pdf' ? stampFile(core, signing, late) : stampBeside(core, signing, late))
      return late.length
    } catch (error) {
      if (NEVER.some((kind) => isProblem(error, kind))) await giveUp(core, late, error instanceof Problem ? error.code : '')
      else await postponeTimes(db, documentId, after(MINUTE_MS * Math.min(LONGEST_PAUSE_MINUTES, 2 ** first.tries)))
      throw error
    } finally {
      await dropLease(db, first.envelopeId, lease)
    }
  }

  return {
    async add() {
      let [stamped, givenUp, isDown] = [0, 0, false]
      const over = Object.groupBy(await listOutlivedTimes(db, clock.now(), BATCH), ({ envelopeId, accountId }) => `${envelopeId} ${accountId}`)
      await eachInTurn(Object.values(over), async (late = []) => {
        if (await unlessTaken(() => giveUp(core, late, 'certificate-over'))) givenUp += late.length
      })
      await eachInTurn(await listDueDocuments(db, clock.now(), BATCH), async (documentId) => {
        // The others wait for the next round rather than ask in vain.
        if (isDown) return
        try {
          stamped += await stamp(documentId)
        } catch (error) {
          isDown = isTimeMissing(error)
          if (!(error instanceof Problem)) throw error
        }
      })
      return { stamped, givenUp }
    },
  }
}

/** All signatures of a PDF at once: one time-stamp over the whole file vouches for each of them. */
async function stampFile(core: EnvelopeCore, signing: Pick<Signing, 'addTime' | 'evidence'>, late: readonly LateSignature[]): Promise<void> {
  const { envelope, document } = await findDocument(core, core.platform.db, late)
  const content = await openContent(core, core.platform.db, document)
  const { bytes, levels } = await timed(signing, content.bytes, { late, form: envelope.level })
  const sha256 = sha256Of(bytes)
  await core.platform.db.transaction(async (tx) => {
    const made = { documentId: document.id, version: document.version, sha256, sealed: content.reseal(bytes) }
    if (!(await replaceContents(tx, [made]))) throw new Problem(SIGNATURE_PROBLEMS.signingBusy)
    await settle(core, tx, late.map(({ id, sha256: untimedSha256 }, index) => ({ id, untimedSha256, level: levels[index] ?? 'B-T' })), { envelope, sha256 })
  })
}

/** The file with its time, and what it has for each signature. */
interface Timed {
  readonly bytes: Buffer
  readonly levels: readonly SignatureForm[]
}

/** Nobody takes time or evidence from the others by revoking a certificate meanwhile: theirs comes without evidence. */
async function timed(signing: Pick<Signing, 'addTime' | 'evidence'>, file: Buffer, { late, form }: { late: readonly LateSignature[]; form: PadesLevel }): Promise<Timed> {
  const isVouched: boolean[] = []
  for (const { certificate } of late) isVouched.push(isLongTerm(form) && (await vouches(signing, certificate)))
  const leaves = late.flatMap(({ certificate }, index) => (isVouched[index] ? [certificate] : []))
  // A time-stamp over the evidence: what would have had no second one has it now.
  const levels = isVouched.map((is): SignatureForm => (is ? 'B-LTA' : 'B-T'))
  return { bytes: await signing.addTime(file, { leaves, form: leaves.length > 0 ? form : 'B-T' }), levels }
}

async function vouches(signing: Pick<Signing, 'evidence'>, certificate: Buffer): Promise<boolean> {
  try {
    await signing.evidence([certificate])
    return true
  } catch (error) {
    if (!UNVOUCHED.some((kind) => isProblem(error, kind))) throw error
    return false
  }
}

/** Each signature beside a file has a time of its own. */
async function stampBeside(core: EnvelopeCore, signing: Pick<Signing, 'addTimeBeside'>, late: readonly LateSignature[]): Promise<void> {
  const { envelope, document } = await findDocument(core, core.platform.db, late)
  const content = await openContent(core, core.platform.db, document)
  const made: (TimedSignature & { readonly sealed: Buffer })[] = []
  for (const { id } of late) {
    const sealed = await findDetached(core.platform.db, id)
    if (!sealed) throw new Problem(SIGNATURE_PROBLEMS.documentGone)
    const bare = content.openBeside(sealed, id)
    made.push({ id, level: BESIDE_LEVEL, untimedSha256: sha256Of(bare), sealed: content.sealBeside(await signing.addTimeBeside(bare), id) })
  }
  await core.platform.db.transaction(async (tx) => {
    for (const { id, sealed } of made) await replaceDetached(tx, id, sealed)
    await settle(core, tx, made, { envelope, sha256: undefined })
  })
}

const sha256Of = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()

async function settle(core: EnvelopeCore, tx: Sql, made: readonly TimedSignature[], { envelope, sha256 }: { envelope: Envelope; sha256: Buffer | undefined }): Promise<void> {
  const signatures = made.map(({ id }) => id)
  if (!(await settleTimes(tx, made, sha256))) throw new Problem(SIGNATURE_PROBLEMS.signingBusy)
  await core.audit.record(tx, {
    type: 'signatures/time-added', actor: { kind: 'system' }, clientId: envelope.clientId,
    data: { envelopeId: envelope.id, signatures, ...(sha256 && { sha256: sha256.toString('hex') }) },
  })
}

async function findDocument(core: EnvelopeCore, sql: Sql, [first]: readonly LateSignature[]): Promise<{ envelope: Envelope; document: EnvelopeDocument }> {
  const found = first && (await findEnvelope(sql, first.envelopeId))
  const envelope = found && toEnvelope(core, found)
  const document = envelope?.documents.find(({ id }) => id === first?.documentId)
  if (!envelope || !document || envelope.contentsGoneAt) throw new Problem(SIGNATURE_PROBLEMS.documentGone)
  return { envelope, document }
}

/** False where another process was quicker. */
async function unlessTaken(work: () => Promise<void>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    if (!isProblem(error, SIGNATURE_PROBLEMS.signingBusy)) throw error
    return false
  }
}

/** Told to whoever signed and to whoever asked, of one envelope once a day: they can have it signed anew. */
async function giveUp(core: EnvelopeCore, late: readonly LateSignature[], why: string): Promise<void> {
  const [first] = late
  const found = first && (await findEnvelope(core.platform.db, first.envelopeId))
  if (!first || !found) return
  const envelope = toEnvelope(core, found)
  const signers = late.map(({ accountId }) => accountId)
  const tellable = await accountsToTell(core, [...signers, envelope.ownerId])
  const now = core.platform.clock.now()
  await core.platform.db.transaction(async (tx) => {
    // Two processes that give up two signers' of one envelope go one after the other.
    await findEnvelope(tx, envelope.id, { lock: true })
    const before = await listGivenUpSince(tx, envelope.id, momentOf(localDay(now), 0))
    const signatures = late.map(({ id }) => id)
    // Another process was quicker, and has told them.
    if (!(await giveUpTimes(tx, signatures, now))) throw new Problem(SIGNATURE_PROBLEMS.signingBusy)
    await core.audit.record(tx, { type: 'signatures/time-given-up', actor: { kind: 'system' }, clientId: envelope.clientId, data: { envelopeId: envelope.id, signatures, why } })
    // Whoever asked was told with each of them, a signer with their own.
    const isTold = (id: string) => before.includes(id) || (id === envelope.ownerId && before.length > 0)
    for (const account of tellable.filter(({ id }) => !isTold(id))) await core.ports.notify(tx, account, { notice: 'time-missing', envelopeId: envelope.id, params: {} })
  })
}

async function accountsToTell({ accounts }: EnvelopeCore, ids: readonly (string | undefined)[]): Promise<Account[]> {
  const found = await Promise.all([...new Set(ids)].map((id) => (id === undefined ? undefined : accounts.find(id))))
  return found.filter((account) => account !== undefined).filter(({ status }) => status === 'active')
}

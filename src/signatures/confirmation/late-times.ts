import { createHash, randomUUID } from 'node:crypto'
import type { Account } from '../../accounts/index.ts'
import type { Sql } from '../../platform/db.ts'
import { isProblem, Problem } from '../../platform/problem.ts'
import { eachInTurn } from '../each-in-turn.ts'
import { replaceContents } from '../envelope/content.store.ts'
import { openContent } from '../envelope/contents.ts'
import { type EnvelopeCore, toEnvelope } from '../envelope/core.ts'
import type { Envelope, EnvelopeDocument, PadesLevel } from '../envelope/envelope.ts'
import { findEnvelope } from '../envelope/envelope.store.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import type { Signing } from '../signing/signing.ts'
import { type LateSignature, listDueDocuments, listLateOf, listOutlivedTimes, postponeTimes, replaceDetached, settleTimes } from './late-time.store.ts'
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

export function createLateTimes(core: EnvelopeCore, { signing }: { readonly signing: Pick<Signing, 'addTime' | 'addTimeBeside'> }): LateTimes {
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
async function stampFile(core: EnvelopeCore, signing: Pick<Signing, 'addTime'>, late: readonly LateSignature[]): Promise<void> {
  const { envelope, document } = await findDocument(core, core.platform.db, late)
  const content = await openContent(core, core.platform.db, document)
  const bytes = await timed(signing, content.bytes, { leaves: late.map(({ certificate }) => certificate), form: envelope.level })
  const sha256 = createHash('sha256').update(bytes).digest()
  await core.platform.db.transaction(async (tx) => {
    const made = { documentId: document.id, version: document.version, sha256, sealed: content.reseal(bytes) }
    if (!(await replaceContents(tx, [made]))) throw new Problem(SIGNATURE_PROBLEMS.signingBusy)
    await settle(core, tx, late, { envelope, sha256 })
  })
}

/** Nobody takes the time from the others by revoking a certificate meanwhile: then it comes without the evidence. */
async function timed(signing: Pick<Signing, 'addTime'>, bytes: Buffer, late: { leaves: readonly Buffer[]; form: PadesLevel }): Promise<Buffer> {
  try {
    return await signing.addTime(bytes, late)
  } catch (error) {
    if (!UNVOUCHED.some((kind) => isProblem(error, kind))) throw error
    return signing.addTime(bytes, { ...late, form: 'B-T' })
  }
}

/** Each signature beside a file has a time of its own. */
async function stampBeside(core: EnvelopeCore, signing: Pick<Signing, 'addTimeBeside'>, late: readonly LateSignature[]): Promise<void> {
  const { envelope, document } = await findDocument(core, core.platform.db, late)
  const content = await openContent(core, core.platform.db, document)
  const made: { id: string; sealed: Buffer }[] = []
  for (const { id } of late) {
    const sealed = await findDetached(core.platform.db, id)
    if (!sealed) throw new Problem(SIGNATURE_PROBLEMS.documentGone)
    made.push({ id, sealed: content.sealBeside(await signing.addTimeBeside(content.openBeside(sealed, id)), id) })
  }
  await core.platform.db.transaction(async (tx) => {
    for (const { id, sealed } of made) await replaceDetached(tx, id, sealed)
    await settle(core, tx, late, { envelope, sha256: undefined })
  })
}

async function settle(core: EnvelopeCore, tx: Sql, late: readonly LateSignature[], { envelope, sha256 }: { envelope: Envelope; sha256: Buffer | undefined }): Promise<void> {
  const signatures = late.map(({ id }) => id)
  if (!(await settleTimes(tx, signatures, { state: 'stamped', sha256 }))) throw new Problem(SIGNATURE_PROBLEMS.signingBusy)
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

/** Told to whoever signed and to whoever asked: they can have it signed anew. */
async function giveUp(core: EnvelopeCore, late: readonly LateSignature[], why: string): Promise<void> {
  const [first] = late
  const found = first && (await findEnvelope(core.platform.db, first.envelopeId))
  if (!first || !found) return
  const envelope = toEnvelope(core, found)
  const tellable = await accountsToTell(core, [...late.map(({ accountId }) => accountId), envelope.ownerId])
  await core.platform.db.transaction(async (tx) => {
    const signatures = late.map(({ id }) => id)
    // Another process was quicker, and has told them.
    if (!(await settleTimes(tx, signatures, { state: 'missing' }))) throw new Problem(SIGNATURE_PROBLEMS.signingBusy)
    await core.audit.record(tx, { type: 'signatures/time-given-up', actor: { kind: 'system' }, clientId: envelope.clientId, data: { envelopeId: envelope.id, signatures, why } })
    for (const account of tellable) await core.ports.notify(tx, account, { notice: 'time-missing', envelopeId: envelope.id, params: {} })
  })
}

async function accountsToTell({ accounts }: EnvelopeCore, ids: readonly (string | undefined)[]): Promise<Account[]> {
  const found = await Promise.all([...new Set(ids)].map((id) => (id === undefined ? undefined : accounts.find(id))))
  return found.filter((account) => account !== undefined).filter(({ status }) => status === 'active')
}

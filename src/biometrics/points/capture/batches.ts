import { createHash, randomUUID } from 'node:crypto'
import { compactVerify, decodeProtectedHeader, importJWK } from 'jose'
import { type Cpf, parseCpf } from '../../../accounts/index.ts'
import type { Audit } from '../../../audit/index.ts'
import type { Clock } from '../../../platform/clock.ts'
import type { Database } from '../../../platform/db.ts'
import { parseJson } from '../../../platform/http/body/body.ts'
import type { Keyring } from '../../../platform/keyring.ts'
import { Problem } from '../../../platform/problem.ts'
import { type AgencyClient, getPurpose } from '../../agencies/policy.ts'
import { POINT_PROBLEMS } from '../problems.ts'
import type { CapturePoint } from '../registry/point.ts'
import { holdPoint } from '../registry/point.store.ts'
import { type CaptureBatch, findBatch, findSequence, findSignedBefore, insertBatch } from './batch.store.ts'
import { type ClockMark, markOfClock } from './clock-rule.ts'
import { type Manifest, manifest as manifestSchema } from './contract.ts'
import { newItemOf, processHash } from './wire.ts'
import { selectBatchProcesses, selectItems } from './process.store.ts'
import type { NewProcess, Processes, ProcessView } from './processes.ts'

export const BATCH_TYPE = 'mt-lote+jws'

export interface BatchView {
  readonly point: CapturePoint
  readonly batch: Omit<CaptureBatch, 'manifest'>
  readonly missing: readonly number[]
  readonly processes: readonly ProcessView[]
  readonly isReplay: boolean
}

/** Captures made without a connection, sent later as the point signed them. */
export interface Batches {
  /**
   * Opens the processes of a batch; their files follow by the uploads of their items. The same batch again changes nothing.
   *
   * @throws {Problem} points/batch-unreadable, points/point-unknown, points/signature-refused, points/not-active, points/sequence-used,
   * points/clock-ahead, points/clock-behind, points/person-unknown, points/key-reused
   */
  receive(client: AgencyClient, jws: string): Promise<BatchView>
}

export interface BatchesDependencies {
  readonly platform: { readonly db: Database; readonly clock: Clock; readonly keyring: Pick<Keyring, 'seal'> }
  readonly audit: Pick<Audit, 'record'>
  readonly processes: Processes
}

export function createBatches({ platform, audit, processes }: BatchesDependencies): Batches {
  const { db, clock, keyring } = platform

  async function viewOf(point: CapturePoint, batch: Omit<CaptureBatch, 'manifest'>, isReplay: boolean): Promise<BatchView> {
    const opened = await selectBatchProcesses(db, batch.id)
    const items = await selectItems(db, opened.map(({ id }) => id))
    const { missing } = await findSequence(db, point.id)
    const views = opened.map((process) => ({ process, items: items.filter(({ processId }) => processId === process.id) }))
    return { point, batch, missing, processes: views, isReplay }
  }

  /** Every person is found before anything is written: of a batch all or nothing is taken. */
  async function peopleOf(client: AgencyClient, { processos }: Manifest): Promise<(NewProcess & { personId: string })[]> {
    const found: (NewProcess & { personId: string })[] = []
    for (const one of processos) {
      getPurpose(client, one.finalidade)
      const cpf = cpfOf(one.cpf)
      const request: NewProcess = {
        key: one.chave, requestHash: processHash(one), cpf, purpose: one.finalidade, operator: one.operador, device: one.aparelho,
        capturedAt: new Date(one.capturado_em), items: one.itens.map(newItemOf),
      }
      found.push({ ...request, personId: await processes.personOf(cpf) })
    }
    return found
  }

  async function take(client: AgencyClient, point: CapturePoint, content: Manifest, signed: { jws: string; digest: Buffer; keyId: string }): Promise<CaptureBatch | undefined> {
    const requests = await peopleOf(client, content)
    return db.transaction(async (tx) => {
      const now = clock.now()
      const held = await holdPoint(tx, point.id)
      if (held?.state !== 'active') throw new Problem(POINT_PROBLEMS.notActive)
      if (held.keyId !== signed.keyId) throw new Problem(POINT_PROBLEMS.signatureRefused)
      const signedAt = new Date(content.assinado_em)
      const before = await findSignedBefore(tx, point.id, content.sequencia)
      const marks = requests.map(({ capturedAt }) => markOfClock({ capturedAt, signedAt, before }, now))
      const id = randomUUID()
      const batch: CaptureBatch = {
        id, pointId: point.id, sequence: content.sequencia, digest: signed.digest, manifest: keyring.seal(signed.jws, `capture-batch/${id}`),
        keyId: signed.keyId, clock: worstOf(marks), signedAt, receivedAt: now,
      }
      if (!(await insertBatch(tx, batch))) return undefined
      for (const [index, request] of requests.entries()) {
        const isNew = await processes.openWithin(tx, client, point, request, { batchId: id, clock: marks[index] ?? 'late' })
        if (!isNew) throw new Problem(POINT_PROBLEMS.keyReused, { detail: request.key })
      }
      const data = { pointId: point.id, batchId: id, sequence: batch.sequence, processes: requests.length, clock: batch.clock }
      await audit.record(tx, { type: 'biometrics/batch-received', actor: { kind: 'client', id: client.id }, clientId: client.id, data })
      return batch
    })
  }

  return {
    async receive(client, jws) {
      const point = await processes.getPoint(client.id, claimedPoint(jws))
      const content = await verify(point, jws)
      const digest = contentDigest(jws)
      const known = await findBatch(db, point.id, content.sequencia)
      const taken = known ? undefined : await take(client, point, content, { jws, digest, keyId: point.keyId ?? '' })
      if (taken) return viewOf(point, taken, false)
      const earlier = known ?? (await findBatch(db, point.id, content.sequencia))
      if (!earlier?.digest.equals(digest)) throw new Problem(POINT_PROBLEMS.sequenceUsed)
      return viewOf(point, earlier, true)
    },
  }
}

const MARKS: readonly ClockMark[] = ['fits', 'late', 'went-back']
const worstOf = (marks: readonly ClockMark[]): ClockMark => MARKS.findLast((mark) => marks.includes(mark)) ?? 'fits'

/** Of what was signed, not of the signature: the same content signed anew has other bytes, as ECDSA is not deterministic. */
function contentDigest(jws: string): Buffer {
  return createHash('sha256').update(jws.split('.')[1] ?? '').digest()
}

/** The point that the batch says it is of, before anything is believed: it only chooses whose key must have signed. */
function claimedPoint(jws: string): string {
  const content = payloadOf(Buffer.from(jws.split('.')[1] ?? '', 'base64url'))
  return content.ponto
}

function payloadOf(payload: Uint8Array): Manifest {
  const read = manifestSchema.safeParse(readJson(payload))
  if (read.success) return read.data
  throw new Problem(POINT_PROBLEMS.batchUnreadable, { detail: read.error.issues.map(({ path }) => path.join('/')).slice(0, 5).join(', ') })
}

function readJson(payload: Uint8Array): unknown {
  try {
    return parseJson(Buffer.from(payload))
  } catch (cause) {
    throw new Problem(POINT_PROBLEMS.batchUnreadable, { detail: 'not JSON', cause })
  }
}

/** @throws {Problem} points/signature-refused */
async function verify({ key, keyId }: CapturePoint, jws: string): Promise<Manifest> {
  const refused = (cause: unknown) => new Problem(POINT_PROBLEMS.signatureRefused, { cause })
  if (key === undefined) throw refused('the point has no key')
  try {
    const { kid, typ } = decodeProtectedHeader(jws)
    if (kid !== keyId || typ !== BATCH_TYPE) throw refused('another key or type')
    const { payload } = await compactVerify(jws, await importJWK({ ...key }, 'ES256'), { algorithms: ['ES256'] })
    return payloadOf(payload)
  } catch (error) {
    throw error instanceof Problem ? error : refused(error)
  }
}

/** The schema has seen that it is one. */
function cpfOf(text: string): Cpf {
  const cpf = parseCpf(text)
  if (cpf === undefined) throw new Problem(POINT_PROBLEMS.batchUnreadable, { detail: 'cpf' })
  return cpf
}

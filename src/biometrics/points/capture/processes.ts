import { randomUUID } from 'node:crypto'
import type { BaseRegister, Cpf } from '../../../accounts/index.ts'
import type { Audit } from '../../../audit/index.ts'
import type { Clock } from '../../../platform/clock.ts'
import type { Database, Sql } from '../../../platform/db.ts'
import type { Keyring } from '../../../platform/keyring.ts'
import { Problem } from '../../../platform/problem.ts'
import { type AgencyClient, getPurpose } from '../../agencies/policy.ts'
import type { ImageStore } from '../../images/image-store.ts'
import { ensurePerson, findPersonByCpf } from '../../images/transfer/import.store.ts'
import type { Journal } from '../metering/journal.ts'
import { POINT_PROBLEMS } from '../problems.ts'
import type { CapturePoint } from '../registry/point.ts'
import { findPointByCode, holdPoint } from '../registry/point.store.ts'
import { type ClockMark, DAY_MS, markOfClock } from './clock-rule.ts'
import { ledgerIdOf } from './person.store.ts'
import { type CaptureItem, type CaptureProcess, isComplete, type NewItem, placeOf } from './process.ts'
import {
  countOpen, deletePartsOf, findItem, findProcess, findProcessByKey, insertItem, insertProcess, lockProcess, moveProcess, selectItems, selectOverdue,
} from './process.store.ts'
import { holdActive, storeMissing } from './uploads.ts'

/** One person at one point, as the capture software announces it. */
export interface NewProcess {
  readonly key: string
  readonly requestHash: Buffer
  readonly cpf: Cpf
  readonly purpose: string
  readonly operator: string
  readonly device: string
  readonly capturedAt: Date
  readonly items: readonly NewItem[]
}

export interface ProcessView {
  readonly process: CaptureProcess
  readonly items: readonly CaptureItem[]
}

/** Of a batch that a process came with. */
export interface Origin {
  readonly batchId: string
  readonly clock: ClockMark
}

/** Processes of capture: opened, filled by uploads, concluded and counted. */
export interface Processes {
  /** The point of a code, if this client's software captures there. @throws {Problem} points/point-unknown */
  getPoint(clientId: string, code: string): Promise<CapturePoint>
  /**
   * The process of this key: a new one, or the one that was opened before with the same request.
   *
   * @throws {Problem} agencies/purpose-not-allowed, points/not-active, points/person-unknown, points/key-reused, points/clock-ahead,
   * points/clock-behind, points/too-many-open
   */
  open(client: AgencyClient, point: CapturePoint, request: NewProcess): Promise<ProcessView & { isReplay: boolean }>
  /** As `open`, in the transaction that takes a batch. */
  openWithin(tx: Sql, client: AgencyClient, point: CapturePoint, request: NewProcess & { personId: string }, origin?: Origin): Promise<boolean>
  /** Finds or adds the person of a CPF, from the base register. @throws {Problem} points/person-unknown */
  personOf(cpf: Cpf): Promise<string>
  get(clientId: string, id: string): Promise<ProcessView>
  /** An item of this client's process. @throws {Problem} points/item-unknown */
  getItem(clientId: string, id: string): Promise<{ process: CaptureProcess; item: CaptureItem }>
  /** Another item, in the place of one that was refused or as an addition. @throws {Problem} points/item-taken, points/process-over */
  addItem(clientId: string, processId: string, item: NewItem): Promise<CaptureItem>
  /** Counts the process; asked again it answers the same. @throws {Problem} points/items-open, points/process-over, points/not-active */
  conclude(clientId: string, id: string): Promise<ProcessView>
  /** Ends a process that will not be completed; what is stored of it stays, nothing is counted. @throws {Problem} points/process-over */
  giveUp(clientId: string, id: string): Promise<ProcessView>
  /** Ends what nobody completed in its time. */
  sweep(): Promise<number>
}

export interface ProcessesDependencies {
  readonly platform: { readonly db: Database; readonly clock: Clock; readonly keyring: Pick<Keyring, 'hash'> }
  readonly audit: Pick<Audit, 'record'>
  readonly register: BaseRegister
  readonly journal: Journal
  readonly images: Pick<ImageStore, 'putNew'>
}

/** So long a process may wait for its items. */
export const OPEN_MS = 7 * DAY_MS
/** Open processes of one point; each may have some hundred megabytes on their way. */
export const MOST_OPEN = 500
const MOST_ITEMS = 40
const SWEEP = 200

export function createProcesses({ platform, audit, register, journal, images }: ProcessesDependencies): Processes {
  const { db, clock, keyring } = platform

  async function personOf(cpf: Cpf): Promise<string> {
    const known = await findPersonByCpf(db, cpf)
    if (known !== undefined) return known
    const record = await register.find(cpf)
    if (record === undefined) throw new Problem(POINT_PROBLEMS.personUnknown)
    return ensurePerson(db, record, clock.now())
  }

  async function openWithin(tx: Sql, client: AgencyClient, point: CapturePoint, request: NewProcess & { personId: string }, origin?: Origin): Promise<boolean> {
    const { personId, items, operator, device, capturedAt } = request
    const purpose = getPurpose(client, request.purpose)
    if ((await countOpen(tx, point.id)) >= MOST_OPEN) throw new Problem(POINT_PROBLEMS.tooManyOpen, { retryAfterSeconds: 3600 })
    const now = clock.now()
    const process: CaptureProcess = {
      id: randomUUID(), pointId: point.id, clientId: client.id, personId, batchId: origin?.batchId, requestKey: request.key,
      requestHash: keyring.hash(request.requestHash, 'capture-request'), purpose: purpose.code, legalBasis: purpose.legalBasis, operator, device,
      clock: origin?.clock ?? markOfClock({ capturedAt }, now), state: 'open', capturedAt, receivedAt: now,
      expiresAt: new Date(now.getTime() + OPEN_MS), finishedAt: undefined,
    }
    if (!(await insertProcess(tx, process))) return false
    for (const [index, item] of items.entries()) await announce(tx, process, point, item, index + 1)
    const data = { processId: process.id, pointId: point.id, purpose: purpose.code, legalBasis: purpose.legalBasis, offline: origin !== undefined }
    const actor = { kind: 'client', id: client.id } as const
    await audit.record(tx, { type: 'biometrics/capture-opened', actor, clientId: client.id, subject: await ledgerIdOf(tx, personId), data })
    return true
  }

  async function announce(tx: Sql, process: CaptureProcess, point: CapturePoint, item: NewItem, position: number): Promise<CaptureItem> {
    const added = { ...item, id: randomUUID(), processId: process.id, position }
    await insertItem(tx, added)
    if (item.missing !== undefined) await storeMissing({ images, audit }, tx, { process, point, item: added, missing: item.missing })
    return { ...added, received: 0, state: item.missing === undefined ? 'receiving' : 'stored', reasons: [], imageId: undefined }
  }

  async function viewOf(process: CaptureProcess): Promise<ProcessView> {
    return { process, items: await selectItems(db, [process.id]) }
  }

  async function get(clientId: string, id: string): Promise<ProcessView> {
    const process = await findProcess(db, clientId, id)
    if (process === undefined) throw new Problem(POINT_PROBLEMS.processUnknown)
    return viewOf(process)
  }

  async function end(tx: Sql, process: CaptureProcess, move: 'giveUp' | 'expire'): Promise<boolean> {
    if (!(await moveProcess(tx, process.id, move, clock.now()))) return false
    await deletePartsOf(tx, process.id)
    const by = move === 'giveUp' ? 'software' : 'time'
    const actor = move === 'giveUp' ? ({ kind: 'client', id: process.clientId } as const) : ({ kind: 'system' } as const)
    const subject = await ledgerIdOf(tx, process.personId)
    await audit.record(tx, { type: 'biometrics/capture-given-up', actor, clientId: process.clientId, subject, data: { processId: process.id, pointId: process.pointId, by } })
    return true
  }

  return {
    personOf,
    openWithin,
    get,
    async getPoint(clientId, code) {
      const point = await findPointByCode(db, code)
      if (point?.clientId !== clientId) throw new Problem(POINT_PROBLEMS.pointUnknown)
      return point
    },
    async open(client, point, request) {
      getPurpose(client, request.purpose)
      const known = await findProcessByKey(db, point.id, request.key)
      if (known === undefined) {
        if (point.state !== 'active') throw new Problem(POINT_PROBLEMS.notActive)
        const personId = await personOf(request.cpf)
        await db.transaction((tx) => openWithin(tx, client, point, { ...request, personId }))
      }
      const process = known ?? (await findProcessByKey(db, point.id, request.key))
      if (process === undefined) throw new Error('a process was not opened')
      const isSame = process.clientId === client.id && process.requestHash.equals(keyring.hash(request.requestHash, 'capture-request'))
      if (!isSame) throw new Problem(POINT_PROBLEMS.keyReused)
      return { ...(await viewOf(process)), isReplay: known !== undefined }
    },
    async getItem(clientId, id) {
      const item = await findItem(db, id)
      const process = item && (await findProcess(db, clientId, item.processId))
      if (!item || !process) throw new Problem(POINT_PROBLEMS.itemUnknown)
      return { process, item }
    },
    async addItem(clientId, processId, item) {
      const { process } = await get(clientId, processId)
      return db.transaction(async (tx) => {
        const point = await holdActive(tx, process)
        const items = await selectItems(tx, [processId])
        const isTaken = items.some((other) => other.state !== 'refused' && placeOf(other) === placeOf(item))
        if (isTaken || items.length >= MOST_ITEMS) throw new Problem(POINT_PROBLEMS.itemTaken)
        return announce(tx, process, point, item, items.length + 1)
      })
    },
    async conclude(clientId, id) {
      const { process } = await get(clientId, id)
      await db.transaction(async (tx) => {
        const point = await holdPoint(tx, process.pointId)
        if ((await lockProcess(tx, id))?.state === 'captured') return
        if (point?.state !== 'active') throw new Problem(POINT_PROBLEMS.notActive)
        if (!isComplete(await selectItems(tx, [id]))) throw new Problem(POINT_PROBLEMS.itemsOpen)
        if (!(await moveProcess(tx, id, 'conclude', clock.now()))) throw new Problem(POINT_PROBLEMS.processOver)
        const ledgerId = await ledgerIdOf(tx, process.personId)
        await journal.count(tx, { processId: id, pointId: point.id, contract: point.contract, clientId, offline: process.batchId !== undefined, ledgerId })
      })
      return get(clientId, id)
    },
    async giveUp(clientId, id) {
      const { process } = await get(clientId, id)
      if (process.state === 'given-up') return viewOf(process)
      if (!(await db.transaction((tx) => end(tx, process, 'giveUp')))) throw new Problem(POINT_PROBLEMS.processOver)
      return get(clientId, id)
    },
    async sweep() {
      let ended = 0
      for (const process of await selectOverdue(db, clock.now(), SWEEP)) if (await db.transaction((tx) => end(tx, process, 'expire'))) ended += 1
      return ended
    },
  }
}

import { createHash } from 'node:crypto'
import type { Audit } from '../../../audit/index.ts'
import type { Database, Sql } from '../../../platform/db.ts'
import type { Keyring } from '../../../platform/keyring.ts'
import { Problem } from '../../../platform/problem.ts'
import { compareFaces, type MatchRule } from '../../liveness/match-rule.ts'
import { MISSING_FINGER_TYPE, type MissingFinger, missingFingerBytes } from '../../finger.ts'
import { type NewTemplate, type Original, ORIGINAL_TYPES, type Provenance } from '../../images/image.ts'
import type { ImageStore } from '../../images/image-store.ts'
import { POINT_PROBLEMS } from '../problems.ts'
import type { CapturePoint } from '../registry/point.ts'
import { holdPoint } from '../registry/point.store.ts'
import { type CaptureFaces, type ItemJudgement, judgeItem } from './judge-item.ts'
import { type CaptureItem, type CaptureProcess, type NewItem, storedAs } from './process.ts'
import { appendPart, findItem, lockProcess, restartItem, selectParts, setImage, settleItem } from './process.store.ts'

/** Most bytes of one append: what one request may cost on a bad link. */
export const MOST_APPEND = 4_000_000

export interface Append {
  readonly offset: number
  readonly bytes: Buffer
  readonly isLast: boolean
}

/** The way of an item's bytes into the store: appended where they stand, and judged when they are all there. */
export interface Uploads {
  /**
   * Takes bytes; with the last ones the item is checked against its announced SHA-256, judged, and stored sealed under the person's key.
   *
   * @returns the item as it is then: a picture that does not serve is `refused` with reasons, which is no error
   * @throws {Problem} points/offset-wrong, points/size-wrong, points/digest-wrong, points/process-over, points/not-active
   */
  append(process: CaptureProcess, item: CaptureItem, append: Append): Promise<CaptureItem>
}

export interface UploadsDependencies {
  readonly db: Database
  readonly keyring: Pick<Keyring, 'seal' | 'open'>
  readonly audit: Pick<Audit, 'record'>
  readonly images: Pick<ImageStore, 'putNew' | 'findReference'>
  readonly faces: CaptureFaces & { readonly rule: MatchRule }
}

const contextOf = (itemId: string, starts: number) => `capture-part/${itemId}/${starts}`

export function createUploads({ db, keyring, audit, images, faces }: UploadsDependencies): Uploads {
  async function readAll(item: CaptureItem): Promise<Buffer> {
    const parts = await selectParts(db, item.id)
    return Buffer.concat(parts.map(({ starts, sealed }) => keyring.open(sealed, contextOf(item.id, starts))))
  }

  async function refuse(tx: Sql, process: CaptureProcess, item: CaptureItem, reasons: readonly string[]): Promise<void> {
    if (!(await settleItem(tx, item.id, { state: 'refused', reasons }))) return
    const data = { processId: process.id, pointId: process.pointId, itemId: item.id, kind: item.kind, reasons: [...reasons] }
    await audit.record(tx, { type: 'biometrics/capture-item-refused', actor: { kind: 'client', id: process.clientId }, clientId: process.clientId, data })
  }

  /** A face that differs from the one that the state has already never takes its place by itself. */
  async function isLikeReference(personId: string, template: NewTemplate | undefined): Promise<boolean> {
    const reference = template && (await images.findReference(personId, template.modelId))
    if (!template || !reference) return true
    return compareFaces(faces.rule, { template: template.descriptor, k: template.k }, reference.descriptor)?.same === true
  }

  async function store(tx: Sql, { process, point, item, bytes }: Judged, judged: Extract<ItemJudgement, { usable: true }>, isLike: boolean): Promise<void> {
    if (!(await settleItem(tx, item.id, { state: 'stored', reasons: isLike ? [] : ['points/face-differs'] }))) return
    const isReference = item.kind === 'face' && point.vouched && isLike
    const actor = { kind: 'client', id: process.clientId } as const
    const { imageId } = await images.putNew(
      tx,
      {
        personId: process.personId, ...storedAs(item), ...judged.copy, original: originalOf(item, bytes),
        provenance: provenanceOf(process, point, item.id, isReference),
      },
      { template: judged.template, actor },
    )
    await setImage(tx, item.id, imageId)
    const data = { processId: process.id, pointId: point.id, itemId: item.id, imageId, kind: item.kind, isReference }
    await audit.record(tx, { type: 'biometrics/capture-item-stored', actor, clientId: process.clientId, data })
  }

  async function finish(process: CaptureProcess, item: CaptureItem): Promise<void> {
    const bytes = await readAll(item)
    if (!createHash('sha256').update(bytes).digest().equals(item.sha256)) {
      await db.transaction((tx) => restartItem(tx, item.id))
      throw new Problem(POINT_PROBLEMS.digestWrong, { detail: 'the upload begins again at 0' })
    }
    const judged = await judgeItem(faces, item, bytes)
    const isLike = await isLikeReference(process.personId, judged.usable ? judged.template : undefined)
    await db.transaction(async (tx) => {
      const point = await holdActive(tx, process)
      if (judged.usable) await store(tx, { process, point, item, bytes }, judged, isLike)
      else await refuse(tx, process, item, judged.reasons)
    })
  }

  return {
    async append(process, item, { offset, bytes, isLast }) {
      if (item.state !== 'receiving') return item
      if (offset !== item.received) throw new Problem(POINT_PROBLEMS.offsetWrong, { detail: String(item.received) })
      const end = offset + bytes.length
      if (end > item.size || (isLast && end !== item.size)) throw new Problem(POINT_PROBLEMS.sizeWrong, { detail: `announced: ${item.size}` })
      await db.transaction(async (tx) => {
        await holdActive(tx, process)
        if (bytes.length === 0) return
        const moved = await appendPart(tx, item.id, offset, bytes.length, keyring.seal(bytes, contextOf(item.id, offset)))
        if (!moved) throw new Problem(POINT_PROBLEMS.offsetWrong)
      })
      if (isLast) await finish(process, { ...item, received: end })
      return (await findItem(db, item.id)) ?? item
    },
  }
}

/** The file as it came, beside the copy that is served; of WSQ the copy is the file. */
function originalOf({ contentType }: CaptureItem, bytes: Buffer): Original | undefined {
  const type = ORIGINAL_TYPES.find((one) => one === contentType)
  return type && { bytes, contentType: type }
}

function provenanceOf(process: CaptureProcess, point: CapturePoint, itemId: string, isReference: boolean): Provenance {
  const { capturedAt, operator, device } = process
  return {
    source: 'capture-point', sourceId: itemId, method: 'camera', trusted: isReference, inPerson: false, capturedAt, capturePoint: point.code, operatorId: operator, device,
  }
}

/** Puts the reason of a missing finger in the place of its print, in the transaction that announces it; nothing is sent for it. */
export async function storeMissing(
  { images, audit }: Pick<UploadsDependencies, 'audit'> & { readonly images: Pick<ImageStore, 'putNew'> },
  tx: Sql,
  { process, point, item, missing }: { process: CaptureProcess; point: CapturePoint; item: NewItem & { id: string }; missing: MissingFinger },
): Promise<void> {
  const actor = { kind: 'client', id: process.clientId } as const
  const record = { bytes: missingFingerBytes(missing), contentType: MISSING_FINGER_TYPE, width: 0, height: 0 } as const
  const { imageId } = await images.putNew(
    tx,
    { personId: process.personId, ...storedAs(item), ...record, provenance: provenanceOf(process, point, item.id, false) },
    { actor },
  )
  await settleItem(tx, item.id, { state: 'stored', reasons: [] })
  await setImage(tx, item.id, imageId)
  const data = { processId: process.id, pointId: point.id, itemId: item.id, imageId, kind: item.kind, isReference: false }
  await audit.record(tx, { type: 'biometrics/capture-item-stored', actor, clientId: process.clientId, data })
}

interface Judged {
  readonly process: CaptureProcess
  readonly point: CapturePoint
  readonly item: CaptureItem
  readonly bytes: Buffer
}

/** The process is open and its point active, until the transaction ends. @throws {Problem} points/process-over, points/not-active */
export async function holdActive(tx: Sql, { id, pointId }: Pick<CaptureProcess, 'id' | 'pointId'>): Promise<CapturePoint> {
  const point = await holdPoint(tx, pointId)
  if (point?.state !== 'active') throw new Problem(POINT_PROBLEMS.notActive)
  if ((await lockProcess(tx, id))?.state !== 'open') throw new Problem(POINT_PROBLEMS.processOver)
  return point
}

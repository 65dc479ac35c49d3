import { checkImage, ImageRefused } from '../../image.ts'
import type { NewImage, NewTemplate } from '../../images/image.ts'
import { readWsqHeader } from '../../wsq.ts'
import { judgePicture } from '../../agencies/judgement.ts'
import type { FrameObservation } from '../../observation.ts'
import type { NewItem } from './process.ts'

/** The engine, as captures use it. */
export interface CaptureFaces {
  describe(photo: Uint8Array): Promise<FrameObservation>
  normalise(photo: Uint8Array): Promise<Uint8Array>
}

/** What is served of an item: a picture made upright, or a fingerprint's file to the bit. */
export type ItemCopy = Pick<NewImage, 'bytes' | 'contentType' | 'width' | 'height'>

/** An item that may be stored: its copy, and of a face the template; or why not. */
export type ItemJudgement =
  | { readonly usable: false; readonly reasons: readonly string[] }
  | { readonly usable: true; readonly copy: ItemCopy; readonly template: NewTemplate | undefined }

/** Longest item; a page scanned at 300 dots an inch in colour stays below it. */
export const MOST_BYTES = 15_000_000

/** Fewest pixels of the shorter side that serve: a fingerprint of 500 dots an inch, a document's small print. */
const LEAST_SIDE: Readonly<Record<NewItem['kind'], number>> = {
  face: 240, photo: 240, fingerprint: 200, signature: 80, 'document-front': 500, 'document-back': 500,
}

/**
 * Judges an item as the rest of the program does: structure first, then, of a face, the rules of the profile `capture-point`.
 *
 * Fingerprints (WSQ by its markers), signatures and documents are judged by structure and size only; nothing here reads them.
 */
export async function judgeItem(faces: CaptureFaces, { kind, contentType }: Pick<NewItem, 'kind' | 'contentType'>, bytes: Buffer): Promise<ItemJudgement> {
  const refuse = (...reasons: readonly string[]): ItemJudgement => ({ usable: false, reasons })
  if (contentType === 'image/x-wsq') {
    const size = readWsqHeader(bytes)
    if (size === undefined) return refuse('points/image-not-an-image')
    if (Math.min(size.width, size.height) < LEAST_SIDE[kind]) return refuse('points/image-too-small')
    return { usable: true, copy: { bytes, contentType, ...size }, template: undefined }
  }
  const check = checkImage(bytes)
  if (!check.ok) return refuse(`points/image-${check.refusal}`)
  if (`image/${check.type}` !== contentType) return refuse('points/image-other-type')
  if (Math.min(check.width, check.height) < LEAST_SIDE[kind]) return refuse('points/image-too-small')
  try {
    const template = kind === 'face' ? await judgeFace(faces, bytes) : undefined
    if (template?.usable === false) return template
    const copy = Buffer.from(await faces.normalise(bytes))
    const made = checkImage(copy)
    if (!made.ok) return refuse(`points/image-${made.refusal}`)
    return { usable: true, copy: { bytes: copy, contentType: 'image/jpeg', width: made.width, height: made.height }, template: template?.template }
  } catch (error) {
    if (error instanceof ImageRefused) return refuse(`points/image-${error.code}`)
    throw error
  }
}

async function judgeFace(faces: CaptureFaces, bytes: Buffer): Promise<{ usable: false; reasons: readonly string[] } | { usable: true; template: NewTemplate }> {
  const seen = await faces.describe(bytes)
  const { passed, reasons } = judgePicture('ponto_de_coleta', seen, bytes)
  const descriptor = seen.faces[0]?.descriptor
  if (!passed || descriptor === undefined) return { usable: false, reasons: reasons.length > 0 ? reasons : ['face/none'] }
  return { usable: true, template: { modelId: seen.modelId, k: 1, descriptor } }
}

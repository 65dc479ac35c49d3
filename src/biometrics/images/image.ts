import type { MISSING_FINGER_TYPE } from '../finger.ts'

/** Kinds of images that the store holds of a person; names are stored and never change. */
export const IMAGE_KINDS = ['face', 'document-front', 'document-back', 'signature', 'fingerprint', 'other'] as const
export type ImageKind = (typeof IMAGE_KINDS)[number]

/** How an image was taken; stored, never renamed. */
export const CAPTURE_METHODS = ['camera', 'upload', 'import'] as const
export type CaptureMethod = (typeof CAPTURE_METHODS)[number]

/** Kinds of files that may be kept as an original. */
export const ORIGINAL_TYPES = ['image/jpeg', 'image/png', 'image/webp'] as const
export type OriginalType = (typeof ORIGINAL_TYPES)[number]

/** Where an image comes from, and whether the state stands by it. */
export interface Provenance {
  /** System or base that gave it, e.g. `counter`, `demo`, `import:identification-institute`. */
  readonly source: string
  readonly method: CaptureMethod
  /** The state vouches that it shows this person: only then may it serve as a reference. */
  readonly trusted: boolean
  /** Captured in front of staff under dual control. */
  readonly inPerson: boolean
  readonly capturedAt: Date
  readonly capturePoint?: string | undefined
  readonly operatorId?: string | undefined
  /** The camera or scanner. */
  readonly device?: string | undefined
  /** Id of the record in the system that gave it: the same one is never imported twice. */
  readonly sourceId?: string | undefined
}

/** The file as it came, kept sealed as evidence and never served. */
export interface Original {
  readonly bytes: Uint8Array
  readonly contentType: OriginalType
}

/** What is known of an image before its pixels are looked at. */
export interface NewImageFacts {
  readonly personId: string
  readonly kind: ImageKind
  /** Which of several of a kind, e.g. a finger's position. */
  readonly slot?: string | undefined
  readonly width: number
  readonly height: number
  readonly provenance: Provenance
}

/** A normalised picture (upright, no EXIF) on its way into the store, with the original where there is one. */
export interface NewImage extends NewImageFacts {
  readonly bytes: Uint8Array
  /** `application/json`: the record of a missing finger in the place of its print. */
  readonly contentType: 'image/jpeg' | 'image/png' | 'image/x-wsq' | typeof MISSING_FINGER_TYPE
  readonly original?: Original | undefined
}

/** An original whose normalised copy a job makes. */
export interface NewOriginal extends NewImageFacts {
  readonly original: Original
}

/** What a face is compared with: the mean descriptor of one trusted capture and the model that made it. */
export interface Reference {
  readonly imageId: string
  readonly modelId: string
  /** Number of frames behind the descriptor. */
  readonly k: number
  readonly descriptor: readonly number[]
  readonly inPerson: boolean
}

export interface NewTemplate {
  readonly modelId: string
  readonly k: number
  readonly descriptor: readonly number[]
}

/** One image as the table has it, without its bytes; everything here is bound by `tag`. */
export interface StoredImage {
  readonly id: string
  readonly personId: string
  readonly kind: ImageKind
  readonly slot: string
  /** Counts from 1 for each person, kind and slot; the history is kept. */
  readonly version: number
  readonly source: string
  readonly sourceId: string | null
  readonly capturePoint: string | null
  readonly operatorId: string | null
  readonly device: string | null
  readonly method: string
  readonly trusted: boolean
  readonly inPerson: boolean
  readonly contentType: string
  readonly width: number
  readonly height: number
  readonly capturedAt: Date
  readonly createdAt: Date
  readonly withdrawnAt: Date | null
  readonly erasedAt: Date | null
  readonly erasedReason: string | null
  readonly sealVersion: number
  readonly tag: Buffer | null
  /** First bytes of the ciphertext, its nonce and tag: they name it. */
  readonly sealedMark: Buffer | null
  readonly original: { readonly contentType: string; readonly size: number; readonly sha256: Buffer; readonly sealedMark: Buffer } | null
}

/** One template as the table has it. */
export interface StoredTemplate {
  readonly id: string
  readonly imageId: string
  readonly personId: string
  readonly modelId: string
  readonly k: number
  readonly sealed: Buffer
  readonly sealVersion: number
  readonly createdAt: Date
}

/** True while it may serve: neither withdrawn nor erased. */
export const isStanding = (image: StoredImage): boolean => image.withdrawnAt === null && image.erasedAt === null

const rank = (image: StoredImage): number => (image.trusted ? 2 : 0) + (image.inPerson ? 1 : 0)

/**
 * Whether another standing image takes this one's place: of the same kind and slot, worth at least as much, and taken later.
 *
 * Worked out, never stored: when the newer one is withdrawn, the older one counts again. A selfie never takes the place of a capture
 * at a counter.
 */
export function isSuperseded(image: StoredImage, all: readonly StoredImage[]): boolean {
  const sameThing = all.filter((other) => other !== image && other.kind === image.kind && other.slot === image.slot && isStanding(other))
  return sameThing.some((other) => rank(other) >= rank(image) && isLater(other, image))
}

function isLater(one: StoredImage, other: StoredImage): boolean {
  const difference = one.capturedAt.getTime() - other.capturedAt.getTime()
  return difference > 0 || (difference === 0 && one.version > other.version)
}

/** Trusted standing faces, the one to compare with first: taken in person before others, newer before older. */
export function referencesOf(images: readonly StoredImage[]): StoredImage[] {
  return images
    .filter((image) => image.kind === 'face' && image.trusted && isStanding(image))
    .sort((a, b) => Number(b.inPerson) - Number(a.inPerson) || (isLater(a, b) ? -1 : 1))
}

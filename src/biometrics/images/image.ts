/** Kinds of images that the store holds of a person; names are stored and never change. */
export const IMAGE_KINDS = ['face', 'document-front', 'document-back', 'signature', 'fingerprint', 'other'] as const
export type ImageKind = (typeof IMAGE_KINDS)[number]

/** Where an image comes from, and whether the state stands by it. */
export interface Provenance {
  /** System or base that gave it, e.g. `counter`, `demo`, `import:identification-institute`. */
  readonly source: string
  readonly method: 'camera' | 'upload' | 'import'
  /** The state vouches that it shows this person: only then may it serve as a reference. */
  readonly trusted: boolean
  /** Captured in front of staff under dual control. */
  readonly inPerson: boolean
  readonly capturedAt: Date
  readonly capturePoint?: string | undefined
  readonly operatorId?: string | undefined
}

/** A normalised picture (upright, no EXIF) on its way into the store. */
export interface NewImage {
  readonly personId: string
  readonly kind: ImageKind
  readonly bytes: Uint8Array
  readonly contentType: 'image/jpeg' | 'image/png'
  readonly width: number
  readonly height: number
  readonly provenance: Provenance
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

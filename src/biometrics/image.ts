import type { Sharp } from 'sharp'
import sharp from 'sharp'
import type { ImageHeader, ImageType } from './image-header.ts'
import { readImageHeader } from './image-header.ts'

export type ImageRefusal = 'empty' | 'too-large' | 'not-an-image' | 'unsupported-type' | 'too-many-pixels' | 'truncated'

export interface ImageLimits {
  readonly maxBytes: number
  readonly maxPixels: number
  readonly maxSide: number
  readonly types: readonly ImageType[]
  /** What the decoder may not pass over: browsers encode without fault, some phones' photographs carry harmless ones. */
  readonly failOn: 'error' | 'warning'
}

/** A picture that a person chose: from a phone's camera or a scanner. */
export const PHOTO_LIMITS: ImageLimits = {
  maxBytes: 15_000_000,
  maxPixels: 25_000_000,
  maxSide: 10_000,
  types: ['jpeg', 'png', 'webp'],
  failOn: 'error',
}

/** One frame of a camera session, as the browser encodes it. */
export const FRAME_LIMITS: ImageLimits = { maxBytes: 1_000_000, maxPixels: 2_000_000, maxSide: 2_000, types: ['jpeg'], failOn: 'warning' }

/**
 * Only JPEG is reduced while it is decoded. Of the other kinds a larger picture unpacks to a hundred megabytes and keeps a worker busy
 * for a second; a page scanned at 300 dots an inch has 8.7 million pixels.
 */
const MOST_PIXELS_IN_FULL = 12_000_000

export type ImageCheck = ({ readonly ok: true } & ImageHeader) | { readonly ok: false; readonly refusal: ImageRefusal }

/** The picture was refused; `code` says why and is safe to show. */
export class ImageRefused extends Error {
  readonly code: ImageRefusal
  constructor(code: ImageRefusal, options?: { cause: unknown }) {
    super(`image refused: ${code}`, options)
    this.name = 'ImageRefused'
    this.code = code
  }
}

/**
 * Judges a picture by its length and structure only: kind, size in pixels, completeness.
 *
 * Costs well under 50 ms and no memory whatever the bytes are, so it comes before anything that decodes.
 */
export function checkImage(bytes: Uint8Array, limits: ImageLimits = PHOTO_LIMITS): ImageCheck {
  const refused = (refusal: ImageRefusal): ImageCheck => ({ ok: false, refusal })
  if (bytes.length === 0) return refused('empty')
  if (bytes.length > limits.maxBytes) return refused('too-large')
  const header = readImageHeader(bytes)
  if (typeof header === 'string') return refused(header)
  if (!limits.types.includes(header.type)) return refused('unsupported-type')
  const { width, height } = header
  if (width === 0 || height === 0) return refused('not-an-image')
  const maxPixels = header.type === 'jpeg' ? limits.maxPixels : Math.min(limits.maxPixels, MOST_PIXELS_IN_FULL)
  if (width * height > maxPixels || Math.max(width, height) > limits.maxSide) return refused('too-many-pixels')
  return { ok: true, ...header }
}

/** As `checkImage`. @throws {ImageRefused} */
export function acceptImage(bytes: Uint8Array, limits: ImageLimits = PHOTO_LIMITS): ImageHeader {
  const check = checkImage(bytes, limits)
  if (!check.ok) throw new ImageRefused(check.refusal)
  return check
}

/** Longest side of a stored reference image. */
export const STORED_SIDE = 1600

/**
 * An upright JPEG of at most 1600 px without EXIF, location or colour profile: what may be stored as a reference image.
 *
 * Always encoded anew, so nothing of the original file but its picture survives.
 * @throws {ImageRefused}
 */
export async function normalisePhoto(bytes: Uint8Array): Promise<Buffer> {
  acceptImage(bytes, PHOTO_LIMITS)
  return decoding(() =>
    openImage(bytes, PHOTO_LIMITS)
      .autoOrient()
      .resize({ width: STORED_SIDE, height: STORED_SIDE, fit: 'inside', withoutEnlargement: true })
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .jpeg({ quality: 90, chromaSubsampling: '4:4:4' })
      .toBuffer(),
  )
}

/** The decoder, held to the limits once more: the header's word is not enough. */
export function openImage(bytes: Uint8Array, limits: ImageLimits): Sharp {
  return sharp(bytes, { failOn: limits.failOn, limitInputPixels: limits.maxPixels, sequentialRead: true, pages: 1, animated: false })
}

/** Runs a decoder and translates its failures. @throws {ImageRefused} */
export async function decoding<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const ended = /premature|truncat|unexpected end|end of file|not enough data/i.test(error.message)
    throw new ImageRefused(ended ? 'truncated' : 'not-an-image', { cause: error })
  }
}

import type { Base64File } from '../../platform/http/body/base64-file.ts'
import { Problem } from '../../platform/problem.ts'
import { checkImage, type ImageLimits, ImageRefused, PHOTO_LIMITS } from '../image.ts'
import { AGENCY_PROBLEMS } from './problems.ts'

/** What agencies may send: a photograph of a person or of a document's portrait, not a whole scan. */
export const PICTURE_LIMITS: ImageLimits = { ...PHOTO_LIMITS, maxBytes: 4_000_000 }

/** Longest text of a picture in base64. */
export const MOST_BASE64 = Math.ceil(PICTURE_LIMITS.maxBytes / 3) * 4

/**
 * The bytes of a picture that came in base64, judged by length and structure before anything decodes it.
 * @throws {Problem} agencies/image-refused; `detail` says which picture and why
 */
export function readPicture(member: string, { bytes, isWhole }: Base64File): Uint8Array {
  if (!isWhole) throw refused(member, 'not-base64')
  const check = checkImage(bytes, PICTURE_LIMITS)
  if (!check.ok) throw refused(member, check.refusal)
  return bytes
}

/** What the engine refuses about a picture becomes the caller's problem. */
export async function judged<T>(member: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof ImageRefused) throw refused(member, error.code, error)
    throw error
  }
}

function refused(member: string, reason: string, cause?: unknown): Problem {
  return new Problem(AGENCY_PROBLEMS.imageRefused, { detail: `${member}: ${reason}`, cause })
}

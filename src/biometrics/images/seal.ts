/**
 * What binds a ciphertext to its row, a row to its person, and a person's rows to each other.
 *
 * Terminology: **context** = authenticated with a ciphertext, so that it opens in its own row only · **tag** = keyed sum over every column of
 * an image's row, `trusted` and `in_person` included · **head** = keyed sum over the tags of all of a person's images and templates: a row
 * that somebody took away or put back is found. All keys come from the person's data key. Version 1 had contexts only.
 */
import { createHmac, hkdfSync } from 'node:crypto'
import { equalSecrets, type Keyring, openWith, sealWith } from '../../platform/keyring.ts'
import { Problem } from '../../platform/problem.ts'
import { PLATFORM_PROBLEMS } from '../../platform/problems.ts'
import type { StoredImage, StoredTemplate } from './image.ts'

export const SEAL_VERSION = 2
const KEY_BYTES = 32
/** Nonce and authentication tag stand first in a ciphertext. */
export const MARK_BYTES = 28

/** A person's data key with what is derived from it. */
export interface PersonKey {
  readonly data: Buffer
  readonly tag: Buffer
  /** Of the rows that it belongs to: a key wrapped as 1 is one from before tags and heads. */
  readonly sealVersion: 1 | 2
}

const wrapContext = (personId: string, sealVersion: number) => (sealVersion === 1 ? personId : `${personId}:${sealVersion}`)

function personKey(data: Buffer, sealVersion: 1 | 2): PersonKey {
  return { data, tag: Buffer.from(hkdfSync('sha256', data, '', 'image-tag', KEY_BYTES)), sealVersion }
}

/** A new key for a person and its wrapped form. */
export function createPersonKey(keyring: Keyring, personId: string): { key: PersonKey; wrapped: Buffer } {
  const { key, wrapped } = keyring.dataKey(wrapContext(personId, SEAL_VERSION))
  return { key: personKey(key, SEAL_VERSION), wrapped }
}

/** The key with its wrapping's version. @throws {Problem} platform/seal-broken */
export function openPersonKey(keyring: Keyring, personId: string, wrapped: Buffer): PersonKey {
  try {
    return personKey(keyring.openDataKey(wrapped, wrapContext(personId, SEAL_VERSION)), SEAL_VERSION)
  } catch (error) {
    if (!(error instanceof Problem && error.kind.code === PLATFORM_PROBLEMS.sealBroken.code)) throw error
    return personKey(keyring.openDataKey(wrapped, wrapContext(personId, 1)), 1)
  }
}

/** The same key as one whose rows all have tags. */
export function raisePersonKey(keyring: Keyring, personId: string, key: PersonKey): { key: PersonKey; wrapped: Buffer } {
  const wrapped = keyring.seal(key.data, `data-key:${wrapContext(personId, SEAL_VERSION)}`)
  return { key: { ...key, sealVersion: SEAL_VERSION }, wrapped }
}

type ImageNames = Pick<StoredImage, 'id' | 'personId' | 'kind' | 'slot' | 'version'>
type TemplateNames = Pick<StoredTemplate, 'id' | 'imageId' | 'personId' | 'modelId' | 'k'>

function imageContext({ id, personId, kind, slot, version }: ImageNames, sealVersion: number): string {
  return sealVersion === 1 ? `stored_image:${id}:${personId}:${kind}` : `stored_image:2:${id}:${personId}:${kind}:${version}:${slot}`
}

function templateContext({ id, imageId, personId, modelId, k }: TemplateNames, sealVersion: number): string {
  return sealVersion === 1 ? `face_template:${id}:${personId}:${modelId}` : `face_template:2:${id}:${imageId}:${personId}:${k}:${modelId}`
}

const originalContext = ({ id, personId }: ImageNames) => `image_original:2:${id}:${personId}`

export const sealImage = (key: PersonKey, names: ImageNames, bytes: Uint8Array) => sealWith(key.data, bytes, imageContext(names, SEAL_VERSION))
export const sealOriginal = (key: PersonKey, names: ImageNames, bytes: Uint8Array) => sealWith(key.data, bytes, originalContext(names))
export const openOriginal = (key: PersonKey, names: ImageNames, sealed: Buffer) => openWith(key.data, sealed, originalContext(names))
export const openImage = (key: PersonKey, image: ImageNames & { sealVersion: number }, sealed: Buffer) =>
  openWith(key.data, sealed, imageContext(image, image.sealVersion))

export function sealTemplate(key: PersonKey, names: TemplateNames, descriptor: readonly number[]): Buffer {
  const bytes = Buffer.alloc(descriptor.length * 4)
  descriptor.forEach((value, index) => bytes.writeFloatLE(value, index * 4))
  return sealWith(key.data, bytes, templateContext(names, SEAL_VERSION))
}

/** @throws {Problem} platform/seal-broken */
export function openTemplate(key: PersonKey, template: StoredTemplate): number[] {
  const bytes = openWith(key.data, template.sealed, templateContext(template, template.sealVersion))
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4))
}

export const markOf = (sealed: Uint8Array): Buffer => Buffer.from(sealed.subarray(0, MARK_BYTES))

/** The tag that an image's row must bear. */
export function imageTag(key: PersonKey, image: Omit<StoredImage, 'tag'>): Buffer {
  const { original } = image
  const facts = [
    SEAL_VERSION, image.id, image.personId, image.kind, image.slot, image.version, image.source, image.sourceId, image.capturePoint,
    image.operatorId, image.device, image.method, image.trusted, image.inPerson, image.contentType, image.width, image.height,
    image.capturedAt.toISOString(), image.createdAt.toISOString(), image.withdrawnAt?.toISOString() ?? null,
    image.erasedAt?.toISOString() ?? null, image.erasedReason, image.sealedMark?.toString('hex') ?? null,
    original && [original.contentType, original.size, original.sha256.toString('hex'), original.sealedMark.toString('hex')],
  ]
  return createHmac('sha256', key.tag).update('image').update(JSON.stringify(facts)).digest()
}

/** The head that a person must have with these images and templates. */
export function headTag(key: PersonKey, generation: number, images: readonly StoredImage[], templates: readonly StoredTemplate[]): Buffer {
  const byFirst = (a: readonly string[], b: readonly string[]) => ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1)
  const facts = [
    generation,
    images.map(({ id, tag }) => [id, tag?.toString('hex') ?? '']).sort(byFirst),
    templates.map(({ id, sealed }) => [id, markOf(sealed).toString('hex')]).sort(byFirst),
  ]
  return createHmac('sha256', key.tag).update('head').update(JSON.stringify(facts)).digest()
}

export const isTag = (found: Buffer | null | undefined, expected: Buffer): boolean => found != null && equalSecrets(found, expected)

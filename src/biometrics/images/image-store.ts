import { randomUUID } from 'node:crypto'
import type { Clock } from '../../platform/clock.ts'
import type { Database, Sql } from '../../platform/db.ts'
import { type Keyring, openWith, sealWith } from '../../platform/keyring.ts'
import { Problem } from '../../platform/problem.ts'
import type { NewImage, NewTemplate, Reference } from './image.ts'
import { findImageRow, findReferenceRow, insertImage, insertTemplate, lockDataKey, setDataKey, withdrawFaces } from './image.store.ts'
import { IMAGE_PROBLEMS } from './problems.ts'

/** The state's images of a person, each sealed under that person's own key. */
export interface ImageStore {
  /** Stores one image and, for a face, its template, in the caller's transaction; returns the image's id. */
  put(tx: Sql, image: NewImage, template?: NewTemplate): Promise<string>
  /** The newest trusted face to compare with, captured in person before others; `undefined` when there is none. */
  findReference(personId: string, modelId: string): Promise<Reference | undefined>
  /**
   * The picture itself.
   *
   * @throws {Problem} biometrics/image-not-found when it is not there, was withdrawn, or its person's key was destroyed.
   */
  open(imageId: string): Promise<{ bytes: Buffer; contentType: string; personId: string }>
  /** Withdraws a person's standing faces of one source; they stay stored and no longer serve as a reference. */
  withdrawFaces(tx: Sql, personId: string, source: string): Promise<number>
  /** LGPD erasure: forgets the person's key, which makes every image and template of theirs unreadable for good. */
  destroyKey(tx: Sql, personId: string): Promise<void>
}

export interface ImageStoreDependencies {
  readonly db: Database
  readonly keyring: Keyring
  readonly clock: Clock
}

/**
 * Opens the image store of this database.
 *
 * The ciphertext is bound to image, person and kind: a row whose bytes were swapped for another's does not open.
 */
export function createImageStore({ db, keyring, clock }: ImageStoreDependencies): ImageStore {
  return {
    async put(tx, image, template) {
      const key = await personKey(tx, keyring, image.personId)
      const id = randomUUID()
      await insertImage(tx, id, image, sealWith(key, image.bytes, imageContext(id, image.personId, image.kind)), clock.now())
      if (template !== undefined) {
        const templateId = randomUUID()
        const sealed = sealWith(key, encodeDescriptor(template.descriptor), templateContext(templateId, image.personId, template.modelId))
        const { modelId, k } = template
        await insertTemplate(tx, { id: templateId, imageId: id, personId: image.personId, modelId, k, sealed }, clock.now())
      }
      return id
    },

    async findReference(personId, modelId) {
      const row = await findReferenceRow(db, personId, modelId)
      if (row?.data_key == null) return undefined
      const key = keyring.openDataKey(row.data_key, personId)
      const descriptor = decodeDescriptor(openWith(key, row.sealed, templateContext(row.template_id, personId, modelId)))
      return { imageId: row.image_id, modelId: row.model_id, k: row.k, descriptor, inPerson: row.in_person }
    },

    async open(imageId) {
      const row = await findImageRow(db, imageId)
      if (row?.data_key == null) throw new Problem(IMAGE_PROBLEMS.imageNotFound)
      const key = keyring.openDataKey(row.data_key, row.person_id)
      const bytes = openWith(key, row.sealed, imageContext(imageId, row.person_id, row.kind))
      return { bytes, contentType: row.content_type, personId: row.person_id }
    },

    withdrawFaces: (tx, personId, source) => withdrawFaces(tx, personId, source, clock.now()),
    destroyKey: (tx, personId) => setDataKey(tx, personId, undefined),
  }
}

/** The person's data key, made with their first image. */
async function personKey(tx: Sql, keyring: Keyring, personId: string): Promise<Buffer> {
  const found = await lockDataKey(tx, personId)
  if (found === undefined) throw new Problem(IMAGE_PROBLEMS.personNotFound)
  if (found.wrapped !== undefined) return keyring.openDataKey(found.wrapped, personId)
  const { key, wrapped } = keyring.dataKey(personId)
  await setDataKey(tx, personId, wrapped)
  return key
}

function imageContext(imageId: string, personId: string, kind: string): string {
  return `stored_image:${imageId}:${personId}:${kind}`
}

function templateContext(templateId: string, personId: string, modelId: string): string {
  return `face_template:${templateId}:${personId}:${modelId}`
}

function encodeDescriptor(descriptor: readonly number[]): Buffer {
  const bytes = Buffer.alloc(descriptor.length * 4)
  descriptor.forEach((value, index) => bytes.writeFloatLE(value, index * 4))
  return bytes
}

function decodeDescriptor(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4))
}

import type { Audit, AuditActor } from '../../audit/index.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Database, Sql } from '../../platform/db.ts'
import type { Keyring } from '../../platform/keyring.ts'
import { Problem } from '../../platform/problem.ts'
import { type ImageKind, isStanding, isSuperseded, type NewImage, type NewOriginal, type NewTemplate, type Reference, referencesOf, type StoredImage } from './image.ts'
import { findOwner, selectSealed, selectSealedOriginal } from './image.store.ts'
import { createImageWriter } from './image-writer.ts'
import { checkSound, loadPerson, type PersonImages } from './person-images.ts'
import { IMAGE_PROBLEMS } from './problems.ts'
import { openImage, openOriginal, openTemplate } from './seal.ts'

/** Why somebody of the staff looks at a picture; the purpose is a code of the operator's, and stands in the person's ledger. */
export interface Opening {
  readonly actor: AuditActor
  readonly purpose: string
  /** The file as it came, in the place of the normalised copy. */
  readonly original?: boolean
}

export interface OpenedImage {
  readonly bytes: Buffer
  readonly contentType: string
  readonly personId: string
}

/** An image as it is listed: with its history, without its bytes. */
export type ListedImage = Omit<StoredImage, 'tag' | 'sealedMark' | 'sealVersion'> & { readonly superseded: boolean }

/** The state's images of a person, each sealed under that person's own key. */
export interface ImageStore {
  /** Stores one image and, for a face, its template, in the caller's transaction; returns the image's id. */
  put(tx: Sql, image: NewImage, template?: NewTemplate): Promise<string>
  /** As `put`, but an image that is there already (same record of the same source, or same file) is left as it is. `actor`: who sent it, where no operator of ours did. */
  putNew(tx: Sql, image: NewImage, more?: { template?: NewTemplate | undefined; importId?: string; actor?: AuditActor }): Promise<{ imageId: string; isNew: boolean }>
  /** Stores a file as it came; the normalised copy, and a face's template, follow by a job. */
  putOriginal(tx: Sql, image: NewOriginal): Promise<string>
  /** Gives an image the normalised copy that a job made of its original. */
  putCopy(tx: Sql, imageId: string, copy: Pick<NewImage, 'bytes' | 'contentType' | 'width' | 'height'>): Promise<void>
  /** Adds a template of an image that is there, e.g. for another model. */
  putTemplate(tx: Sql, imageId: string, template: NewTemplate): Promise<void>
  /**
   * The newest trusted face to compare with, captured in person before others; `undefined` when there is none of this model.
   *
   * @throws {Problem} platform/seal-broken when any row of the person is not as the store wrote it: `trusted` decides, so it must be ours.
   */
  findReference(personId: string, modelId: string): Promise<Reference | undefined>
  /**
   * The picture itself, upright and without EXIF.
   *
   * @throws {Problem} biometrics/image-not-found when it is not there, was withdrawn, or its person's key was destroyed;
   * biometrics/image-not-ready while its copy is being made; platform/seal-broken.
   */
  open(imageId: string): Promise<OpenedImage>
  /** The same for staff: withdrawn ones too, and told in the person's ledger. */
  openFor(imageId: string, opening: Opening): Promise<OpenedImage>
  /** The file as it came, for the job that makes its copy and for the export; staff go by `openFor`. @throws {Problem} as `open` */
  openOriginal(imageId: string): Promise<OpenedImage & { kind: ImageKind; hasCopy: boolean }>
  /** All that is stored of a person, oldest first. */
  list(personId: string): Promise<ListedImage[]>
  /** Withdraws a person's standing faces of one source; they stay stored and no longer serve as a reference. */
  withdrawFaces(tx: Sql, personId: string, source: string): Promise<number>
  /** Withdraws these standing images of a person, of every kind: somebody found that they are not the person's. How many were. */
  withdrawImages(tx: Sql, personId: string, imageIds: readonly string[], actor: AuditActor): Promise<number>
  /** Puts withdrawn images of a person back into use: the doubt about them was a mistake. How many were. */
  restoreImages(tx: Sql, personId: string, imageIds: readonly string[], actor: AuditActor): Promise<number>
  /**
   * LGPD erasure: forgets the person's key, which makes every image and template of theirs unreadable for good.
   *
   * @throws {Problem} biometrics/legal-hold
   */
  destroyKey(tx: Sql, personId: string, actor?: AuditActor): Promise<void>
}

/** What other parts of the program do when faces come and go; in the same transaction. */
export interface ImagePorts {
  readonly onFaceStored?: (tx: Sql, face: { personId: string; imageId: string; modelId: string; k: number; descriptor: readonly number[] }) => Promise<void>
  readonly onFaceRemoved?: (tx: Sql, face: { personId: string; imageId: string }) => Promise<void>
  /** After all of a person's faces were removed by their erasure. */
  readonly onPersonErased?: (tx: Sql, personId: string) => Promise<void>
  /** Asks for the normalised copy of an original. */
  readonly onOriginalStored?: (tx: Sql, imageId: string) => Promise<void>
}

export interface ImageStoreDependencies {
  readonly db: Database
  readonly keyring: Keyring
  readonly clock: Clock
  readonly audit: Pick<Audit, 'record'>
  readonly ports?: ImagePorts | undefined
}

/**
 * Opens the image store of this database.
 *
 * The ciphertext is bound to image, person, kind and version, every column of a row to the row, and a person's rows to each other: bytes
 * that were swapped, a flag that was edited and a row that was put back are found before they are used.
 */
export function createImageStore(deps: ImageStoreDependencies): ImageStore {
  const { db, keyring } = deps
  /** The person checked; once more under a lock when a writer may have come between the reads. */
  async function soundPerson(personId: string): Promise<PersonImages | undefined> {
    const seen = await loadPerson(db, keyring, personId)
    if (seen === undefined || seen.faults.length === 0) return seen
    const person = await db.transaction((tx) => loadPerson(tx, keyring, personId, 'read'))
    if (person) checkSound(person)
    return person
  }
  async function find(imageId: string): Promise<{ person: PersonImages; image: StoredImage }> {
    const owner = await findOwner(db, imageId)
    const person = owner === undefined ? undefined : await findReadable(soundPerson, owner)
    const image = person?.images.find(({ id, erasedAt }) => id === imageId && erasedAt === null)
    if (person === undefined || image === undefined) throw new Problem(IMAGE_PROBLEMS.imageNotFound)
    return { person, image }
  }
  return {
    ...createImageWriter(deps),
    async findReference(personId, modelId) {
      const person = await findReadable(soundPerson, personId)
      return person && referenceOf(person, modelId)
    },
    async open(imageId) {
      const { person, image } = await find(imageId)
      if (!isStanding(image)) throw new Problem(IMAGE_PROBLEMS.imageNotFound)
      return read(db, person, image, false)
    },
    async openOriginal(imageId) {
      const { person, image } = await find(imageId)
      return { ...(await read(db, person, image, true)), kind: image.kind, hasCopy: image.sealedMark !== null }
    },
    async openFor(imageId, { actor, purpose, original = false }) {
      const { person, image } = await find(imageId)
      const opened = await read(db, person, image, original)
      const data = { imageId, personId: person.personId, kind: image.kind, original, purpose }
      await deps.audit.record(db, { type: 'biometrics/image-opened', actor, subject: person.ledgerId, data })
      return opened
    },
    async list(personId) {
      const images = (await soundPerson(personId))?.images ?? []
      return images.map((image) => {
        const { tag: _, sealedMark: __, sealVersion: ___, ...listed } = image
        return { ...listed, superseded: isStanding(image) && isSuperseded(image, images) }
      })
    },
  }
}

/** A person whose key was forgotten has nothing to read; one whose key is broken is a fault. */
async function findReadable(load: (personId: string) => Promise<PersonImages | undefined>, personId: string): Promise<PersonImages | undefined> {
  const person = await load(personId)
  return person?.key === undefined ? undefined : person
}

/** The best trusted face that this model has described; never another model's, whose numbers mean something else. */
function referenceOf({ key, images, templates }: PersonImages, modelId: string): Reference | undefined {
  if (key === undefined) return undefined
  for (const image of referencesOf(images)) {
    const found = templates.filter((template) => template.imageId === image.id && template.modelId === modelId)
    const template = found.sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime())[0]
    if (template) return { imageId: image.id, modelId, k: template.k, descriptor: openTemplate(key, template), inPerson: image.inPerson }
  }
  return undefined
}

async function read(db: Database, { key, personId }: PersonImages, image: StoredImage, wantsOriginal: boolean): Promise<OpenedImage> {
  if (key === undefined || (wantsOriginal && image.original === null)) throw new Problem(IMAGE_PROBLEMS.imageNotFound)
  const sealed = await (wantsOriginal ? selectSealedOriginal : selectSealed)(db, image.id)
  if (sealed === undefined) throw new Problem(IMAGE_PROBLEMS.imageNotReady, { retryAfterSeconds: 5 })
  if (wantsOriginal) return { bytes: openOriginal(key, image, sealed), contentType: image.original?.contentType ?? '', personId }
  return { bytes: openImage(key, image, sealed), contentType: image.contentType, personId }
}

import { createHash, randomUUID } from 'node:crypto'
import type { AuditActor } from '../../audit/index.ts'
import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { eraseAll } from './custody/erasure.ts'
import { isStanding, type NewImage, type NewImageFacts, type NewTemplate, type Original, type StoredImage } from './image.ts'
import { findOwner } from './image.store.ts'
import type { ImageStore, ImageStoreDependencies } from './image-store.ts'
import { addImage, addTemplate, changeImage, type Draft, openDraft, saveHead } from './person-images.ts'
import { IMAGE_PROBLEMS } from './problems.ts'
import { markOf, openTemplate, SEAL_VERSION, sealImage, sealOriginal, sealTemplate } from './seal.ts'

const SYSTEM: AuditActor = { kind: 'system' }

type Writing = 'put' | 'putNew' | 'putOriginal' | 'putCopy' | 'putTemplate' | 'withdrawFaces' | 'withdrawImages' | 'restoreImages' | 'destroyKey'

/** What changes images: each call locks the person, checks what is there, writes, and seals the whole anew. */
export function createImageWriter(deps: ImageStoreDependencies): Pick<ImageStore, Writing> {
  const { keyring, ports } = deps
  const draftOfImage = async (tx: Sql, imageId: string) => {
    const owner = await findOwner(tx, imageId)
    const draft = owner === undefined ? undefined : await openDraft(tx, keyring, owner)
    const image = draft?.images.find(({ id, erasedAt }) => id === imageId && erasedAt === null)
    if (draft === undefined || image === undefined) throw new Problem(IMAGE_PROBLEMS.imageNotFound)
    return { draft, image }
  }
  const store: Pick<ImageStore, Writing> = {
    put: async (tx, image, template) => (await addTo(deps, tx, await openDraft(tx, keyring, image.personId), image, { template })).id,
    async putNew(tx, image, { template, importId, actor } = {}) {
      const draft = await openDraft(tx, keyring, image.personId)
      const known = findKnown(draft, image)
      if (known) return { imageId: known.id, isNew: false }
      return { imageId: (await addTo(deps, tx, draft, image, { template, importId, actor })).id, isNew: true }
    },
    async putOriginal(tx, image) {
      const { id } = await addTo(deps, tx, await openDraft(tx, keyring, image.personId), image, {})
      await ports?.onOriginalStored?.(tx, id)
      return id
    },
    async putCopy(tx, imageId, { bytes, contentType, width, height }) {
      const { draft, image } = await draftOfImage(tx, imageId)
      await changeImage(tx, draft, { ...image, contentType, width, height }, sealImage(draft.key, image, bytes))
      await saveHead(tx, draft)
    },
    async putTemplate(tx, imageId, template) {
      const { draft } = await draftOfImage(tx, imageId)
      await describe(deps, tx, draft, imageId, template)
      await saveHead(tx, draft)
    },
    async withdrawFaces(tx, personId, source) {
      const draft = await openDraft(tx, keyring, personId)
      return withdraw(deps, tx, draft, draft.images.filter((image) => image.kind === 'face' && image.source === source))
    },
    async withdrawImages(tx, personId, imageIds, actor) {
      const draft = await openDraft(tx, keyring, personId)
      return withdraw(deps, tx, draft, draft.images.filter(({ id }) => imageIds.includes(id)), actor)
    },
    async restoreImages(tx, personId, imageIds, actor) {
      const draft = await openDraft(tx, keyring, personId)
      return restore(deps, tx, draft, draft.images.filter(({ id }) => imageIds.includes(id)), actor)
    },
    destroyKey: (tx, personId, actor = SYSTEM) => eraseAll(deps, tx, personId, actor),
  }
  return store
}

/** Withdraws those of them that stand; they stay stored, and serve nobody as a reference. */
async function withdraw({ clock, audit, ports }: ImageStoreDependencies, tx: Sql, draft: Draft, images: readonly StoredImage[], actor: AuditActor = SYSTEM): Promise<number> {
  const { personId } = draft
  const standing = images.filter((image) => image.erasedAt === null && isStanding(image))
  if (standing.length === 0) return 0
  for (const image of standing) {
    await changeImage(tx, draft, { ...image, withdrawnAt: clock.now() })
    if (image.kind === 'face') await ports?.onFaceRemoved?.(tx, { personId, imageId: image.id })
  }
  await saveHead(tx, draft)
  const data = { personId, imageIds: standing.map(({ id }) => id) }
  await audit.record(tx, { type: 'biometrics/images-withdrawn', actor, subject: draft.ledgerId, data })
  return standing.length
}

/** Puts those of them that were withdrawn and not erased back into use, and their faces back into the search. */
async function restore({ audit, ports }: ImageStoreDependencies, tx: Sql, draft: Draft, images: readonly StoredImage[], actor: AuditActor): Promise<number> {
  const { personId, key } = draft
  const resting = images.filter((image) => image.erasedAt === null && image.withdrawnAt !== null)
  if (resting.length === 0) return 0
  for (const image of resting) {
    await changeImage(tx, draft, { ...image, withdrawnAt: null })
    if (image.kind !== 'face') continue
    for (const template of draft.templates.filter(({ imageId }) => imageId === image.id)) {
      const { modelId, k } = template
      await ports?.onFaceStored?.(tx, { personId, imageId: image.id, modelId, k, descriptor: openTemplate(key, template) })
    }
  }
  await saveHead(tx, draft)
  const data = { personId, imageIds: resting.map(({ id }) => id) }
  await audit.record(tx, { type: 'biometrics/images-restored', actor, subject: draft.ledgerId, data })
  return resting.length
}

type Incoming = NewImageFacts & Partial<Pick<NewImage, 'bytes' | 'contentType' | 'original'>>

/** The same record of the same source, or the same file, whatever became of it since: an erased one never comes back by itself. */
function findKnown(draft: Draft, { kind, slot = '', provenance, original }: Incoming): StoredImage | undefined {
  const digest = original && sha256(original.bytes)
  return draft.images.find((image) => {
    if (image.kind !== kind || image.slot !== slot || image.erasedAt !== null) return false
    const isSameRecord = provenance.sourceId !== undefined && image.sourceId === provenance.sourceId && image.source === provenance.source
    return isSameRecord || (digest !== undefined && image.original?.sha256.equals(digest) === true)
  })
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()

interface Additions {
  readonly template?: NewTemplate | undefined
  readonly importId?: string | undefined
  readonly actor?: AuditActor | undefined
}

async function addTo(deps: ImageStoreDependencies, tx: Sql, draft: Draft, image: Incoming, { template, importId, actor: sender }: Additions): Promise<StoredImage> {
  const { clock, audit } = deps
  const { stored, sealed } = sealIncoming(draft, image, clock.now())
  await addImage(tx, draft, stored, sealed)
  if (template) await describe(deps, tx, draft, stored.id, template)
  await saveHead(tx, draft)
  const { id: imageId, kind, version, operatorId, trusted, inPerson, method } = stored
  const data = { imageId, personId: draft.personId, kind, version, method, trusted, inPerson, ...(importId && { importId }) }
  // Whom a manifest names as operator is provenance, never proof of who did it: an import's own event says who ran it.
  const actor: AuditActor = sender ?? (operatorId === null || importId !== undefined ? SYSTEM : { kind: 'operator', id: operatorId })
  await audit.record(tx, { type: 'biometrics/image-stored', actor, subject: draft.ledgerId, data })
  return stored
}

function sealIncoming(draft: Draft, image: Incoming, now: Date): { stored: StoredImage; sealed: { copy: Buffer | null; original: Buffer | null } } {
  const { personId, kind, slot = '', provenance } = image
  const version = 1 + Math.max(0, ...draft.images.filter((other) => other.kind === kind && other.slot === slot).map((other) => other.version))
  const names = { id: randomUUID(), personId, kind, slot, version }
  const copy = image.bytes === undefined ? null : sealImage(draft.key, names, image.bytes)
  const original = image.original === undefined ? null : sealOriginal(draft.key, names, image.original.bytes)
  const stored: StoredImage = {
    ...names,
    source: provenance.source, sourceId: provenance.sourceId ?? null, capturePoint: provenance.capturePoint ?? null,
    operatorId: provenance.operatorId ?? null, device: provenance.device ?? null, method: provenance.method, trusted: provenance.trusted,
    inPerson: provenance.inPerson, contentType: image.contentType ?? 'image/jpeg', width: image.width, height: image.height,
    capturedAt: provenance.capturedAt, createdAt: now, withdrawnAt: null, erasedAt: null, erasedReason: null,
    sealVersion: SEAL_VERSION, tag: null, sealedMark: copy && markOf(copy), original: original && originalFacts(image.original, original),
  }
  return { stored, sealed: { copy, original } }
}

function originalFacts(original: Original | undefined, sealed: Buffer): StoredImage['original'] {
  if (original === undefined) return null
  const { bytes, contentType } = original
  return { contentType, size: bytes.length, sha256: sha256(bytes), sealedMark: markOf(sealed) }
}

async function describe(deps: ImageStoreDependencies, tx: Sql, draft: Draft, imageId: string, template: NewTemplate): Promise<void> {
  const { clock, ports } = deps
  const { modelId, k, descriptor } = template
  const names = { id: randomUUID(), imageId, personId: draft.personId, modelId, k }
  const sealed = sealTemplate(draft.key, names, descriptor)
  await addTemplate(tx, draft, { ...names, sealed, sealVersion: SEAL_VERSION, createdAt: clock.now() })
  // A job may describe what was withdrawn meanwhile: that stays out of the search.
  if (!draft.images.some((image) => image.id === imageId && isStanding(image))) return
  await ports?.onFaceStored?.(tx, { personId: draft.personId, imageId, modelId, k, descriptor })
}

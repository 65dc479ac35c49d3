import type { Sql } from '../../platform/db.ts'
import type { Keyring } from '../../platform/keyring.ts'
import { Problem } from '../../platform/problem.ts'
import { PLATFORM_PROBLEMS } from '../../platform/problems.ts'
import type { StoredImage, StoredTemplate } from './image.ts'
import {
  eraseImages, insertImage, insertOriginal, insertTemplate, resealTemplate, selectImages, selectPerson, selectSealed, selectTemplates,
  setDataKey, updateImage, writeHead,
} from './image.store.ts'
import { IMAGE_PROBLEMS } from './problems.ts'
import {
  createPersonKey, headTag, imageTag, isTag, markOf, openImage, openPersonKey, openTemplate, type PersonKey, raisePersonKey, SEAL_VERSION,
  sealImage, sealTemplate,
} from './seal.ts'

/** What is wrong with a person's rows; codes are shown to operators. */
export type FaultCode = 'row-changed' | 'row-unsealed' | 'template-changed' | 'rows-missing-or-added' | 'key-broken' | 'key-missing'

export interface Fault {
  readonly code: FaultCode
  readonly imageId?: string
}

/** All images and templates of one person as the tables have them, and what is wrong with them. */
export interface PersonImages {
  readonly personId: string
  readonly ledgerId: string
  /** Undefined before the first image and after erasure. */
  readonly key: PersonKey | undefined
  readonly images: readonly StoredImage[]
  readonly templates: readonly StoredTemplate[]
  readonly generation: number
  readonly faults: readonly Fault[]
}

/** Reads and checks one person. Outside a transaction a concurrent writer may make it look faulty: check again under a lock. */
export async function loadPerson(sql: Sql, keyring: Keyring, personId: string, lock?: 'write' | 'read'): Promise<PersonImages | undefined> {
  const row = await selectPerson(sql, personId, lock)
  if (row === undefined) return undefined
  const images = await selectImages(sql, personId)
  const templates = images.length > 0 ? await selectTemplates(sql, personId) : []
  const found = { personId, ledgerId: row.ledger_id, images, templates, generation: row.generation ?? 0 }
  if (row.data_key === null) {
    const lost = images.filter(({ erasedAt }) => erasedAt === null)
    return { ...found, key: undefined, faults: lost.map(({ id }) => ({ code: 'key-missing', imageId: id })) }
  }
  const key = tryOpenKey(keyring, personId, row.data_key)
  if (key === undefined) return { ...found, key, faults: [{ code: 'key-broken' }] }
  return { ...found, key, faults: key.sealVersion === 1 ? [] : faultsOf(found, key, row.head_tag) }
}

function tryOpenKey(keyring: Keyring, personId: string, wrapped: Buffer): PersonKey | undefined {
  try {
    return openPersonKey(keyring, personId, wrapped)
  } catch (error) {
    if (error instanceof Problem && error.kind.code === PLATFORM_PROBLEMS.sealBroken.code) return undefined
    throw error
  }
}

/** Rows of a forgotten key stay as a note that something was there; no key vouches for them any more. */
const belongsToHead = ({ tag, erasedAt }: StoredImage) => tag !== null || erasedAt === null

function faultsOf({ images, templates, generation }: Pick<PersonImages, 'images' | 'templates' | 'generation'>, key: PersonKey, head: Buffer | null): Fault[] {
  const own = images.filter(belongsToHead)
  const faults = own.flatMap((image): Fault[] => {
    if (image.sealVersion !== SEAL_VERSION) return [{ code: 'row-unsealed', imageId: image.id }]
    return isTag(image.tag, imageTag(key, image)) ? [] : [{ code: 'row-changed', imageId: image.id }]
  })
  for (const template of templates) if (!opens(key, template)) faults.push({ code: 'template-changed', imageId: template.imageId })
  if (!isTag(head, headTag(key, generation, own, templates))) faults.push({ code: 'rows-missing-or-added' })
  return faults
}

function opens(key: PersonKey, template: StoredTemplate): boolean {
  if (template.sealVersion !== SEAL_VERSION) return false
  try {
    openTemplate(key, template)
    return true
  } catch {
    // Only a broken seal can throw here; the fault is reported by its code.
    return false
  }
}

/** @throws {Problem} platform/seal-broken naming the faults by their codes. */
export function checkSound({ faults }: PersonImages): void {
  if (faults.length === 0) return
  throw new Problem(PLATFORM_PROBLEMS.sealBroken, { detail: `images: ${[...new Set(faults.map(({ code }) => code))].join(', ')}` })
}

/** One person's rows being changed, under their lock; `saveHead` must end it. */
export interface Draft {
  readonly personId: string
  readonly ledgerId: string
  readonly key: PersonKey
  readonly images: StoredImage[]
  readonly templates: StoredTemplate[]
  readonly generation: number
}

/**
 * Locks a person, checks what is there and brings rows from before tags up to date.
 *
 * Checked before anything is added: otherwise the next head would vouch for what somebody changed.
 * @throws {Problem} biometrics/person-not-found, platform/seal-broken
 */
export async function openDraft(tx: Sql, keyring: Keyring, personId: string): Promise<Draft> {
  const person = await loadPerson(tx, keyring, personId, 'write')
  if (person === undefined) throw new Problem(IMAGE_PROBLEMS.personNotFound)
  checkSound(person)
  return draftOf(tx, keyring, person)
}

async function draftOf(tx: Sql, keyring: Keyring, person: PersonImages): Promise<Draft> {
  const { personId, ledgerId, generation } = person
  const [images, templates] = [person.images.filter(belongsToHead), [...person.templates]]
  if (person.key === undefined) {
    const { key, wrapped } = createPersonKey(keyring, personId)
    await setDataKey(tx, personId, wrapped)
    return begun(tx, { personId, ledgerId, generation, key, images, templates })
  }
  if (person.key.sealVersion === SEAL_VERSION) return { personId, ledgerId, generation, key: person.key, images, templates }
  const { key, wrapped } = raisePersonKey(keyring, personId, person.key)
  for (const [at, image] of images.entries()) images[at] = await raiseImage(tx, { old: person.key, key }, image)
  for (const [at, template] of templates.entries()) {
    const sealed = sealTemplate(key, template, openTemplate(person.key, template))
    templates[at] = { ...template, sealed, sealVersion: SEAL_VERSION }
    await resealTemplate(tx, templates[at])
  }
  await setDataKey(tx, personId, wrapped)
  return begun(tx, { personId, ledgerId, generation, key, images, templates })
}

/** A key never stands without a head, even when nothing else is written. */
async function begun(tx: Sql, draft: Draft): Promise<Draft> {
  await saveHead(tx, draft)
  return { ...draft, generation: draft.generation + 1 }
}

async function raiseImage(tx: Sql, { old, key }: { old: PersonKey; key: PersonKey }, image: StoredImage): Promise<StoredImage> {
  const sealed = await selectSealed(tx, image.id)
  if (sealed === undefined) throw new Problem(PLATFORM_PROBLEMS.sealBroken, { detail: 'images: row-unsealed' })
  const resealed = sealImage(key, image, openImage(old, image, sealed))
  const raised = tagged(key, { ...image, sealVersion: SEAL_VERSION, sealedMark: markOf(resealed) })
  await updateImage(tx, raised, resealed)
  return raised
}

const tagged = (key: PersonKey, image: StoredImage): StoredImage => ({ ...image, tag: imageTag(key, image) })

/** Adds an image whose marks are those of these ciphertexts. */
export async function addImage(tx: Sql, draft: Draft, image: StoredImage, sealed: { copy: Buffer | null; original: Buffer | null }): Promise<void> {
  const added = tagged(draft.key, image)
  await insertImage(tx, added, sealed.copy)
  if (sealed.original !== null) await insertOriginal(tx, added, sealed.original)
  draft.images.push(added)
}

/** Writes an image's new state, with a new ciphertext when given. */
export async function changeImage(tx: Sql, draft: Draft, image: StoredImage, sealed?: Buffer): Promise<void> {
  const changed = tagged(draft.key, { ...image, ...(sealed && { sealedMark: markOf(sealed) }) })
  await updateImage(tx, changed, sealed)
  draft.images[draft.images.findIndex(({ id }) => id === image.id)] = changed
}

export async function addTemplate(tx: Sql, draft: Draft, template: StoredTemplate): Promise<void> {
  await insertTemplate(tx, template)
  draft.templates.push(template)
}

/** Takes bytes and templates of these images away for good. */
export async function dropImages(tx: Sql, draft: Draft, images: readonly StoredImage[], at: Date, reason: string): Promise<void> {
  const bare = { sealedMark: null, original: null, sourceId: null, erasedAt: at, erasedReason: reason }
  const erased = images.map((image) => tagged(draft.key, { ...image, ...bare }))
  await eraseImages(tx, erased)
  for (const image of erased) draft.images[draft.images.findIndex(({ id }) => id === image.id)] = image
  const gone = new Set(erased.map(({ id }) => id))
  draft.templates.splice(0, draft.templates.length, ...draft.templates.filter(({ imageId }) => !gone.has(imageId)))
}

/** Ends the change: what is in the draft is what the person has. */
export async function saveHead(tx: Sql, draft: Draft): Promise<void> {
  const generation = draft.generation + 1
  await writeHead(tx, draft.personId, generation, headTag(draft.key, generation, draft.images, draft.templates))
}

/**
 * A draft of what is sound of a person whose rows were tampered with, and the images that are not.
 *
 * For an operator who has looked into it: the rest can be used again once the bad ones are dropped.
 */
export async function openBrokenDraft(tx: Sql, keyring: Keyring, personId: string): Promise<{ draft: Draft; bad: StoredImage[] } | undefined> {
  const person = await loadPerson(tx, keyring, personId, 'write')
  if (person === undefined) throw new Problem(IMAGE_PROBLEMS.personNotFound)
  if (person.faults.length === 0) return undefined
  const faulty = new Set(person.faults.map(({ imageId }) => imageId))
  const bad = person.images.filter(({ id, erasedAt }) => (person.key === undefined ? erasedAt === null : faulty.has(id)))
  return { draft: await draftOf(tx, keyring, person), bad }
}

import { Problem } from '../../platform/problem.ts'
import { selectSealed, selectSealedOriginal } from './image.store.ts'
import type { ImageStoreDependencies } from './image-store.ts'
import { type Contradiction, selectContradictions, selectLegacyPeople, selectPeople } from './integrity.store.ts'
import { type Fault, loadPerson, openDraft, type PersonImages, saveHead } from './person-images.ts'
import { openImage, openOriginal } from './seal.ts'

export interface IntegrityReport {
  readonly people: number
  readonly images: number
  /** People with rows from before tags, whose flags nothing protects yet. */
  readonly legacy: number
  readonly unsound: readonly { readonly personId: string; readonly faults: readonly Fault[] }[]
  /** What the audit record says otherwise. */
  readonly contradictions: readonly Contradiction[]
}

/** Looks whether the image store is as it was written. */
export interface IntegrityCheck {
  /** One person's rows; `deep` opens every ciphertext as well. */
  person(personId: string, deep?: boolean): Promise<{ faults: readonly Fault[]; images: number; isLegacy: boolean }>
  /** Everybody's rows, and what the audit record says of them. */
  all(options?: { deep?: boolean; onProgress?: (people: number) => void }): Promise<IntegrityReport>
  /** Seals people anew whose rows are from before tags; what was there is taken as it is. */
  raiseAll(): Promise<{ people: number; unsound: number }>
}

const BATCH = 100

export function createIntegrityCheck({ db, keyring }: Pick<ImageStoreDependencies, 'db' | 'keyring'>): IntegrityCheck {
  async function person(personId: string, deep = false) {
    const seen = await loadPerson(db, keyring, personId)
    const found = seen && seen.faults.length > 0 ? await db.transaction((tx) => loadPerson(tx, keyring, personId, 'read')) : seen
    const unreadable = deep && found && found.faults.length === 0 ? await openAll(found) : []
    return { faults: [...(found?.faults ?? []), ...unreadable], images: found?.images.length ?? 0, isLegacy: found?.key?.sealVersion === 1 }
  }
  async function openAll({ key, images }: PersonImages): Promise<Fault[]> {
    const faults: Fault[] = []
    if (key === undefined) return faults
    for (const image of images.filter(({ erasedAt }) => erasedAt === null)) {
      const copy = await selectSealed(db, image.id)
      const original = image.original && (await selectSealedOriginal(db, image.id))
      const isSound = (!copy || opens(() => openImage(key, image, copy))) && (!original || opens(() => openOriginal(key, image, original)))
      if (!isSound) faults.push({ code: 'row-changed', imageId: image.id })
    }
    return faults
  }
  return {
    person,
    async all({ deep, onProgress } = {}) {
      const report = { people: 0, images: 0, legacy: 0, unsound: [] as { personId: string; faults: readonly Fault[] }[] }
      for (let batch = await selectPeople(db, null, BATCH); batch.length > 0; batch = await selectPeople(db, batch.at(-1) ?? null, BATCH)) {
        for (const personId of batch) {
          const { faults, images, isLegacy } = await person(personId, deep)
          report.people++
          report.images += images
          if (isLegacy) report.legacy++
          if (faults.length > 0) report.unsound.push({ personId, faults })
        }
        onProgress?.(report.people)
      }
      return { ...report, contradictions: await selectContradictions(db) }
    },
    async raiseAll() {
      const done = { people: 0, unsound: 0 }
      for (let batch = await selectLegacyPeople(db, null, BATCH); batch.length > 0; batch = await selectLegacyPeople(db, batch.at(-1) ?? null, BATCH)) {
        for (const personId of batch) done[(await raise(personId)) ? 'people' : 'unsound']++
      }
      return done
    },
  }

  async function raise(personId: string): Promise<boolean> {
    try {
      await db.transaction(async (tx) => saveHead(tx, await openDraft(tx, keyring, personId)))
      return true
    } catch (error) {
      if (error instanceof Problem) return false
      throw error
    }
  }
}

function opens(open: () => Buffer): boolean {
  try {
    open()
    return true
  } catch {
    // Only a broken seal can throw here; the fault is reported by its code.
    return false
  }
}

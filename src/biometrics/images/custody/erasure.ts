import type { AuditActor } from '../../../audit/index.ts'
import type { Sql } from '../../../platform/db.ts'
import { Problem } from '../../../platform/problem.ts'
import { erasePerson, selectHolds } from './custody.store.ts'
import type { StoredImage } from '../image.ts'
import { selectImages, selectPerson } from '../image.store.ts'
import type { ImageStoreDependencies } from '../image-store.ts'
import { type Draft, dropImages, saveHead } from '../person-images.ts'
import { IMAGE_PROBLEMS } from '../problems.ts'

/** @throws {Problem} biometrics/legal-hold; call it with the person's row locked, as whoever places a hold does. */
export async function checkNoHold({ clock }: Pick<ImageStoreDependencies, 'clock'>, tx: Sql, personId: string): Promise<void> {
  const [hold] = await selectHolds(tx, personId, clock.now())
  if (hold) throw new Problem(IMAGE_PROBLEMS.legalHold, { detail: `hold ${hold.id}` })
}

/**
 * Erases all images of a person: the key is forgotten and the ciphertexts go with it. That something was there stays on record.
 *
 * It asks for no sound rows: whoever tampered with them shall not be able to prevent an erasure.
 */
export async function eraseAll(deps: ImageStoreDependencies, tx: Sql, personId: string, actor: AuditActor): Promise<void> {
  const { clock, audit, ports } = deps
  const person = await selectPerson(tx, personId, 'write')
  if (person === undefined) throw new Problem(IMAGE_PROBLEMS.personNotFound)
  await checkNoHold(deps, tx, personId)
  const faces = (await selectImages(tx, personId)).filter(({ kind, erasedAt }) => kind === 'face' && erasedAt === null)
  for (const { id: imageId } of faces) await ports?.onFaceRemoved?.(tx, { personId, imageId })
  await ports?.onPersonErased?.(tx, personId)
  const images = await erasePerson(tx, personId, clock.now(), 'lgpd')
  const data = { personId, reason: 'lgpd', images }
  await audit.record(tx, { type: 'biometrics/images-erased', actor, subject: person.ledger_id, data })
}

/** Takes single images away for good, with an event in the person's ledger. */
export async function removeImages(
  deps: ImageStoreDependencies, tx: Sql, draft: Draft, { images, reason, actor }: { images: readonly StoredImage[]; reason: 'retention' | 'tampered'; actor: AuditActor },
): Promise<void> {
  const { personId, ledgerId } = draft
  await dropImages(tx, draft, images, deps.clock.now(), reason)
  await saveHead(tx, draft)
  for (const { id: imageId, kind } of images) if (kind === 'face') await deps.ports?.onFaceRemoved?.(tx, { personId, imageId })
  const data = { personId, reason, imageIds: images.map(({ id }) => id) }
  await deps.audit.record(tx, { type: 'biometrics/images-removed', actor, subject: ledgerId, data })
}

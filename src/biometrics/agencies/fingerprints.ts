import { createHash, randomUUID } from 'node:crypto'
import type { Audit } from '../../audit/index.ts'
import type { Sql } from '../../platform/db.ts'
import { Problem } from '../../platform/problem.ts'
import { MISSING_FINGER_TYPE, type MissingFinger, readMissingFinger } from '../finger.ts'
import { isStanding, isSuperseded, type StoredImage } from '../images/image.ts'
import type { ImageStore, ListedImage } from '../images/image-store.ts'
import { type AgencyClient, getPurpose } from './policy.ts'
import { AGENCY_PROBLEMS } from './problems.ts'
import type { ReferenceRequest } from './receipt/receipts.ts'
import { type FindSubject, hasLeft, ledgerOf } from './subject.ts'

/** One finger as the store has it now: its print, or why there is none. */
export type Fingerprint = { readonly finger: number; readonly inPerson: boolean; readonly capturedAt: Date } & (
  | { readonly contentType: string; readonly bytes: Buffer; readonly digest: string; readonly width: number; readonly height: number }
  | { readonly missing: MissingFinger }
)

/**
 * The fingers of a person for an agency that may have them, each the newest of its place; the person's ledger names client and purpose.
 * @throws {Problem} agencies/purpose-not-allowed, agencies/reference-not-found
 */
export type ReadFingerprints = (client: AgencyClient, request: ReferenceRequest & { readonly fingers: readonly number[] | undefined }) => Promise<Fingerprint[]>

export interface FingerprintDependencies {
  readonly db: Sql
  readonly audit: Pick<Audit, 'record'>
  readonly images: Pick<ImageStore, 'list' | 'open'>
  readonly findSubject: FindSubject
}

export function createReadFingerprints({ db, audit, images, findSubject }: FingerprintDependencies): ReadFingerprints {
  return async (client, request) => {
    const purpose = getPurpose(client, request.purpose)
    if (purpose.legalBasis !== request.legalBasis) throw new Problem(AGENCY_PROBLEMS.purposeNotAllowed, { detail: 'base_legal' })
    const { person } = await findSubject(request.cpf)
    const wanted = person && !hasLeft(person) ? (await newestOf(images, person.personId)).filter(({ slot }) => request.fingers?.includes(Number(slot)) ?? true) : []
    const [actor, clientId] = [{ kind: 'client', id: client.id } as const, client.id]
    const why = { callId: randomUUID(), purpose: purpose.code, legalBasis: purpose.legalBasis }
    if (wanted.length === 0) {
      await audit.record(db, { type: 'biometrics/agency-reference-missing', actor, clientId, ...ledgerOf(person), data: why })
      throw new Problem(AGENCY_PROBLEMS.referenceNotFound)
    }
    // Written down before anything is opened: an answer that got lost was a look all the same.
    const data = { ...why, imageIds: wanted.map(({ id }) => id) }
    await audit.record(db, { type: 'biometrics/agency-fingerprints-read', actor, clientId, ...ledgerOf(person), data })
    const read: Fingerprint[] = []
    for (const image of wanted) read.push(await open(images, image))
    return read
  }
}

async function newestOf(images: Pick<ImageStore, 'list'>, personId: string): Promise<ListedImage[]> {
  const listed = await images.list(personId)
  const rows: StoredImage[] = listed.map((image) => ({ ...image, tag: null, sealedMark: null, sealVersion: 0 }))
  const standing = new Set(rows.filter((image) => image.kind === 'fingerprint' && isStanding(image) && !isSuperseded(image, rows)).map(({ id }) => id))
  return listed.filter(({ id }) => standing.has(id)).toSorted((a, b) => Number(a.slot) - Number(b.slot))
}

async function open(images: Pick<ImageStore, 'open'>, { id, slot, inPerson, capturedAt, width, height }: ListedImage): Promise<Fingerprint> {
  const { bytes, contentType } = await images.open(id)
  const about = { finger: Number(slot), inPerson, capturedAt }
  if (contentType === MISSING_FINGER_TYPE) return { ...about, missing: readMissingFinger(bytes) }
  return { ...about, contentType, bytes, digest: createHash('sha256').update(bytes).digest('hex'), width, height }
}

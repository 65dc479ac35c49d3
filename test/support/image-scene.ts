/** An image store with what it stands on, and people to put images of. */
import { randomUUID } from 'node:crypto'
import { type Audit, createAudit } from '../../src/audit/index.ts'
import { biometricsEvents } from '../../src/biometrics/events.ts'
import { createCustody, type Custody } from '../../src/biometrics/images/custody/custody.ts'
import type { NewImage } from '../../src/biometrics/images/image.ts'
import { createImageStore, type ImagePorts, type ImageStore, type ImageStoreDependencies } from '../../src/biometrics/images/image-store.ts'
import type { Database } from '../../src/platform/db.ts'
import { type Keyring, openKeyring } from '../../src/platform/keyring.ts'
import { silentLog } from '../../src/platform/log.ts'
import { type FixedClock, fixedClock } from './clock.ts'

export const NOW = new Date('2026-11-22T12:00:00Z')
export const PICTURE = Buffer.from("the bytes of a picture, which only its person's key opens")
export const MODEL = 'model-a'
export const template = (first: number, modelId = MODEL) => ({ modelId, k: 3, descriptor: [first, 0.25, -0.5] })

export interface ImageScene {
  readonly db: Database
  readonly clock: FixedClock
  readonly keyring: Keyring
  readonly audit: Audit
  readonly deps: ImageStoreDependencies
  readonly store: ImageStore
  readonly custody: Custody
  /** What the ports were told. */
  readonly told: string[]
  put(image: NewImage, first?: number): Promise<string>
  /** A person with an account; the account has the person's id. */
  addPerson(cpf?: string): Promise<string>
  events(type: string): Promise<{ subject_id: string | null; actor_id: string | null; data: Record<string, unknown> }[]>
  close(): Promise<void>
}

/** A face as a counter takes it. */
export function face(personId: string, more: Partial<NewImage['provenance']> = {}, image: Partial<NewImage> = {}): NewImage {
  return {
    personId, kind: 'face', bytes: PICTURE, contentType: 'image/jpeg', width: 480, height: 640,
    provenance: { source: 'counter', method: 'camera', trusted: true, inPerson: true, capturedAt: NOW, ...more },
    ...image,
  }
}

/** Opens the scene over a database that it closes. */
export async function openImageScene(db: Database): Promise<ImageScene> {
  const clock = fixedClock(NOW)
  const keyring = await openKeyring({ db, clock, dataDir: 'memory' })
  const audit = createAudit({ db, clock, keyring, log: silentLog, settings: { catalogs: [biometricsEvents] } })
  const told: string[] = []
  const ports: ImagePorts = {
    onFaceStored: async (_tx, { imageId, modelId }) => void told.push(`stored ${imageId} ${modelId}`),
    onFaceRemoved: async (_tx, { imageId }) => void told.push(`removed ${imageId}`),
    onOriginalStored: async (_tx, imageId) => void told.push(`original ${imageId}`),
  }
  const deps = { db, keyring, clock, audit, ports }
  const store = createImageStore(deps)
  let people = 0
  return {
    db, clock, keyring, audit, deps, store, told,
    custody: createCustody(deps),
    put: (image, first) => db.transaction((tx) => store.put(tx, image, first === undefined ? undefined : template(first))),
    async addPerson(cpf = String(++people).padStart(11, '0')) {
      const id = randomUUID()
      await db.execute('INSERT INTO person (id, cpf, name, birth_date, created_at) VALUES ($1, $2, $3, $4, $5)', [id, cpf, 'Fulana', '1980-01-01', NOW])
      await db.execute(`INSERT INTO account (id, person_id, status, created_at) VALUES ($1, $1, 'active', $2)`, [id, NOW])
      return id
    },
    events: (type) => db.query('SELECT subject_id, actor_id, data FROM audit_event WHERE type = $1 ORDER BY id', [type]),
    async close() {
      await keyring.close()
      await db.close()
    },
  }
}

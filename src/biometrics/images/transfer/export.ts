import { randomUUID } from 'node:crypto'
import { lstat, mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { AuditActor } from '../../../audit/index.ts'
import { Problem } from '../../../platform/problem.ts'
import type { ImageStore, ImageStoreDependencies, ListedImage } from '../image-store.ts'
import { IMAGE_PROBLEMS } from '../problems.ts'
import { createSealer, type Lock } from './envelope.ts'
import { type ExportPerson, selectExportPeople } from './export.store.ts'
import type { ManifestLine } from './manifest.ts'
import { TAR_END, tarEntry } from './tar-writer.ts'

export const MANIFEST_NAME = 'manifest.ndjson'

export interface ExportOptions {
  /** A folder, or a file that ends in `.tar` or, sealed, in anything. */
  readonly target: string
  readonly isArchive: boolean
  /** For whom the archive is sealed; without it the pictures lie open. */
  readonly lock?: Lock | undefined
  readonly actor: AuditActor
  readonly onProgress?: (progress: { people: number; images: number }) => void
}

/** Where an export goes; the manifest comes last, so that an export without one is known to be unfinished. */
interface Sink {
  add(name: string, bytes: Uint8Array): Promise<void>
  finish(): Promise<void>
  abandon(): Promise<void>
}

const BATCH = 100

/**
 * Writes every standing image with its provenance, in the form that the import takes: the file as it came where it is kept, else the copy.
 *
 * Nothing that others could read is written, and nothing is named done before it is complete. Each person's ledger says it.
 * @throws {Problem} biometrics/place-unsafe
 */
export async function exportImages(deps: { images: ImageStoreDependencies; store: ImageStore }, options: ExportOptions): Promise<{ exportId: string; people: number; images: number }> {
  const { db, audit, clock } = deps.images
  const exportId = randomUUID()
  const done = { people: 0, images: 0 }
  const sink = options.isArchive ? await openArchive(options, clock.now()) : await openFolderSink(options.target)
  const manifest: string[] = []
  try {
    for (let batch = await selectExportPeople(db, null, BATCH); batch.length > 0; batch = await selectExportPeople(db, batch.at(-1)?.id ?? null, BATCH)) {
      for (const person of batch) {
        const lines = await exportPerson(deps.store, person, sink)
        manifest.push(...lines)
        done.images += lines.length
        done.people++
        const data = { personId: person.id, exportId, images: lines.length }
        await audit.record(db, { type: 'biometrics/images-exported', actor: options.actor, subject: person.ledger_id, data })
        options.onProgress?.({ ...done })
      }
    }
    await sink.add(MANIFEST_NAME, Buffer.from(manifest.join('')))
    await sink.finish()
  } catch (error) {
    await sink.abandon()
    throw error
  }
  await audit.record(db, { type: 'biometrics/export-finished', actor: options.actor, data: { exportId, ...done, sealed: options.lock !== undefined } })
  return { exportId, ...done }
}

const EXTENSIONS: Readonly<Record<string, string>> = { 'image/jpeg': 'jpg', 'image/png': 'png', 'image/webp': 'webp', 'image/x-wsq': 'wsq', 'application/json': 'json' }

async function exportPerson(store: ImageStore, person: ExportPerson, sink: Sink): Promise<string[]> {
  const standing = (await store.list(person.id)).filter((image) => image.withdrawnAt === null && image.erasedAt === null)
  const lines: string[] = []
  for (const image of standing.sort((a, b) => a.version - b.version)) {
    const { bytes, contentType } = await (image.original ? store.openOriginal(image.id) : store.open(image.id))
    const file = `images/${image.id}.${EXTENSIONS[contentType] ?? 'bin'}`
    await sink.add(file, bytes)
    lines.push(`${JSON.stringify(lineOf(person.cpf, file, image))}\n`)
  }
  return lines
}

function lineOf(cpf: string, file: string, image: ListedImage): ManifestLine {
  return {
    cpf, kind: image.kind, file, source: image.source, captured_at: image.capturedAt.toISOString(), method: methodOf(image.method),
    in_person: image.inPerson, trusted: image.trusted,
    ...(image.original && { sha256: image.original.sha256.toString('hex') }),
    ...(image.slot !== '' && { slot: image.slot }),
    ...(image.sourceId !== null && { source_id: image.sourceId }),
    ...(image.capturePoint !== null && { capture_point: image.capturePoint }),
    ...(image.operatorId !== null && { operator: image.operatorId }),
    ...(image.device !== null && { device: image.device }),
  }
}

const methodOf = (method: string): ManifestLine['method'] => (method === 'camera' || method === 'upload' ? method : 'import')

const unsafe = (detail: string) => new Problem(IMAGE_PROBLEMS.placeUnsafe, { detail })

/** Only we may write there: whoever else could would put their own file in ours' place. */
async function checkParent(path: string): Promise<void> {
  const parent = await lstat(dirname(resolve(path))).catch(() => undefined)
  if (!parent?.isDirectory()) throw unsafe('the folder above does not exist')
  const isSticky = (parent.mode & 0o1000) !== 0
  if ((parent.mode & 0o022) !== 0 && !isSticky) throw unsafe('others may write in the folder above')
}

async function openFolderSink(target: string): Promise<Sink> {
  await checkParent(target)
  await mkdir(target, { mode: 0o700 }).catch(async () => {
    const found = await lstat(target)
    if (!found.isDirectory() || (found.mode & 0o077) !== 0) throw unsafe('the folder must be of mode 0700')
    const names = await readdir(target)
    if (names.includes(MANIFEST_NAME) || names.some((name) => name !== 'images')) throw unsafe('the folder holds something else already')
  })
  await rm(join(target, 'images'), { recursive: true, force: true })
  await mkdir(join(target, 'images'), { mode: 0o700 })
  return {
    add: (name, bytes) => writeFile(join(target, name), bytes, { mode: 0o600, flag: 'wx' }),
    finish: async () => {},
    abandon: async () => {},
  }
}

async function openArchive({ target, lock }: ExportOptions, now: Date): Promise<Sink> {
  await checkParent(target)
  if ((await lstat(target).catch(() => undefined)) !== undefined) throw unsafe('there is a file of that name already')
  const draft = `${target}.parcial`
  await rm(draft, { force: true })
  const file = await open(draft, 'wx', 0o600)
  const plain = async (bytes: Uint8Array) => file.writeFile(bytes)
  const sealer = lock && (await createSealer(lock, plain))
  const write = sealer ? (bytes: Buffer) => sealer.write(bytes) : plain
  return {
    add: (name, bytes) => write(tarEntry(name, bytes, now)),
    async finish() {
      await write(TAR_END)
      await sealer?.end()
      await file.sync()
      await file.close()
      await rename(draft, target)
    },
    async abandon() {
      await file.close().catch(() => {})
      await rm(draft, { force: true })
    },
  }
}

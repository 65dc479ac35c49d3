import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { AuditActor } from '../../../audit/index.ts'
import { isProblem, Problem } from '../../../platform/problem.ts'
import { PLATFORM_PROBLEMS } from '../../../platform/problems.ts'
import { IMAGE_PROBLEMS } from '../problems.ts'
import type { ImportFiles } from './import-files.ts'
import { beginImport, countLines, finishImport, forgetRefused, insertLine, type LineOutcome, selectDoneLines, selectRefused } from './import.store.ts'
import { fingerprint, type ManifestPlace, readLines } from './lines.ts'
import { createReception, type ReceptionDependencies } from './reception.ts'

export interface ImportOptions {
  readonly manifest: ManifestPlace
  readonly files: ImportFiles
  readonly source: string
  readonly trusting: boolean
  /** Lines that were refused before are looked at again. */
  readonly retryRefused?: boolean
  /** Images in work at the same time. */
  readonly parallel: number
  /** Where the refused lines go, as NDJSON of line number and reason. */
  readonly reportPath: string
  readonly actor: AuditActor
  readonly onProgress?: (progress: ImportProgress) => void
}

export interface ImportProgress {
  readonly line: number
  readonly lines: number
  readonly counts: Readonly<Record<LineOutcome, number>>
}

export interface ImportResult {
  readonly importId: string
  readonly lines: number
  /** Of all runs of this manifest together. */
  readonly counts: Readonly<Record<LineOutcome, number>>
  readonly reasons: Readonly<Record<string, number>>
  /** Lines that this run looked at; fewer than `lines` when it went on with an earlier one. */
  readonly looked: number
}

const WINDOW = 500
const TRIES = 3
const PAUSE_MS = 500

/**
 * Imports a base: NDJSON lines that name image files.
 *
 * Each line's outcome commits with its image, so a run that was killed goes on where it was, and a second run does nothing. Lines of one
 * person are taken in order. @throws {Problem} biometrics/archive-invalid, biometrics/place-unsafe
 */
export async function importImages(deps: ReceptionDependencies, options: ImportOptions): Promise<ImportResult> {
  // First: ten thousand images should not be in before it shows that their report has no place.
  const report = await openReport(options.reportPath)
  try {
    return await importInto(deps, options, report)
  } finally {
    await report.close()
  }
}

async function importInto(deps: ReceptionDependencies, options: ImportOptions, report: FileHandle): Promise<ImportResult> {
  const { db, clock, audit } = deps.images
  const { manifest, actor } = options
  const { sha256, lines } = await fingerprint(manifest)
  const begun = await db.transaction(async (tx) => {
    const found = await beginImport(tx, sha256, lines, actor.id ?? actor.kind, clock.now())
    if (options.retryRefused) await forgetRefused(tx, found.id)
    if (found.isNew) await audit.record(tx, { type: 'biometrics/import-started', actor, data: { importId: found.id, lines, trusting: options.trusting } })
    return found
  })
  const looked = await receiveAll(deps, options, { importId: begun.id, lines, sha256 })
  const counts = await countLines(db, begun.id)
  if (begun.finished_at === null || looked > 0) {
    await db.transaction(async (tx) => {
      await finishImport(tx, begun.id, clock.now())
      await audit.record(tx, { type: 'biometrics/import-finished', actor, data: { importId: begun.id, ...counts } })
    })
  }
  return { importId: begun.id, lines, counts, looked, reasons: await writeReport(deps, begun.id, report) }
}

interface Run {
  readonly importId: string
  readonly lines: number
  readonly sha256: Buffer
}

async function receiveAll(deps: ReceptionDependencies, options: ImportOptions, { importId, lines, sha256 }: Run): Promise<number> {
  const { db } = deps.images
  const receive = createReception(deps, { ...options, importId })
  const crew = createCrew(options.parallel)
  const counts = { ...(await countLines(db, importId)) }
  const hash = createHash('sha256')
  let done = new Set<number>()
  let windowEnd = 0
  let looked = 0
  try {
    for await (const { line, text } of readLines(options.manifest, (bytes) => hash.update(bytes))) {
      if (line > windowEnd) {
        windowEnd = line + WINDOW - 1
        done = await selectDoneLines(db, importId, line, windowEnd)
      }
      if (done.has(line)) continue
      looked++
      await crew.take(personIn(text), async () => {
        counts[await insist(db, importId, line, () => receive(line, text))]++
        options.onProgress?.({ line, lines, counts })
      })
    }
  } finally {
    await crew.idle()
  }
  crew.check()
  if (!hash.digest().equals(sha256)) throw new Problem(IMAGE_PROBLEMS.archiveInvalid, { detail: 'the manifest changed while it was read' })
  return looked
}

/** What keeps lines of one person in order; a guess is enough, as the line is parsed later. */
const personIn = (text: string) => /"cpf"\s*:\s*"([^"]*)"/.exec(text)?.[1]?.replace(/\D/g, '') ?? ''

/** At most so many at a time, and those of one key one after the other; after a failure nothing new is begun. */
function createCrew(size: number) {
  const active = new Set<Promise<void>>()
  const last = new Map<string, Promise<void>>()
  const failures: unknown[] = []
  const check = () => {
    if (failures.length > 0) throw failures[0]
  }
  return {
    check,
    async take(key: string, work: () => Promise<void>): Promise<void> {
      while (active.size >= size) await Promise.race(active)
      check()
      const job = (last.get(key) ?? Promise.resolve())
        .then(() => (failures.length > 0 ? undefined : work()))
        .catch((error: unknown) => void failures.push(error))
        .finally(() => {
          active.delete(job)
          if (last.get(key) === job) last.delete(key)
        })
      active.add(job)
      last.set(key, job)
    },
    idle: async () => void (await Promise.all(active)),
  }
}

/** A worker that died or was late may have been unlucky once; an image that does it each time is refused. */
async function insist(db: ReceptionDependencies['images']['db'], importId: string, line: number, receive: () => Promise<LineOutcome>): Promise<LineOutcome> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await receive()
    } catch (error) {
      const isHard = isProblem(error, PLATFORM_PROBLEMS.deadline) || isProblem(error, PLATFORM_PROBLEMS.workerLost)
      if (!isHard && !isProblem(error, PLATFORM_PROBLEMS.busy)) throw error
      if (attempt >= TRIES && isHard) {
        await insertLine(db, importId, line, { outcome: 'refused', reason: 'image-too-hard' })
        return 'refused'
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * attempt))
    }
  }
}

const unsafe = (cause?: unknown) => new Problem(IMAGE_PROBLEMS.placeUnsafe, { detail: 'the report must be a plain file of ours, or a new one', cause })

/** Never through a link, which others may have laid to a file of ours; nothing of an old report is lost before the new one is written. */
async function openReport(path: string): Promise<FileHandle> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const file = await open(path, flags, 0o600).catch((cause: unknown) => {
    throw unsafe(cause)
  })
  const found = await file.stat()
  const isOurs = process.geteuid === undefined || found.uid === process.geteuid()
  if (found.isFile() && found.nlink === 1 && isOurs) return file
  await file.close()
  throw unsafe()
}

async function writeReport({ images: { db } }: ReceptionDependencies, importId: string, file: FileHandle): Promise<Record<string, number>> {
  const reasons: Record<string, number> = {}
  await file.truncate(0)
  await file.chmod(0o600)
  for (let after = 0; ; ) {
    const refused = await selectRefused(db, importId, after, WINDOW)
    if (refused.length > 0) await file.write(refused.map((row) => `${JSON.stringify(row)}\n`).join(''))
    for (const { line, reason } of refused) {
      reasons[reason] = (reasons[reason] ?? 0) + 1
      after = line
    }
    if (refused.length < WINDOW) return reasons
  }
}

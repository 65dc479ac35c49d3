import { createHash } from 'node:crypto'
import { type BaseRecord, type BaseRegister, type Cpf, parseCpf } from '../../../accounts/index.ts'
import { isProblem, Problem } from '../../../platform/problem.ts'
import { PLATFORM_PROBLEMS } from '../../../platform/problems.ts'
import type { Faces } from '../../faces.ts'
import { checkImage, ImageRefused } from '../../image.ts'
import { wasErased } from '../custody/custody.store.ts'
import type { NewImage, NewTemplate, Original } from '../image.ts'
import { isAnothers } from '../image.store.ts'
import type { ImageStore, ImageStoreDependencies } from '../image-store.ts'
import { describeFace } from '../portrait.ts'
import type { ImportFiles } from './import-files.ts'
import { ensurePerson, findKnownImage, findPersonByCpf, insertLine, type LineOutcome } from './import.store.ts'
import { type ManifestLine, parseManifestLine } from './manifest.ts'

/** What of the face engine an import needs. */
export type ImportFaces = Pick<Faces, 'describe' | 'normalise'>

export interface ReceptionDependencies {
  readonly images: ImageStoreDependencies
  readonly store: ImageStore
  readonly faces: ImportFaces
  readonly register: BaseRegister
}

export interface ReceptionOptions {
  readonly importId: string
  readonly files: ImportFiles
  /** Source of lines that name none. */
  readonly source: string
  /** Lines may say `trusted` and `in_person`: the operator stands by the base. */
  readonly trusting: boolean
}

/** A line is refused; the reason is a code for the report, and quotes nothing. */
class LineRefused extends Error {
  readonly reason: string
  constructor(reason: string) {
    super(reason)
    this.reason = reason
  }
}

const SITUATIONS_WITHOUT_IMAGES: ReadonlySet<BaseRecord['situation']> = new Set(['cancelled', 'void', 'deceased'])

/** Takes in single lines: each one's outcome is on record when it returns, with its image or without. */
export function createReception(deps: ReceptionDependencies, options: ReceptionOptions) {
  const { db, clock } = deps.images
  return async function receive(line: number, text: string): Promise<LineOutcome> {
    try {
      return await store(deps, options, line, parseLine(text, options, clock.now()))
    } catch (error) {
      const reason = reasonOf(error)
      if (reason === undefined) throw error
      await insertLine(db, options.importId, line, { outcome: 'refused', reason })
      return 'refused'
    }
  }
}

function reasonOf(error: unknown): string | undefined {
  if (error instanceof LineRefused) return error.reason
  if (error instanceof ImageRefused) return `image-${error.code}`
  if (error instanceof Problem && isProblem(error, PLATFORM_PROBLEMS.sealBroken)) return 'person-unsound'
  return undefined
}

function parseLine(text: string, { trusting }: ReceptionOptions, now: Date): ManifestLine & { cpf: Cpf } {
  const line = parseManifestLine(text, now)
  if (line === undefined) throw new LineRefused('line-invalid')
  if ((line.trusted || line.in_person) && !trusting) throw new LineRefused('trust-not-granted')
  const cpf = parseCpf(line.cpf)
  if (cpf === undefined) throw new LineRefused('cpf-invalid')
  return { ...line, cpf }
}

async function store(deps: ReceptionDependencies, options: ReceptionOptions, lineNumber: number, line: ManifestLine & { cpf: Cpf }): Promise<LineOutcome> {
  const { db, clock } = deps.images
  const { importId } = options
  const { original, sha256, width, height } = await readOriginal(options.files, line)
  const person = await findPerson(deps, line.cpf)
  const source = line.source ?? options.source
  if (typeof person === 'string') {
    const known = await findKnownImage(db, { personId: person, kind: line.kind, slot: line.slot ?? '', sha256, source, sourceId: line.source_id ?? null })
    if (known !== undefined) {
      await insertLine(db, importId, lineNumber, { outcome: 'known', imageId: known })
      return 'known'
    }
    if (await wasErased(db, person)) throw new LineRefused('person-erased')
  }
  const looked = await look(deps.faces, line, original, { width, height })
  return db.transaction(async (tx) => {
    const personId = typeof person === 'string' ? person : await ensurePerson(tx, person, clock.now())
    if (line.kind === 'face' && (await isAnothers(tx, personId, 'face', sha256))) throw new LineRefused('image-of-another')
    const image: NewImage = { personId, kind: line.kind, slot: line.slot, ...looked.copy, contentType: 'image/jpeg', original, provenance: provenanceOf(line, source) }
    const { imageId, isNew } = await deps.store.putNew(tx, image, { template: looked.template, importId })
    const outcome = isNew ? 'stored' : 'known'
    await insertLine(tx, importId, lineNumber, { outcome, imageId })
    return outcome
  })
}

async function readOriginal(files: ImportFiles, line: ManifestLine) {
  const bytes = await files.read(line.file)
  if (typeof bytes === 'string') throw new LineRefused(bytes)
  const sha256 = createHash('sha256').update(bytes).digest()
  if (line.sha256 !== undefined && line.sha256 !== sha256.toString('hex')) throw new LineRefused('file-changed')
  const check = checkImage(bytes)
  if (!check.ok) throw new LineRefused(`image-${check.refusal}`)
  const original: Original = { bytes, contentType: `image/${check.type}` }
  return { original, sha256, width: check.width, height: check.height }
}

/** The id of who is known here, or what the base register says of who is not. */
async function findPerson({ images, register }: ReceptionDependencies, cpf: Cpf): Promise<string | BaseRecord> {
  const known = await findPersonByCpf(images.db, cpf)
  if (known !== undefined) return known
  const record = await register.find(cpf)
  if (record === undefined) throw new LineRefused('cpf-unknown')
  if (SITUATIONS_WITHOUT_IMAGES.has(record.situation)) throw new LineRefused('cpf-not-regular')
  return record
}

interface Looked {
  readonly copy: Pick<NewImage, 'bytes' | 'width' | 'height'>
  readonly template: NewTemplate | undefined
}

/** The only step that decodes pixels, in the worker threads. */
async function look(faces: ImportFaces, { kind }: ManifestLine, { bytes }: Original, size: { width: number; height: number }): Promise<Looked> {
  const face = kind === 'face' ? await describeFace(faces, bytes) : undefined
  if (face?.refusal !== undefined) throw new LineRefused(face.refusal)
  const copy = await faces.normalise(bytes)
  const check = checkImage(copy)
  const { width, height } = check.ok ? check : size
  return { copy: { bytes: copy, width, height }, template: face?.template }
}

function provenanceOf(line: ManifestLine, source: string): NewImage['provenance'] {
  return {
    source, method: line.method, trusted: line.trusted, inPerson: line.in_person, capturedAt: new Date(line.captured_at),
    capturePoint: line.capture_point, operatorId: line.operator, device: line.device, sourceId: line.source_id,
  }
}

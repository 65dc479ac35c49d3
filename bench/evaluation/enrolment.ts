import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import sharp from 'sharp'
import { z } from 'zod'
import type { FaceEngine } from '../../src/biometrics/engine/engine.ts'
import type { FaceObservation } from '../../src/biometrics/observation.ts'
import { identityOf, type Photographs } from './photographs.ts'

/** One picture that gave a template. */
export interface Enrolled {
  readonly file: string
  readonly identity: string
  readonly descriptor: readonly number[]
}

export interface Enrolment {
  /** In the order of the files. */
  readonly enrolled: readonly Enrolled[]
  /** Pictures without a template: failures to acquire. */
  readonly failed: readonly string[]
}

export interface EnrolOptions {
  /** Turns every picture by so many degrees first. */
  readonly rollDegrees?: number
  /** Only these files; all unless said. */
  readonly files?: readonly string[]
  /** Keeps descriptors there between runs. They are biometric data: a scratch folder, never the project. */
  readonly cache?: string | undefined
  readonly onProgress?: (done: number, of: number) => void
}

const rowSchema = z.tuple([z.string(), z.array(z.number()).nullable()])

/** Describes the pictures, or reads what an earlier run with the same nets kept of them. */
export async function enrol(engine: FaceEngine, photographs: Photographs, options: EnrolOptions = {}): Promise<Enrolment> {
  const { rollDegrees = 0, files = photographs.files, cache, onProgress } = options
  const kept = cache && path.join(cache, `${cacheName(engine.modelId, photographs, files, rollDegrees)}.jsonl`)
  const rows = kept && existsSync(kept) ? readRows(kept) : await describeAll(engine, photographs.folder, { files, rollDegrees, onProgress })
  if (kept && !existsSync(kept)) keepRows(kept, rows)
  return {
    enrolled: rows.flatMap(([file, descriptor]) => (descriptor ? [{ file, identity: identityOf(file), descriptor }] : [])),
    failed: rows.flatMap(([file, descriptor]) => (descriptor ? [] : [file])),
  }
}

type Row = z.infer<typeof rowSchema>

function cacheName(modelId: string, { name }: Photographs, files: readonly string[], rollDegrees: number): string {
  const listed = createHash('sha256').update(files.join('\n')).digest('hex').slice(0, 12)
  return `${modelId}-${name}-${rollDegrees}-${listed}`
}

function readRows(file: string): Row[] {
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => rowSchema.parse(JSON.parse(line)))
}

function keepRows(file: string, rows: readonly Row[]): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`, { mode: 0o600 })
  renameSync(draft, file)
}

interface Work {
  readonly files: readonly string[]
  readonly rollDegrees: number
  readonly onProgress: EnrolOptions['onProgress']
}

async function describeAll(engine: FaceEngine, folder: string, { files, rollDegrees, onProgress }: Work): Promise<Row[]> {
  const rows: Row[] = []
  for (const file of files) {
    const bytes = readFileSync(path.join(folder, file))
    const picture = rollDegrees === 0 ? bytes : await rolled(bytes, rollDegrees)
    const { faces, width, height } = await engine.describe(picture, { describeFaces: 8 })
    const descriptor = subjectOf(faces, width, height)?.descriptor
    rows.push([file, descriptor ? descriptor.map((value) => Number(value.toPrecision(8))) : null])
    onProgress?.(rows.length, files.length)
  }
  return rows
}

/** The picture turned about its middle, with its edge mirrored outwards so that no black corner tells the turn. */
export async function rolled(bytes: Uint8Array, degrees: number): Promise<Buffer> {
  const { width, height } = await sharp(bytes).metadata()
  const room = Math.ceil(Math.max(width, height) / 2)
  const wide = await sharp(bytes)
    .extend({ top: room, bottom: room, left: room, right: room, extendWith: 'mirror' })
    .png({ compressionLevel: 1 })
    .toBuffer()
  const turned = await sharp(wide).rotate(degrees).toBuffer({ resolveWithObject: true })
  const [left, top] = [Math.round((turned.info.width - width) / 2), Math.round((turned.info.height - height) / 2)]
  return sharp(turned.data).extract({ left, top, width, height }).jpeg({ quality: 95 }).toBuffer()
}

/** The face that a photograph is of: the one nearest to its middle. */
export function subjectOf<Face extends Pick<FaceObservation, 'box'>>(
  faces: readonly Face[],
  width: number,
  height: number,
): Face | undefined {
  const offCentre = ({ box }: Face) => Math.hypot(box.x + box.width / 2 - width / 2, box.y + box.height / 2 - height / 2)
  return faces.toSorted((left, right) => offCentre(left) - offCentre(right))[0]
}

import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { z } from 'zod'
import type { NetName } from './nets.ts'
import { NET_BUILDERS } from './nets.ts'
import { readWeights } from './weights.ts'

const netSchema = z.object({
  name: z.enum(['tiny-face', 'ssd-mobilenet', 'landmarks-68', 'descriptor-128']),
  file: z.string().regex(/^[a-z0-9-]+\.onnx$/),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  licence: z.string(),
  provenance: z.string(),
  source: z.object({ package: z.string(), version: z.string(), weights: z.string() }),
  input: z.object({
    shape: z.array(z.union([z.number(), z.string()])),
    colour: z.literal('RGB'),
    /** What the caller does to a 0–255 value of each channel: `(value - mean) / divisor`. */
    mean: z.array(z.number()).length(3),
    divisor: z.number().positive(),
    letterbox: z.enum(['bottom-right', 'centred']),
  }),
})

export const modelManifestSchema = z.object({ nets: z.array(netSchema) })
export type ModelManifest = z.infer<typeof modelManifestSchema>

export interface ModelFile {
  readonly name: NetName
  readonly path: string
  readonly bytes: Uint8Array
  readonly sha256: string
  /** `rebuilt`: a file was there with another checksum, `found`. */
  readonly state: 'cached' | 'built' | 'rebuilt'
  readonly found?: string
}

/** The model on disk or as built is not the one that the manifest pins. Nothing may run on it. */
export class ModelChecksumError extends Error {
  readonly expected: string
  readonly found: string
  constructor(file: string, expected: string, found: string, kind: 'sha256' | 'sha384' = 'sha256') {
    super(`${file}: expected ${kind} ${expected}, found ${found}`)
    this.name = 'ModelChecksumError'
    this.expected = expected
    this.found = found
  }
}

const MANIFEST_FILE = new URL('../../../models/manifest.json', import.meta.url)

export async function readModelManifest(file: URL | string = MANIFEST_FILE): Promise<ModelManifest> {
  return modelManifestSchema.parse(JSON.parse(await readFile(file, 'utf8')))
}

/** Folder of the published weights inside the installed npm package. */
export function publishedWeightsDirectory(): string {
  return path.join(path.dirname(createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json')), 'model')
}

/** Builds one net from the published weights; the same bytes every time. */
export async function buildNet(name: NetName, weightsDirectory = publishedWeightsDirectory()): Promise<Uint8Array> {
  const { source, build } = NET_BUILDERS[name]
  return build(await readWeights(weightsDirectory, source))
}

/**
 * The bytes of a net, read from `directory` or built there, never with another checksum than the manifest's.
 *
 * Written to a name of its own and renamed, so that of several processes each reads a whole file or none.
 * @throws {ModelChecksumError} When the weights of the installed package build something else.
 */
export async function openModelFile(name: NetName, directory: string, manifest?: ModelManifest): Promise<ModelFile> {
  const entry = (manifest ?? (await readModelManifest())).nets.find((net) => net.name === name)
  if (!entry) throw new Error(`models/manifest.json has no net named ${name}`)
  const file = path.join(directory, entry.file)
  const cached = await readFile(file).catch(absent)
  const found = cached && checksum(cached)
  if (cached && found === entry.sha256) return { name, path: file, bytes: cached, sha256: found, state: 'cached' }
  const bytes = await buildNet(name)
  const sha256 = checksum(bytes)
  if (sha256 !== entry.sha256) throw new ModelChecksumError(entry.file, entry.sha256, sha256)
  await writeWhole(file, bytes)
  return { name, path: file, bytes, sha256, ...(found ? { state: 'rebuilt', found } : { state: 'built' }) }
}

/** Builds or checks every net of the manifest. */
export async function openAllModelFiles(directory: string, manifest?: ModelManifest): Promise<ModelFile[]> {
  const { nets } = manifest ?? (await readModelManifest())
  const files: ModelFile[] = []
  for (const { name } of nets) files.push(await openModelFile(name, directory, manifest))
  return files
}

export function checksum(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined
  throw error
}

/** Writes under a name of its own and renames: a reader sees the whole file or none. */
export async function writeWhole(file: string, bytes: Uint8Array): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true })
  const temporary = `${file}.${process.pid}.${randomUUID()}.tmp`
  try {
    await writeFile(temporary, bytes, { flag: 'wx', flush: true })
    await rename(temporary, file)
  } finally {
    await rm(temporary, { force: true })
  }
}

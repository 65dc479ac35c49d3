import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const fileName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,100}$/)
const shape = z.array(z.union([z.number().int().positive(), z.string()])).min(2)

const originalSchema = z.strictObject({
  /** Sub-folder that a folder of originals may keep the file in. */
  folder: fileName,
  file: fileName,
  url: z.url({ protocol: /^https$/ }),
  bytes: z.number().int().positive().max(64_000_000),
  sha256,
  /** What the publisher itself announces, where it does. */
  sha384: z
    .string()
    .regex(/^[0-9a-f]{96}$/)
    .optional(),
})

const inputSchema = z.strictObject({
  name: z.string(),
  shape,
  colour: z.enum(['BGR', 'RGB']),
  /** What the caller does to a 0–255 value of each channel: `(value - mean) / divisor`. */
  mean: z.array(z.number()).length(3),
  divisor: z.number().positive(),
  /** The caller's sizes are multiples of this. */
  multiple: z.number().int().positive().optional(),
  /** Where the five points of a face go, as shares of the square picture's side. */
  alignment: z
    .strictObject({ order: z.string(), size: z.number().int().positive(), points: z.array(z.array(z.number()).length(2)).length(5) })
    .optional(),
  /** How much around the detector's box the net sees, and how the publisher cuts it. */
  crop: z.strictObject({ scale: z.number().positive(), rule: z.string() }).optional(),
})

const fetchedNetSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]{1,60}$/),
  file: z.string().regex(/^[a-z0-9-]+\.onnx$/),
  /** `standard`: needed for that set of nets; `pad`: raises the liveness class where it is there. */
  set: z.enum(['standard', 'pad']),
  /** What the publisher gives; the program's own nets are converted, any other is ONNX and taken as it is. */
  form: z.enum(['onnx', 'openvino-ir', 'torch-checkpoint']),
  /** Of the file that is installed, after the conversion. */
  sha256,
  licence: z.string(),
  publisher: z.string(),
  version: z.string(),
  provenance: z.string().min(20),
  /** None: the operator puts the file into the folder of nets. */
  originals: z.array(originalSchema).max(2),
  input: inputSchema,
  outputs: z.array(z.strictObject({ name: z.string(), shape, meaning: z.string() })).min(1),
  /** Of a recogniser: the id that every template and decision carries, and how its descriptors are compared. */
  recognises: z.strictObject({ modelId: z.string().regex(/^[a-z0-9.-]+$/), metric: z.enum(['euclidean', 'cosine']) }).optional(),
})

const manifestSchema = z.object({ fetched: z.array(fetchedNetSchema) })
/** What an operator may add: recognisers, ready to run. */
const ownManifestSchema = z.object({
  fetched: z.array(fetchedNetSchema.refine(({ form, recognises }) => form === 'onnx' && recognises, 'a recogniser in ONNX is expected')),
})

export type FetchedNet = z.infer<typeof fetchedNetSchema>
export type FetchedNetName = FetchedNet['name']
export type Original = z.infer<typeof originalSchema>

/** Name of the operator's own manifest, in the folder of installed nets. */
export const OWN_MANIFEST = 'manifest.json'

/** An operator's manifest that cannot be used, with what is wrong in it. */
export class ManifestError extends Error {
  constructor(file: string, detail: string, cause?: unknown) {
    super(`${file}: ${detail}`, { cause })
    this.name = 'ManifestError'
  }
}

const MANIFEST_FILE = new URL('../../../models/manifest.json', import.meta.url)

/** The nets that are fetched from their publishers: addresses, checksums, licences, what goes in and comes out. */
export async function readFetchedNets(file: URL | string = MANIFEST_FILE): Promise<FetchedNet[]> {
  return manifestSchema.parse(JSON.parse(await readFile(file, 'utf8'))).fetched
}

/**
 * The program's fetched nets followed by those of the operator's own manifest in `modelsDir`, where there is one.
 *
 * An entry there adds a recogniser; it never takes the place of a net of the program's.
 * @throws {ManifestError}
 */
export async function readNetsOf(modelsDir: string): Promise<FetchedNet[]> {
  const nets = await readFetchedNets()
  const file = path.join(modelsDir, OWN_MANIFEST)
  for (const net of await readOwnNets(file)) {
    const taken = nets.find((other) => isSameNet(net, other))
    if (taken) throw new ManifestError(file, `${net.name} has the name, file or model id of ${taken.name}`)
    nets.push(net)
  }
  return nets
}

function isSameNet(one: FetchedNet, other: FetchedNet): boolean {
  return one.name === other.name || one.file === other.file || one.recognises?.modelId === (other.recognises?.modelId ?? '')
}

async function readOwnNets(file: string): Promise<FetchedNet[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw error
  })
  if (text === undefined) return []
  try {
    return ownManifestSchema.parse(JSON.parse(text)).fetched
  } catch (error) {
    const detail = error instanceof z.ZodError ? z.prettifyError(error) : 'not JSON'
    throw new ManifestError(file, detail, error)
  }
}

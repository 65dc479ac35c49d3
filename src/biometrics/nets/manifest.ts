import { readFile } from 'node:fs/promises'
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
  name: z.enum(['yunet', 'reidentification-0095', 'minifasnet-v2', 'minifasnet-v1se']),
  file: z.string().regex(/^[a-z0-9-]+\.onnx$/),
  /** `standard`: needed for that set of nets; `pad`: raises the liveness class where it is there. */
  set: z.enum(['standard', 'pad']),
  /** What the publisher gives; all but ONNX is converted. */
  form: z.enum(['onnx', 'openvino-ir', 'torch-checkpoint']),
  /** Of the file that is installed, after the conversion. */
  sha256,
  licence: z.string(),
  publisher: z.string(),
  version: z.string(),
  provenance: z.string().min(20),
  originals: z.array(originalSchema).min(1).max(2),
  input: inputSchema,
  outputs: z.array(z.strictObject({ name: z.string(), shape, meaning: z.string() })).min(1),
  /** Of a recogniser: the id that every template and decision carries, and how its descriptors are compared. */
  recognises: z.strictObject({ modelId: z.string().regex(/^[a-z0-9.-]+$/), metric: z.enum(['euclidean', 'cosine']) }).optional(),
})

const manifestSchema = z.object({ fetched: z.array(fetchedNetSchema) })

export type FetchedNet = z.infer<typeof fetchedNetSchema>
export type FetchedNetName = FetchedNet['name']
export type Original = z.infer<typeof originalSchema>

const MANIFEST_FILE = new URL('../../../models/manifest.json', import.meta.url)

/** The nets that are fetched from their publishers: addresses, checksums, licences, what goes in and comes out. */
export async function readFetchedNets(file: URL | string = MANIFEST_FILE): Promise<FetchedNet[]> {
  return manifestSchema.parse(JSON.parse(await readFile(file, 'utf8'))).fetched
}

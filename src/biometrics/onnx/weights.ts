import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'

/** One weight as published: TensorFlow's axis order, already de-quantised. */
export interface Weight {
  readonly shape: readonly number[]
  readonly values: Float32Array
}

export type Weights = (name: string) => Weight

const quantization = z.object({ dtype: z.literal('uint8'), scale: z.number(), min: z.number() })
const manifestSchema = z.array(
  z.object({
    paths: z.array(z.string()).length(1),
    weights: z.array(
      z.object({
        name: z.string(),
        shape: z.array(z.number().int().positive()),
        dtype: z.enum(['float32', 'int32']),
        quantization: quantization.optional(),
      }),
    ),
  }),
)

/**
 * Reads one net of the npm package: a manifest and a file of weights, most of them one byte each with a scale and an offset.
 *
 * @throws {Error} When the manifest has another form than the published one, or the file is shorter or longer than it says.
 */
export async function readWeights(directory: string, net: string): Promise<Weights> {
  const manifest = manifestSchema.parse(JSON.parse(await readFile(path.join(directory, `${net}-weights_manifest.json`), 'utf8')))
  const found = new Map<string, Weight>()
  for (const group of manifest) {
    const bytes = await readFile(path.join(directory, path.basename(group.paths[0] ?? '')))
    let offset = 0
    for (const { name, shape, quantization: packed } of group.weights) {
      const count = shape.reduce((product, size) => product * size, 1)
      const length = count * (packed ? 1 : 4)
      if (offset + length > bytes.length) throw new Error(`${net}: weights end before ${name}`)
      const slice = bytes.subarray(offset, offset + length)
      found.set(name, { shape, values: packed ? dequantised(slice, packed.scale, packed.min) : floats(slice) })
      offset += length
    }
    if (offset !== bytes.length) throw new Error(`${net}: ${bytes.length - offset} bytes too many`)
  }
  return (name) => {
    const weight = found.get(name)
    if (!weight) throw new Error(`${net}: no weight named ${name}`)
    return weight
  }
}

function dequantised(bytes: Uint8Array, scale: number, min: number): Float32Array {
  const values = new Float32Array(bytes.length)
  for (let index = 0; index < bytes.length; index++) values[index] = (bytes[index] ?? 0) * scale + min
  return values
}

function floats(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const values = new Float32Array(bytes.length / 4)
  for (let index = 0; index < values.length; index++) values[index] = view.getFloat32(index * 4, true)
  return values
}

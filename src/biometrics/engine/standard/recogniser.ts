import type { FetchedNet } from '../../nets/manifest.ts'
import { ManifestError } from '../../nets/manifest.ts'
import type { Point } from '../../observation.ts'
import { normalisedPlanes } from '../alignment.ts'
import type { Normalisation } from '../raster.ts'
import type { Net } from '../runtime.ts'

/** All that is needed to run a recogniser: read from the manifest, so that another one is data and a calibration. */
export interface RecogniserContract extends Normalisation {
  /** Set id: stored with every template and decision made with it. */
  readonly modelId: string
  /** Name of its net in the manifest, of its one input and of its one output. */
  readonly net: FetchedNet['name']
  readonly input: string
  readonly output: string
  readonly dimension: number
  readonly metric: 'euclidean' | 'cosine'
  readonly inputSize: number
  /** Where eyes, nose and corners of the mouth go, each from the picture's left, as parts of the input's side. */
  readonly alignment: readonly Point[]
}

/**
 * The contract of the net that recognises under this model id; of the manifest's first one unless said.
 *
 * @throws {ManifestError} When it lacks something or there is none.
 */
export function recogniserContract(nets: readonly FetchedNet[], modelId?: string): RecogniserContract {
  const net = nets.find(({ recognises }) => recognises && (modelId === undefined || recognises.modelId === modelId))
  const [output] = net?.outputs ?? []
  const [dimension, size] = [output?.shape[1], net?.input.shape[3]]
  const [red, green, blue] = net?.input.mean ?? []
  if (!net?.recognises || !output || !net.input.alignment || red === undefined || green === undefined || blue === undefined) {
    const known = nets.flatMap(({ recognises }) => recognises?.modelId ?? [])
    throw new ManifestError(
      'models/manifest.json',
      `no recogniser ${modelId ?? ''} with an output and an alignment (known: ${known.join(', ')})`,
    )
  }
  if (typeof dimension !== 'number' || typeof size !== 'number' || size !== net.input.shape[2]) {
    throw new ManifestError('models/manifest.json', `${net.name} has no fixed square input and fixed number of outputs`)
  }
  return {
    ...net.recognises,
    net: net.name,
    input: net.input.name,
    output: output.name,
    dimension,
    inputSize: size,
    colour: net.input.colour,
    mean: [red, green, blue],
    divisor: net.input.divisor,
    alignment: net.input.alignment.points.map(([x = 0, y = 0]) => ({ x, y })),
  }
}

/**
 * Descriptor of an aligned square (planes of bytes, red first); `mirrored`: made of both the square and its mirror image.
 *
 * For the cosine each view counts by its direction alone, and the answer has length 1; for distances it is the plain mean.
 */
export function createRecogniser(net: Net, contract: RecogniserContract): (square: Float32Array, mirrored: boolean) => Promise<number[]> {
  const { inputSize, dimension, metric, output } = contract
  return async (square, mirrored) => {
    const answers = (await net.run(normalisedPlanes(square, inputSize, contract, mirrored), inputSize))(output)
    const count = mirrored ? 2 : 1
    if (answers.length !== count * dimension) throw new Error(`${contract.net}: ${answers.length} numbers instead of ${count * dimension}`)
    const sum = new Array<number>(dimension).fill(0)
    for (let view = 0; view < count; view++) {
      const numbers = answers.subarray(view * dimension, (view + 1) * dimension)
      const share = metric === 'cosine' ? 1 / lengthOf(numbers) : 1 / count
      for (let at = 0; at < dimension; at++) sum[at] = (sum[at] ?? 0) + (numbers[at] ?? Number.NaN) * share
    }
    const scale = metric === 'cosine' ? 1 / lengthOf(sum) : 1
    return sum.map((value) => value * scale)
  }
}

function lengthOf(numbers: Iterable<number>): number {
  let squares = 0
  for (const value of numbers) squares += value * value
  return Math.sqrt(squares) || 1
}

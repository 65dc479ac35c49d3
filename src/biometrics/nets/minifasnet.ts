import type { Graph, Kernel, Value } from '../onnx/graph.ts'
import { createGraph } from '../onnx/graph.ts'
import { normalisedKernel, paddedKernel } from '../onnx/kernels.ts'
import type { Weights } from '../onnx/weights.ts'
import { CheckpointFormatError, readCheckpoint } from './torch-checkpoint.ts'

const SIZE = 80
const CLASSES = 3
const EPSILON = 1e-5
/**
 * Channels are filled up to a multiple of this with zeros: the runtime computes in blocks of 8 or 16 channels, and what does not fill its
 * blocks it takes out of them and puts back before and after each layer, which cost more than the layers. With the slopes written as they
 * are (`prelu`) a net takes 0.3 of the time.
 */
const BLOCK = 16

interface Build {
  readonly graph: Graph
  readonly weights: Weights
}

interface Block {
  readonly stride?: number
  readonly depthwise?: boolean
  readonly padding?: 'around' | 'valid'
  /** Without it the block ends with the batch norm. */
  readonly prelu?: boolean
}

/** Residual blocks of each stage between the halvings. */
const STAGES = [
  { down: 'conv_23', blocks: 'conv_3', count: 4 },
  { down: 'conv_34', blocks: 'conv_4', count: 6 },
  { down: 'conv_45', blocks: 'conv_5', count: 2 },
]

/**
 * A published presentation-attack net as ONNX: `image` (batch × 3 × 80 × 80, BGR, 0–255) to `probabilities` (batch × 3; 1 = live).
 *
 * The architecture is the published MiniFASNet's: a MobileFaceNet with pruned widths, which are read from the weights. With `squeeze`
 * the last block of each stage weighs its channels by their means (V1SE). Batch norms go into the convolutions before them, and channels
 * are filled up to whole blocks.
 * @throws {CheckpointFormatError | PickleFormatError} When the file is not the checkpoint of such a net.
 */
export function convertMinifasnet(checkpoint: Uint8Array, { title, squeeze }: { title: string; squeeze: boolean }): Uint8Array {
  const read = readCheckpoint(checkpoint)
  const build: Build = { graph: createGraph(title), weights: (name) => read(`module.${name}`) }
  const { graph } = build
  let value = graph.input('image', { channels: 3, size: SIZE, free: 'batch' })
  value = convBlock(build, value, 'conv1', { stride: 2 })
  value = convBlock(build, value, 'conv2_dw', { depthwise: true })
  for (const { down, blocks, count } of STAGES) {
    value = bottleneck(build, value, down, 2)
    for (let index = 0; index < count; index++) {
      const prefix = `${blocks}.model.${index}`
      const block = bottleneck(build, value, prefix, 1)
      value = graph.add(value, squeeze && index === count - 1 ? weighChannels(build, block, `${prefix}.se_module`) : block)
    }
  }
  value = convBlock(build, value, 'conv_6_sep', { padding: 'valid' })
  value = convBlock(build, value, 'conv_6_dw', { depthwise: true, padding: 'valid', prelu: false })
  graph.output(classify(build, graph.flatten(value)), 'probabilities', ['batch', CLASSES])
  return graph.finish()
}

/** Convolution with its batch norm folded in, then a slope per channel. */
function convBlock(build: Build, from: Value, prefix: string, block: Block = {}): Value {
  const { stride = 1, depthwise = false, padding = 'around', prelu = true } = block
  const kernel = kernelOf(build, `${prefix}.conv`, `${prefix}.bn`)
  if (depthwise ? blocksOf(kernel.outputs) !== from.channels || kernel.inputs !== 1 : blocksOf(kernel.inputs) !== from.channels) {
    throw new CheckpointFormatError(`${prefix}: ${kernel.inputs} channels in, ${from.channels} come`)
  }
  const whole = paddedKernel(kernel, depthwise ? 1 : from.channels, blocksOf(kernel.outputs))
  const value = build.graph.conv(from, whole, { stride, depthwise, padding })
  if (!prelu) return value
  const slopes = new Float32Array(whole.outputs)
  slopes.set(vector(build, `${prefix}.prelu.weight`, kernel.outputs))
  return build.graph.prelu(value, slopes)
}

/** As many channels in whole blocks; the picture's three stay. */
const blocksOf = (channels: number) => (channels === 3 ? 3 : Math.ceil(channels / BLOCK) * BLOCK)

/** Widen by 1 × 1, filter each channel, narrow by 1 × 1. */
function bottleneck(build: Build, from: Value, prefix: string, stride: number): Value {
  const wide = convBlock(build, from, `${prefix}.conv`, { padding: 'valid' })
  const filtered = convBlock(build, wide, `${prefix}.conv_dw`, { stride, depthwise: true })
  return convBlock(build, filtered, `${prefix}.project`, { padding: 'valid', prelu: false })
}

function weighChannels({ graph, weights }: Build, from: Value, prefix: string): Value {
  const build = { graph, weights }
  const means = graph.average(from)
  const narrow = graph.relu(graph.conv(means, kernelOf(build, `${prefix}.fc1`, `${prefix}.bn1`), { padding: 'valid' }))
  const wide = graph.conv(narrow, kernelOf(build, `${prefix}.fc2`, `${prefix}.bn2`), { padding: 'valid' })
  return graph.multiply(from, graph.sigmoid(wide))
}

/** Two matrix products with a batch norm between, then the probabilities. */
function classify(build: Build, from: Value): Value {
  const { graph, weights } = build
  const hidden = kernelOf(build, 'linear', 'bn')
  const last = weights('prob.weight')
  if (hidden.inputs !== from.channels || last.shape.join() !== `${CLASSES},${hidden.outputs}`) {
    throw new CheckpointFormatError('a classifier of unknown form')
  }
  const narrow = graph.linear(from, transposed(hidden.values, hidden.outputs), hidden.bias)
  return graph.softmax(graph.linear(narrow, transposed(last.values, CLASSES), undefined))
}

function kernelOf(build: Build, layer: string, norm: string): Kernel {
  const { shape, values } = build.weights(`${layer}.weight`)
  const [outputs = 0, inputs = 0, size = 1, columns = 1] = shape
  if (size !== columns || shape.length < 2) throw new CheckpointFormatError(`${layer}: weights of ${shape.join(' × ')}`)
  const of = (name: string) => ({ shape: [outputs], values: vector(build, `${norm}.${name}`, outputs) })
  const terms = { mean: of('running_mean'), variance: of('running_var'), gamma: of('weight'), beta: of('bias') }
  return normalisedKernel({ values, outputs, inputs, size }, terms, EPSILON)
}

function vector({ weights }: Build, name: string, length: number): Float32Array {
  const { shape, values } = weights(name)
  if (shape.join() !== String(length)) throw new CheckpointFormatError(`${name}: ${shape.join(' × ')} instead of ${length}`)
  return values
}

/** From rows of outputs to rows of inputs. */
function transposed(values: Float32Array, outputs: number): Float32Array {
  const inputs = values.length / outputs
  return values.map((_, index) => values[(index % outputs) * inputs + Math.floor(index / outputs)] ?? Number.NaN)
}

import type { Graph, Kernel, Value } from '../onnx/graph.ts'
import { createGraph } from '../onnx/graph.ts'
import type { IrConstant, IrLayer } from './openvino-ir.ts'
import { IrFormatError, readOpenvinoIr } from './openvino-ir.ts'

/** What has been built so far, by layer id. */
interface Build {
  readonly graph: Graph
  readonly values: Map<string, Value>
  /** Biases that the file adds in a layer of their own, by the id of the convolution that takes them over. */
  readonly biases: ReadonlyMap<string, IrConstant>
  /** Additions that a convolution took over, with that convolution's id. */
  readonly folded: ReadonlyMap<string, string>
}

type Converter = (build: Build, layer: IrLayer) => Value

/**
 * The published recogniser as ONNX: `image` (batch × 3 × 128 × 128, BGR, 0–255) to `descriptors` (batch × 256, not normalised).
 *
 * Biases go into the convolutions; a slope shared by all channels becomes LeakyRelu and a pool over the whole picture a global one,
 * which the runtime computes in half the time. The batch is free although the file says one picture.
 */
export function convertReidentification(description: Uint8Array, weights: Uint8Array): Uint8Array {
  const layers = readOpenvinoIr(description, weights)
  const graph = createGraph('reidentification-0095')
  const build: Build = { graph, values: new Map(), ...foldedBiases(layers) }
  const results = layers.filter(({ kind }) => kind === 'Result')
  const source = results[0]?.inputs[0]
  if (results.length !== 1 || typeof source !== 'string') throw new IrFormatError('not one result')
  for (const layer of layers) {
    if (layer.kind === 'Result') continue
    const value = CONVERTERS[layer.kind](build, layer)
    checkShape(layer, value)
    build.values.set(layer.id, value)
  }
  const result = graph.flatten(givenBy(build, source))
  graph.output(result, 'descriptors', ['batch', result.channels])
  return graph.finish()
}

const CONVERTERS: Record<Exclude<IrLayer['kind'], 'Result'>, Converter> = {
  Parameter: parameter,
  Convolution: (build, layer) => convolution(build, layer, false),
  GroupConvolution: (build, layer) => convolution(build, layer, true),
  Add: addition,
  Multiply: multiplication,
  PReLU: parametricRelu,
  AvgPool: wholeAverage,
  Sigmoid: (build, layer) => build.graph.sigmoid(operand(build, layer, 0)),
}

/** A constant per channel added to a convolution that nothing else reads is that convolution's bias. */
function foldedBiases(layers: readonly IrLayer[]): Pick<Build, 'biases' | 'folded'> {
  const readers = new Map<string, number>()
  for (const input of layers.flatMap(({ inputs }) => inputs)) {
    if (typeof input === 'string') readers.set(input, (readers.get(input) ?? 0) + 1)
  }
  const convolutions = new Set(layers.filter(({ kind }) => /Convolution$/.test(kind)).map(({ id }) => id))
  const biases = new Map<string, IrConstant>()
  const folded = new Map<string, string>()
  for (const { id, kind, inputs } of layers) {
    const [from, constant] = inputs
    if (kind !== 'Add' || typeof from !== 'string' || typeof constant !== 'object') continue
    if (!convolutions.has(from) || readers.get(from) !== 1) continue
    biases.set(from, constant)
    folded.set(id, from)
  }
  return { biases, folded }
}

function givenBy({ values }: Build, id: string): Value {
  const value = values.get(id)
  if (!value) throw new IrFormatError(`layer ${id} gives nothing`)
  return value
}

function operand(build: Build, { id, kind, inputs }: IrLayer, index: number): Value {
  const input = inputs[index]
  if (typeof input !== 'string') throw new IrFormatError(`layer ${id}: ${kind} of something else than a layer`)
  return givenBy(build, input)
}

function constantOf({ id, kind, inputs }: IrLayer, index: number): IrConstant {
  const input = inputs[index]
  if (typeof input !== 'object') throw new IrFormatError(`layer ${id}: ${kind} needs a constant`)
  return input
}

function checkShape({ id, kind, shape }: IrLayer, { channels, height, width }: Value): void {
  const built = `1,${channels},${height},${width}`
  if (shape.join() !== built) throw new IrFormatError(`layer ${id}: ${kind} says ${shape.join()} and is ${built}`)
}

function checkData({ id, kind, data }: IrLayer, expected: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(expected)) {
    if (data[name]?.replaceAll(' ', '') !== value) throw new IrFormatError(`layer ${id}: ${kind} with ${name} = ${data[name]}`)
  }
}

function parameter({ graph }: Build, { id, shape, data }: IrLayer): Value {
  const [batch, channels = 0, height = 0, width] = shape
  if (id !== '0' || data.element_type !== 'f32' || batch !== 1 || channels !== 3 || height !== width) {
    throw new IrFormatError(`layer ${id}: unknown input`)
  }
  return graph.input('image', { channels, size: height, free: 'batch' })
}

function kernelOf(build: Build, layer: IrLayer, depthwise: boolean): Kernel {
  const { shape, values } = constantOf(layer, 1)
  const [outputs = 0, inputs = 0, size = 0, columns] = depthwise && shape[1] === 1 ? [shape[0], ...shape.slice(2)] : shape
  const from = operand(build, layer, 0).channels
  const whole = shape.length === (depthwise ? 5 : 4) && size === columns
  if (!whole || (depthwise ? outputs !== from || inputs !== 1 : inputs !== from)) {
    throw new IrFormatError(`layer ${layer.id}: ${layer.kind} of unknown form`)
  }
  const bias = build.biases.get(layer.id)
  return { values, outputs, inputs, size, ...(bias && { bias: perChannel(layer, bias, outputs) }) }
}

function convolution(build: Build, layer: IrLayer, depthwise: boolean): Value {
  const kernel = kernelOf(build, layer, depthwise)
  const padding = kernel.size === 3 ? 'around' : 'valid'
  const pads = padding === 'around' ? '1,1' : '0,0'
  checkData(layer, { dilations: '1,1', pads_begin: pads, pads_end: pads, auto_pad: 'explicit' })
  const stride = layer.data.strides?.replaceAll(' ', '') === '2,2' ? 2 : 1
  checkData(layer, { strides: `${stride},${stride}` })
  return build.graph.conv(operand(build, layer, 0), kernel, { stride, padding, depthwise })
}

function perChannel({ id, kind }: IrLayer, { shape, values }: IrConstant, channels: number): Float32Array {
  if (shape.join() !== `1,${channels},1,1`) throw new IrFormatError(`layer ${id}: ${kind} with a constant of ${shape.join()}`)
  return values
}

function addition(build: Build, layer: IrLayer): Value {
  const convolutionId = build.folded.get(layer.id)
  if (convolutionId !== undefined) return givenBy(build, convolutionId)
  checkData(layer, { auto_broadcast: 'numpy' })
  const left = operand(build, layer, 0)
  if (typeof layer.inputs[1] === 'string') return build.graph.add(left, operand(build, layer, 1))
  const offset = perChannel(layer, constantOf(layer, 1), left.channels)
  return build.graph.affine(left, new Float32Array(left.channels).fill(1), offset)
}

function multiplication(build: Build, layer: IrLayer): Value {
  checkData(layer, { auto_broadcast: 'numpy' })
  const left = operand(build, layer, 0)
  if (typeof layer.inputs[1] === 'string') return build.graph.multiply(left, operand(build, layer, 1))
  return build.graph.affine(left, perChannel(layer, constantOf(layer, 1), left.channels), new Float32Array(left.channels))
}

function parametricRelu(build: Build, layer: IrLayer): Value {
  const { shape, values } = constantOf(layer, 1)
  const from = operand(build, layer, 0)
  const [slope = 0] = values
  if (shape.length !== 1 || (values.length !== 1 && values.length !== from.channels)) {
    throw new IrFormatError(`layer ${layer.id}: PReLU with slopes of ${shape.join()}`)
  }
  return values.length === 1 ? build.graph.leakyRelu(from, slope) : build.graph.prelu(from, values)
}

function wholeAverage(build: Build, layer: IrLayer): Value {
  const from = operand(build, layer, 0)
  checkData(layer, { kernel: `${from.height},${from.width}`, pads_begin: '0,0', pads_end: '0,0', rounding_type: 'floor' })
  return build.graph.average(from)
}

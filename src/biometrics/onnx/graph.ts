import { Buffer } from 'node:buffer'
import { endianness } from 'node:os'
import type { Message } from './protobuf.ts'
import { createMessage } from './protobuf.ts'

/** An image-shaped tensor of the graph, batch and channels first; its shape is followed so that paddings can be written out. */
export interface Value {
  readonly name: string
  readonly channels: number
  readonly height: number
  readonly width: number
}

/** `same` pads as TensorFlow does: the odd row and column go to the bottom and the right. */
export type Padding = 'same' | 'valid' | 'around'

/** Weights in ONNX's order: output channel, input channel of the group, row, column. */
export interface Kernel {
  readonly values: Float32Array
  readonly outputs: number
  readonly inputs: number
  readonly size: number
  readonly bias?: Float32Array
}

export interface ConvOptions {
  readonly stride?: number
  readonly padding?: Padding
  readonly depthwise?: boolean
}

/** Builds one ONNX graph, node by node, and writes it as bytes that depend on the calls only. */
export interface Graph {
  /** `free`: names of what the caller may choose at each run; `size` then only tells how the paddings fall. */
  readonly input: (name: string, shape: { channels: number; size: number; free?: 'batch' | 'size' }) => Value
  readonly conv: (from: Value, kernel: Kernel, options?: ConvOptions) => Value
  readonly pool: (kind: 'MaxPool' | 'AveragePool', from: Value, size: number, stride: number, padding: Padding) => Value
  readonly relu: (from: Value) => Value
  readonly leakyRelu: (from: Value, alpha: number) => Value
  readonly clip: (from: Value, low: number, high: number) => Value
  readonly add: (left: Value, right: Value) => Value
  /** Value by value, or a column of one number per channel over a picture. */
  readonly multiply: (left: Value, right: Value) => Value
  readonly sigmoid: (from: Value) => Value
  /**
   * One slope per channel for what is below zero: `slope × value + (1 − slope) × max(0, value)`, by two filters of one weight a channel.
   *
   * The runtime's own PRelu cannot be computed in its blocked layout, and is slow besides.
   */
  readonly prelu: (from: Value, slopes: Float32Array) => Value
  /** Each channel `× factor + offset`, where the next layer's padding forbids folding it into weights. */
  readonly affine: (from: Value, factor: Float32Array, offset: Float32Array) => Value
  /** Mean over the picture, one number per channel. */
  readonly average: (from: Value) => Value
  /** Zero rows below and zero columns at the right. */
  readonly growBottomRight: (from: Value, count: number) => Value
  /** Every number of one picture in a row: batch × numbers. */
  readonly flatten: (from: Value) => Value
  /** Matrix product of rows: `matrix` is inputs × outputs. */
  readonly linear: (from: Value, matrix: Float32Array, bias: Float32Array | undefined) => Value
  /** Along each row. */
  readonly softmax: (from: Value) => Value
  /** Mean over the picture, then a matrix product: `matrix` is inputs × outputs. */
  readonly averageAndMultiply: (from: Value, matrix: Float32Array, bias: Float32Array | undefined) => Value
  /** Channels last, flattened to rows of `columns`, all parts one under another. */
  readonly rows: (parts: readonly Value[], columns: number) => Value
  /** A table that travels inside the file and comes out as it is. */
  readonly table: (values: Float32Array, columns: number) => Value
  readonly output: (from: Value, name: string, shape: readonly (number | string)[]) => void
  readonly finish: () => Uint8Array
}

const FLOAT = 1
const INT64 = 7
const OPSET = 13
const IR_VERSION = 8

type Attribute = number | readonly number[] | { readonly float: number }

function attribute(name: string, value: Attribute): Message {
  const message = createMessage().text(1, name)
  if (typeof value === 'number') return message.varint(3, value).varint(20, 2)
  if ('float' in value) return message.float(2, value.float).varint(20, 1)
  for (const item of value) message.varint(8, item)
  return message.varint(20, 7)
}

/** ONNX's type of a float tensor; a word stands for a size that the caller chooses. */
export function tensorType(shape: readonly (number | string)[]): Message {
  const dimensions = createMessage()
  for (const size of shape) {
    dimensions.message(1, typeof size === 'number' ? createMessage().varint(1, size) : createMessage().text(2, size))
  }
  return createMessage().message(1, createMessage().varint(1, FLOAT).message(2, dimensions))
}

/** Padding before and after along one axis, and the size that comes out. */
function along(input: number, kernel: number, stride: number, padding: Padding): { before: number; after: number; output: number } {
  if (padding === 'valid') return { before: 0, after: 0, output: Math.floor((input - kernel) / stride) + 1 }
  if (padding === 'around') return { before: 1, after: 1, output: Math.floor((input + 2 - kernel) / stride) + 1 }
  const output = Math.ceil(input / stride)
  const total = Math.max(0, (output - 1) * stride + kernel - input)
  return { before: Math.floor(total / 2), after: Math.ceil(total / 2), output }
}

function window(from: Value, size: number, stride: number, padding: Padding) {
  const vertical = along(from.height, size, stride, padding)
  const horizontal = along(from.width, size, stride, padding)
  return {
    attributes: {
      kernel_shape: [size, size],
      strides: [stride, stride],
      pads: [vertical.before, horizontal.before, vertical.after, horizontal.after],
    },
    height: vertical.output,
    width: horizontal.output,
  }
}

/** The graph so far; nodes and constants are named by their place. */
interface Parts {
  readonly nodes: Message[]
  readonly constants: Message[]
  readonly inputs: Message[]
  readonly outputs: Message[]
}

function floatConstant({ constants }: Parts, shape: readonly number[], values: Float32Array): string {
  const name = `w${constants.length}`
  const message = createMessage()
  for (const size of shape) message.varint(1, size)
  constants.push(message.varint(2, FLOAT).text(8, name).bytes(9, littleEndian(values)))
  return name
}

function integerConstant({ constants }: Parts, values: readonly number[]): string {
  const name = `w${constants.length}`
  const bytes = new Uint8Array(values.length * 8)
  values.forEach((value, index) => new DataView(bytes.buffer).setBigInt64(index * 8, BigInt(value), true))
  constants.push(createMessage().varint(1, values.length).varint(2, INT64).text(8, name).bytes(9, bytes))
  return name
}

function addNode(
  { nodes }: Parts,
  kind: string,
  from: readonly string[],
  attributes: Record<string, Attribute> = {},
  output?: string,
): string {
  const name = output ?? `v${nodes.length}`
  const message = createMessage()
  for (const input of from) message.text(1, input)
  message.text(2, name).text(3, `${kind}${nodes.length}`).text(4, kind)
  for (const [key, value] of Object.entries(attributes)) message.message(5, attribute(key, value))
  nodes.push(message)
  return name
}

/** An empty graph; `title` is written into the file. */
export function createGraph(title: string): Graph {
  const parts: Parts = { nodes: [], constants: [], inputs: [], outputs: [] }
  const layers = { ...convolutionLayers(parts), ...pointwiseLayers(parts) }
  const prelu = preluOf(layers)
  return { ...layers, prelu, ...vectorLayers(parts), ...headLayers(parts), ...boundary(parts, title) }
}

function preluOf({ conv, relu, add }: Pick<Graph, 'conv' | 'relu' | 'add'>): Graph['prelu'] {
  return (from, slopes) => {
    const perChannel = (from: Value, values: Float32Array) =>
      conv(from, { values, outputs: values.length, inputs: 1, size: 1 }, { depthwise: true, padding: 'valid' })
    const above = perChannel(relu(from), slopes.map((slope) => 1 - slope))
    return add(perChannel(from, slopes), above)
  }
}

function convolutionLayers(parts: Parts): Pick<Graph, 'conv' | 'pool' | 'growBottomRight'> {
  return {
    conv(from, kernel, { stride = 1, padding = 'same', depthwise = false } = {}) {
      const { attributes, height, width } = window(from, kernel.size, stride, padding)
      const shape = [kernel.outputs, kernel.inputs, kernel.size, kernel.size]
      const operands = [from.name, floatConstant(parts, shape, kernel.values)]
      if (kernel.bias) operands.push(floatConstant(parts, [kernel.outputs], kernel.bias))
      const name = addNode(parts, 'Conv', operands, { ...attributes, group: depthwise ? from.channels : 1 })
      return { name, channels: kernel.outputs, height, width }
    },
    pool(kind, from, size, stride, padding) {
      const { attributes, height, width } = window(from, size, stride, padding)
      return { ...from, name: addNode(parts, kind, [from.name], attributes), height, width }
    },
    growBottomRight(from, count) {
      const pads = integerConstant(parts, [0, 0, 0, 0, 0, 0, count, count])
      return { ...from, name: addNode(parts, 'Pad', [from.name, pads]), height: from.height + count, width: from.width + count }
    },
  }
}

type PointwiseLayers = Pick<Graph, 'relu' | 'leakyRelu' | 'clip' | 'add' | 'multiply' | 'sigmoid' | 'affine'>

function pointwiseLayers(parts: Parts): PointwiseLayers {
  const perChannel = (values: Float32Array) => floatConstant(parts, [values.length, 1, 1], values)
  return {
    relu: (from) => ({ ...from, name: addNode(parts, 'Relu', [from.name]) }),
    leakyRelu: (from, alpha) => ({ ...from, name: addNode(parts, 'LeakyRelu', [from.name], { alpha: { float: alpha } }) }),
    clip(from, low, high) {
      const limits = [low, high].map((limit) => floatConstant(parts, [], Float32Array.of(limit)))
      return { ...from, name: addNode(parts, 'Clip', [from.name, ...limits]) }
    },
    add: (left, right) => ({ ...left, name: addNode(parts, 'Add', [left.name, right.name]) }),
    multiply: (left, right) => ({ ...left, name: addNode(parts, 'Mul', [left.name, right.name]) }),
    sigmoid: (from) => ({ ...from, name: addNode(parts, 'Sigmoid', [from.name]) }),
    affine(from, factor, offset) {
      const scaled = factor.every((value) => value === 1) ? from.name : addNode(parts, 'Mul', [from.name, perChannel(factor)])
      const shifted = offset.every((value) => value === 0) ? scaled : addNode(parts, 'Add', [scaled, perChannel(offset)])
      return { ...from, name: shifted }
    },
  }
}

function vectorLayers(parts: Parts): Pick<Graph, 'average' | 'flatten' | 'linear' | 'softmax' | 'averageAndMultiply'> {
  const layers: ReturnType<typeof vectorLayers> = {
    average: (from) => ({ name: addNode(parts, 'GlobalAveragePool', [from.name]), channels: from.channels, height: 1, width: 1 }),
    flatten(from) {
      const name = addNode(parts, 'Flatten', [from.name], { axis: 1 })
      return { name, channels: from.channels * from.height * from.width, height: 1, width: 1 }
    },
    linear(from, matrix, bias) {
      const columns = matrix.length / from.channels
      const operands = [from.name, floatConstant(parts, [from.channels, columns], matrix)]
      if (bias) operands.push(floatConstant(parts, [columns], bias))
      return { name: addNode(parts, 'Gemm', operands), channels: columns, height: 1, width: 1 }
    },
    softmax: (from) => ({ ...from, name: addNode(parts, 'Softmax', [from.name], { axis: 1 }) }),
    averageAndMultiply: (from, matrix, bias) => layers.linear(layers.flatten(layers.average(from)), matrix, bias),
  }
  return layers
}

function headLayers(parts: Parts): Pick<Graph, 'rows' | 'table'> {
  return {
    rows(values, columns) {
      const shape = integerConstant(parts, [-1, columns])
      const lastChannel = (value: Value) => addNode(parts, 'Transpose', [value.name], { perm: [0, 2, 3, 1] })
      const flat = values.map((value) => addNode(parts, 'Reshape', [lastChannel(value), shape]))
      const height = values.reduce((sum, value) => sum + (value.channels * value.height * value.width) / columns, 0)
      return { name: addNode(parts, 'Concat', flat, { axis: 0 }), channels: 1, height, width: columns }
    },
    table(values, columns) {
      const height = values.length / columns
      return { name: floatConstant(parts, [height, columns], values), channels: 1, height, width: columns }
    },
  }
}

function boundary(parts: Parts, title: string): Pick<Graph, 'input' | 'output' | 'finish'> {
  const { nodes, constants, inputs, outputs } = parts
  return {
    input(name, { channels, size, free }) {
      const shape = free === 'size' ? [1, channels, 'height', 'width'] : [free ?? 1, channels, size, size]
      inputs.push(createMessage().text(1, name).message(2, tensorType(shape)))
      return { name, channels, height: size, width: size }
    },
    output(from, name, shape) {
      addNode(parts, 'Identity', [from.name], {}, name)
      outputs.push(createMessage().text(1, name).message(2, tensorType(shape)))
    },
    finish() {
      const graph = createMessage()
      for (const item of nodes) graph.message(1, item)
      graph.text(2, title)
      for (const item of constants) graph.message(5, item)
      for (const item of inputs) graph.message(11, item)
      for (const item of outputs) graph.message(12, item)
      const opset = createMessage().text(1, '').varint(2, OPSET)
      return createMessage().varint(1, IR_VERSION).text(2, 'mt-login').message(7, graph).message(8, opset).finish()
    },
  }
}

/** The values' bytes, low byte first on every machine. */
function littleEndian(values: Float32Array): Uint8Array {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength)
  return endianness() === 'LE' ? bytes : Buffer.from(bytes).swap32()
}

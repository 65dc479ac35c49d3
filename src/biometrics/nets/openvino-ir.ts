import type { XmlElement } from './xml.ts'
import { readXml } from './xml.ts'

/** A constant of the net, widened to single precision. */
export interface IrConstant {
  readonly shape: readonly number[]
  readonly values: Float32Array
}

/** A layer that computes: its inputs are other layers' ids or constants. */
export interface IrLayer {
  readonly id: string
  readonly kind: IrKind
  readonly data: Readonly<Record<string, string>>
  readonly inputs: readonly (IrConstant | string)[]
  /** Shape of its one output; none for the net's result. */
  readonly shape: readonly number[]
}

export const IR_KINDS = [
  'Parameter',
  'Convolution',
  'GroupConvolution',
  'Add',
  'Multiply',
  'PReLU',
  'AvgPool',
  'Sigmoid',
  'Result',
] as const
export type IrKind = (typeof IR_KINDS)[number]

/** The net's description is not one that the converter knows; it says which layer and why. */
export class IrFormatError extends Error {
  constructor(detail: string) {
    super(`OpenVINO IR: ${detail}`)
    this.name = 'IrFormatError'
  }
}

const MAXIMUM_VALUES = 16_000_000

/**
 * The layers of an OpenVINO IR (version 11, half-precision weights), in the file's order, constants read and widened.
 *
 * Strict on purpose: a layer kind outside the list, a forward reference, a constant beyond the weights or of another type is refused.
 * @throws {IrFormatError}
 */
export function readOpenvinoIr(description: Uint8Array, weights: Uint8Array): IrLayer[] {
  const root = readXml(new TextDecoder('utf-8', { fatal: true }).decode(description))
  if (root.name !== 'net' || root.attributes.version !== '11') throw new IrFormatError('not a net of version 11')
  const sources = readEdges(only(root, 'edges'))
  const constants = new Map<string, IrConstant>()
  const layers = new Map<string, IrLayer>()
  const seen = new Set<string>()
  for (const element of only(root, 'layers').children) {
    const { id = '', type = '', version } = element.attributes
    if (element.name !== 'layer' || version !== 'opset1' || seen.has(id)) throw new IrFormatError(`layer ${id}: unknown form`)
    seen.add(id)
    const inputs = inputIds(element, sources, seen)
    if (type === 'Const') constants.set(id, readConstant(element, weights))
    else if (type === 'Convert') constants.set(id, widened(element, constants.get(inputs[0] ?? '')))
    else layers.set(id, layerOf(element, inputs, { constants, layers }))
  }
  return [...layers.values()]
}

function layerOf(
  element: XmlElement,
  inputs: readonly string[],
  known: { constants: ReadonlyMap<string, IrConstant>; layers: ReadonlyMap<string, IrLayer> },
): IrLayer {
  const { id = '', type } = element.attributes
  const kind = IR_KINDS.find((name) => name === type)
  if (!kind) throw new IrFormatError(`layer ${id}: unknown kind ${type}`)
  const operands = inputs.map((input) => known.constants.get(input) ?? known.layers.get(input)?.id)
  const present = operands.filter((operand) => operand !== undefined)
  if (present.length !== inputs.length) throw new IrFormatError(`layer ${id}: an input that gives nothing`)
  return { id, kind, data: dataOf(element), inputs: present, shape: outputShape(element) }
}

function only(element: XmlElement, name: string): XmlElement {
  const [found, second] = element.children.filter((child) => child.name === name)
  if (!found || second) throw new IrFormatError(`<${element.name}> needs one <${name}>`)
  return found
}

function dataOf(element: XmlElement): Readonly<Record<string, string>> {
  return element.children.find(({ name }) => name === 'data')?.attributes ?? {}
}

/** Keyed by `layer:port` of the receiver, the id of the layer that feeds it. */
function readEdges(edges: XmlElement): Map<string, string> {
  const sources = new Map<string, string>()
  for (const { name, attributes } of edges.children) {
    const to = `${attributes['to-layer']}:${attributes['to-port']}`
    const from = attributes['from-layer']
    if (name !== 'edge' || from === undefined || sources.has(to)) throw new IrFormatError(`edge to ${to}: unknown form or a second one`)
    sources.set(to, from)
  }
  return sources
}

function portsOf(element: XmlElement, side: 'input' | 'output'): readonly XmlElement[] {
  return element.children.find(({ name }) => name === side)?.children.filter(({ name }) => name === 'port') ?? []
}

function inputIds(element: XmlElement, sources: ReadonlyMap<string, string>, seen: ReadonlySet<string>): string[] {
  const { id } = element.attributes
  return portsOf(element, 'input').map((port) => {
    const from = sources.get(`${id}:${port.attributes.id}`)
    if (from === undefined || from === id || !seen.has(from)) throw new IrFormatError(`layer ${id}: an input that no earlier layer gives`)
    return from
  })
}

function outputShape(element: XmlElement): number[] {
  const ports = portsOf(element, 'output')
  if (ports.length > 1) throw new IrFormatError(`layer ${element.attributes.id}: more than one output`)
  return ports.flatMap((port) => port.children.filter(({ name }) => name === 'dim').map(({ text }) => size(text)))
}

/** A list of positive sizes, as `64, 3, 3, 3`. */
function sizes(text: string | undefined): number[] {
  return (text ?? '').split(',').map((part) => size(part.trim()))
}

function size(text: string | undefined): number {
  if (!text || !/^[1-9][0-9]{0,6}$/.test(text)) throw new IrFormatError(`not a size: ${text}`)
  return Number(text)
}

function readConstant(element: XmlElement, weights: Uint8Array): IrConstant {
  const { element_type: type, shape: written, offset: start, size: length } = dataOf(element)
  const { id } = element.attributes
  const shape = sizes(written)
  const count = shape.reduce((product, part) => product * part, 1)
  const offset = start === '0' ? 0 : size(start)
  if (type !== 'f16') throw new IrFormatError(`constant ${id}: unknown type ${type}`)
  if (count > MAXIMUM_VALUES || size(length) !== 2 * count) throw new IrFormatError(`constant ${id}: ${length} bytes for ${count} values`)
  if (offset + 2 * count > weights.length) throw new IrFormatError(`constant ${id}: reaches beyond the weights`)
  const view = new DataView(weights.buffer, weights.byteOffset + offset, 2 * count)
  return { shape, values: Float32Array.from({ length: count }, (_, index) => view.getFloat16(2 * index, true)) }
}

function widened(element: XmlElement, constant: IrConstant | undefined): IrConstant {
  const { id } = element.attributes
  if (!constant || dataOf(element).destination_type !== 'f32')
    throw new IrFormatError(`layer ${id}: converts something else than a constant`)
  return constant
}

import { tensorType } from '../onnx/graph.ts'
import type { Field, Message } from '../onnx/protobuf.ts'
import { createMessage, readFields } from '../onnx/protobuf.ts'

/** Field numbers of ONNX's ModelProto and GraphProto that are rewritten. */
const MODEL_GRAPH = 7
const GRAPH = { input: 11, output: 12, inner: 13 }

const STRIDES = [8, 16, 32]
/** Numbers that each output gives for one cell. */
const OUTPUTS = { cls: 1, obj: 1, bbox: 4, kps: 10 }

/**
 * The published detector with its input's height and width free (multiples of 32), every layer untouched.
 *
 * The layers never depended on the size: only the declared shapes did, so those alone are replaced.
 * @throws {Error} When the file does not declare the one input and twelve outputs of the published net.
 */
export function convertYunet(published: Uint8Array): Uint8Array {
  const model = createMessage()
  for (const item of readFields(published)) {
    if (item.field === MODEL_GRAPH && typeof item.value !== 'number') model.message(MODEL_GRAPH, withFreeSize(item.value))
    else copy(model, item)
  }
  return model.finish()
}

function withFreeSize(bytes: Uint8Array): Message {
  const fields = readFields(bytes)
  const declared = fields.filter(({ field }) => field === GRAPH.input || field === GRAPH.output).map(nameOf)
  const outputs = Object.entries(OUTPUTS).flatMap(([kind, columns]) =>
    STRIDES.map((stride) => ({ name: `${kind}_${stride}`, stride, columns })),
  )
  const expected = ['input', ...outputs.map(({ name }) => name)]
  if (declared.join() !== expected.join()) throw new Error(`yunet: declares ${declared.join()} instead of ${expected.join()}`)
  const graph = createMessage()
  for (const item of fields) {
    if (item.field < GRAPH.input || item.field > GRAPH.inner) copy(graph, item)
  }
  graph.message(GRAPH.input, declaration('input', [1, 3, 'height', 'width']))
  for (const { name, stride, columns } of outputs) graph.message(GRAPH.output, declaration(name, [1, `cells_${stride}`, columns]))
  return graph
}

function declaration(name: string, shape: readonly (number | string)[]): Message {
  return createMessage().text(1, name).message(2, tensorType(shape))
}

function nameOf({ value }: Field): string {
  const name = typeof value === 'number' ? undefined : readFields(value).find(({ field }) => field === 1)?.value
  return name instanceof Uint8Array ? new TextDecoder().decode(name) : ''
}

function copy(message: Message, { field, value }: Field): void {
  if (typeof value === 'number') message.varint(field, value)
  else message.bytes(field, value)
}

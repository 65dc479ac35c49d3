import { Buffer } from 'node:buffer'
import type { Weight, Weights } from '../onnx/weights.ts'
import type { Pickled, StorageRef, TensorRef } from './pickle.ts'
import { isKind, readPickle } from './pickle.ts'

/** The checkpoint is not of the one form that is read; it says where. */
export class CheckpointFormatError extends Error {
  constructor(detail: string) {
    super(`checkpoint: ${detail}`)
    this.name = 'CheckpointFormatError'
  }
}

/** Two pickles that every file of this form begins with: the magic number and the protocol, 1001. */
const BEGINNING = '80028a0a6cfc9c46f9206aa850192e80024de9032e'

const WIDTH = { float32: 4, int64: 8 }

/**
 * The float tensors of a checkpoint as PyTorch wrote it before its zip form: five pickles, then the storages one after another.
 *
 * Tensors only, whole and in row order, each storage exactly as long as the tensors say, the file ending with the last one.
 * @throws {CheckpointFormatError | PickleFormatError}
 */
export function readCheckpoint(bytes: Uint8Array): Weights {
  const start = BEGINNING.length / 2
  if (Buffer.from(bytes.subarray(0, start)).toString('hex') !== BEGINNING)
    throw new CheckpointFormatError('not of the form of protocol 1001')
  const system = readPickle(bytes, start)
  if (!isKind(system.value, 'dict') || system.value.entries.get('little_endian') !== true) {
    throw new CheckpointFormatError('not written low byte first')
  }
  const state = readPickle(bytes, system.end)
  const keys = readPickle(bytes, state.end)
  const tensors = tensorsOf(state.value)
  const storages = readStorages(bytes, keys, storagesOf(tensors))
  const found = new Map([...tensors].flatMap(([name, tensor]): [string, Weight][] => weightOf(name, tensor, storages)))
  return (name) => {
    const weight = found.get(name)
    if (!weight) throw new CheckpointFormatError(`no weight named ${name}`)
    return weight
  }
}

function tensorsOf(state: Pickled): Map<string, TensorRef> {
  if (!isKind(state, 'dict')) throw new CheckpointFormatError('not a dict of tensors')
  const tensors = new Map<string, TensorRef>()
  for (const [name, tensor] of state.entries) {
    if (!isKind(tensor, 'tensor')) throw new CheckpointFormatError(`${name} is no tensor`)
    checkWhole(name, tensor)
    tensors.set(name, tensor)
  }
  return tensors
}

function checkWhole(name: string, { storage, offset, shape, strides }: TensorRef): void {
  let stride = 1
  const rowOrder = shape.map((_, index) => {
    const current = stride
    stride *= shape[shape.length - 1 - index] ?? 0
    return current
  })
  if (offset !== 0 || strides.join() !== rowOrder.reverse().join() || stride !== storage.count) {
    throw new CheckpointFormatError(`${name} of ${shape.join(' × ')} is not the whole of its storage of ${storage.count}`)
  }
}

function storagesOf(tensors: ReadonlyMap<string, TensorRef>): Map<string, StorageRef> {
  const storages = new Map<string, StorageRef>()
  for (const [name, { storage }] of tensors) {
    if (storages.has(storage.key)) throw new CheckpointFormatError(`${name} shares its storage`)
    storages.set(storage.key, storage)
  }
  return storages
}

/** Each storage: its count as a 64-bit integer, then its numbers; in the order of the list of keys. */
function readStorages(
  bytes: Uint8Array,
  keys: { value: Pickled; end: number },
  expected: ReadonlyMap<string, StorageRef>,
): Map<string, DataView> {
  const names = isKind(keys.value, 'list') ? keys.value.items : []
  const found = new Map<string, DataView>()
  let offset = keys.end
  for (const key of names) {
    const storage = typeof key === 'string' && !found.has(key) ? expected.get(key) : undefined
    if (!storage) throw new CheckpointFormatError('a storage that no tensor has, or twice')
    const length = storage.count * WIDTH[storage.element]
    if (offset + 8 + length > bytes.length) throw new CheckpointFormatError(`ends inside storage ${storage.key}`)
    const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 8 + length)
    if (view.getBigUint64(0, true) !== BigInt(storage.count)) throw new CheckpointFormatError(`storage ${storage.key} has another size`)
    found.set(storage.key, new DataView(view.buffer, view.byteOffset + 8, length))
    offset += 8 + length
  }
  if (found.size !== expected.size) throw new CheckpointFormatError(`${found.size} storages for ${expected.size} tensors`)
  if (offset !== bytes.length) throw new CheckpointFormatError(`${bytes.length - offset} bytes too many`)
  return found
}

/** Counters (64-bit) are read over: a net that only computes does not need them. */
function weightOf(name: string, { storage, shape }: TensorRef, storages: ReadonlyMap<string, DataView>): [string, Weight][] {
  const view = storages.get(storage.key)
  if (!view || storage.element !== 'float32') return []
  return [[name, { shape, values: Float32Array.from({ length: storage.count }, (_, index) => view.getFloat32(4 * index, true)) }]]
}

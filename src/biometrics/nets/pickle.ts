import { Buffer } from 'node:buffer'

/** A block of numbers that lies elsewhere in the file, by its key. */
export interface StorageRef {
  readonly kind: 'storage'
  readonly element: 'float32' | 'int64'
  readonly key: string
  readonly count: number
}

/** A view of a storage. */
export interface TensorRef {
  readonly kind: 'tensor'
  readonly storage: StorageRef
  readonly offset: number
  readonly shape: readonly number[]
  readonly strides: readonly number[]
}

export interface PickledItems {
  readonly kind: 'tuple' | 'list'
  readonly items: Pickled[]
}

export interface PickledDict {
  readonly kind: 'dict'
  readonly entries: Map<string, Pickled>
}

export interface PickledGlobal {
  readonly kind: 'global'
  readonly name: string
}

export type Pickled = null | boolean | number | string | PickledItems | PickledDict | PickledGlobal | StorageRef | TensorRef

/** The bytes are not a pickle of tensors and plain values; nothing of it was executed, because nothing here executes. */
export class PickleFormatError extends Error {
  constructor(detail: string, offset: number) {
    super(`pickle at byte ${offset}: ${detail}`)
    this.name = 'PickleFormatError'
  }
}

const STORAGES = new Map<string, StorageRef['element']>([
  ['torch FloatStorage', 'float32'],
  ['torch LongStorage', 'int64'],
])
const ORDERED_DICT = 'collections OrderedDict'
const REBUILD_TENSOR = 'torch._utils _rebuild_tensor_v2'
const GLOBALS = new Set([...STORAGES.keys(), ORDERED_DICT, REBUILD_TENSOR])

const MAXIMUM_STEPS = 200_000
const MAXIMUM_TEXT = 1024

interface Machine {
  readonly view: DataView
  offset: number
  readonly stack: Pickled[]
  /** Stack heights at the open marks. */
  readonly marks: number[]
  readonly memo: Map<number, Pickled>
}

/**
 * One pickle (protocol 2) of plain values and tensors, and where it ends.
 *
 * A pickle is a program that may call anything; this reader knows the few instructions that a published checkpoint needs and refuses
 * the file at the first other one. The four names in it stand for data, they are never looked up or called.
 * @throws {PickleFormatError}
 */
export function readPickle(bytes: Uint8Array, start: number): { value: Pickled; end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const machine: Machine = { view, offset: start, stack: [], marks: [], memo: new Map() }
  if (byte(machine) !== 0x80 || byte(machine) !== 2) throw new PickleFormatError('not protocol 2', start)
  for (let step = 0; step < MAXIMUM_STEPS; step++) {
    const at = machine.offset
    const code = byte(machine)
    if (code === STOP) {
      const value = pop(machine)
      if (machine.stack.length > 0 || machine.marks.length > 0) throw new PickleFormatError('stops with values left over', at)
      return { value, end: machine.offset }
    }
    const instruction = INSTRUCTIONS.get(code)
    if (!instruction) throw new PickleFormatError(`instruction 0x${code.toString(16).padStart(2, '0')} is not allowed`, at)
    instruction(machine)
  }
  throw new PickleFormatError(`more than ${MAXIMUM_STEPS} instructions`, machine.offset)
}

const STOP = code('.')

/** Everything that a checkpoint of tensors needs; by Python's names: see pickletools. */
const INSTRUCTIONS: ReadonlyMap<number, (machine: Machine) => void> = new Map<number, (machine: Machine) => void>([
  [code('N'), ({ stack }) => stack.push(null)],
  [0x88, ({ stack }) => stack.push(true)],
  [0x89, ({ stack }) => stack.push(false)],
  [code('K'), (machine) => machine.stack.push(byte(machine))],
  [code('M'), (machine) => machine.stack.push(take(machine, 2, (view, at) => view.getUint16(at, true)))],
  [code('J'), (machine) => machine.stack.push(take(machine, 4, (view, at) => view.getInt32(at, true)))],
  [code('X'), (machine) => machine.stack.push(text(machine, unsigned(machine)))],
  [code('('), ({ marks, stack }) => marks.push(stack.length)],
  [code(')'), ({ stack }) => stack.push({ kind: 'tuple', items: [] })],
  [code(']'), ({ stack }) => stack.push({ kind: 'list', items: [] })],
  [code('}'), ({ stack }) => stack.push({ kind: 'dict', entries: new Map() })],
  [code('t'), (machine) => machine.stack.push({ kind: 'tuple', items: popToMark(machine) })],
  [0x85, (machine) => machine.stack.push({ kind: 'tuple', items: popMany(machine, 1) })],
  [0x86, (machine) => machine.stack.push({ kind: 'tuple', items: popMany(machine, 2) })],
  [code('e'), append],
  [code('s'), (machine) => setItems(machine, popMany(machine, 2))],
  [code('u'), (machine) => setItems(machine, popToMark(machine))],
  [code('q'), (machine) => remember(machine, byte(machine))],
  [code('r'), (machine) => remember(machine, unsigned(machine))],
  [code('h'), (machine) => recall(machine, byte(machine))],
  [code('j'), (machine) => recall(machine, unsigned(machine))],
  [code('c'), pushGlobal],
  [code('Q'), (machine) => machine.stack.push(storageOf(pop(machine), machine.offset))],
  [code('R'), reduce],
  [code('b'), build],
])

function code(character: string): number {
  return character.charCodeAt(0)
}

function take<T>(machine: Machine, length: number, read: (view: DataView, at: number) => T): T {
  const at = machine.offset
  if (at + length > machine.view.byteLength) throw new PickleFormatError('the file ends inside an instruction', at)
  machine.offset += length
  return read(machine.view, at)
}

function byte(machine: Machine): number {
  return take(machine, 1, (view, at) => view.getUint8(at))
}

function unsigned(machine: Machine): number {
  return take(machine, 4, (view, at) => view.getUint32(at, true))
}

function text(machine: Machine, length: number): string {
  if (length > MAXIMUM_TEXT) throw new PickleFormatError(`a text of ${length} bytes`, machine.offset)
  return take(machine, length, ({ buffer, byteOffset }, at) => Buffer.from(buffer, byteOffset + at, length).toString('latin1'))
}

function line(machine: Machine): string {
  let found = ''
  for (let next = byte(machine); next !== 10; next = byte(machine)) {
    if (found.length >= MAXIMUM_TEXT) throw new PickleFormatError('a name without an end', machine.offset)
    found += String.fromCharCode(next)
  }
  return found
}

function pop({ stack, marks, offset }: Machine): Pickled {
  const value = stack.length > (marks.at(-1) ?? 0) ? stack.pop() : undefined
  if (value === undefined) throw new PickleFormatError('takes a value where none is', offset)
  return value
}

function popMany(machine: Machine, count: number): Pickled[] {
  return Array.from({ length: count }, () => pop(machine)).reverse()
}

function popToMark({ stack, marks, offset }: Machine): Pickled[] {
  const mark = marks.pop()
  if (mark === undefined) throw new PickleFormatError('takes values to a mark that is not there', offset)
  return stack.splice(mark)
}

function remember({ memo, stack, offset }: Machine, slot: number): void {
  const value = stack.at(-1)
  if (value === undefined || memo.has(slot)) throw new PickleFormatError(`remembers nothing, or twice, as ${slot}`, offset)
  memo.set(slot, value)
}

function recall({ memo, stack, offset }: Machine, slot: number): void {
  const value = memo.get(slot)
  if (value === undefined) throw new PickleFormatError(`recalls ${slot}, which was never remembered`, offset)
  stack.push(value)
}

function append(machine: Machine): void {
  const items = popToMark(machine)
  const list = machine.stack.at(-1)
  if (!isKind(list, 'list')) throw new PickleFormatError('appends to something else than a list', machine.offset)
  for (const item of items) list.items.push(item)
}

function setItems(machine: Machine, items: readonly Pickled[]): void {
  const dict = machine.stack.at(-1)
  if (!isKind(dict, 'dict') || items.length % 2 !== 0)
    throw new PickleFormatError('sets items of something else than a dict', machine.offset)
  for (let index = 0; index < items.length; index += 2) {
    const [key, value = null] = items.slice(index, index + 2)
    if (typeof key !== 'string' || dict.entries.has(key))
      throw new PickleFormatError('a key that is no text, or there twice', machine.offset)
    dict.entries.set(key, value)
  }
}

function pushGlobal(machine: Machine): void {
  const at = machine.offset
  const name = `${line(machine)} ${line(machine)}`
  if (!GLOBALS.has(name)) throw new PickleFormatError(`the name ${JSON.stringify(name)} is not allowed`, at)
  machine.stack.push({ kind: 'global', name })
}

/** A persistent id: `('storage', kind, key, device, count, None)`. */
function storageOf(id: Pickled, offset: number): StorageRef {
  const [word, storage, key, device, count, view] = isKind(id, 'tuple') ? id.items : []
  const element = isKind(storage, 'global') ? STORAGES.get(storage.name) : undefined
  if (word !== 'storage' || !element || typeof key !== 'string' || typeof device !== 'string' || !isSize(count) || view !== null) {
    throw new PickleFormatError('refers to something else than a storage', offset)
  }
  return { kind: 'storage', element, key, count }
}

/** The two calls that stand for data: an empty ordered dict and a tensor. */
function reduce(machine: Machine): void {
  const [callee, given] = popMany(machine, 2)
  const name = isKind(callee, 'global') ? callee.name : ''
  const items = isKind(given, 'tuple') ? given.items : undefined
  if (name === ORDERED_DICT && items?.length === 0) machine.stack.push({ kind: 'dict', entries: new Map() })
  else if (name === REBUILD_TENSOR && items?.length === 6) machine.stack.push(tensorOf(items, machine.offset))
  else throw new PickleFormatError(`calls ${name || 'something that is no name'} with ${items?.length} values`, machine.offset)
}

function tensorOf([storage, offset, shape, strides, gradient, hooks]: readonly Pickled[], at: number): TensorRef {
  const empty = isKind(hooks, 'dict') && hooks.entries.size === 0
  if (!isKind(storage, 'storage') || !isSize(offset) || typeof gradient !== 'boolean' || !empty) {
    throw new PickleFormatError('a tensor of unknown form', at)
  }
  return { kind: 'tensor', storage, offset, shape: sizes(shape, at), strides: sizes(strides, at) }
}

/** The one state that is set: an ordered dict's `_metadata`, which says nothing about the numbers and is dropped. */
function build(machine: Machine): void {
  const state = pop(machine)
  const known = isKind(state, 'dict') && state.entries.size === 1 && state.entries.has('_metadata')
  if (!known || !isKind(machine.stack.at(-1), 'dict')) throw new PickleFormatError('sets a state of unknown form', machine.offset)
}

function sizes(value: Pickled | undefined, at: number): number[] {
  const items = isKind(value, 'tuple') ? value.items : [null]
  const found = items.filter(isSize)
  if (found.length !== items.length || found.length > 4) throw new PickleFormatError('a shape of unknown form', at)
  return found
}

function isSize(value: Pickled | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

/** Narrows by kind; plain values have none. */
export function isKind<K extends Exclude<Extract<Pickled, object>, null>['kind']>(
  value: Pickled | undefined,
  kind: K,
): value is Extract<Pickled, { readonly kind: K }> | (K extends PickledItems['kind'] ? PickledItems : never) {
  return typeof value === 'object' && value !== null && value.kind === kind
}

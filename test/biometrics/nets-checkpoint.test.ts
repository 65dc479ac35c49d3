import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { readFetchedNets } from '../../src/biometrics/nets/manifest.ts'
import { convertMinifasnet } from '../../src/biometrics/nets/minifasnet.ts'
import { PickleFormatError, readPickle } from '../../src/biometrics/nets/pickle.ts'
import { CheckpointFormatError, readCheckpoint } from '../../src/biometrics/nets/torch-checkpoint.ts'
import { originalModelsDir, withoutStandardModels } from '../support/face-models.ts'

type Piece = number | string | Uint8Array

/** Bytes of numbers, texts as they are, and what is bytes already. */
const bytes = (...parts: readonly Piece[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.of(part) : Buffer.from(part))))

const u32 = (value: number) => {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32LE(value)
  return buffer
}
const u64 = (value: number) => Buffer.concat([u32(value), u32(0)])
const text = (value: string) => bytes('X', u32(value.length), value)
const pickle = (...parts: readonly Piece[]) => bytes(0x80, 2, ...parts, '.')
const small = (value: number) => bytes('K', value)

const BEGINNING = Buffer.from('80028a0a6cfc9c46f9206aa850192e80024de9032e', 'hex')
const DICT = 'ccollections\nOrderedDict\n)R'
const storage = (key: string, count: number, kind = 'FloatStorage') =>
  bytes('(', text('storage'), `ctorch\n${kind}\n`, text(key), text('cpu'), small(count), 'N', 't', 'Q')

interface TensorParts {
  readonly key?: string
  readonly count?: number
  readonly offset?: number
  readonly rows?: number
  readonly stride?: number
  readonly kind?: string
}

/** A 2 × 3 tensor by default. */
const tensor = ({ key = 'a', count = 6, offset = 0, rows = 2, stride = 3, kind = 'FloatStorage' }: TensorParts = {}) =>
  bytes(
    'ctorch._utils\n_rebuild_tensor_v2\n',
    '(',
    bytes(storage(key, count, kind), small(offset), small(rows), small(3), 0x86, small(stride), small(1), 0x86, 0x89, DICT),
    't',
    'R',
  )

const SYSTEM = pickle('}', text('little_endian'), 0x88, 's')
const METADATA = bytes('}', text('_metadata'), DICT, 's', 'b')
const VALUES = Float32Array.of(1, 2, 3, 4, 5, 6)
const NUMBERS = bytes(u64(6), new Uint8Array(VALUES.buffer))
const KEYS = pickle(']', '(', text('a'), 'e')

function checkpoint(parts: { system?: Buffer; state?: Buffer; keys?: Buffer; numbers?: Buffer } = {}): Buffer {
  const { system = SYSTEM, state = pickle(DICT, text('w'), tensor(), 's', METADATA), keys = KEYS, numbers = NUMBERS } = parts
  return Buffer.concat([BEGINNING, system, state, keys, numbers])
}

function refuses(file: Uint8Array, pattern: RegExp): void {
  assert.throws(
    () => readCheckpoint(file),
    (error) => (error instanceof CheckpointFormatError || error instanceof PickleFormatError) && pattern.test(error.message),
  )
}

test('tensors come out with their shape and numbers', () => {
  const weights = readCheckpoint(checkpoint())
  assert.deepEqual(weights('w'), { shape: [2, 3], values: VALUES })
  assert.throws(() => weights('other'), /no weight named other/)
})

test('a pickle that would run something is refused before it could', () => {
  const hostile = (state: Buffer, pattern: RegExp) => refuses(checkpoint({ state }), pattern)
  hostile(pickle('cos\nsystem\n', '(', text('true'), 't', 'R'), /the name "os system" is not allowed/)
  hostile(pickle('cbuiltins\neval\n'), /"builtins eval" is not allowed/)
  hostile(pickle('ctorch\nDoubleStorage\n'), /"torch DoubleStorage" is not allowed/)
  hostile(pickle('ctorch._utils\n_rebuild_tensor\n'), /is not allowed/)
  hostile(pickle('ccollections\nOrderedDict\nx\n'), /instruction 0x78 is not allowed/)
  hostile(pickle('ccollections\nOrderedDict\n', '}', 'R'), /calls collections OrderedDict with undefined values/)
  hostile(pickle('ccollections\nOrderedDict\n', small(1), 0x85, 'R'), /calls collections OrderedDict with 1 values/)
  hostile(pickle('ctorch\nFloatStorage\n', ')', 'R'), /calls torch FloatStorage/)
  hostile(pickle(DICT, ')', 'R'), /calls something that is no name/)
  hostile(pickle(DICT, '}', text('__class__'), DICT, 's', 'b'), /a state of unknown form/)
  hostile(pickle('}', 'Q'), /refers to something else than a storage/)
})

test('every other instruction is refused, by its code', () => {
  const known = new Set(bytes('NKMJX()]}tesuqrhjcQRb.', 0x85, 0x86, 0x88, 0x89))
  for (let code = 0; code < 256; code++) {
    if (known.has(code)) continue
    const file = bytes(0x80, 2, code, '\n\n\n\n\n\n\n\n.')
    const name = `instruction 0x${code.toString(16).padStart(2, '0')} is not allowed`
    assert.throws(
      () => readPickle(file, 0),
      (error) => error instanceof PickleFormatError && error.message.includes(name),
      name,
    )
  }
})

test('a pickle that ends early, takes what is not there or never stops is refused', () => {
  const refused = (file: Uint8Array, pattern: RegExp) => assert.throws(() => readPickle(file, 0), pattern)
  const whole = pickle(DICT, text('w'), tensor(), 's', METADATA)
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => readPickle(whole.subarray(0, length), 0), PickleFormatError, `cut to ${length}`)
  }
  refused(bytes(0x80, 4, 'N.'), /protocol 2/)
  refused(pickle('NN'), /values left over/)
  refused(pickle('(N'), /values left over/)
  refused(pickle('t'), /a mark that is not there/)
  refused(pickle('N(', 0x85), /takes a value where none is/)
  refused(pickle('N', 'h', 7), /recalls 7/)
  refused(pickle('N', 'q', 1, 'q', 1), /twice/)
  refused(pickle('X', u32(2 ** 31)), /a text of 2147483648 bytes/)
  refused(pickle(`c${'a'.repeat(2000)}\n`), /a name without an end/)
  refused(pickle('}', small(1), 'N', 's'), /no text/)
  refused(pickle('}', text('a'), 'N', 's', text('a'), 'N', 's'), /there twice/)
  refused(pickle('N', text('a'), 'N', 's'), /something else than a dict/)
  refused(pickle('}', '(N', 'e'), /something else than a list/)
  refused(bytes(0x80, 2, Buffer.alloc(250_000, 'N')), /more than 200000 instructions/)
})

test('tensors and storages that do not fit each other are refused', () => {
  const hostile = (parts: TensorParts, pattern: RegExp) =>
    refuses(checkpoint({ state: pickle(DICT, text('w'), tensor(parts), 's') }), pattern)
  hostile({ rows: 3 }, /w of 3 × 3 is not the whole of its storage of 6/)
  hostile({ offset: 1 }, /not the whole/)
  hostile({ stride: 1 }, /not the whole/)
  hostile({ count: 9, rows: 3 }, /ends inside storage a/)
  hostile({ count: 3, rows: 1 }, /storage a has another size/)
  hostile({ key: 'b' }, /a storage that no tensor has/)
  hostile({ kind: 'LongStorage' }, /ends inside storage a/)
  refuses(checkpoint({ state: pickle(DICT, text('w'), tensor(), 's', text('v'), tensor(), 's') }), /v shares its storage/)
  refuses(checkpoint({ state: pickle(DICT, text('w'), text('v'), 's') }), /w is no tensor/)
  refuses(checkpoint({ state: pickle(']') }), /not a dict of tensors/)
  refuses(checkpoint({ keys: pickle(']', '(', text('a'), text('a'), 'e') }), /or twice/)
  refuses(checkpoint({ keys: pickle(']') }), /0 storages for 1 tensors/)
  refuses(checkpoint({ numbers: NUMBERS.subarray(0, -1) }), /ends inside storage a/)
  refuses(checkpoint({ numbers: Buffer.concat([NUMBERS, Buffer.of(0)]) }), /1 bytes too many/)
  refuses(checkpoint({ system: pickle('}', text('little_endian'), 0x89, 's') }), /low byte first/)
  refuses(Buffer.from('PK\u0003\u0004'), /protocol 1001/)
})

test('a checkpoint of another net is refused', () => {
  assert.throws(() => convertMinifasnet(checkpoint(), { title: 'x', squeeze: false }), /no weight named module.conv1.conv.weight/)
})

test('the plain net’s checkpoint is not taken for the squeezing one’s', { skip: withoutStandardModels() }, async () => {
  const original = (await readFetchedNets()).find(({ name }) => name === 'minifasnet-v2')?.originals[0]
  assert.ok(original)
  const file = readFileSync(path.join(originalModelsDir() ?? '', original.folder, original.file))
  assert.throws(() => convertMinifasnet(file, { title: 'x', squeeze: true }), /no weight named module.conv_3.model.3.se_module.fc1.weight/)
})

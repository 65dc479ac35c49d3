/**
 * The part of the protocol buffers wire format that an ONNX file needs.
 *
 * Same calls, same bytes: fields are written in the order of the calls, so a model's checksum can be pinned.
 */
export interface Message {
  /** Unsigned integer, enumeration or non-negative int64. */
  readonly varint: (field: number, value: number) => Message
  readonly float: (field: number, value: number) => Message
  readonly text: (field: number, value: string) => Message
  readonly bytes: (field: number, value: Uint8Array) => Message
  readonly message: (field: number, value: Message) => Message
  /** Packed repeated integers. */
  readonly varints: (field: number, values: readonly number[]) => Message
  readonly finish: () => Uint8Array
}

const WIRE = { varint: 0, bytes: 2, fixed32: 5 }

function encodeVarint(value: number): Uint8Array {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not an unsigned integer: ${value}`)
  const bytes: number[] = []
  let rest = value
  while (rest > 127) {
    bytes.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
  return Uint8Array.from(bytes)
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

export function createMessage(): Message {
  const parts: Uint8Array[] = []
  const key = (field: number, wire: number) => parts.push(encodeVarint(field * 8 + wire))
  const self: Message = {
    varint(field, value) {
      key(field, WIRE.varint)
      parts.push(encodeVarint(value))
      return self
    },
    float(field, value) {
      key(field, WIRE.fixed32)
      const bytes = new Uint8Array(4)
      new DataView(bytes.buffer).setFloat32(0, value, true)
      parts.push(bytes)
      return self
    },
    bytes(field, value) {
      key(field, WIRE.bytes)
      parts.push(encodeVarint(value.length), value)
      return self
    },
    text: (field, value) => self.bytes(field, new TextEncoder().encode(value)),
    message: (field, value) => self.bytes(field, value.finish()),
    varints: (field, values) => self.bytes(field, joined(values.map(encodeVarint))),
    finish: () => joined(parts),
  }
  return self
}

/** One field of a message as it lies in the bytes: an integer, or the bytes of a text, a message or packed numbers. */
export type Field = { readonly field: number; readonly value: number } | { readonly field: number; readonly value: Uint8Array }

/**
 * The fields of one message, in their order; messages inside stay bytes.
 *
 * @throws {RangeError} When the bytes end inside a field, or it is a fixed-width one, which no file that we rewrite has at this level.
 */
export function readFields(bytes: Uint8Array): Field[] {
  const fields: Field[] = []
  let offset = 0
  const varint = () => {
    let value = 0
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[offset++]
      if (byte === undefined || shift > 2 ** 42) throw new RangeError(`no integer ends at byte ${offset}`)
      value += (byte % 128) * shift
      if (byte < 128) return value
    }
  }
  while (offset < bytes.length) {
    const key = varint()
    const field = Math.floor(key / 8)
    const value = varint()
    if (key % 8 === WIRE.varint) {
      fields.push({ field, value })
      continue
    }
    if (key % 8 !== WIRE.bytes || offset + value > bytes.length) {
      throw new RangeError(`field ${field} before byte ${offset} has wire type ${key % 8} and length ${value}`)
    }
    fields.push({ field, value: bytes.subarray(offset, offset + value) })
    offset += value
  }
  return fields
}

/** Turns what other programs send as BER into what our reader reads: definite, minimal lengths; strings in one piece. */
import { tlv } from './der.ts'
import { NotDer } from './reader.ts'

const MOST_DEEP = 48
const MOST_VALUES = 50_000
const CONSTRUCTED = 0x20
const OCTET_STRING = 0x04

interface Reading {
  readonly bytes: Buffer
  values: number
}

/**
 * The same value with DER's lengths; what was DER stays as it was, to the byte.
 *
 * Sets are not sorted and nothing else is mended: a signature over attributes that were not DER stays wrong.
 * @throws {NotDer}
 */
export function definite(bytes: Uint8Array): Buffer {
  return valueAt({ bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), values: 0 }, 0, 0).der
}

function valueAt(reading: Reading, start: number, depth: number): { readonly der: Buffer; readonly end: number } {
  const { bytes } = reading
  reading.values += 1
  if (depth > MOST_DEEP || reading.values > MOST_VALUES) throw new NotDer('nested too deeply')
  const [tag, first] = [bytes[start], bytes[start + 1]]
  if (tag === undefined || first === undefined) throw new NotDer('cut off')
  if ((tag & 0x1f) === 0x1f) throw new NotDer('a tag of many bytes')
  const count = first & 0x7f
  if (first === 0x80) {
    if ((tag & CONSTRUCTED) === 0) throw new NotDer('a primitive value without a length')
    return indefinite(reading, tag, start + 2, depth)
  }
  const long = first > 0x80
  if (long && (count > 4 || start + 2 + count > bytes.length)) throw new NotDer('a length that is too long')
  const from = long ? start + 2 + count : start + 2
  const end = from + (long ? bytes.readUIntBE(start + 2, count) : first)
  if (end > bytes.length) throw new NotDer('cut off')
  if ((tag & CONSTRUCTED) === 0) return { der: tlv(tag, bytes.subarray(from, end)), end }
  const parts: Buffer[] = []
  let at = from
  while (at < end) {
    const part = valueAt(reading, at, depth + 1)
    parts.push(part.der)
    at = part.end
  }
  if (at !== end) throw new NotDer('cut off')
  return { der: joined(tag, parts), end }
}

function indefinite(reading: Reading, tag: number, from: number, depth: number): { readonly der: Buffer; readonly end: number } {
  const parts: Buffer[] = []
  let at = from
  while (reading.bytes[at] !== 0 || reading.bytes[at + 1] !== 0) {
    const part = valueAt(reading, at, depth + 1)
    parts.push(part.der)
    at = part.end
  }
  return { der: joined(tag, parts), end: at + 2 }
}

/** A string in pieces is the string. */
function joined(tag: number, parts: readonly Buffer[]): Buffer {
  if (tag !== (OCTET_STRING | CONSTRUCTED)) return tlv(tag, ...parts)
  return tlv(OCTET_STRING, ...parts.map((part) => {
    if (part[0] !== OCTET_STRING) throw new NotDer('a piece of another kind')
    const first = part[1] ?? 0
    return part.subarray(first < 0x80 ? 2 : 2 + (first & 0x7f))
  }))
}

/** Writes DER (X.690): the whole of what certificates, lists, answers and signatures are made of. */

/** One encoded value. */
export type Der = Buffer

/** Context-specific tag numbers up to 30, as all our structures need. */
const CONTEXT = 0x80
const CONSTRUCTED = 0x20

function lengthBytes(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return Buffer.from([0x80 | bytes.length, ...bytes])
}

/** Tag, length, value. */
export function tlv(tag: number, ...content: readonly Uint8Array[]): Der {
  return Buffer.concat(tlvParts(tag, ...content))
}

/** The parts of `tlv` one after another: layers around a whole file, which is copied once in the end. */
export function tlvParts(tag: number, ...content: readonly Uint8Array[]): Uint8Array[] {
  const length = content.reduce((sum, part) => sum + part.length, 0)
  return [Buffer.from([tag]), lengthBytes(length), ...content]
}

export const seq = (...items: readonly Der[]): Der => tlv(0x30, ...items)
/** SET OF in the order that DER demands: OpenSSL forgives another, BouncyCastle does not. */
export const setOf = (items: readonly Der[]): Der => tlv(0x31, ...[...items].sort(Buffer.compare))
export const octets = (bytes: Uint8Array): Der => tlv(0x04, bytes)
export const bits = (bytes: Uint8Array, unused = 0): Der => tlv(0x03, Buffer.from([unused]), bytes)
export const utf8 = (text: string): Der => tlv(0x0c, Buffer.from(text))
export const printable = (text: string): Der => tlv(0x13, Buffer.from(text, 'latin1'))
export const ia5 = (text: string): Der => tlv(0x16, Buffer.from(text, 'latin1'))
export const nul: Der = Buffer.from([0x05, 0])
export const yes: Der = Buffer.from([0x01, 1, 0xff])
export const enumerated = (value: number): Der => tlv(0x0a, Buffer.from([value]))
export const explicit = (tag: number, ...content: readonly Der[]): Der => tlv(CONTEXT | CONSTRUCTED | tag, ...content)
/** IMPLICIT over a primitive value's content. */
export const primitive = (tag: number, content: Uint8Array): Der => tlv(CONTEXT | tag, content)
/** IMPLICIT: the same content under a context-specific tag. */
export const retagged = (tag: number, der: Der): Der => Buffer.concat([Buffer.from([tag]), der.subarray(1)])

/** INTEGER: a non-negative number, or the big-endian bytes of one. */
export function int(value: number | Uint8Array): Der {
  const bytes = typeof value === 'number' ? Buffer.from(evenHex(value.toString(16)), 'hex') : Buffer.from(value)
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1
  const least = bytes.subarray(start)
  return ((least[0] ?? 0) & 0x80) === 0 ? tlv(0x02, least) : tlv(0x02, Buffer.from([0]), least)
}

const evenHex = (hex: string) => (hex.length % 2 === 0 ? hex : `0${hex}`)

const oids = new Map<string, Der>()

/** OBJECT IDENTIFIER; arcs may be as large as a UUID's (2.25). */
export function oid(dotted: string): Der {
  const known = oids.get(dotted)
  if (known) return known
  const [first = 0n, second = 0n, ...rest] = dotted.split('.').map(BigInt)
  const made = tlv(0x06, Buffer.from([first * 40n + second, ...rest].flatMap(base128)))
  oids.set(dotted, made)
  return made
}

function base128(arc: bigint): number[] {
  const digits = [Number(arc & 0x7fn)]
  for (let rest = arc >> 7n; rest > 0n; rest >>= 7n) digits.unshift(Number(rest & 0x7fn) | 0x80)
  return digits
}

/** `20261128163005Z`, the whole second: DER allows no fraction of zeros. */
function compactTime(at: Date): string {
  return `${at.toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`
}

export const generalizedTime = (at: Date): Der => tlv(0x18, Buffer.from(compactTime(at)))

/** As certificates and lists want it: two digits of the year until 2049 (RFC 5280, 4.1.2.5). */
export function time(at: Date): Der {
  return at.getUTCFullYear() < 2050 ? tlv(0x17, Buffer.from(compactTime(at).slice(2))) : generalizedTime(at)
}

/** Reads PDF objects out of bytes that strangers sent: no more than is asked for, nothing without a bound. */

/** What was sent is no PDF that we judge; `reason` is told to whoever sent it. */
export class Unreadable extends Error {
  readonly reason: UnreadableReason

  constructor(reason: UnreadableReason) {
    super(reason)
    this.name = 'Unreadable'
    this.reason = reason
  }
}
export const UNREADABLE_REASONS = ['not-pdf', 'damaged', 'encrypted', 'too-much', 'odd-structure', 'not-signature', 'file-missing'] as const
export type UnreadableReason = (typeof UNREADABLE_REASONS)[number]

export interface PdfRef {
  readonly kind: 'ref'
  readonly number: number
  readonly generation: number
}
/** With the place of its token in the file, brackets included, when it stands there plainly. */
export interface PdfText {
  readonly kind: 'text'
  readonly bytes: Buffer
  readonly from: number
  readonly to: number
}
export interface PdfName {
  readonly kind: 'name'
  readonly text: string
}
export interface PdfDict {
  readonly kind: 'dict'
  readonly entries: ReadonlyMap<string, PdfValue>
}
export interface PdfArray {
  readonly kind: 'array'
  readonly items: readonly PdfValue[]
}
export type PdfValue = PdfRef | PdfText | PdfName | PdfDict | PdfArray | number | boolean | null

const MOST_DEEP = 60
const WHITE = new Set([0, 9, 10, 12, 13, 32])
const DELIMITERS = new Set([...'()<>[]{}/%'].map((character) => character.charCodeAt(0)))

/** A position in bytes that moves over objects. */
export class PdfCursor {
  readonly bytes: Buffer
  at: number

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes
    this.at = at
  }

  skipWhite(): void {
    for (;;) {
      const byte = this.bytes[this.at]
      if (byte === 0x25) while (this.at < this.bytes.length && this.bytes[this.at] !== 10 && this.bytes[this.at] !== 13) this.at += 1
      else if (byte !== undefined && WHITE.has(byte)) this.at += 1
      else return
    }
  }

  /** A run of regular characters. */
  word(): string {
    this.skipWhite()
    const from = this.at
    while (this.at < this.bytes.length && !WHITE.has(this.bytes[this.at] ?? 0) && !DELIMITERS.has(this.bytes[this.at] ?? 0)) this.at += 1
    return this.bytes.toString('latin1', from, this.at)
  }

  /** True, and moved over it, when this keyword comes next. */
  takes(word: string): boolean {
    const before = this.at
    if (this.word() === word) return true
    this.at = before
    return false
  }

  whole(): number {
    const word = this.word()
    if (!/^\d{1,10}$/.test(word)) throw new Unreadable('damaged')
    return Number(word)
  }

  value(depth = 0): PdfValue {
    if (depth > MOST_DEEP) throw new Unreadable('too-much')
    this.skipWhite()
    const { bytes, at } = this
    switch (bytes[at]) {
      case 0x2f:
        return this.#name()
      case 0x28:
        return this.#literal()
      case 0x5b:
        return this.#array(depth)
      case 0x3c:
        return bytes[at + 1] === 0x3c ? this.#dict(depth) : this.#hex()
      default:
        return this.#plain()
    }
  }

  #name(): PdfName {
    this.at += 1
    const from = this.at
    while (this.at < this.bytes.length && !WHITE.has(this.bytes[this.at] ?? 0) && !DELIMITERS.has(this.bytes[this.at] ?? 0)) this.at += 1
    const text = this.bytes.toString('latin1', from, this.at).replaceAll(/#([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    return { kind: 'name', text }
  }

  #literal(): PdfText {
    const from = this.at
    let open = 0
    for (; this.at < this.bytes.length; this.at += 1) {
      const byte = this.bytes[this.at]
      if (byte === 0x5c) this.at += 1
      else if (byte === 0x28) open += 1
      else if (byte === 0x29 && --open === 0) {
        this.at += 1
        return { kind: 'text', bytes: this.bytes.subarray(from + 1, this.at - 1), from, to: this.at }
      }
    }
    throw new Unreadable('damaged')
  }

  #hex(): PdfText {
    const from = this.at
    const end = this.bytes.indexOf(0x3e, from)
    if (end < 0) throw new Unreadable('damaged')
    this.at = end + 1
    const digits = this.bytes.toString('latin1', from + 1, end).replaceAll(/[\0\t\n\f\r ]/g, '')
    if (!/^[0-9a-fA-F]*$/.test(digits)) throw new Unreadable('damaged')
    return { kind: 'text', bytes: Buffer.from(digits.length % 2 === 0 ? digits : `${digits}0`, 'hex'), from, to: this.at }
  }

  #array(depth: number): PdfArray {
    this.at += 1
    const items: PdfValue[] = []
    for (;;) {
      this.skipWhite()
      if (this.bytes[this.at] === 0x5d) break
      items.push(this.value(depth + 1))
    }
    this.at += 1
    return { kind: 'array', items }
  }

  #dict(depth: number): PdfDict {
    this.at += 2
    const entries = new Map<string, PdfValue>()
    for (;;) {
      this.skipWhite()
      if (this.bytes[this.at] === 0x3e) break
      if (this.bytes[this.at] !== 0x2f) throw new Unreadable('damaged')
      const { text } = this.#name()
      // Readers differ in which of two they believe: that is how one file shows two documents.
      if (entries.has(text)) throw new Unreadable('odd-structure')
      entries.set(text, this.value(depth + 1))
    }
    if (this.bytes[this.at + 1] !== 0x3e) throw new Unreadable('damaged')
    this.at += 2
    return { kind: 'dict', entries }
  }

  #plain(): PdfValue {
    const word = this.word()
    if (word === 'true' || word === 'false') return word === 'true'
    if (word === 'null') return null
    if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(word)) throw new Unreadable('damaged')
    const after = this.at
    if (/^\d{1,10}$/.test(word)) {
      const generation = this.word()
      if (/^\d{1,5}$/.test(generation) && this.takes('R')) return { kind: 'ref', number: Number(word), generation: Number(generation) }
      this.at = after
    }
    return Number(word)
  }
}

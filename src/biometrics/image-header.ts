import { Buffer } from 'node:buffer'

export type ImageType = 'jpeg' | 'png' | 'webp'

export interface ImageHeader {
  readonly type: ImageType
  readonly width: number
  readonly height: number
  /** Turned by 90°, 180° or 270° or mirrored by its EXIF entry. */
  readonly turned: boolean
}

export type HeaderFault = 'not-an-image' | 'unsupported-type' | 'truncated'

/** Reads a picture's kind and size from its structure alone: no pixel is decoded, no size in it is believed before it is checked. */
export function readImageHeader(bytes: Uint8Array): ImageHeader | HeaderFault {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (data.length >= 2 && data.readUInt16BE(0) === 0xffd8) return data.length < 4 ? 'truncated' : readJpeg(data)
  if (data.subarray(0, 8).equals(PNG_SIGNATURE)) return readPng(data)
  if (data.toString('latin1', 0, 4) === 'RIFF' && data.toString('latin1', 8, 12) === 'WEBP') return readWebp(data)
  return isOtherPicture(data) ? 'unsupported-type' : 'not-an-image'
}

const PNG_SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex')

/** Pictures all the same, but of kinds that are not accepted: animations, vector graphics, raw and unusual formats. */
function isOtherPicture(data: Buffer): boolean {
  const start = data.toString('latin1', 0, 512)
  if (/^(GIF8[79]a|BM|II\*\0|MM\0\*|II\+\0|8BPS|\xff\x0a|\0\0\x01\0)/.test(start)) return true
  if (start.slice(4, 8) === 'ftyp') return /^(heic|heix|hevc|heim|mif1|msf1|avif|avis|crx )/.test(start.slice(8, 12))
  return /^\s*(<\?xml[^>]*>\s*)?(<!--.*-->\s*)?(<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]/is.test(start)
}

/** A picture with a second file of another kind inside is refused: some other program would open it as that. */
const FOREIGN = [
  '%PDF-',
  'PK\u0003\u0004',
  'Rar!\u001a\u0007',
  '\u007fELF',
  'GIF89a',
  'GIF87a',
  '<?php',
  '<script',
  '<html',
  '<svg',
  '<!DOCTYPE',
]

function carriesForeignFile(data: Buffer, end: number): boolean {
  const head = data.subarray(0, Math.min(1024, end))
  const tail = data.subarray(end)
  return FOREIGN.some((mark) => head.includes(mark, 0, 'latin1') || tail.includes(mark, 0, 'latin1'))
}

const START_OF_SCAN = 0xda
const END_OF_IMAGE = 0xd9
/** A progressive picture has about ten; a file of thousands is made to keep the decoder busy. */
const MOST_SCANS = 64

interface JpegFacts {
  frame?: { width: number; height: number; supported: boolean }
  turned: boolean
  scans: number
}

function readJpeg(data: Buffer): ImageHeader | HeaderFault {
  const facts: JpegFacts = { turned: false, scans: 0 }
  let at = 2
  while (at + 4 <= data.length) {
    if (data[at] !== 0xff) return 'not-an-image'
    const marker = data[at + 1] ?? 0
    if (marker === 0xff) {
      at++
      continue
    }
    if (marker === END_OF_IMAGE) return finishedJpeg(data, at + 2, facts)
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) {
      at += 2
      continue
    }
    const length = data.readUInt16BE(at + 2)
    if (length < 2) return 'not-an-image'
    if (at + 2 + length > data.length) return 'truncated'
    const fault = noteJpegSegment(marker, data.subarray(at + 4, at + 2 + length), facts)
    if (fault) return fault
    at += 2 + length
    if (marker === START_OF_SCAN) at = endOfScan(data, at)
  }
  if (at + 2 <= data.length && data[at] === 0xff && data[at + 1] === END_OF_IMAGE) return finishedJpeg(data, at + 2, facts)
  return 'truncated'
}

function noteJpegSegment(marker: number, body: Buffer, facts: JpegFacts): HeaderFault | undefined {
  if (isFrameMarker(marker)) {
    if (facts.frame || body.length < 6) return 'not-an-image'
    const supported = (marker === 0xc0 || marker === 0xc1 || marker === 0xc2) && body[0] === 8
    facts.frame = { width: body.readUInt16BE(3), height: body.readUInt16BE(1), supported }
  }
  if (marker === 0xe1 && body.toString('latin1', 0, 6) === 'Exif\0\0') facts.turned = exifOrientation(body.subarray(6)) > 1
  if (marker === START_OF_SCAN) {
    facts.scans++
    if (!facts.frame || facts.scans > MOST_SCANS) return 'not-an-image'
  }
  return undefined
}

const isFrameMarker = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)

/** First byte after the compressed data: the next marker that is neither stuffing nor a restart. */
function endOfScan(data: Buffer, from: number): number {
  let at = data.indexOf(0xff, from)
  while (at !== -1 && at + 1 < data.length) {
    const marker = data[at + 1] ?? 0
    if (marker !== 0 && marker !== 0xff && !(marker >= 0xd0 && marker <= 0xd7)) return at
    at = data.indexOf(0xff, marker === 0xff ? at + 1 : at + 2)
  }
  return data.length
}

function finishedJpeg(data: Buffer, end: number, { frame, turned, scans }: JpegFacts): ImageHeader | HeaderFault {
  if (!frame || scans === 0) return 'not-an-image'
  if (!frame.supported) return 'unsupported-type'
  if (frame.width === 0 || frame.height === 0 || carriesForeignFile(data, end)) return 'not-an-image'
  return { type: 'jpeg', width: frame.width, height: frame.height, turned }
}

/** Orientation 1 to 8 from the first directory of a TIFF block; 1 when absent or broken. */
function exifOrientation(tiff: Buffer): number {
  const little = tiff.toString('latin1', 0, 2) === 'II'
  const short = (at: number) => (at + 2 > tiff.length ? 0 : little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at))
  if (tiff.length < 8) return 1
  const directory = little ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4)
  const entries = short(directory)
  for (let entry = 0; entry < entries; entry++) {
    const at = directory + 2 + entry * 12
    if (at + 12 > tiff.length) return 1
    if (short(at) === 0x0112) return Math.min(8, Math.max(1, short(at + 8)))
  }
  return 1
}

/** Interlaced pictures cannot be reduced while they are read: larger ones keep a decoder busy for a second and fill its memory. */
const MOST_INTERLACED_PIXELS = 4_000_000

/** Compressed text and colour profiles beyond this are made to fill memory. */
const LARGEST_ANCILLARY = 1 << 20

function readPng(data: Buffer): ImageHeader | HeaderFault {
  let at = 8
  let header: ImageHeader | undefined
  while (at + 12 <= data.length) {
    const length = data.readUInt32BE(at)
    const kind = data.toString('latin1', at + 4, at + 8)
    if (!/^[A-Za-z]{4}$/.test(kind) || (at === 8) !== (kind === 'IHDR')) return 'not-an-image'
    if (at + 12 + length > data.length) return 'truncated'
    if (kind === 'acTL') return 'unsupported-type'
    if (kind === 'IHDR') {
      if (length !== 13) return 'not-an-image'
      header = { type: 'png', width: data.readUInt32BE(at + 8), height: data.readUInt32BE(at + 12), turned: false }
      if (data[at + 20] !== 0 && header.width * header.height > MOST_INTERLACED_PIXELS) return 'unsupported-type'
    } else if (kind !== 'IDAT' && length > LARGEST_ANCILLARY) return 'not-an-image'
    at += 12 + length
    if (kind === 'IEND') return header && !carriesForeignFile(data, at) ? header : 'not-an-image'
  }
  return 'truncated'
}

function readWebp(data: Buffer): ImageHeader | HeaderFault {
  if (data.length < 30) return 'truncated'
  const end = 8 + data.readUInt32LE(4)
  if (end > data.length) return 'truncated'
  if (carriesForeignFile(data, end)) return 'not-an-image'
  const kind = data.toString('latin1', 12, 16)
  const found = (width: number, height: number): ImageHeader => ({ type: 'webp', width, height, turned: false })
  if (kind === 'VP8X') {
    const animated = ((data[20] ?? 0) & 2) !== 0
    return animated
      ? 'unsupported-type'
      : { ...found(data.readUIntLE(24, 3) + 1, data.readUIntLE(27, 3) + 1), turned: ((data[20] ?? 0) & 8) !== 0 }
  }
  if (kind === 'VP8L' && data[20] === 0x2f) {
    const bits = data.readUInt32LE(21)
    return found((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1)
  }
  if (kind === 'VP8 ' && data.readUIntBE(23, 3) === 0x9d012a) {
    return found(data.readUInt16LE(26) & 0x3fff, data.readUInt16LE(28) & 0x3fff)
  }
  return 'not-an-image'
}

/**
 * Files that are made to break a decoder, or only look like a picture. Run as a program it writes them into a folder, so that whoever
 * measures its own memory does not pay for their making: `node test/support/hostile-images.ts FOLDER`.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'

type Hostile = readonly [name: string, bytes: Uint8Array]

const SOI = Buffer.from([0xff, 0xd8])
const EOI = Buffer.from([0xff, 0xd9])
const text = (content: string) => Buffer.from(content, 'latin1')
const u16 = (value: number) => Buffer.from([value >> 8, value & 255])
const segment = (marker: number, body: Uint8Array) => Buffer.concat([Buffer.from([0xff, marker]), u16(body.length + 2), body])

/** A frame header of 8 bits and three components. */
function frameHeader(width: number, height: number, marker = 0xc0, bits = 8): Buffer {
  const parts = [1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]
  return segment(marker, Buffer.concat([Buffer.from([bits]), u16(height), u16(width), Buffer.from([3, ...parts])]))
}

function pngChunk(kind: string, body: Uint8Array, crc?: number): Buffer {
  const head = Buffer.concat([text(kind), body])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(body.length)
  sum.writeUInt32BE(crc ?? crc32(head))
  return Buffer.concat([length, head, sum])
}

const PNG = Buffer.from('89504e470d0a1a0a', 'hex')

function pngHeader(width: number, height: number, { depth = 8, colour = 2, interlaced = 0 } = {}): Buffer {
  const body = Buffer.alloc(13)
  body.writeUInt32BE(width)
  body.writeUInt32BE(height, 4)
  body.set([depth, colour, 0, 0, interlaced], 8)
  return pngChunk('IHDR', body)
}

/** A PNG that says little and unpacks to much: equal rows. */
function pngBomb(width: number, height: number, rows = height, about: Parameters<typeof pngHeader>[2] = {}): Buffer {
  const packed = deflateSync(Buffer.alloc((width * 3 + 1) * rows), { level: 9 })
  return Buffer.concat([PNG, pngHeader(width, height, about), pngChunk('IDAT', packed), pngChunk('IEND', Buffer.alloc(0))])
}

function webp(kind: string, body: Uint8Array): Buffer {
  const [size, length] = [Buffer.alloc(4), Buffer.alloc(4)]
  size.writeUInt32LE(body.length + 12)
  length.writeUInt32LE(body.length)
  return Buffer.concat([text('RIFF'), size, text(`WEBP${kind}`), length, body])
}

interface Good {
  readonly jpeg: Buffer
  readonly progressive: Buffer
  readonly png: Buffer
  readonly webp: Buffer
}

async function goodPictures(): Promise<Good> {
  const noise = sharp(randomBytes(320 * 240 * 3), { raw: { width: 320, height: 240, channels: 3 } }).blur(2)
  const raw = await noise.png().toBuffer()
  const [jpeg, progressive, png, web] = await Promise.all([
    sharp(raw).jpeg({ quality: 80 }).toBuffer(),
    sharp(raw).jpeg({ quality: 80, progressive: true }).toBuffer(),
    sharp(raw).png().toBuffer(),
    sharp(raw).webp().toBuffer(),
  ])
  return { jpeg, progressive, png, webp: web }
}

/** The place of the first marker of this kind. */
const markerAt = (jpeg: Buffer, marker: number) => jpeg.indexOf(Buffer.from([0xff, marker]))

function withoutSegment(jpeg: Buffer, marker: number): Buffer {
  let left = jpeg
  for (let at = markerAt(left, marker); at !== -1; at = markerAt(left, marker)) {
    left = Buffer.concat([left.subarray(0, at), left.subarray(at + 2 + left.readUInt16BE(at + 2))])
  }
  return left
}

function changed(bytes: Buffer, change: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes)
  change(copy)
  return copy
}

function notPictures(): Hostile[] {
  return [
    ['empty', Buffer.alloc(0)],
    ['one-byte', Buffer.from([0xff])],
    ['words', text('this is not a picture')],
    ['noise', randomBytes(50_000)],
    ['zeros', Buffer.alloc(200_000)],
    ['ones', Buffer.alloc(200_000, 0xff)],
    [
      'svg-entities',
      text(`<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "${'a'.repeat(500)}"><!ENTITY b "&a;&a;&a;&a;">]><svg>&b;</svg>`),
    ],
    ['svg-file', text('<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>')],
    ['svg-huge', text('<svg xmlns="http://www.w3.org/2000/svg" width="100000" height="100000"><rect width="100%" height="100%"/></svg>')],
    ['gif-huge', Buffer.concat([text('GIF89a'), Buffer.from([255, 255, 255, 255, 0xf7, 0, 0]), Buffer.alloc(1000)])],
    ['tiff', Buffer.concat([text('II*\0'), Buffer.alloc(300, 8)])],
    ['bmp', Buffer.concat([text('BM'), Buffer.alloc(300, 0x7f)])],
    ['icon', Buffer.concat([Buffer.from([0, 0, 1, 0, 255, 255]), Buffer.alloc(300)])],
    ['heic', Buffer.concat([Buffer.from([0, 0, 0, 24]), text('ftypheic'), Buffer.alloc(300)])],
    ['avif', Buffer.concat([Buffer.from([0, 0, 0, 24]), text('ftypavif'), Buffer.alloc(300)])],
    ['photoshop', Buffer.concat([text('8BPS'), Buffer.from([0, 1]), Buffer.alloc(300)])],
    ['pdf', text('%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer<<>>\n%%EOF')],
    ['program', Buffer.concat([text('\u007fELF'), randomBytes(500)])],
  ]
}

function brokenJpegs({ jpeg, progressive }: Good): Hostile[] {
  const scan = markerAt(jpeg, 0xda)
  const frame = markerAt(jpeg, 0xc0)
  const head = jpeg.subarray(2, scan)
  return [
    ['jpeg-start-only', SOI],
    ['jpeg-start-and-end', Buffer.concat([SOI, EOI])],
    ['jpeg-cut-in-header', jpeg.subarray(0, frame + 6)],
    ...[0.1, 0.5, 0.99].map((share): Hostile => [`jpeg-cut-at-${share}`, jpeg.subarray(0, Math.floor(jpeg.length * share))]),
    ['jpeg-cut-and-closed', Buffer.concat([jpeg.subarray(0, Math.floor(jpeg.length / 2)), EOI])],
    [
      'jpeg-noise-in-scan',
      changed(jpeg, (copy) =>
        randomBytes(2000)
          .map((byte) => byte & 0x7f)
          .forEach((byte, i) => (copy[scan + 40 + i] = byte)),
      ),
    ],
    ['jpeg-without-tables', withoutSegment(jpeg, 0xdb)],
    ['jpeg-without-codes', withoutSegment(jpeg, 0xc4)],
    ['jpeg-without-size', withoutSegment(jpeg, 0xc0)],
    ['jpeg-size-zero', changed(jpeg, (copy) => copy.fill(0, frame + 5, frame + 9))],
    ['jpeg-size-most', changed(jpeg, (copy) => copy.fill(0xff, frame + 5, frame + 9))],
    ['jpeg-size-other', changed(jpeg, (copy) => copy.set([4, 0, 5, 0], frame + 5))],
    ['jpeg-size-limit', changed(jpeg, (copy) => copy.set([0x13, 0x88, 0x13, 0x88], frame + 5))],
    ['jpeg-components-wrong', changed(jpeg, (copy) => (copy[frame + 9] = 1))],
    ['jpeg-two-sizes', Buffer.concat([SOI, head.subarray(0, frame - 2), frameHeader(320, 240), jpeg.subarray(frame)])],
    ['jpeg-12-bit', changed(jpeg, (copy) => (copy[frame + 4] = 12))],
    ['jpeg-lossless', changed(jpeg, (copy) => (copy[frame + 1] = 0xc3))],
    ['jpeg-arithmetic', changed(jpeg, (copy) => (copy[frame + 1] = 0xc9))],
    ['jpeg-length-zero', Buffer.concat([SOI, Buffer.from([0xff, 0xe0, 0, 0]), jpeg.subarray(2)])],
    ['jpeg-length-beyond', Buffer.concat([jpeg.subarray(0, frame), Buffer.from([0xff, 0xe1, 0xff, 0xff])])],
    ['jpeg-endless-padding', Buffer.concat([SOI, Buffer.alloc(900_000, 0xff)])],
    [
      'jpeg-endless-restarts',
      Buffer.concat([jpeg.subarray(0, scan + 14), Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i % 2 ? 0xd0 : 0xff))), EOI]),
    ],
    [
      'jpeg-thousand-scans',
      Buffer.concat([
        progressive.subarray(0, -2),
        ...Array.from({ length: 1000 }, () => progressive.subarray(markerAt(progressive, 0xda), -2)),
        EOI,
      ]),
    ],
    [
      'jpeg-large-notes',
      Buffer.concat([
        SOI,
        ...Array.from({ length: 200 }, () => segment(0xe1, text(`Exif\0\0II*\0\u0008\0\0\0${'x'.repeat(4000)}`))),
        jpeg.subarray(2),
      ]),
    ],
    [
      'jpeg-exif-loop',
      Buffer.concat([
        SOI,
        segment(0xe1, Buffer.concat([text('Exif\0\0II*\0'), Buffer.from([8, 0, 0, 0, 255, 255, 0x12, 1, 3, 0, 1, 0, 0, 0, 255, 0, 0, 0])])),
        jpeg.subarray(2),
      ]),
    ],
    [
      'jpeg-broken-profile',
      Buffer.concat([SOI, segment(0xe2, Buffer.concat([text('ICC_PROFILE\0\u0001\u0001'), randomBytes(20_000)])), jpeg.subarray(2)]),
    ],
    ['jpeg-too-large', Buffer.concat([jpeg.subarray(0, -2), Buffer.alloc(16_000_000), EOI])],
    ['jpeg-with-archive', Buffer.concat([jpeg, text('PK\u0003\u0004'), randomBytes(200)])],
    ['jpeg-with-pdf', Buffer.concat([SOI, segment(0xfe, text('%PDF-1.4 ')), jpeg.subarray(2)])],
    ['jpeg-with-page', Buffer.concat([SOI, segment(0xfe, text('<script>alert(1)</script>')), jpeg.subarray(2)])],
    ['jpeg-as-animation', Buffer.concat([text('GIF89a'), jpeg])],
  ]
}

function brokenPngs({ png }: Good): Hostile[] {
  const end = pngChunk('IEND', Buffer.alloc(0))
  const packed = (bytes: number) => deflateSync(Buffer.alloc(bytes))
  const body = png.subarray(8, -12)
  return [
    ['png-size-most', Buffer.concat([PNG, pngHeader(2 ** 31 - 1, 2 ** 31 - 1), pngChunk('IDAT', packed(1000)), end])],
    ['png-50000', Buffer.concat([PNG, pngHeader(50_000, 50_000), pngChunk('IDAT', packed(1_000_000)), end])],
    ['png-at-the-limit', pngBomb(5000, 5000)],
    ['png-interlaced-at-the-limit', pngBomb(5000, 5000, 5001, { interlaced: 1 })],
    ['png-long-rows', pngBomb(10_000, 1200)],
    ['png-just-within', pngBomb(4000, 3000)],
    ['png-more-rows-than-said', pngBomb(64, 64, 200_000)],
    ['png-fewer-rows-than-said', pngBomb(3000, 3000, 10)],
    ['png-wrong-sum', Buffer.concat([PNG, pngHeader(64, 64), pngChunk('IDAT', packed(12_352), 1), end])],
    ['png-noise', Buffer.concat([PNG, pngHeader(64, 64), pngChunk('IDAT', randomBytes(4000)), end])],
    ['png-empty', Buffer.concat([PNG, pngHeader(64, 64), end])],
    ['png-palette-missing', Buffer.concat([PNG, pngHeader(64, 64, { colour: 3 }), pngChunk('IDAT', packed(65 * 64)), end])],
    ['png-depth-impossible', Buffer.concat([PNG, pngHeader(64, 64, { depth: 3 }), pngChunk('IDAT', packed(12_352)), end])],
    [
      'png-text-bomb',
      Buffer.concat([
        PNG,
        body.subarray(0, 25),
        pngChunk('zTXt', Buffer.concat([text('a\0\0'), packed(100_000_000)])),
        body.subarray(25),
        end,
      ]),
    ],
    [
      'png-profile-bomb',
      Buffer.concat([
        PNG,
        body.subarray(0, 25),
        pngChunk('iCCP', Buffer.concat([text('a\0\0'), packed(100_000_000)])),
        body.subarray(25),
        end,
      ]),
    ],
    ['png-animated', Buffer.concat([PNG, body.subarray(0, 25), pngChunk('acTL', Buffer.alloc(8, 9)), body.subarray(25), end])],
    ['png-with-page', Buffer.concat([png, text('<html><script>')])],
    ['png-cut', png.subarray(0, png.length >> 1)],
  ]
}

async function brokenWebps({ webp: good }: Good): Promise<Hostile[]> {
  const plain = (width: number, height: number) =>
    sharp({ create: { width, height, channels: 3, background: '#765' } })
      .webp({ lossless: true, effort: 0 })
      .toBuffer()
  const [large, within] = await Promise.all([plain(5000, 5000), plain(4000, 3000)])
  const moving = await sharp(randomBytes(64 * 640 * 3), { raw: { width: 64, height: 640, channels: 3, pageHeight: 64 } })
    .webp()
    .toBuffer()
  return [
    ['webp-cut', good.subarray(0, good.length >> 1)],
    ['webp-noise', webp('VP8 ', Buffer.concat([good.subarray(20, 30), randomBytes(5000)]))],
    ['webp-canvas-most', webp('VP8X', Buffer.alloc(10, 0xff))],
    ['webp-lossless-noise', webp('VP8L', Buffer.concat([Buffer.from([0x2f, 0xff, 0x3f, 0xff, 0x0f]), randomBytes(5000)]))],
    ['webp-at-the-limit', large],
    ['webp-just-within', within],
    ['webp-animated', moving],
  ]
}

/** All of them by name; the same kinds each time, the noise another. */
export async function hostileImages(): Promise<Hostile[]> {
  const good = await goodPictures()
  return [...notPictures(), ...brokenJpegs(good), ...brokenPngs(good), ...(await brokenWebps(good))]
}

/** A photograph as large as is accepted, with nothing wrong about it. */
export function largestPhotograph(): Promise<Buffer> {
  const noise = { type: 'gaussian', mean: 128, sigma: 20 } as const
  return sharp({ create: { width: 5000, height: 5000, channels: 3, background: '#888', noise } })
    .jpeg()
    .toBuffer()
}

export const LARGEST_PHOTOGRAPH = 'largest-photograph'

if (import.meta.main) {
  const [folder = ''] = process.argv.slice(2)
  mkdirSync(folder, { recursive: true })
  for (const [name, bytes] of await hostileImages()) writeFileSync(path.join(folder, name), bytes)
  writeFileSync(path.join(folder, LARGEST_PHOTOGRAPH), await largestPhotograph())
}

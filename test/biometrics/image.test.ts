import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { decodeImage } from '../../src/biometrics/engine/decode.ts'
import type { ImageLimits, ImageRefusal } from '../../src/biometrics/image.ts'
import {
  acceptImage,
  checkImage,
  FRAME_LIMITS,
  ImageRefused,
  normalisePhoto,
  PHOTO_LIMITS,
  STORED_SIDE,
} from '../../src/biometrics/image.ts'

const picture = (width: number, height: number) => sharp({ create: { width, height, channels: 3, background: '#c84' } })
const latin = (text: string) => Buffer.from(text, 'latin1')

function pngChunk(kind: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(body.length)
  return Buffer.concat([length, latin(kind), body, Buffer.alloc(4)])
}

function pngOf(width: number, height: number, ...chunks: Buffer[]): Buffer {
  const size = Buffer.alloc(13)
  size.writeUInt32BE(width, 0)
  size.writeUInt32BE(height, 4)
  size.set([8, 2, 0, 0, 0], 8)
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), pngChunk('IHDR', size), ...chunks, pngChunk('IEND', Buffer.alloc(0))])
}

/** A JPEG's bytes with the size in its frame header overwritten. */
function resized(jpeg: Buffer, width: number, height: number): Buffer {
  const copy = Buffer.from(jpeg)
  const at = copy.findIndex((byte, index) => byte === 0xff && (copy[index + 1] === 0xc0 || copy[index + 1] === 0xc2))
  copy.writeUInt16BE(height, at + 5)
  copy.writeUInt16BE(width, at + 7)
  return copy
}

const jpeg = await picture(640, 480).jpeg().toBuffer()
const comment = (text: string) =>
  Buffer.concat([jpeg.subarray(0, 2), Buffer.from([0xff, 0xfe, 0, text.length + 2]), latin(text), jpeg.subarray(2)])
const scan = jpeg.lastIndexOf(Buffer.from([0xff, 0xda]))

const REFUSED: readonly [what: string, bytes: Buffer, refusal: ImageRefusal, limits?: ImageLimits][] = [
  ['nothing', Buffer.alloc(0), 'empty'],
  ['more bytes than a photograph has', Buffer.concat([jpeg, Buffer.alloc(PHOTO_LIMITS.maxBytes)]), 'too-large'],
  ['more bytes than a frame has', Buffer.concat([jpeg, Buffer.alloc(FRAME_LIMITS.maxBytes)]), 'too-large', FRAME_LIMITS],
  ['a PDF named .jpg', latin('%PDF-1.7\n1 0 obj <</Type/Catalog>>\nendobj'), 'not-an-image'],
  ['a ZIP', latin('PK\u0003\u0004\u0014\0\0\0'), 'not-an-image'],
  ['a web page', latin('<!DOCTYPE html><html><body>…</body></html>'), 'not-an-image'],
  ['a program', latin('\u007fELF\u0002\u0001\u0001'), 'not-an-image'],
  ['one byte', Buffer.from([0xff]), 'not-an-image'],
  ['random bytes', Buffer.from('3f9a1c00b7e2', 'hex'), 'not-an-image'],
  ['a GIF', latin('GIF89a\u0001\0\u0001\0\u0080\0\0'), 'unsupported-type'],
  ['a BMP', latin(`BM${'\0'.repeat(60)}`), 'unsupported-type'],
  ['a TIFF', latin('II*\0\u0008\0\0\0'), 'unsupported-type'],
  ['a HEIC photograph', latin('\0\0\0\u0018ftypheic\0\0\0\0'), 'unsupported-type'],
  ['an SVG', latin('<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="9"/>'), 'unsupported-type'],
  ['a PNG sent as a frame', await picture(64, 64).png().toBuffer(), 'unsupported-type', FRAME_LIMITS],
  ['a photograph that says 200 megapixels', resized(jpeg, 20_000, 10_000), 'too-many-pixels'],
  ['a frame of 3 megapixels', resized(jpeg, 2000, 1500), 'too-many-pixels', FRAME_LIMITS],
  ['a strip of one pixel by 65,000', resized(jpeg, 65_000, 1), 'too-many-pixels'],
  ['a PNG bomb of 50,000 × 50,000', pngOf(50_000, 50_000, pngChunk('IDAT', deflateSync(Buffer.alloc(1 << 22)))), 'too-many-pixels'],
  ['a JPEG of no height', resized(jpeg, 640, 0), 'not-an-image'],
  ['a PNG of no width', pngOf(0, 10), 'not-an-image'],
  ['a JPEG without its end', jpeg.subarray(0, jpeg.length - 2), 'truncated'],
  ['half a JPEG', jpeg.subarray(0, jpeg.length >> 1), 'truncated'],
  ['a JPEG cut in its headers', jpeg.subarray(0, 30), 'truncated'],
  ['the first two bytes of a JPEG', jpeg.subarray(0, 2), 'truncated'],
  ['a JPEG without a picture', Buffer.concat([jpeg.subarray(0, scan), Buffer.from([0xff, 0xd9])]), 'not-an-image'],
  ['half a PNG', (await picture(64, 64).png().toBuffer()).subarray(0, 60), 'truncated'],
  ['half a WebP', (await picture(64, 64).webp().toBuffer()).subarray(0, 50), 'truncated'],
  ['a JPEG with a PDF behind it', Buffer.concat([jpeg, latin('%PDF-1.7\n%%EOF')]), 'not-an-image'],
  ['a JPEG with a ZIP behind it', Buffer.concat([jpeg, latin('PK\u0003\u0004\u0014\0')]), 'not-an-image'],
  ['a JPEG with a PDF in a comment', comment('%PDF-1.4 1 0 obj'), 'not-an-image'],
  ['a JPEG with a script in a comment', comment('<script>alert(1)</script>'), 'not-an-image'],
  ['a PNG with a web page behind it', Buffer.concat([pngOf(10, 10), latin('<html></html>')]), 'not-an-image'],
  ['a PNG with a text chunk of 2 MB', pngOf(10, 10, pngChunk('zTXt', Buffer.alloc(2 << 20))), 'not-an-image'],
  ['an animated PNG', pngOf(10, 10, pngChunk('acTL', Buffer.alloc(8))), 'unsupported-type'],
]

for (const [what, bytes, refusal, limits] of REFUSED) {
  test(`${what}: ${refusal}`, () => {
    const before = process.memoryUsage()
    const started = process.threadCpuUsage()
    const check = checkImage(bytes, limits)
    assert.ok(process.threadCpuUsage(started).user < 50_000)
    const { external, arrayBuffers } = process.memoryUsage()
    assert.ok(external + arrayBuffers - before.external - before.arrayBuffers < 1 << 20)
    assert.deepEqual(check, { ok: false, refusal })
    assert.throws(
      () => acceptImage(bytes, limits),
      (error) => error instanceof ImageRefused && error.code === refusal,
    )
  })
}

test('an animated WebP is refused', async () => {
  const pages = await Promise.all(
    ['#123', '#fed'].map((background) =>
      sharp({ create: { width: 20, height: 20, channels: 3, background } })
        .png()
        .toBuffer(),
    ),
  )
  const frames = await sharp(pages, { join: { animated: true } })
    .webp()
    .toBuffer()
  assert.equal((await sharp(frames, { animated: true }).metadata()).pages, 2)
  assert.deepEqual(checkImage(frames), { ok: false, refusal: 'unsupported-type' })
})

test('a JPEG of a thousand scans is refused before it keeps a decoder busy', async () => {
  const progressive = await picture(64, 64).jpeg({ progressive: true }).toBuffer()
  const last = progressive.lastIndexOf(Buffer.from([0xff, 0xda]))
  const scans = progressive.subarray(last, progressive.length - 2)
  const many = Buffer.concat([progressive.subarray(0, last), ...Array<Buffer>(1000).fill(scans), progressive.subarray(-2)])
  assert.deepEqual(checkImage(many), { ok: false, refusal: 'not-an-image' })
})

test('what a phone or a browser makes is accepted, with its size', async () => {
  const made: readonly [Buffer, string, number, number][] = [
    [jpeg, 'jpeg', 640, 480],
    [await picture(300, 200).jpeg({ progressive: true }).toBuffer(), 'jpeg', 300, 200],
    [await picture(300, 200).greyscale().jpeg().toBuffer(), 'jpeg', 300, 200],
    [await picture(300, 200).toColourspace('cmyk').jpeg().toBuffer(), 'jpeg', 300, 200],
    [await picture(30, 20).png().toBuffer(), 'png', 30, 20],
    [await picture(30, 20).ensureAlpha(0.5).png({ palette: true }).toBuffer(), 'png', 30, 20],
    [await picture(30, 20).webp().toBuffer(), 'webp', 30, 20],
    [await picture(30, 20).webp({ lossless: true }).toBuffer(), 'webp', 30, 20],
    [await picture(30, 20).ensureAlpha(0.5).webp().toBuffer(), 'webp', 30, 20],
    [
      await picture(30, 20)
        .withMetadata({ exif: { IFD0: { Copyright: 'x' } } })
        .webp()
        .toBuffer(),
      'webp',
      30,
      20,
    ],
    [Buffer.concat([jpeg, Buffer.alloc(4096), jpeg]), 'jpeg', 640, 480],
    [Buffer.concat([jpeg, latin('\0\0\0\u0018ftypmp42 a moving picture')]), 'jpeg', 640, 480],
  ]
  for (const [bytes, type, width, height] of made) {
    const check = checkImage(bytes)
    assert.ok(check.ok, `${type} ${width} × ${height}`)
    assert.deepEqual([check.type, check.width, check.height], [type, width, height])
  }
})

test('every orientation of EXIF is read, whatever its byte order', async () => {
  for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
    const check = checkImage(await picture(30, 20).withMetadata({ orientation }).jpeg().toBuffer())
    assert.ok(check.ok)
    assert.equal(check.turned, orientation > 1)
  }
  const motorola = Buffer.from('ffe100224578696600004d4d002a00000008000101120003000000010006000000000000', 'hex')
  const check = checkImage(Buffer.concat([jpeg.subarray(0, 2), motorola, jpeg.subarray(2)]))
  assert.ok(check.ok && check.turned)
})

test('no cut and no changed byte of a picture makes the check throw', async () => {
  const samples = [await picture(40, 30).jpeg().toBuffer(), await picture(40, 30).png().toBuffer(), await picture(40, 30).webp().toBuffer()]
  for (const sample of samples) {
    for (let at = 0; at < sample.length; at++) {
      assert.equal(checkImage(sample.subarray(0, at)).ok, false)
      for (const value of [0x00, 0x7f, 0xff]) {
        const changed = Buffer.from(sample)
        changed[at] = value
        checkImage(changed)
      }
    }
  }
})

test('a photograph to be stored is upright, at most 1600 px, and carries nothing but its picture', async () => {
  const exif = { IFD0: { Make: 'Acme', ImageDescription: 'Rua das Flores 12' }, IFD3: { GPSLatitude: '15/1 36/1 0/1' } }
  const source = await picture(3000, 2000).withMetadata({ orientation: 6, exif, icc: 'p3' }).jpeg().toBuffer()
  const stored = await normalisePhoto(source)
  const metadata = await sharp(stored).metadata()
  assert.deepEqual([metadata.format, metadata.width, metadata.height], ['jpeg', Math.round((STORED_SIDE * 2) / 3), STORED_SIDE])
  assert.deepEqual([metadata.exif, metadata.icc, metadata.xmp, metadata.orientation], [undefined, undefined, undefined, undefined])
  assert.equal(stored.includes('Flores'), false)
})

test('a small, transparent or grey photograph is stored at its own size, on white', async () => {
  const clear = await sharp({ create: { width: 50, height: 40, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } })
    .png()
    .toBuffer()
  const stored = await normalisePhoto(clear)
  const { data, info } = await sharp(stored).raw().toBuffer({ resolveWithObject: true })
  assert.deepEqual([info.width, info.height, info.channels], [50, 40, 3])
  assert.ok(data.every((value) => value > 250))
  const grey = await normalisePhoto(await picture(50, 40).greyscale().jpeg().toBuffer())
  assert.equal((await sharp(grey).metadata()).width, 50)
})

test('a picture whose header is right and whose body is not is refused when it is decoded', async () => {
  const refused = (error: unknown) => error instanceof ImageRefused && ['truncated', 'not-an-image'].includes(error.code)
  const { data } = await sharp({
    create: { width: 400, height: 300, channels: 3, background: '#000', noise: { type: 'gaussian', mean: 128, sigma: 40 } },
  })
    .jpeg()
    .toBuffer({ resolveWithObject: true })
  const body = data.lastIndexOf(Buffer.from([0xff, 0xda])) + 40
  const cut = Buffer.concat([data.subarray(0, body + 500), Buffer.from([0xff, 0xd9])])
  await assert.rejects(decodeImage(cut, FRAME_LIMITS), refused)
  await assert.rejects(normalisePhoto(pngOf(20, 20, pngChunk('IDAT', Buffer.from('garbage')))), refused)
})

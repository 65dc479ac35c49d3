import { type PDFDocument, PDFRawStream, type PDFRef } from '@cantoo/pdf-lib'

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')
const HEAD_END = 33

/**
 * A PNG as an object of the document.
 *
 * One of black and white, as codes are, goes in as it lies: PDF inflates it and undoes its filters itself (ISO 32000-2, 7.4.4.4).
 */
export async function addImage(document: PDFDocument, png: Uint8Array): Promise<PDFRef> {
  const { context } = document
  const plain = plainImage(Buffer.from(png.buffer, png.byteOffset, png.byteLength))
  if (!plain) return (await document.embedPng(png)).ref
  const { width, height, data } = plain
  const dictionary = context.obj({
    Type: 'XObject', Subtype: 'Image', Width: width, Height: height, ColorSpace: 'DeviceGray', BitsPerComponent: 1, Filter: 'FlateDecode',
    DecodeParms: { Predictor: 15, Colors: 1, BitsPerComponent: 1, Columns: width }, Length: data.length,
  })
  return context.register(PDFRawStream.of(dictionary, data))
}

/** One bit a pixel, gray, not interlaced, all of it in one chunk after the head; nothing for any other PNG. */
function plainImage(png: Buffer): { width: number; height: number; data: Buffer } | undefined {
  if (png.length < HEAD_END + 12 || !png.subarray(0, 8).equals(SIGNATURE)) return undefined
  const isPlain = png.readUInt32BE(24) === 0x01_00_00_00 && png[28] === 0
  const length = png.readUInt32BE(HEAD_END)
  const end = HEAD_END + 8 + length
  if (!isPlain || png.toString('latin1', HEAD_END + 4, HEAD_END + 8) !== 'IDAT' || png.toString('latin1', end + 8, end + 12) !== 'IEND') return undefined
  return { width: png.readUInt32BE(16), height: png.readUInt32BE(20), data: png.subarray(HEAD_END + 8, end) }
}

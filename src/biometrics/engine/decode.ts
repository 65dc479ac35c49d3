import sharp from 'sharp'
import type { ImageLimits } from '../image.ts'
import { acceptImage, decoding, openImage } from '../image.ts'
import type { Raster } from './raster.ts'

/** One thread for each worker, and no cache: a frame is decoded once and must not stay in memory. */
sharp.concurrency(1)
sharp.cache(false)

/** Longest side that is looked at: larger pictures are reduced while they are decoded. */
const LARGEST_SIDE = 1600

/**
 * Decodes a picture into an upright raster, once, after its header was checked.
 *
 * @throws {ImageRefused}
 */
export async function decodeImage(bytes: Uint8Array, limits: ImageLimits): Promise<Raster> {
  const { width, height, turned, type } = acceptImage(bytes, limits)
  return decoding(async () => {
    let image = openImage(bytes, limits)
    if (turned) image = image.autoOrient()
    if (Math.max(width, height) > LARGEST_SIDE) image = image.resize({ width: LARGEST_SIDE, height: LARGEST_SIDE, fit: 'inside' })
    if (type !== 'jpeg') image = image.flatten({ background: '#ffffff' })
    const { data, info } = await image.toColourspace('srgb').raw().toBuffer({ resolveWithObject: true })
    return { width: info.width, height: info.height, pixels: threeChannels(data, info.channels) }
  })
}

/** Grey pictures come out of the decoder with one byte a pixel. */
function threeChannels(data: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return data
  const pixels = new Uint8Array((data.length / channels) * 3)
  for (let from = 0, to = 0; from < data.length; from += channels, to += 3) {
    const grey = channels < 3
    pixels[to] = data[from] ?? 0
    pixels[to + 1] = data[grey ? from : from + 1] ?? 0
    pixels[to + 2] = data[grey ? from : from + 2] ?? 0
  }
  return pixels
}

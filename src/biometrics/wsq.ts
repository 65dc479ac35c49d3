/** A finger of 500 dots an inch is below 30 KB at the usual rate; rolled prints of 1000 stay below this. */
export const LARGEST_WSQ = 1_000_000
/** Markers of a WSQ file (FBI IAFIS-IC-0110). */
const START = 0xffa0
const END = 0xffa1
const FRAME = 0xffa2
/** Markers that stand alone; every other one says its length. */
const FRAME_PART = { height: 4, width: 6, least: 8 }

/**
 * Width and height of a WSQ picture of a fingerprint, by its markers alone; `undefined` for what is none.
 *
 * Nothing is unpacked: the store keeps and serves the file, and no program of ours looks at the ridges.
 */
export function readWsqHeader(bytes: Uint8Array): { width: number; height: number } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 32 || bytes.length > LARGEST_WSQ || view.getUint16(0) !== START || view.getUint16(bytes.length - 2) !== END) return undefined
  for (let at = 2; at + 4 <= bytes.length; ) {
    const marker = view.getUint16(at)
    const length = view.getUint16(at + 2)
    if (marker < START || length < 2 || at + 2 + length > bytes.length) return undefined
    if (marker === FRAME) {
      if (length < FRAME_PART.least) return undefined
      const [height, width] = [view.getUint16(at + 2 + FRAME_PART.height), view.getUint16(at + 2 + FRAME_PART.width)]
      return height > 0 && width > 0 ? { height, width } : undefined
    }
    at += 2 + length
  }
  return undefined
}

import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/**
 * The signature that the browser owes for a frame: HMAC-SHA256(nonce, sequence ‖ SHA-256(frame)) in hex, sequence as 4 bytes big-endian.
 *
 * It ties a frame to one session and one place in it: frames of another session are refused before anything is decoded. It proves no more:
 * the nonce is in the browser's hands.
 */
export function signFrame(nonce: Uint8Array, sequence: number, frame: Uint8Array): string {
  const place = Buffer.alloc(4)
  place.writeUInt32BE(sequence)
  return createHmac('sha256', nonce).update(place).update(createHash('sha256').update(frame).digest()).digest('hex')
}

/** Whether `signature` is the frame's, in constant time. */
export function isFrameSigned(nonce: Uint8Array, sequence: number, frame: Uint8Array, signature: string): boolean {
  if (!/^[0-9a-f]{64}$/.test(signature)) return false
  return timingSafeEqual(Buffer.from(signFrame(nonce, sequence, frame), 'hex'), Buffer.from(signature, 'hex'))
}

/**
 * Width and height that a JPEG's header claims; undefined when the bytes are no JPEG or no frame header comes.
 *
 * Read before decoding, so that a picture of 200 megapixels costs nothing.
 */
export function readJpegSize(bytes: Uint8Array): { width: number; height: number } | undefined {
  if (bytes.length < 4 || bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 2; at + 9 < bytes.length; ) {
    if (bytes[at] !== 0xff) return undefined
    const marker = bytes[at + 1] ?? 0
    if (marker === 0xff) {
      at += 1
      continue
    }
    if (isFrameHeader(marker)) return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) }
    if (marker === 0xda || marker === 0xd9) return undefined
    at += 2 + view.getUint16(at + 2)
  }
  return undefined
}

/** SOF0–SOF15 without DHT (c4), JPG (c8) and DAC (cc). */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
}

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

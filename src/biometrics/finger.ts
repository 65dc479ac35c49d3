import { z } from 'zod'

/**
 * Why there is no print of a finger; stored, never renamed. ANSI/NIST-ITL 1 (field AMP) writes `amputated` as XX and the others as UP, unable to
 * print; ISO/IEC 19794-4 counts the fingers, 1 right thumb to 10 left little.
 */
export const MISSING_FINGERS = ['amputated', 'bandaged', 'worn'] as const
export type MissingFinger = (typeof MISSING_FINGERS)[number]

/** The same words over the wire. */
export const WIRE_MISSING_FINGERS = { amputado: 'amputated', enfaixado: 'bandaged', desgastado: 'worn' } as const satisfies Record<string, MissingFinger>
export type WireMissingFinger = keyof typeof WIRE_MISSING_FINGERS
export const WIRE_MISSING_WORDS = Object.keys(WIRE_MISSING_FINGERS) as [WireMissingFinger, ...WireMissingFinger[]]

/** What stands in the store in the place of a print, sealed like one: it says something of the person's health. */
export const MISSING_FINGER_TYPE = 'application/json'
const LENGTH = 64
const schema = z.object({ missing: z.enum(MISSING_FINGERS) })

/** The record of a missing finger; always of one length, so that a ciphertext does not tell the reason. */
export function missingFingerBytes(missing: MissingFinger): Buffer {
  return Buffer.from(JSON.stringify({ missing }).padEnd(LENGTH))
}

export function readMissingFinger(bytes: Uint8Array): MissingFinger {
  return schema.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))).missing
}

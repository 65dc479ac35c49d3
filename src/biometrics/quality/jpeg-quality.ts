/** Sum of the luminance table of the JPEG standard's annex K, in the order of the file (zigzag; a sum has none). */
const STANDARD_SUM = 3688
const MARKER = 0xff
const [SOS, DQT, EOI] = [0xda, 0xdb, 0xd9]

/**
 * The quality, 1–100, that the usual encoder would have been asked for: from the file's luminance table; undefined for another kind of file.
 *
 * Says how the file was written last. A picture that was once compressed harder keeps that damage: `compressionArtifacts` looks for it.
 */
export function jpegQualityOf(bytes: Uint8Array): number | undefined {
  if (bytes[0] !== MARKER || bytes[1] !== 0xd8) return undefined
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === MARKER; ) {
    const marker = bytes[at + 1] ?? EOI
    if (marker === SOS || marker === EOI) return undefined
    const length = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)
    if (length < 2) return undefined
    const quality = marker === DQT ? qualityOfTables(bytes.subarray(at + 4, at + 2 + length)) : undefined
    if (quality !== undefined) return quality
    at += 2 + length
  }
  return undefined
}

/** Table 0 of a segment of tables, each a byte of precision and number and 64 entries. */
function qualityOfTables(segment: Uint8Array): number | undefined {
  for (let at = 0; at < segment.length; ) {
    const kind = segment[at] ?? 0
    const wide = kind >> 4 === 1
    const size = 64 * (wide ? 2 : 1)
    if ((kind & 15) === 0 && at + 1 + size <= segment.length) return qualityOfSum(sumOf(segment.subarray(at + 1, at + 1 + size), wide))
    at += 1 + size
  }
  return undefined
}

function sumOf(entries: Uint8Array, wide: boolean): number {
  return entries.reduce((sum, value, index) => sum + (wide && index % 2 === 0 ? value << 8 : value), 0)
}

/** The Independent JPEG Group's rule backwards: tables are the standard's times 50/q below 50 and 2 − q/50 above. */
function qualityOfSum(sum: number): number {
  const scale = sum / STANDARD_SUM
  const quality = scale <= 1 ? 100 - 50 * scale : 50 / scale
  return Math.round(Math.max(1, Math.min(100, quality)))
}

/** What of a signed PDF other programs are given: the signed bytes and the signature itself, of each of its signatures in order. */
export interface PdfParts {
  readonly signed: Buffer
  readonly cms: Buffer
  readonly range: readonly [number, number, number, number]
  readonly isTimeStamp: boolean
}

export function partsOfPdf(pdf: Buffer): PdfParts[] {
  return [...pdf.toString('latin1').matchAll(/\/ByteRange \[(\d+) (\d+) (\d+) (\d+) *\]/g)].map((found) => {
    const [, a = 0, b = 0, c = 0, d = 0] = found.map(Number)
    const whole = Buffer.from(pdf.toString('latin1', b + 1, c - 1), 'hex')
    const cms = whole.length < 4 ? whole : whole.subarray(0, 4 + whole.readUInt16BE(2))
    const dictionary = pdf.toString('latin1', c, c + 200)
    return { signed: Buffer.concat([pdf.subarray(a, a + b), pdf.subarray(c, c + d)]), cms, range: [a, b, c, d], isTimeStamp: dictionary.includes('ETSI.RFC3161') }
  })
}

/** A file with the markers of a WSQ picture (FBI IAFIS-IC-0110) and no picture that anybody could unpack. */
export function wsqFile(width = 512, height = 512, data = 4000): Buffer {
  const segment = (marker: number, body: Buffer) => {
    const head = Buffer.alloc(4)
    head.writeUInt16BE(marker, 0)
    head.writeUInt16BE(body.length + 2, 2)
    return Buffer.concat([head, body])
  }
  const frame = Buffer.alloc(17)
  frame.writeUInt16BE(height, 2)
  frame.writeUInt16BE(width, 4)
  return Buffer.concat([Buffer.from('ffa0', 'hex'), segment(0xffa8, Buffer.from('NIST_COM 3')), segment(0xffa2, frame), Buffer.alloc(data, 0x5a), Buffer.from('ffa1', 'hex')])
}

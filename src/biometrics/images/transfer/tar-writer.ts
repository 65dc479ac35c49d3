const BLOCK = 512

/** Header and padded body of one file in a ustar archive; names are ours: ASCII, at most 100 bytes. */
export function tarEntry(name: string, bytes: Uint8Array, modified: Date): Buffer {
  if (!/^[\w./-]{1,100}$/.test(name)) throw new Error('a name that a ustar header cannot hold')
  const header = Buffer.alloc(BLOCK)
  header.write(name, 0, 'latin1')
  const octal = (value: number, at: number, length: number) => header.write(value.toString(8).padStart(length - 1, '0'), at, 'latin1')
  octal(0o600, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(bytes.length, 124, 12)
  octal(Math.floor(modified.getTime() / 1000), 136, 12)
  header.write('        ', 148, 'latin1')
  header.write('0', 156, 'latin1')
  header.write('ustar\x0000', 257, 'latin1')
  octal(header.reduce((sum, byte) => sum + byte, 0), 148, 7)
  header[154] = 0
  return Buffer.concat([header, bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)])
}

/** The end of an archive. */
export const TAR_END = Buffer.alloc(2 * BLOCK)

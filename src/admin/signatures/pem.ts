import { readFileSync } from 'node:fs'
import { UsageError } from '../command.ts'

export type PemLabel = 'CERTIFICATE' | 'CERTIFICATE REQUEST' | 'X509 CRL'

export function pemOf(label: PemLabel, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

/** The bytes of a file in DER or PEM. @throws {UsageError} when it cannot be read. */
export function readPem(file: string, label: PemLabel): Buffer {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (cause) {
    throw new UsageError(`Não consegui ler ${file}.`, { cause })
  }
  const text = bytes.toString('latin1')
  const [, body] = new RegExp(`-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]+)-----END ${label}-----`).exec(text) ?? []
  if (body !== undefined) return Buffer.from(body, 'base64')
  if (text.startsWith('-----')) throw new UsageError(`${file} não é ${label}.`)
  return bytes
}

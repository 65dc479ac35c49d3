import type { FileHandle } from 'node:fs/promises'
import { Problem } from '../../../platform/problem.ts'
import { IMAGE_PROBLEMS } from '../problems.ts'

const BLOCK = 512
/** Names and comments of a pax header; more is made to fill memory. */
const LARGEST_PAX = 64 * 1024
const MOST_ENTRIES = 5_000_000

/** Where a file lies inside the archive. */
export interface TarEntry {
  readonly offset: number
  readonly size: number
}

/**
 * Where each file of a tar archive lies, read from its headers alone.
 *
 * Strict: ustar and pax names, files and folders only; links, devices, sparse files, the same name twice, a name that leaves the archive's
 * folder, a wrong checksum or a cut end refuse the whole archive. Nothing is ever extracted by name.
 * @throws {Problem} biometrics/archive-invalid
 */
export async function indexTar(file: FileHandle): Promise<Map<string, TarEntry>> {
  const { size: total } = await file.stat()
  const entries = new Map<string, TarEntry>()
  let longName: string | undefined
  let longSize: number | undefined
  for (let at = 0; ; ) {
    const header = await readAt(file, at, BLOCK)
    if (header.length < BLOCK) throw refused('cut off', at)
    if (header.every((byte) => byte === 0)) return entries
    checkSum(header, at)
    const type = String.fromCharCode(header[156] ?? 0)
    const size = longSize !== undefined && type !== 'x' ? longSize : numberAt(header, 124, 12, at)
    const body = at + BLOCK
    if (body + size > total) throw refused('cut off', at)
    if (type === 'x' || type === 'g') {
      if (size > LARGEST_PAX) throw refused('an oversized header', at)
      const records = paxRecords(await readAt(file, body, size), at)
      if (type === 'g' && (records.has('path') || records.has('size'))) throw refused('a global name', at)
      longName = type === 'x' ? records.get('path') : longName
      longSize = type === 'x' && records.has('size') ? wholeNumber(records.get('size') ?? '', at) : longSize
    } else {
      if (type === '0' || type === '\0') addFile(entries, longName ?? nameOf(header, at), { offset: body, size }, at)
      else if (type !== '5') throw refused(`an entry of type ${JSON.stringify(type)}`, at)
      longName = undefined
      longSize = undefined
    }
    at = body + Math.ceil(size / BLOCK) * BLOCK
  }
}

function addFile(entries: Map<string, TarEntry>, raw: string, entry: TarEntry, at: number): void {
  const name = safeName(raw)
  if (name === undefined) throw refused('a name that is not one of a file inside', at)
  if (entries.has(name)) throw refused('the same name twice', at)
  if (entries.size >= MOST_ENTRIES) throw refused('too many entries', at)
  entries.set(name, entry)
}

/** A relative path that stays inside its folder, `./` in front dropped; `undefined` for any other. */
export function safeName(raw: string): string | undefined {
  const name = raw.replace(/^(\.\/)+/, '')
  if (name === '' || name.length > 1024 || name.startsWith('/') || /[\0-\x1f\x7f\\]/.test(name) || /^[A-Za-z]:/.test(name)) return undefined
  return name.split('/').some((part) => part === '' || part === '.' || part === '..') ? undefined : name
}

/** The position says enough: a name could cite a person. */
const refused = (what: string, at: number) => new Problem(IMAGE_PROBLEMS.archiveInvalid, { detail: `tar: ${what} at byte ${at}` })

export async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, offset + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}

function checkSum(header: Buffer, at: number): void {
  const stated = numberAt(header, 148, 8, at)
  const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0)
  if (stated !== sum) throw refused('a wrong checksum', at)
  if (header.toString('latin1', 257, 262) !== 'ustar') throw refused('a header that is not ustar', at)
}

function text(header: Buffer, from: number, length: number): string {
  const field = header.subarray(from, from + length)
  const end = field.indexOf(0)
  return new TextDecoder('utf-8', { fatal: true }).decode(end === -1 ? field : field.subarray(0, end))
}

/** GNU's own archives have other things where ustar has the first part of a long name. */
function nameOf(header: Buffer, at: number): string {
  try {
    const prefix = header.toString('latin1', 262, 264) === '\x0000' || header[262] === 0 ? text(header, 345, 155) : ''
    const name = text(header, 0, 100)
    return prefix === '' ? name : `${prefix}/${name}`
  } catch (cause) {
    throw new Problem(IMAGE_PROBLEMS.archiveInvalid, { detail: `tar: a name that is not UTF-8 at byte ${at}`, cause })
  }
}

function numberAt(header: Buffer, from: number, length: number, at: number): number {
  const digits = header.toString('latin1', from, from + length).replace(/[\0 ]+$/, '').trimStart()
  if (!/^[0-7]{1,11}$/.test(digits)) throw refused('a number that is not octal', at)
  return Number.parseInt(digits, 8)
}

function wholeNumber(digits: string, at: number): number {
  if (!/^\d{1,15}$/.test(digits)) throw refused('a size that is not a number', at)
  return Number(digits)
}

/** `length key=value\n`, the length counting itself. @see POSIX.1-2001 pax Interchange Format */
function paxRecords(body: Buffer, at: number): Map<string, string> {
  const records = new Map<string, string>()
  for (let from = 0; from < body.length; ) {
    const space = body.indexOf(0x20, from)
    const length = space === -1 ? 0 : wholeNumber(body.toString('latin1', from, space), at)
    const record = body.subarray(space + 1, from + length)
    const equals = record.indexOf(0x3d)
    if (length <= 0 || from + length > body.length || equals <= 0 || record.at(-1) !== 0x0a) throw refused('a broken pax header', at)
    records.set(record.toString('utf8', 0, equals), record.toString('utf8', equals + 1, record.length - 1))
    from += length
  }
  if ([...records.keys()].some((key) => key.startsWith('GNU.sparse') || key === 'linkpath')) throw refused('a sparse file or link', at)
  return records
}

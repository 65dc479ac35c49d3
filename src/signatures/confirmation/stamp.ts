import { deflateSync, crc32 } from 'node:zlib'
import QRCode from 'qrcode'
import { maskCpf } from '../../accounts/index.ts'
import { CIVIL_ZONE } from '../../platform/clock.ts'
import type { Represented } from '../activation/activation.ts'
import type { VisibleStamp } from '../pdf/appearance.ts'
import type { StampPlace } from './choice.ts'
import type { EnvelopeDocument, Person } from '../envelope/envelope.ts'

/** Texts of stamps and receipts, in Portuguese: the language of whoever will read the paper. */
export interface PaperTexts {
  text(locale: 'pt-BR', key: string, params?: Readonly<Record<string, string>>): string
}

/** In points: readable on paper, small enough for a margin. */
export const STAMP_SIZE = { width: 210, height: 66 } as const

export interface StampRequest {
  readonly document: Pick<EnvelopeDocument, 'pages'>
  readonly place: StampPlace
  readonly person: Pick<Person, 'name' | 'cpf'>
  /** Name and number of whom they represent, or name of the agency and post in it. */
  readonly represented: Represented['represented'] | undefined
  readonly at: Date
  readonly code: string
  readonly url: string
}

const shownTime = new Intl.DateTimeFormat('pt-BR', { timeZone: CIVIL_ZONE, dateStyle: 'short', timeStyle: 'medium' })

/** What the signature draws: who, when, at which level, and where anybody checks it. */
export function stampOf(texts: PaperTexts, { document, place, person, represented, at, code, url }: StampRequest): VisibleStamp {
  const said = (key: string, params?: Readonly<Record<string, string>>) => texts.text('pt-BR', `assinaturas.stamp.${key}`, params)
  const pages = document.pages ?? 1
  const page = place.page === 'first' ? 1 : place.page === 'last' ? pages : Math.min(place.page, pages)
  const { host, pathname } = new URL(url)
  return {
    page, left: place.left, top: place.top, ...STAMP_SIZE,
    lines: [
      person.name,
      said('cpf', { cpf: maskCpf(person.cpf) }),
      ...(represented ? [said(`for-${represented.kind}`, { represented: `${represented.name} (${represented.identifier})` })] : []),
      said('level'),
      said('at', { at: shownTime.format(at) }),
      said('code', { code }),
      said('where', { where: host + pathname.slice(0, pathname.lastIndexOf('/')) }),
    ],
    image: qrPng(url),
  }
}

const QUIET = 2
const SCALE = 3

/** The code as a picture of one bit a pixel; written here because a library's PNG takes a hundred times as long, a hundred times a batch. */
export function qrPng(text: string): Uint8Array {
  const { modules } = QRCode.create([{ data: Buffer.from(text), mode: 'byte' }], { errorCorrectionLevel: 'M' })
  const side = (modules.size + 2 * QUIET) * SCALE
  const stride = 1 + Math.ceil(side / 8)
  const rows = Buffer.alloc(stride * side, 0xff)
  for (let y = 0; y < side; y += 1) {
    rows[y * stride] = 0
    for (let x = 0; x < side; x += 1) {
      const [column, row] = [Math.floor(x / SCALE) - QUIET, Math.floor(y / SCALE) - QUIET]
      const isDark = column >= 0 && row >= 0 && column < modules.size && row < modules.size && modules.get(row, column)
      const at = y * stride + 1 + (x >> 3)
      if (isDark) rows[at] = (rows[at] ?? 0) & ~(0x80 >> (x & 7))
    }
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(side, 0)
  header.writeUInt32BE(side, 4)
  header[8] = 1
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', header), chunk('IDAT', deflateSync(rows, { level: 1 })), chunk('IEND', Buffer.alloc(0))])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const frame = Buffer.alloc(8)
  frame.writeUInt32BE(data.length, 0)
  frame.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
}

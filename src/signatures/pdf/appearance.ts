/** What a signature draws on a page: lines of text in a frame, with a picture beside them. */
import { type PDFDocument, type PDFFont, PDFName, type PDFPage, PDFRawStream, type PDFRef, StandardFonts } from '@cantoo/pdf-lib'
import { NotSignable } from './document.ts'
import { addImage } from './image.ts'
import type { Drawing } from './place.ts'

export interface VisibleStamp {
  /** Counted from one. */
  readonly page: number
  /** Where on the page as it is shown, as the share of the free room left of it and above it: nine places are 0, 0.5 and 1. */
  readonly left: number
  readonly top: number
  /** In points (1/72 inch). */
  readonly width: number
  readonly height: number
  /** The first one is bold. Characters that Latin-1 has not lose their marks. */
  readonly lines: readonly string[]
  /** PNG, a QR code for one. */
  readonly image?: Uint8Array | undefined
}

const MARGIN = 18
const PADDING = 4
const LINE = 1.22
const LARGEST = 9
const SMALLEST = 3.5

/** @throws {NotSignable} no-such-page */
export async function drawStamp(document: PDFDocument, stamp: VisibleStamp): Promise<Drawing> {
  if (!Number.isInteger(stamp.page) || stamp.page < 1 || stamp.page > document.getPageCount()) throw new NotSignable('no-such-page')
  const page = document.getPage(stamp.page - 1)
  const placed = placeOn(page, stamp)
  const fonts = { plain: await document.embedFont(StandardFonts.Helvetica), bold: await document.embedFont(StandardFonts.HelveticaBold) }
  const image = stamp.image && (await addImage(document, stamp.image))
  const content = contentOf({ ...stamp, width: placed.width, height: placed.height }, fonts, image)
  await document.flush()
  const { context } = document
  const dictionary = context.obj({
    Type: 'XObject', Subtype: 'Form', BBox: [0, 0, placed.width, placed.height], Matrix: [...placed.matrix],
    Resources: { Font: { F0: fonts.bold.ref, F1: fonts.plain.ref }, ...(image && { XObject: { Q0: image } }) },
  })
  const appearance: PDFRef = context.register(PDFRawStream.of(dictionary, Buffer.from(content, 'latin1')))
  dictionary.set(PDFName.of('Length'), context.obj(content.length))
  return { pageIndex: stamp.page - 1, rectangle: placed.rectangle, appearance }
}

interface Placed {
  readonly width: number
  readonly height: number
  readonly rectangle: readonly [number, number, number, number]
  readonly matrix: readonly [number, number, number, number, number, number]
}

const TURNS: Readonly<Record<number, Placed['matrix']>> = { 0: [1, 0, 0, 1, 0, 0], 90: [0, 1, -1, 0, 0, 0], 180: [-1, 0, 0, -1, 0, 0], 270: [0, -1, 1, 0, 0, 0] }

/** Upright and whole on the page as it is shown, whichever way its own axes go. */
function placeOn(page: PDFPage, stamp: VisibleStamp): Placed {
  const turn = ((page.getRotation().angle % 360) + 360) % 360
  const box = page.getCropBox()
  const [shownWidth, shownHeight] = turn % 180 === 0 ? [box.width, box.height] : [box.height, box.width]
  const [width, height] = [Math.min(stamp.width, shownWidth - 2 * MARGIN), Math.min(stamp.height, shownHeight - 2 * MARGIN)]
  if (!(width > 0 && height > 0)) throw new NotSignable('no-such-page')
  const share = (value: number) => Math.min(1, Math.max(0, value))
  const x = MARGIN + share(stamp.left) * (shownWidth - 2 * MARGIN - width)
  const y = MARGIN + (1 - share(stamp.top)) * (shownHeight - 2 * MARGIN - height)
  const [left, bottom, across, up] = {
    0: [x, y, width, height], 90: [box.width - y - height, x, height, width], 180: [box.width - x - width, box.height - y - height, width, height], 270: [y, box.height - x - width, height, width],
  }[turn] ?? [x, y, width, height]
  const round = (value: number) => Math.round(value * 100) / 100
  const rectangle = [round(box.x + (left ?? 0)), round(box.y + (bottom ?? 0)), round(box.x + (left ?? 0) + (across ?? 0)), round(box.y + (bottom ?? 0) + (up ?? 0))] as const
  return { width, height, rectangle, matrix: TURNS[turn] ?? [1, 0, 0, 1, 0, 0] }
}

interface Fonts {
  readonly plain: PDFFont
  readonly bold: PDFFont
}

function contentOf({ width, height, lines }: Pick<VisibleStamp, 'width' | 'height' | 'lines'>, fonts: Fonts, image: PDFRef | undefined): string {
  const side = image ? Math.min(height - 2 * PADDING, width / 2) : 0
  const from = image ? side + 2 * PADDING : PADDING
  const texts = lines.map((line, i) => ({ line: printable(line), font: i === 0 ? fonts.bold : fonts.plain, name: i === 0 ? 'F0' : 'F1' }))
  const room = width - from - PADDING
  const widest = Math.max(1, ...texts.map(({ line, font }) => font.widthOfTextAtSize(line, 1)))
  const size = Math.max(SMALLEST, Math.min(LARGEST, room / widest, (height - 2 * PADDING) / (LINE * Math.max(1, texts.length))))
  const top = height - PADDING - size
  const shown = texts.map(({ line, font, name }, i) => {
    const fitting = fit(line, font, size, room)
    return `BT /${name} ${n(size)} Tf ${n(from)} ${n(top - i * size * LINE)} Td ${font.encodeText(fitting).toString()} Tj ET`
  })
  return [
    'q 1 1 1 rg 0.4 0.4 0.4 RG 0.5 w',
    `0.25 0.25 ${n(width - 0.5)} ${n(height - 0.5)} re B`,
    ...(image ? [`q ${n(side)} 0 0 ${n(side)} ${PADDING} ${n((height - side) / 2)} cm /Q0 Do Q`] : []),
    '0 0 0 rg',
    ...shown,
    'Q',
  ].join('\n')
}

const n = (value: number) => String(Math.round(value * 100) / 100)

/** Cut where the frame ends: a name of two hundred letters is read in the reader's panel. */
function fit(line: string, font: PDFFont, size: number, room: number): string {
  let text = line
  while (text.length > 1 && font.widthOfTextAtSize(text, size) > room + 0.01) text = `${text.slice(0, -2)}…`
  return text
}

/** What the standard fonts have (WinAnsi). */
function printable(line: string): string {
  return [...line.normalize('NFC')].map((each) => (/[\x20-\x7e\xa0-\xff–—…“”‘’•€]/.test(each) ? each : (each.normalize('NFD').match(/[\x20-\x7e]/)?.[0] ?? '?'))).join('')
}

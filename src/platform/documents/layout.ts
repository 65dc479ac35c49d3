import PDFDocument from 'pdfkit'
import QRCode from 'qrcode'
import type { DocumentBlock, ReadableDocument } from './document.ts'

/** Lengths in points (1/72 inch); A4 is 595 × 842. */
const PAGE = { size: 'A4', margins: { top: 84, bottom: 72, left: 56, right: 56 } } as const
const WIDTH = 595.28 - PAGE.margins.left - PAGE.margins.right
const FONT = { plain: 'Helvetica', bold: 'Helvetica-Bold', code: 'Courier-Bold' } as const
/** The federal system's primary blue and grey 80: 10:1 and 9:1 on white. */
const COLOUR = { text: '#1b1b1b', quiet: '#555555', accent: '#0c326f', line: '#bbbbbb' } as const
const GAP = 10
const QR_SIDE = 88
const PAGE_OF = { 'pt-BR': 'Página {page} de {pages}', en: 'Page {page} of {pages}', es: 'Página {page} de {pages}' } as const

type Pdf = PDFKit.PDFDocument

/** The whole file. */
export async function layOut(document: ReadableDocument): Promise<Uint8Array> {
  const pdf = new PDFDocument({
    ...PAGE,
    bufferPages: true,
    tagged: true,
    lang: document.language,
    displayTitle: true,
    pdfVersion: '1.7',
    info: { Title: printable(document.title), Author: printable(document.issuer), CreationDate: document.at, ModDate: document.at },
  })
  const chunks: Uint8Array[] = []
  pdf.on('data', (chunk: Uint8Array) => chunks.push(chunk))
  const ended = new Promise((resolve) => pdf.once('end', resolve))
  const root = pdf.struct('Document')
  pdf.addStructure(root)
  addPart(pdf, root, 'H1', () => pdf.font(FONT.bold, 18).fillColor(COLOUR.accent).text(printable(document.title), { width: WIDTH }).moveDown(0.6))
  for (const block of document.blocks) drawBlock(pdf, root, block)
  root.end()
  frame(pdf, document)
  pdf.end()
  await ended
  return Buffer.concat(chunks)
}

/** A part of the tree that screen readers follow. */
type Part = PDFKit.PDFStructureElement

/** Draws at once, as a leaf of the tree. */
function addPart(pdf: Pdf, parent: Part, tag: string, draw: () => void): void {
  parent.add(pdf.struct(tag, {}, draw))
}

/** A part with parts of its own, drawn as they are added. */
function addParent(pdf: Pdf, parent: Part, tag: string, fill: (part: Part) => void): void {
  const part = pdf.struct(tag)
  parent.add(part)
  fill(part)
  part.end()
}

type Drawers = { readonly [Kind in DocumentBlock['kind']]: (pdf: Pdf, root: Part, block: Extract<DocumentBlock, { kind: Kind }>) => void }

const DRAWERS: Drawers = {
  heading: (pdf, root, { text }) =>
    addPart(pdf, root, 'H2', () => {
      keep(pdf, 48)
      pdf.moveDown(0.4).font(FONT.bold, 13).fillColor(COLOUR.accent).text(printable(text), { width: WIDTH }).moveDown(0.3)
    }),
  text: (pdf, root, { text, small }) => addPart(pdf, root, 'P', () => write(pdf, text, small === true ? 9 : 11)),
  list(pdf, root, { items }) {
    addParent(pdf, root, 'L', (list) => {
      for (const item of items) addPart(pdf, list, 'LI', () => write(pdf, `•  ${item}`, 11, { indent: 8, gap: 3 }))
    })
    pdf.y += GAP / 2
  },
  facts: drawFacts,
  table: drawTable,
  codes: (pdf, root, { codes }) => addPart(pdf, root, 'P', () => drawCodes(pdf, codes)),
  verification: (pdf, root, block) => addPart(pdf, root, 'P', () => drawVerification(pdf, block)),
  'signature-lines': (pdf, root, { captions }) => addPart(pdf, root, 'P', () => drawSignatureLines(pdf, captions)),
}

function drawBlock<Kind extends DocumentBlock['kind']>(pdf: Pdf, root: Part, block: Extract<DocumentBlock, { kind: Kind }>): void {
  pdf.x = PAGE.margins.left
  const draw: Drawers[Kind] = DRAWERS[block.kind]
  draw(pdf, root, block)
}

function write(pdf: Pdf, text: string, size: number, { indent = 0, gap = GAP } = {}): void {
  pdf.font(FONT.plain, size).fillColor(COLOUR.text)
  pdf.text(printable(text), PAGE.margins.left + indent, pdf.y, { width: WIDTH - indent, lineGap: 2 })
  pdf.y += gap
}

interface Cell {
  readonly tag: 'TH' | 'TD'
  readonly text: string
  readonly x: number
  readonly width: number
  readonly font: string
  readonly size: number
  readonly align?: 'left' | 'right'
}

/** A line of a table, kept on one page; `top` runs when it has to begin a new one. */
function drawRow(pdf: Pdf, table: Part, cells: readonly Cell[], { padding = 3, top = () => {} } = {}): void {
  const height = Math.max(...cells.map((cell) => heightOf(pdf, cell))) + 2 * padding
  if (pdf.y + height > bottomOf(pdf)) {
    pdf.addPage()
    top()
  }
  const { y } = pdf
  addParent(pdf, table, 'TR', (row) => {
    for (const cell of cells) addPart(pdf, row, cell.tag, () => drawCell(pdf, cell, y + padding))
  })
  pdf.y = y + height
}

function drawCell(pdf: Pdf, { text, x, width, font, size, align = 'left' }: Cell, y: number): void {
  pdf.font(font, size).fillColor(COLOUR.text).text(printable(text), x, y, { width, align })
}

function drawFacts(pdf: Pdf, root: Part, { facts }: Extract<DocumentBlock, { kind: 'facts' }>): void {
  const [x, nameWidth] = [PAGE.margins.left, WIDTH * 0.34]
  addParent(pdf, root, 'Table', (table) => {
    for (const { name, value } of facts) {
      drawRow(pdf, table, [
        { tag: 'TH', text: name, x, width: nameWidth, font: FONT.bold, size: 10 },
        { tag: 'TD', text: value, x: x + nameWidth + GAP, width: WIDTH - nameWidth - GAP, font: FONT.plain, size: 10.5 },
      ])
    }
  })
  pdf.y += GAP / 2
}

type Table = Extract<DocumentBlock, { kind: 'table' }>
const CELL = { size: 9, gap: 8, padding: 4 } as const

/** The names of the columns stand again on each page, there not as a part of the tree. */
function drawTable(pdf: Pdf, root: Part, { columns, rows, numbers = [] }: Table): void {
  const widths = columnWidths(pdf, columns, rows)
  const lefts = widths.map((_, i) => PAGE.margins.left + widths.slice(0, i).reduce((sum, width) => sum + width, 0))
  const cellsOf = (texts: readonly string[], tag: Cell['tag']): Cell[] =>
    widths.map((width, i) => ({
      tag, text: texts[i] ?? '', x: lefts[i] ?? 0, width: width - CELL.gap, size: CELL.size,
      font: tag === 'TH' ? FONT.bold : FONT.plain, align: numbers.includes(i) ? 'right' : 'left',
    }))
  const head = cellsOf(columns, 'TH')
  const line = () => pdf.save().moveTo(PAGE.margins.left, pdf.y).lineTo(PAGE.margins.left + WIDTH, pdf.y).lineWidth(0.5).stroke(COLOUR.line).restore()
  const top = () => {
    const { y } = pdf
    artifact(pdf, 'Layout', () => {
      for (const cell of head) drawCell(pdf, cell, y + CELL.padding)
    })
    pdf.y = y + Math.max(...head.map((cell) => heightOf(pdf, cell))) + 2 * CELL.padding
    artifact(pdf, 'Layout', line)
  }
  addParent(pdf, root, 'Table', (table) => {
    for (const cells of [head, ...rows.map((row) => cellsOf(row, 'TD'))]) {
      drawRow(pdf, table, cells, { padding: CELL.padding, top })
      artifact(pdf, 'Layout', line)
    }
  })
  pdf.y += GAP
}

/** Shares of the line by what the columns hold, none below half of an even share. */
function columnWidths(pdf: Pdf, columns: readonly string[], rows: Table['rows']): number[] {
  pdf.font(FONT.bold, CELL.size)
  const needs = columns.map((name, i) => {
    const longest = Math.max(...[name, ...rows.slice(0, 200).map((row) => row[i] ?? '')].map((text) => pdf.widthOfString(printable(text))))
    return Math.max(longest + CELL.gap, WIDTH / columns.length / 2)
  })
  const whole = needs.reduce((sum, need) => sum + need, 0)
  return needs.map((need) => (need * WIDTH) / whole)
}

/** What is drawn but not read out. */
function artifact(pdf: Pdf, type: 'Layout' | 'Pagination', draw: () => void): void {
  pdf.markContent('Artifact', { type })
  draw()
  pdf.endMarkedContent()
}

function drawCodes(pdf: Pdf, codes: readonly string[]): void {
  const half = Math.ceil(codes.length / 2)
  for (let row = 0; row < half; row += 1) {
    keep(pdf, 24)
    const { y } = pdf
    for (const [column, code] of [codes[row], codes[row + half]].entries()) {
      if (code === undefined) continue
      pdf.font(FONT.code, 14).fillColor(COLOUR.text).text(printable(code), PAGE.margins.left + (column * WIDTH) / 2, y, { width: WIDTH / 2 })
    }
    pdf.y = y + 24
  }
  pdf.y += GAP
}

function drawVerification(pdf: Pdf, { label, code, url }: Extract<DocumentBlock, { kind: 'verification' }>): void {
  keep(pdf, QR_SIDE + 2 * GAP)
  const y = pdf.y + GAP
  drawQr(pdf, url, PAGE.margins.left, y)
  const beside = { x: PAGE.margins.left + QR_SIDE + 16, width: WIDTH - QR_SIDE - 16 }
  pdf.font(FONT.plain, 10).fillColor(COLOUR.text).text(printable(label), beside.x, y + 4, { width: beside.width })
  pdf.font(FONT.code, 13).text(printable(code), beside.x, pdf.y + 6, { width: beside.width })
  pdf.font(FONT.plain, 9).fillColor(COLOUR.accent).text(url, beside.x, pdf.y + 6, { width: beside.width, link: url, underline: true })
  pdf.y = Math.max(pdf.y, y + QR_SIDE) + GAP
}

/** As squares, not as a picture: sharp on every printer. */
function drawQr(pdf: Pdf, url: string, x: number, y: number): void {
  const { modules } = QRCode.create(url, { errorCorrectionLevel: 'M' })
  const side = QR_SIDE / modules.size
  for (let at = 0; at < modules.data.length; at += 1) {
    if (modules.data[at]) pdf.rect(x + (at % modules.size) * side, y + Math.floor(at / modules.size) * side, side, side)
  }
  pdf.fill(COLOUR.text)
}

function drawSignatureLines(pdf: Pdf, captions: readonly string[]): void {
  for (const caption of captions) {
    keep(pdf, 64)
    const y = pdf.y + 40
    pdf.save().moveTo(PAGE.margins.left, y).lineTo(PAGE.margins.left + WIDTH * 0.6, y).lineWidth(0.7).stroke(COLOUR.quiet).restore()
    pdf.font(FONT.plain, 10).fillColor(COLOUR.quiet).text(printable(caption), PAGE.margins.left, y + 4, { width: WIDTH * 0.6 })
    pdf.y += GAP
  }
}

/** Issuer above and foot with the page's number below, on every page; not read out with the text. */
function frame(pdf: Pdf, { issuer, foot, language }: ReadableDocument): void {
  const { start, count } = pdf.bufferedPageRange()
  for (let i = 0; i < count; i += 1) {
    pdf.switchToPage(start + i)
    const { top, bottom, left } = PAGE.margins
    pdf.page.margins = { ...PAGE.margins, top: 0, bottom: 0 }
    artifact(pdf, 'Pagination', () => {
      pdf.font(FONT.bold, 10).fillColor(COLOUR.accent).text(printable(issuer), left, top / 2, { width: WIDTH, lineBreak: false })
      pdf.font(FONT.plain, 8).fillColor(COLOUR.quiet)
      const number = PAGE_OF[language].replace('{page}', `${i + 1}`).replace('{pages}', `${count}`)
      pdf.text(printable(foot ?? ''), left, pdf.page.height - bottom + 20, { width: WIDTH * 0.75 })
      pdf.text(number, left + WIDTH * 0.75, pdf.page.height - bottom + 20, { width: WIDTH * 0.25, align: 'right' })
    })
    pdf.page.margins = { ...PAGE.margins }
  }
}

function heightOf(pdf: Pdf, { text, font, size, width }: Cell): number {
  return pdf.font(font, size).heightOfString(printable(text) || ' ', { width })
}

function bottomOf(pdf: Pdf): number {
  return pdf.page.height - PAGE.margins.bottom
}

/** Goes to the next page when less than `height` is left on this one. */
function keep(pdf: Pdf, height: number): void {
  if (pdf.y + height > bottomOf(pdf)) pdf.continueOnNewPage()
}

/** Beyond Latin-1 the built-in fonts have only these. */
const TYPOGRAPHIC = new Set('€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ')

/** What the built-in fonts can show: a letter that they lack stands without its mark, any other sign as `?`. */
function printable(text: string): string {
  return [...text.normalize('NFC').replaceAll('\r', '')]
    .map((sign) => {
      if (sign === '\n' || isShown(sign)) return sign
      const [letter = '?'] = sign.normalize('NFD')
      return isShown(letter) ? letter : '?'
    })
    .join('')
}

function isShown(sign: string): boolean {
  const point = sign.codePointAt(0) ?? 0
  return (point >= 0x20 && point < 0x7f) || (point >= 0xa0 && point <= 0xff) || TYPOGRAPHIC.has(sign)
}

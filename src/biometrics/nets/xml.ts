/** An element of a plain XML file: it holds other elements or a short text, never both. */
export interface XmlElement {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly XmlElement[]
  readonly text: string
}

/** The bytes are not the plain XML that the reader knows. */
export class XmlFormatError extends Error {
  constructor(detail: string, offset: number) {
    super(`XML at byte ${offset}: ${detail}`)
    this.name = 'XmlFormatError'
  }
}

const MAXIMUM_CHARACTERS = 4_000_000
const MAXIMUM_ELEMENTS = 100_000
const MAXIMUM_DEPTH = 32

const DECLARATION = /<\?xml version="1\.0"(?: encoding="(?:utf-8|UTF-8)")?\s*\?>\s*/y
const TAG = /<(\/?)([A-Za-z_][A-Za-z0-9_.-]{0,63})((?:\s+[A-Za-z_][A-Za-z0-9_.-]{0,63}="[^"<&]{0,4096}")*)\s*(\/?)>([^<&]{0,1024})/y
const ATTRIBUTE = /([A-Za-z_][A-Za-z0-9_.-]*)="([^"]*)"/g

interface OpenElement {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: XmlElement[]
  readonly text: string
}

/**
 * The root element of an XML file made of tags, attributes and the short texts of leaves.
 *
 * Entities, comments, processing instructions and document types are refused rather than skipped: none of the files
 * that we read has them, and each is a way to say one thing to one reader and another to the next.
 * @throws {XmlFormatError}
 */
export function readXml(text: string): XmlElement {
  if (text.length > MAXIMUM_CHARACTERS) throw new XmlFormatError(`longer than ${MAXIMUM_CHARACTERS} characters`, MAXIMUM_CHARACTERS)
  DECLARATION.lastIndex = 0
  let offset = DECLARATION.test(text) ? DECLARATION.lastIndex : 0
  const document: OpenElement = { name: '', attributes: {}, children: [], text: '' }
  const open: OpenElement[] = [document]
  for (let count = 0; offset < text.length; count++) {
    if (count > 2 * MAXIMUM_ELEMENTS) throw new XmlFormatError(`more than ${MAXIMUM_ELEMENTS} elements`, offset)
    TAG.lastIndex = offset
    const tag = TAG.exec(text)
    if (!tag) throw new XmlFormatError('neither a tag nor the end', offset)
    takeTag(open, tag, offset)
    offset = TAG.lastIndex
  }
  const [root, second] = document.children
  if (!root || second || open.length !== 1) throw new XmlFormatError('not one whole element', offset)
  return root
}

function takeTag(open: OpenElement[], tag: RegExpExecArray, offset: number): void {
  const [, closing, name = '', attributes = '', empty, after = ''] = tag
  const text = after.trim()
  if (closing) {
    const last = open.pop()
    if (last?.name !== name || open.length === 0 || attributes || empty) throw new XmlFormatError(`</${name}> closes nothing`, offset)
    if (last.text && last.children.length > 0) throw new XmlFormatError(`<${name}> holds text and elements`, offset)
  }
  if (text && (closing || empty)) throw new XmlFormatError(`text after <${name}>`, offset)
  if (closing) return
  const element: OpenElement = { name, attributes: attributesOf(attributes, offset), children: [], text }
  open.at(-1)?.children.push(element)
  if (empty) return
  if (open.push(element) > MAXIMUM_DEPTH) throw new XmlFormatError(`more than ${MAXIMUM_DEPTH} levels`, offset)
}

function attributesOf(text: string, offset: number): Record<string, string> {
  const found = new Map<string, string>()
  for (const [, name = '', value = ''] of text.matchAll(ATTRIBUTE)) {
    if (found.has(name)) throw new XmlFormatError(`${name} is given twice`, offset)
    found.set(name, value)
  }
  return Object.fromEntries(found)
}

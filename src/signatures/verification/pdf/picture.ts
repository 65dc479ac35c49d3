import { createHash } from 'node:crypto'
import { isKind, type PdfFile } from './pdf-file.ts'
import { type PdfDict, type PdfValue, Unreadable } from './pdf-tokens.ts'

const MOST_VISITS = 400_000
/** What an update may add to the catalogue without changing what anybody sees: evidence about signatures. */
const EVIDENCE = new Set(['DSS', 'Extensions'])

/**
 * A digest of everything that a reader can show or do with this state of the file, beside its signatures.
 *
 * Objects are followed from the catalogue, by what they say and not by their numbers: a file that was rewritten shows the same, and an
 * update that hides, replaces or adds anything does not, wherever it put it (shadow attacks). Left out are signature fields, the
 * evidence about signatures, and the fields of `stamps`, which draw who signed later.
 */
export function pictureOf(file: PdfFile, stamps: ReadonlySet<number> = NONE): string {
  const state: State = { file, stamps, visits: 0, path: new Map(), hash: createHash('sha256') }
  const catalog = file.dict(file.trailer.entries.get('Root'))
  if (!catalog) throw new Unreadable('damaged')
  for (const [key, value] of sorted(catalog)) {
    if (EVIDENCE.has(key)) continue
    if (key === 'AcroForm') addForm(state, value)
    else add(state, key, value)
  }
  return state.hash.digest('hex')
}

const NONE: ReadonlySet<number> = new Set()

interface State {
  readonly file: PdfFile
  readonly stamps: ReadonlySet<number>
  visits: number
  /** Objects that were seen, by the order of their first visit: a second visit says which. */
  readonly path: Map<number, number>
  readonly hash: ReturnType<typeof createHash>
}

const sorted = ({ entries }: PdfDict) => [...entries].sort(([a], [b]) => (a < b ? -1 : 1))

/** Fields that are no signatures, and what the form says beside them. */
function addForm(state: State, value: PdfValue): void {
  const { file, hash } = state
  const form = file.dict(value)
  if (!form) return
  const others = sorted(form).filter(([key]) => key !== 'Fields' && key !== 'SigFlags')
  const fields = (file.array(form.entries.get('Fields'))?.items ?? []).filter((field) => !isSignature(file, field))
  // A form that holds nothing but signatures is as good as none.
  if (others.length === 0 && fields.length === 0) return
  hash.update('form')
  for (const [key, member] of others) add(state, key, member)
  for (const field of fields) add(state, 'field', field)
}

function isSignature(file: PdfFile, value: PdfValue): boolean {
  const dict = file.dict(value)
  return dict !== undefined && file.name(dict.entries.get('FT')) === 'Sig' && !dict.entries.has('Kids')
}

/** A signature's field that draws something stands in the picture as what it draws. */
function isUnseen({ file, stamps }: State, value: PdfValue): boolean {
  if (isKind(value, 'ref') && stamps.has(value.number)) return true
  if (!isSignature(file, value)) return false
  const rectangle = file.array(file.dict(value)?.entries.get('Rect'))?.items.map((item) => file.resolve(item))
  return rectangle?.length === 4 && rectangle.every((item) => item === 0)
}

function add(state: State, key: string, given: PdfValue): void {
  const { file, hash, path } = state
  // A list of notes is the same whether it stands in its page or beside it: programs that sign move it.
  const value = key === 'Annots' ? (file.array(given) ?? null) : given
  state.visits += 1
  if (state.visits > MOST_VISITS) throw new Unreadable('too-much')
  hash.update(`/${key.length}:${key}`)
  if (value === null || typeof value !== 'object') return void hash.update(`=${String(value)};`)
  switch (value.kind) {
    case 'name':
      return void hash.update(`n${value.text.length}:${value.text}`)
    case 'text':
      return void hash.update(`t${value.bytes.length}:`).update(value.bytes)
    case 'array': {
      const items = key === 'Annots' ? value.items.filter((item) => !isUnseen(state, item)) : value.items
      if (key === 'Annots' && items.length === 0) return
      hash.update(`[${items.length}`)
      for (const item of items) add(state, '', item)
      return
    }
    case 'dict':
      addDict(state, value)
      return
    case 'ref': {
      const known = path.get(value.number)
      if (known !== undefined) return void hash.update(`r${known};`)
      path.set(value.number, path.size)
      const found = file.object(value.number)
      if (!found) return void hash.update('=null;')
      add(state, key, found.value)
      if (found.stream) hash.update(`s${found.stream.length}:`).update(found.stream)
    }
  }
}

function addDict(state: State, dict: PdfDict): void {
  const { hash, file } = state
  const members = sorted(dict).filter(([key, value]) => key !== 'Annots' || (file.array(value)?.items ?? []).some((item) => !isUnseen(state, item)))
  hash.update(`<${members.length}`)
  for (const [key, value] of members) add(state, key, value)
}

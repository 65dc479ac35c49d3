/**
 * Reads the part of YAML that docker-compose.yml is written in; anything else is a fault with its line.
 *
 * Maps and lists by two-space indentation, one-line lists of quoted strings, plain or quoted scalars, comments on their own line.
 */
export type Node = string | null | Node[] | { [key: string]: Node }

interface Line {
  readonly number: number
  readonly indent: number
  readonly text: string
}

function linesOf(source: string): Line[] {
  return source.split('\n').flatMap((raw, index) => {
    const text = raw.trim()
    const indent = raw.length - raw.trimStart().length
    if (raw.includes('\t')) throw new Error(`line ${index + 1}: a tab`)
    if (raw !== raw.trimEnd()) throw new Error(`line ${index + 1}: space at the end`)
    if (indent % 2 === 1) throw new Error(`line ${index + 1}: indented by ${indent}`)
    return text === '' || text.startsWith('#') ? [] : [{ number: index + 1, indent, text }]
  })
}

function scalar(text: string, number: number): Node {
  if (text === '') return null
  if (/^["[]/.test(text)) {
    try {
      return JSON.parse(text) as Node
    } catch {
      throw new Error(`line ${number}: not a quoted string or a list of them: ${text}`)
    }
  }
  if (/^[{&*!|>%@`'\]}]/.test(text) || /: | #/.test(text.replaceAll(/\$\{[^}]*\}/g, ''))) throw new Error(`line ${number}: quote this: ${text}`)
  return text
}

function block(lines: Line[], indent: number): Node {
  const first = lines[0]
  if (!first || first.indent < indent) return null
  if (first.indent > indent) throw new Error(`line ${first.number}: indented by ${first.indent}, ${indent} expected`)
  return first.text.startsWith('- ') ? listAt(lines, indent) : mapAt(lines, indent)
}

function listAt(lines: Line[], indent: number): Node[] {
  const items: Node[] = []
  for (let line = lines[0]; line?.indent === indent && line.text.startsWith('- '); line = lines[0]) {
    lines.shift()
    items.push(scalar(line.text.slice(2), line.number))
  }
  return items
}

function mapAt(lines: Line[], indent: number): { [key: string]: Node } {
  const map: { [key: string]: Node } = {}
  for (let line = lines[0]; line && line.indent >= indent; line = lines[0]) {
    const [, key, value = ''] = /^([\w.-]+):(?: (.+))?$/.exec(line.text) ?? []
    if (line.indent > indent || key === undefined) throw new Error(`line ${line.number}: a key is expected here: ${line.text}`)
    if (key in map) throw new Error(`line ${line.number}: ${key} is given twice`)
    lines.shift()
    map[key] = value === '' ? block(lines, indent + 2) : scalar(value, line.number)
  }
  return map
}

/** The file as a tree. */
export function readComposeFile(source: string): { [key: string]: Node } {
  const lines = linesOf(source)
  const tree = mapAt(lines, 0)
  if (lines[0]) throw new Error(`line ${lines[0].number}: not understood: ${lines[0].text}`)
  return tree
}

/** The branch under a path of keys. */
export function branch(tree: Node, ...keys: string[]): { [key: string]: Node } {
  let at: Node = tree
  for (const key of keys) at = at && typeof at === 'object' && !Array.isArray(at) ? (at[key] ?? null) : null
  if (!at || typeof at !== 'object' || Array.isArray(at)) throw new Error(`${keys.join('.')} is not a map`)
  return at
}

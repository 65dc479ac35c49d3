/** Finds the command in what was typed, runs it and prints; all that the commands share. */
import { parseArgs } from 'node:util'
import { Problem } from '../platform/problem.ts'
import { type Command, type Flag, type Outcome, type Typed, UsageError } from './command.ts'

/** Exit codes: done, refused or found wrong, not understood. */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const

export interface Terminal {
  readonly out: (text: string) => void
  readonly error: (text: string) => void
}

/** What to do about a refusal that says too little by itself. */
const ADVICE: Readonly<Record<string, string>> = {
  'platform/database-in-use': 'O servidor está com o banco embutido aberto, que é de um processo só: pare-o e repita.',
  'platform/database-down': 'O banco não responde: confira DATABASE_URL e se o PostgreSQL está no ar.',
  'platform/master-key-wrong': 'A chave-mestra (MASTER_KEY, ou DATA_DIR/master.key) não é a deste banco.',
}

const COMMON: Readonly<Record<string, Flag>> = {
  json: { type: 'boolean', about: 'responde em JSON, uma linha' },
  help: { type: 'boolean', about: 'mostra esta ajuda' },
}

/** Runs one command line; returns the exit code and throws nothing that a user can cause. */
export async function runCommandLine(commands: readonly Command[], words: readonly string[], terminal: Terminal): Promise<number> {
  const command = commands.find(({ words: name }) => name === words.slice(0, name.split(' ').length).join(' '))
  if (!command) return explainAll(commands, words, terminal)
  const rest = words.slice(command.words.split(' ').length)
  const wantsJson = rest.includes('--json')
  if (rest.includes('--help') || rest.includes('-h')) return say(terminal, helpOf(command))
  try {
    const outcome = await command.run(parse(command, rest))
    terminal.out(wantsJson ? `${JSON.stringify(outcome.json)}\n` : endLine(outcome.text))
    return outcome.exitCode ?? EXIT.done
  } catch (error) {
    return explainError(error, command, { ...terminal, wantsJson })
  }
}

function say(terminal: Terminal, text: string): number {
  terminal.out(text)
  return EXIT.done
}

const endLine = (text: string) => (text.endsWith('\n') ? text : `${text}\n`)

function explainAll(commands: readonly Command[], words: readonly string[], terminal: Terminal): number {
  const [first] = words
  const group = first === undefined || first.startsWith('-') || first === 'ajuda' ? [] : commands.filter(({ words: name }) => name.startsWith(`${first} `))
  const help = overview(group.length > 0 ? group : commands)
  if (first === undefined || first === 'ajuda' || first === '--help' || first === '-h') return say(terminal, help)
  terminal.error(`Comando desconhecido: ${words.filter((word) => !word.startsWith('-')).slice(0, 2).join(' ')}\n\n${help}`)
  return EXIT.usage
}

function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ words }) => words.length))
  const lines = commands.map(({ words, summary }) => `  ${words.padEnd(width)}  ${summary}`)
  return `Linha de comando do operador do MT Login.\n\nUso: npm run mt -- COMANDO [opções]\n\n${lines.join('\n')}\n\nCada comando explica as suas opções com --help. --json responde em JSON.\nCódigos de saída: 0 feito, 1 recusado ou encontrado errado, 2 não entendido.\n`
}

/** How one command is typed, with all its flags. */
export function helpOf(command: Command): string {
  const flags = Object.entries({ ...command.flags, ...COMMON })
  const shown = flags.map(([name, flag]) => [`--${name}${flag.type === 'string' ? ` ${flag.value ?? 'TEXTO'}` : ''}`, flag] as const)
  const width = Math.max(...shown.map(([name]) => name.length))
  const lines = shown.map(([name, { about, required, multiple }]) => {
    const marks = [required && 'obrigatória', multiple && 'pode repetir'].filter(Boolean).join('; ')
    return `  ${name.padEnd(width)}  ${about}${marks ? ` (${marks})` : ''}`
  })
  const positionals = (command.positionals ?? []).map((name) => ` ${name}`).join('')
  const notes = command.notes ? `${command.notes}\n\n` : ''
  return `${command.summary}\n\nUso: npm run mt -- ${command.words}${positionals} [opções]\n\n${notes}${lines.join('\n')}\n`
}

function parse(command: Command, words: readonly string[]): Typed {
  const flags = { ...command.flags, ...COMMON }
  const options = Object.fromEntries(Object.entries(flags).map(([name, { type, multiple }]) => [name, { type, multiple: multiple ?? false }]))
  let parsed: ReturnType<typeof parseArgs>
  try {
    parsed = parseArgs({ args: [...words], options, allowPositionals: true, strict: true })
  } catch (cause) {
    throw new UsageError(`Não entendi: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
  const { values, positionals } = parsed
  for (const [name, { required }] of Object.entries(flags)) {
    if (required && values[name] === undefined) throw new UsageError(`Falta a opção --${name}.`)
  }
  const expected = command.positionals ?? []
  if (positionals.length < expected.length) throw new UsageError(`Falta ${expected.slice(positionals.length).join(' ')}.`)
  if (positionals.length > expected.length) throw new UsageError(`Sobrou: ${positionals.slice(expected.length).join(' ')}.`)
  const texts = (flag: string) => [values[flag] ?? []].flat().filter((value) => typeof value === 'string')
  return { texts, text: (flag) => texts(flag)[0], is: (flag) => values[flag] === true, positionals }
}

function explainError(error: unknown, command: Command, { error: write, out, wantsJson }: Terminal & { wantsJson: boolean }): number {
  if (error instanceof UsageError) {
    write(`${error.message}\n\n${helpOf(command)}`)
    return EXIT.usage
  }
  const problem = error instanceof Problem ? error : undefined
  const detail = problem?.detail ?? (problem ? '' : error instanceof Error ? error.message : String(error))
  const code = problem?.kind.code ?? 'admin/unexpected'
  if (wantsJson) out(`${JSON.stringify({ error: code, title: problem?.kind.title, detail })}\n`)
  const advice = ADVICE[code]
  write(`${[problem?.kind.title, detail].filter(Boolean).join(': ')} [${code}]\n${advice ? `${advice}\n` : ''}`)
  return EXIT.failed
}

/** Rows of text in columns, with a head. */
export function columns(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()
  return [head, ...rows].map(line).join('\n')
}

/** An outcome whose text is a table, or says that there is nothing. */
export function tableOutcome(head: readonly string[], rows: readonly (readonly string[])[], json: unknown, empty: string): Outcome {
  return { text: rows.length === 0 ? empty : columns(head, rows), json }
}

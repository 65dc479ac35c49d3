/** What a command of the operator's command line is. Texts are Portuguese: operators read them. */

export interface Flag {
  readonly type: 'string' | 'boolean'
  readonly about: string
  /** Name of the value in the help text, for example URI. */
  readonly value?: string
  readonly multiple?: boolean
  readonly required?: boolean
}

/** What was typed after the command's words, parsed by its flags. */
export interface Typed {
  readonly texts: (flag: string) => readonly string[]
  readonly text: (flag: string) => string | undefined
  readonly is: (flag: string) => boolean
  readonly positionals: readonly string[]
}

/** What a command answers: for people, and the same for programs (`--json`). */
export interface Outcome {
  readonly text: string
  readonly json: unknown
  /** 0 unless the command found what it was asked to look for to be wrong. */
  readonly exitCode?: 1
}

export interface Command {
  /** For example `cliente criar`. */
  readonly words: string
  readonly summary: string
  /** More than the summary, shown by `--help`. */
  readonly notes?: string
  /** Names of the positional arguments, all required. */
  readonly positionals?: readonly string[]
  readonly flags?: Readonly<Record<string, Flag>>
  readonly run: (typed: Typed) => Promise<Outcome>
}

/** The user typed something that no command understands; the message says what and how it goes. */
export class UsageError extends Error {}

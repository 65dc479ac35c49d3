/**
 * The operators' log: JSON lines, of a constant sentence and the fields listed here. It may be lost; evidence goes to the audit room.
 *
 * Only listed fields are written, and of an unknown error only its name, code and stack frames: a library's message may quote its input.
 */

import type { DestinationStream } from 'pino'
import { pino } from 'pino'
import { SqlError } from './db.ts'
import { Problem } from './problem.ts'

/** Every field that a line may have. Ids of requests and jobs; no id of a person. */
export interface LogFields {
  readonly requestId?: string | undefined
  readonly room?: string | undefined
  readonly route?: string | undefined
  readonly method?: string | undefined
  readonly status?: number | undefined
  readonly ms?: number | undefined
  readonly bytes?: number | undefined
  readonly code?: string | undefined
  readonly clientId?: string | undefined
  readonly job?: string | undefined
  readonly jobId?: string | undefined
  readonly messageId?: string | undefined
  readonly count?: number | undefined
  readonly name?: string | undefined
  readonly address?: string | undefined
  readonly hash?: string | undefined
  readonly error?: unknown
}

export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

export interface LogOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** Standard output by default. */
  readonly destination?: DestinationStream
}

const FIELDS: Record<keyof LogFields, true> = {
  requestId: true,
  room: true,
  route: true,
  method: true,
  status: true,
  ms: true,
  bytes: true,
  code: true,
  clientId: true,
  job: true,
  jobId: true,
  messageId: true,
  count: true,
  name: true,
  address: true,
  hash: true,
  error: true,
}
/** A write for each line costs a tenth of a login; lines are gathered for at most this long, and written at the end of the process. */
const GATHER = { minLength: 4096, periodicFlush: 100 } as const
const LONGEST_TEXT = 300
const MOST_CAUSES = 3
const MOST_FRAMES = 12
/** Their messages come from this program or from the language, not from input. */
const PLAIN_ERRORS = new Set(['TypeError', 'RangeError', 'ReferenceError', 'ConfigError'])

/** A log that writes JSON lines; fields that are not listed are left out. */
export function createLog({ level, destination }: LogOptions): Log {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  const logger = pino(options, destination ?? pino.destination({ dest: 1, sync: false, ...GATHER }))
  const line =
    (method: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields: LogFields = {}) =>
      logger[method](allowed(fields), message)
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
}

/** A log that writes nothing. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }

function allowed(fields: LogFields): Record<string, unknown> {
  const line: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    if (!Object.hasOwn(FIELDS, name) || value === undefined) continue
    line[name] = name === 'error' ? describeError(value) : plain(value)
  }
  return line
}

/** Scalars only: an object could carry anything. */
function plain(value: unknown): unknown {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value
  return typeof value === 'string' ? value.slice(0, LONGEST_TEXT) : '[redacted]'
}

export interface ErrorDescription {
  readonly name: string
  readonly code?: string
  readonly message?: string
  readonly stack?: string[]
  readonly cause?: ErrorDescription
}

/** What may be written of an error. */
export function describeError(error: unknown, depth = 0): ErrorDescription {
  if (!(error instanceof Error)) return { name: typeof error }
  const code: unknown = Reflect.get(error, 'code')
  const isSafe = error instanceof Problem || error instanceof SqlError || PLAIN_ERRORS.has(error.name)
  const frames = (error.stack ?? '').split('\n').filter((text) => /^\s+at /.test(text))
  return {
    name: error.name,
    ...(typeof code === 'string' && { code: code.slice(0, 80) }),
    ...(isSafe && { message: error.message.slice(0, LONGEST_TEXT) }),
    ...(frames.length > 0 && { stack: frames.slice(0, MOST_FRAMES).map((text) => text.trim()) }),
    ...(error.cause !== undefined && depth < MOST_CAUSES && { cause: describeError(error.cause, depth + 1) }),
  }
}

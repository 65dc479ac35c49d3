import { Problem } from '../problem.ts'
import { PLATFORM_PROBLEMS } from '../problems.ts'

/**
 * What PostgreSQL refused, without the values: its own errors quote keys and input, and those can be personal data.
 *
 * `code` is the SQLSTATE.
 */
export class SqlError extends Error {
  readonly code: string
  readonly constraint: string | undefined
  readonly table: string | undefined
  readonly column: string | undefined

  constructor(
    code: string,
    message: string,
    place: { constraint?: string | undefined; table?: string | undefined; column?: string | undefined },
  ) {
    super(message)
    this.name = 'SqlError'
    this.code = code
    this.constraint = place.constraint
    this.table = place.table
    this.column = place.column
  }
}

/** True when a unique constraint (this one, if named) refused the row. */
export function isUniqueViolation(error: unknown, constraint?: string): error is SqlError {
  return error instanceof SqlError && error.code === '23505' && (constraint === undefined || error.constraint === constraint)
}

const DOWN_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOENT',
  'EAI_AGAIN',
  '57P01',
  '57P02',
  '57P03',
  '53300',
  '08000',
  '08001',
  '08003',
  '08004',
  '08006',
])
const DOWN_MESSAGES =
  /connection terminated|timeout exceeded when|encountered a connection error|not queryable|pool after calling end|PGlite is clos/i
/** Data exceptions and syntax errors quote the input. */
const QUOTING_CLASSES = /^(22(?!012)|42601)/

function field(error: object, name: string): string | undefined {
  const value: unknown = Reflect.get(error, name)
  return typeof value === 'string' ? value : undefined
}

/** The error to throw instead: a Problem for a lost or slow database, else an SqlError; a Problem passes unchanged. */
export function translated(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof Problem || error instanceof SqlError) return error
  const code = field(error, 'code') ?? ''
  if (code === '57014' || error.message === 'Query read timeout')
    return new Problem(PLATFORM_PROBLEMS.databaseTimeout, { retryAfterSeconds: 2 })
  if (DOWN_CODES.has(code) || DOWN_MESSAGES.test(error.message)) {
    return new Problem(PLATFORM_PROBLEMS.databaseDown, { cause: new Error(code || error.message.slice(0, 80)), retryAfterSeconds: 5 })
  }
  if (!/^[0-9A-Z]{5}$/.test(code)) return error
  const message = QUOTING_CLASSES.test(code) ? `SQL error ${code}` : `${error.message} (${code})`
  return new SqlError(code, message, {
    constraint: field(error, 'constraint'),
    table: field(error, 'table'),
    column: field(error, 'column'),
  })
}

/** Runs `work` with every error translated. */
export async function translating<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw translated(error)
  }
}

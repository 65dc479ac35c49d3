/** What every problem of one kind has in common; `code` is public, never renamed, and is the message key. */
export interface ProblemKind {
  readonly code: `${string}/${string}`
  readonly status: number
  readonly title: string
}

export interface ProblemOptions {
  /** Safe for the caller to read. Never personal data. */
  readonly detail?: string
  /** The rest, for the log. */
  readonly cause?: unknown
  /** Becomes the header Retry-After. */
  readonly retryAfterSeconds?: number
}

/** A refusal or failure that has a public code; everything else that is thrown is a defect. */
export class Problem extends Error {
  readonly kind: ProblemKind
  readonly detail: string | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(kind: ProblemKind, options: ProblemOptions = {}) {
    super(`${kind.code}: ${options.detail ?? kind.title}`, 'cause' in options ? { cause: options.cause } : undefined)
    this.name = 'Problem'
    this.kind = kind
    this.detail = options.detail
    this.retryAfterSeconds = options.retryAfterSeconds
  }

  get code(): string {
    return this.kind.code
  }

  get status(): number {
    return this.kind.status
  }
}

/** True when the error is a Problem of this kind. */
export function isProblem(error: unknown, kind: ProblemKind): error is Problem {
  return error instanceof Problem && error.kind.code === kind.code
}

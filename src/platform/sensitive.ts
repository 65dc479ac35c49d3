import { inspect } from 'node:util'

const REDACTED = '[redacted]'

/**
 * A value that prints as `[redacted]` in templates, JSON, logs and inspect; only `reveal()` gives it.
 *
 * Personal values and secrets travel in it, so that a careless log line or error message shows nothing.
 */
export class Sensitive<T> {
  readonly #value: T

  constructor(value: T) {
    this.#value = value
  }

  reveal(): T {
    return this.#value
  }

  toString(): string {
    return REDACTED
  }

  toJSON(): string {
    return REDACTED
  }

  [Symbol.toPrimitive](): string {
    return REDACTED
  }

  [inspect.custom](): string {
    return REDACTED
  }
}

/**
 * The one door to SQL. Embedded PGlite without a URL, PostgreSQL with one; same text, same results on both.
 *
 * Parameters: string, number, boolean, null, Date, Uint8Array and arrays of them; jsonb takes JSON text with `::jsonb`.
 * Results: timestamptz → Date, date → 'YYYY-MM-DD', int8 → number, numeric → string, bytea → Buffer, jsonb → parsed, arrays → arrays.
 */
import type { Sensitive } from './sensitive.ts'

export { isUniqueViolation, SqlError } from './database/sql-error.ts'

/** Where SQL can be run: the database itself or one transaction of it. */
export interface Sql {
  /** Rows of one statement. PostgreSQL keeps it prepared, so the text must not hold values. */
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]>
  /** Number of rows changed. Without `values` the text may hold several statements (run as one, unprepared). */
  execute(text: string, values?: readonly unknown[]): Promise<number>
}

export interface TransactionOptions {
  /** No statement of it has a deadline, neither at the server nor here; for what runs while nobody waits for a page. */
  readonly unhurried?: boolean
}

export interface Database extends Sql {
  readonly kind: 'pglite' | 'postgres'
  /**
   * Runs `work` in one transaction; its throw rolls back.
   *
   * Inside, only `tx` may be used: a query on the database itself would wait for a connection that the transaction holds, so it throws.
   */
  transaction<T>(work: (tx: Sql) => Promise<T>, options?: TransactionOptions): Promise<T>
  /**
   * Calls `listener` for each NOTIFY on a channel of lower-case letters and `_`.
   *
   * After a lost connection is back it gets an empty payload: something may have been missed, so forget what you cached.
   */
  listen(channel: string, listener: (payload: string) => void): Promise<() => Promise<void>>
  notify(channel: string, payload: string): Promise<void>
  /** Rows of an unprepared statement or of a script; for libraries that build their own SQL text. */
  raw(text: string, values?: readonly unknown[]): Promise<{ rows: unknown[] }>
  /** Housekeeping that a server does by itself and the embedded database does not: checkpoint and vacuum. */
  maintain(): Promise<void>
  close(): Promise<void>
}

export interface DatabaseOptions {
  readonly url?: Sensitive<string> | undefined
  /** Folder of the embedded database, or `memory`. Not used with a URL. */
  readonly dataDir: string
  readonly poolSize?: number
  /** Longest time of one statement on PostgreSQL. */
  readonly statementTimeoutMs?: number
}

/**
 * Opens the database; the embedded one is created on its first use.
 *
 * @throws {Problem} platform/database-in-use when another process has the data folder open; platform/database-down.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  // Only the one in use is loaded.
  if (options.url) return (await import('./database/postgres.ts')).openPostgres(options.url, options)
  return (await import('./database/pglite.ts')).openPglite(options)
}

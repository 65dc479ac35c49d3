import type { Database, Sql } from '../../src/platform/db.ts'
import type { TestDatabase } from './database.ts'

/** One statement that was answered and whose asker waits for the answer. */
export interface Held {
  /** Resolves once the statement was answered. */
  readonly reached: Promise<void>
  release(): void
}

/** A database whose answers can be held back, so that what another does meanwhile comes in between for certain. */
export interface HoldableDatabase extends TestDatabase {
  /** Holds the answer to the next statement that matches. */
  hold(text: RegExp): Held
}

interface Hold {
  readonly text: RegExp
  reached(): void
  readonly released: Promise<void>
}

export function holdable(database: TestDatabase): HoldableDatabase {
  const holds: Hold[] = []

  async function hand<T>(text: string, answer: T): Promise<T> {
    const index = holds.findIndex((hold) => hold.text.test(text))
    const [hold] = index < 0 ? [] : holds.splice(index, 1)
    hold?.reached()
    await hold?.released
    return answer
  }
  const over = (sql: Sql): Sql => ({
    query: async <Row extends object>(text: string, values?: readonly unknown[]) => hand(text, await sql.query<Row>(text, values)),
    execute: async (text, values) => hand(text, await sql.execute(text, values)),
  })

  return {
    label: database.label,
    async open(): Promise<Database> {
      const db = await database.open()
      return { ...db, ...over(db), transaction: (work, options) => db.transaction((tx) => work(over(tx)), options) }
    },
    hold(text) {
      const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      holds.push({ text, reached: reached.resolve, released: released.promise })
      return { reached: reached.promise, release: released.resolve }
    },
  }
}

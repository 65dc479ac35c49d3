import type { Database, Sql } from '../../src/platform/db.ts'
import type { TestDatabase } from './database.ts'
import { until } from './until.ts'

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

/** Runs both on PostgreSQL; the answer to that statement of `first` is held until `second` is over or waits for a lock. */
export async function beside<A, B>(
  { hold, db }: Pick<HoldableDatabase, 'hold'> & { readonly db: Database }, text: RegExp, first: () => Promise<A>, second: () => Promise<B>,
): Promise<[PromiseSettledResult<A>, PromiseSettledResult<B>]> {
  const statement = hold(text)
  const running = first()
  await statement.reached
  let isOver = false
  const end = () => {
    isOver = true
  }
  const other = second()
  other.then(end, end)
  await until(async () => isOver || (await isAnyoneWaiting(db)))
  statement.release()
  return Promise.allSettled([running, other])
}

async function isAnyoneWaiting(db: Database): Promise<boolean> {
  return (await db.query('SELECT 1 FROM pg_locks WHERE NOT granted AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())')).length > 0
}

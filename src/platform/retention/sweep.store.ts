import type { Sql } from '../db.ts'
import type { Due, Sweep } from './term.ts'

/** Which rows of which table, as SQL of the store that owns them. */
export interface Kept {
  /** Table with the alias `t`, and what is joined to it. */
  readonly from: string
  /** What the rows are told apart by; `t.id` unless said. */
  readonly key?: string
  /** When a row's time began. */
  readonly since: string
  /** May name `$1`, before which the time began: where `since` has no index of its own. */
  readonly where: string
  /** Everybody whose legal hold keeps the row, as expressions; one that comes to nobody keeps nothing. */
  readonly people?: readonly string[]
  /** Ends these rows. */
  readonly end: (tx: Sql, keys: string[], now: Date) => Promise<unknown>
}

/** A sweep over one table. Rows are locked as they are taken, and those that somebody else has locked wait for the next time. */
export function sweepOf({ from, key = 't.id', since, where, people = [], end }: Kept): Sweep {
  const free = people.map((person) => ` AND NOT person_is_held(${person}, $2)`).join('')
  const overdue = `FROM ${from} WHERE (${where}) AND ${since} <= $1 AND $2::timestamptz IS NOT NULL${free}`
  const values = ({ before, now }: Due) => [before, now]
  return {
    async due(sql, due) {
      const [row] = await sql.query<{ rows: number; oldest: Date | null }>(`SELECT count(*)::int AS rows, min(${since}) AS oldest ${overdue}`, values(due))
      return { rows: row?.rows ?? 0, oldest: row?.oldest ?? undefined }
    },
    async end(tx, due, limit) {
      const rows = await tx.query<{ key: string }>(`SELECT ${key}::text AS key ${overdue} ORDER BY ${since} LIMIT $3 FOR UPDATE OF t SKIP LOCKED`, [...values(due), limit])
      if (rows.length > 0) await end(tx, rows.map((row) => row.key), due.now)
      return rows.length
    },
  }
}

/** Deletes rows by their ids. */
export const deleteFrom = (table: string) => (tx: Sql, ids: string[]): Promise<number> => tx.execute(`DELETE FROM ${table} WHERE id = ANY ($1::uuid[])`, [ids])

/** Empties columns of rows by their ids. */
export const blank = (table: string, columns: readonly string[], key = 'id') => (tx: Sql, ids: string[]): Promise<number> =>
  tx.execute(`UPDATE ${table} SET ${columns.map((column) => `${column} = NULL`).join(', ')} WHERE ${key} = ANY ($1::uuid[])`, [ids])

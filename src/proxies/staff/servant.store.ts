import type { Sql } from '../../platform/db.ts'
import type { Servant } from './servants.ts'
import { isPrata } from './team.store.ts'

interface Row {
  id: string
  namespace: string
  agency: string
  account_id: string
  post: string
  register: string
  ends_at: Date
}

const COLUMNS = 'v.id, v.namespace, n.title AS agency, v.account_id, v.post, v.register, v.ends_at'
const SELECT = `SELECT ${COLUMNS} FROM proxy_servant v JOIN proxy_namespace n ON n.code = v.namespace`
const IS_NAMED = 'v.ended_at IS NULL AND v.ends_at > $2'
const HAS_PLACE = 'EXISTS (SELECT 1 FROM proxy_staff s WHERE s.namespace = v.namespace AND s.account_id = v.account_id AND s.ended_at IS NULL AND s.ends_at > $2)'

const toServant = (row: Row): Servant => ({
  id: row.id, namespace: row.namespace, agency: row.agency, accountId: row.account_id, post: row.post, register: row.register, endsAt: row.ends_at,
})

/** As what an active account at prata may sign now: only while it has a place in the agency. */
export async function listServing(sql: Sql, accountId: string, now: Date): Promise<Servant[]> {
  const rows = await sql.query<Row>(
    `${SELECT} JOIN account a ON a.id = v.account_id AND a.status = 'active' WHERE v.account_id = $1 AND ${IS_NAMED} AND ${HAS_PLACE} AND ${isPrata('$2')} ORDER BY v.namespace`,
    [accountId, now],
  )
  return rows.map(toServant)
}

/** Everybody whom an agency has named and whose time is not over. */
export async function listNamed(sql: Sql, namespace: string, now: Date): Promise<Servant[]> {
  return (await sql.query<Row>(`${SELECT} WHERE v.namespace = $1 AND ${IS_NAMED} ORDER BY v.named_at, v.id`, [namespace, now])).map(toServant)
}

/** The person of a place of the agency and when their last place there ends, locked; undefined when it is over or they are below prata. */
export async function lockPlace(tx: Sql, namespace: string, placeId: string, now: Date): Promise<{ accountId: string; endsAt: Date } | undefined> {
  const places = await tx.query<{ id: string; account_id: string; ends_at: Date }>(
    `SELECT s.id, s.account_id, s.ends_at FROM proxy_staff s JOIN account a ON a.id = s.account_id AND a.status = 'active'
     WHERE s.namespace = $1 AND s.account_id = (SELECT p.account_id FROM proxy_staff p WHERE p.id = $3) AND s.ended_at IS NULL AND s.ends_at > $2 AND ${isPrata('$2')}
     ORDER BY s.id FOR UPDATE OF s`,
    [namespace, now, placeId],
  )
  const place = places.find(({ id }) => id === placeId)
  return place && { accountId: place.account_id, endsAt: places.reduce((last, { ends_at: at }) => (at > last ? at : last), place.ends_at) }
}

/** The same post and number again, for longer; false when it is another, or there was none. */
export async function prolongServant(tx: Sql, { namespace, accountId, post, register, endsAt }: Omit<Servant, 'id' | 'agency'>, named: { by: string; at: Date }): Promise<boolean> {
  const rows = await tx.execute(
    `UPDATE proxy_servant SET ends_at = $5, named_by = $6, named_at = $7 WHERE namespace = $1 AND account_id = $2 AND post = $3 AND register = $4 AND ended_at IS NULL`,
    [namespace, accountId, post, register, endsAt, named.by, named.at],
  )
  return rows > 0
}

export async function insertServant(tx: Sql, made: Omit<Servant, 'agency'>, named: { by: string; at: Date }): Promise<void> {
  await tx.execute(
    'INSERT INTO proxy_servant (id, namespace, account_id, post, register, named_by, named_at, ends_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)',
    [made.id, made.namespace, made.accountId, made.post, made.register, named.by, named.at, made.endsAt],
  )
}

/** Ends one of a namespace, by its id or of an account; undefined when there was none. */
export async function endServant(tx: Sql, namespace: string, whose: { id: string } | { accountId: string }, at: Date): Promise<Servant | undefined> {
  const [column, value] = 'id' in whose ? ['id', whose.id] : ['account_id', whose.accountId]
  const [row] = await tx.query<Row>(
    `UPDATE proxy_servant v SET ended_at = $3 FROM proxy_namespace n WHERE n.code = v.namespace AND v.namespace = $1 AND v.${column} = $2::uuid AND v.ended_at IS NULL RETURNING ${COLUMNS}`,
    [namespace, value, at],
  )
  return row && toServant(row)
}

/** Whether somebody keeps another place; after whoever else ends one has committed. */
export async function hasOtherPlace(tx: Sql, namespace: string, accountId: string, now: Date): Promise<boolean> {
  await tx.query('SELECT 1 FROM proxy_servant WHERE namespace = $1 AND account_id = $2 AND ended_at IS NULL FOR UPDATE', [namespace, accountId])
  const places = await tx.query('SELECT 1 FROM proxy_staff WHERE namespace = $1 AND account_id = $2 AND ended_at IS NULL AND ends_at > $3 LIMIT 1', [namespace, accountId, now])
  return places.length > 0
}

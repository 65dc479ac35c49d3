import type { Sql } from '../../platform/db.ts'
import { type Activation, activationContent } from './activation.ts'

interface Row {
  readonly id: string
  readonly account_id: string
  readonly client_id: string | null
  readonly content: unknown
  readonly created_at: Date
  readonly expires_at: Date
}

export async function insertActivation(sql: Sql, { id, accountId, clientId, createdAt, expiresAt, ...content }: Activation, digest: Buffer): Promise<void> {
  await sql.execute(
    'INSERT INTO signature_activation (id, account_id, client_id, content, digest, created_at, expires_at) VALUES ($1, $2, $3, $4::jsonb, $5, $6, $7)',
    [id, accountId, clientId ?? null, JSON.stringify(content), digest, createdAt, expiresAt],
  )
}

/** One that was not used and has not expired. */
export async function findOpenActivation(sql: Sql, id: string, now: Date): Promise<Activation | undefined> {
  const [row] = await sql.query<Row>(
    'SELECT id, account_id, client_id, content, created_at, expires_at FROM signature_activation WHERE id = $1 AND used_at IS NULL AND expires_at > $2',
    [id, now],
  )
  if (!row) return undefined
  const content = activationContent.safeParse(row.content)
  // A row that no longer reads as an activation was not written by us.
  if (!content.success) return undefined
  return { ...content.data, id: row.id, accountId: row.account_id, clientId: row.client_id ?? undefined, createdAt: row.created_at, expiresAt: row.expires_at }
}

/** True for exactly one caller of all that ever ask. */
export async function burnActivation(sql: Sql, id: string, now: Date): Promise<boolean> {
  return (await sql.execute('UPDATE signature_activation SET used_at = $2 WHERE id = $1 AND used_at IS NULL AND expires_at > $2', [id, now])) === 1
}

/** How many an account has opened since. */
export async function countActivations(sql: Sql, accountId: string, since: Date): Promise<number> {
  const [row] = await sql.query<{ count: number }>('SELECT count(*) AS count FROM signature_activation WHERE account_id = $1 AND created_at > $2', [accountId, since])
  return row?.count ?? 0
}

/** Names and hashes of documents are kept no longer than they serve. */
export async function purgeActivations(sql: Sql, before: Date): Promise<number> {
  return sql.execute('DELETE FROM signature_activation WHERE expires_at < $1', [before])
}

import type { Sql } from '../../platform/db.ts'
import type { MandateId } from '../mandate/mandate.ts'

/** One use of a mandate, or of what the company register says, at a relying party. */
export interface Use {
  readonly id: number
  readonly mandateId: MandateId | undefined
  readonly actorName: string
  readonly representedName: string
  readonly clientId: string
  readonly power: { readonly namespace: string; readonly code: string } | undefined
  readonly service: string | undefined
  readonly at: Date
}

export interface NewUse {
  readonly mandateId: MandateId | undefined
  readonly representedId: string
  readonly actorId: string
  readonly clientId: string
  readonly namespace: string | undefined
  readonly code: string | undefined
  readonly service: string | undefined
  readonly at: Date
  readonly officialSealed: Buffer | undefined
}

export async function insertUse(tx: Sql, use: NewUse): Promise<number> {
  const [row] = await tx.query<{ id: number }>(
    `INSERT INTO mandate_use (mandate_id, represented_id, actor_id, client_id, namespace, code, service, at, official_sealed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id`,
    [use.mandateId ?? null, use.representedId, use.actorId, use.clientId, use.namespace ?? null, use.code ?? null, use.service ?? null, use.at, use.officialSealed ?? null],
  )
  if (!row) throw new Error('a use was not saved')
  return row.id
}

/** Whether this actor has used this at this client since: one message a day says enough. */
export async function wasUsedSince(tx: Sql, use: NewUse, since: Date): Promise<boolean> {
  const [row] = await tx.query<{ id: number }>(
    `SELECT id FROM mandate_use WHERE represented_id = $1 AND actor_id = $2 AND client_id = $3 AND mandate_id IS NOT DISTINCT FROM $4::uuid AND at >= $5 LIMIT 1`,
    [use.representedId, use.actorId, use.clientId, use.mandateId ?? null, since],
  )
  return row !== undefined
}

interface UseRow {
  id: number
  mandate_id: string | null
  actor_name: string
  represented_name: string
  client_id: string
  namespace: string | null
  code: string | null
  service: string | null
  at: Date
}

const toUse = (row: UseRow): Use => ({
  id: row.id, mandateId: (row.mandate_id ?? undefined) as MandateId | undefined, actorName: row.actor_name, representedName: row.represented_name,
  clientId: row.client_id, power: row.namespace === null || row.code === null ? undefined : { namespace: row.namespace, code: row.code },
  service: row.service ?? undefined, at: row.at,
})

const SELECT = `SELECT u.id, u.mandate_id, a.name AS actor_name, r.name AS represented_name, u.client_id, u.namespace, u.code, u.service, u.at
  FROM mandate_use u JOIN proxy_party a ON a.id = u.actor_id JOIN proxy_party r ON r.id = u.represented_id`

/** Uses of a mandate and of what was passed on of it, newest first. */
export async function listUsesOf(sql: Sql, mandateId: MandateId, limit: number): Promise<Use[]> {
  const rows = await sql.query<UseRow>(
    `${SELECT} WHERE u.mandate_id IN (SELECT id FROM mandate WHERE id = $1 OR (root_id = (SELECT root_id FROM mandate WHERE id = $1) AND parent_id IS NOT NULL AND $1::uuid = ANY(path)))
     ORDER BY u.id DESC LIMIT $2`,
    [mandateId, limit],
  )
  return rows.map(toUse)
}

/** Every use in the name of a party, newest first. */
export async function listUsesFor(sql: Sql, documents: readonly string[], limit: number): Promise<Use[]> {
  const rows = await sql.query<UseRow>(`${SELECT} WHERE r.document = ANY($1::text[]) ORDER BY u.id DESC LIMIT $2`, [[...documents], limit])
  return rows.map(toUse)
}

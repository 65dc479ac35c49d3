import type { Sql } from '../../platform/db.ts'
import { type Power, type Role, roleDefinition, type RoleDefinition, type RoleState } from './role.ts'

interface RoleRow {
  namespace: string
  code: string
  version: number
  state: RoleState
  definition: unknown
  published_at: Date | null
}

const COLUMNS = 'namespace, code, version, state, definition, published_at'

const toRole = (row: RoleRow): Role => ({
  namespace: row.namespace, code: row.code, version: row.version, state: row.state, definition: roleDefinition.parse(row.definition),
  publishedAt: row.published_at ?? undefined,
})

export interface Namespace {
  readonly code: string
  readonly title: string
  readonly clientId: string
}

export async function saveNamespace(sql: Sql, { code, title, clientId }: Namespace, now: Date): Promise<void> {
  await sql.execute(
    `INSERT INTO proxy_namespace (code, title, client_id, created_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (code) DO UPDATE SET title = excluded.title, client_id = excluded.client_id`,
    [code, title, clientId, now],
  )
}

export async function listNamespaces(sql: Sql): Promise<Namespace[]> {
  const rows = await sql.query<{ code: string; title: string; client_id: string }>('SELECT code, title, client_id FROM proxy_namespace ORDER BY code')
  return rows.map(({ code, title, client_id: clientId }) => ({ code, title, clientId }))
}

export async function findRole(sql: Sql, { namespace, code, version }: Power): Promise<Role | undefined> {
  const [row] = await sql.query<RoleRow>(`SELECT ${COLUMNS} FROM proxy_role WHERE namespace = $1 AND code = $2 AND version = $3`, [namespace, code, version])
  return row && toRole(row)
}

/** Published roles of a namespace, or of all. */
export async function listRoles(sql: Sql, filter: { namespace?: string | undefined; states: readonly RoleState[] }): Promise<Role[]> {
  const rows = await sql.query<RoleRow>(
    `SELECT ${COLUMNS} FROM proxy_role WHERE state = ANY($2::text[]) AND ($1::text IS NULL OR namespace = $1) ORDER BY namespace, code, version`,
    [filter.namespace ?? null, [...filter.states]],
  )
  return rows.map(toRole)
}

/** Writes the draft of a role: the one that is there is replaced, else the next version begins. */
export async function saveDraft(tx: Sql, { namespace, code }: Pick<Power, 'namespace' | 'code'>, definition: RoleDefinition, now: Date): Promise<number> {
  const text = JSON.stringify(definition)
  const [changed] = await tx.query<{ version: number }>(
    `UPDATE proxy_role SET definition = $3::jsonb WHERE namespace = $1 AND code = $2 AND state = 'draft' RETURNING version`,
    [namespace, code, text],
  )
  if (changed) return changed.version
  const [added] = await tx.query<{ version: number }>(
    `INSERT INTO proxy_role (namespace, code, version, state, definition, created_at)
     SELECT $1, $2, coalesce(max(version), 0) + 1, 'draft', $3::jsonb, $4 FROM proxy_role WHERE namespace = $1 AND code = $2 RETURNING version`,
    [namespace, code, text, now],
  )
  if (!added) throw new Error('a draft was not saved')
  return added.version
}

/** The draft becomes the published version and the one before it retires; undefined when there is no draft. */
export async function publishDraft(tx: Sql, { namespace, code }: Pick<Power, 'namespace' | 'code'>, now: Date): Promise<number | undefined> {
  const [draft] = await tx.query<{ version: number }>(
    `SELECT version FROM proxy_role WHERE namespace = $1 AND code = $2 AND state = 'draft' FOR UPDATE`,
    [namespace, code],
  )
  if (!draft) return undefined
  await retirePublished(tx, { namespace, code }, now)
  await tx.execute(`UPDATE proxy_role SET state = 'published', published_at = $4 WHERE namespace = $1 AND code = $2 AND version = $3`, [namespace, code, draft.version, now])
  return draft.version
}

/** Takes a role out of the catalogue: nothing new is granted by it. The version that was published, if any. */
export async function retirePublished(tx: Sql, { namespace, code }: Pick<Power, 'namespace' | 'code'>, now: Date): Promise<number | undefined> {
  const [row] = await tx.query<{ version: number }>(
    `UPDATE proxy_role SET state = 'retired', retired_at = $3 WHERE namespace = $1 AND code = $2 AND state = 'published' RETURNING version`,
    [namespace, code, now],
  )
  return row?.version
}

import type { Sql } from '../../platform/db.ts'
import { type Power, type Role, roleDefinition, type RoleDefinition, type RoleState } from './role.ts'

interface RoleRow {
  namespace: string
  code: string
  version: number
  state: RoleState
  definition: unknown
  created_at: Date
  published_at: Date | null
  retired_at: Date | null
  drafted_by: string | null
}

const COLUMNS = 'namespace, code, version, state, definition, created_at, published_at, retired_at, drafted_by'

const toRole = (row: RoleRow): Role => ({
  namespace: row.namespace, code: row.code, version: row.version, state: row.state, definition: roleDefinition.parse(row.definition),
  createdAt: row.created_at, publishedAt: row.published_at ?? undefined, retiredAt: row.retired_at ?? undefined, draftedBy: row.drafted_by ?? undefined,
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
export async function saveDraft(tx: Sql, { namespace, code }: Pick<Power, 'namespace' | 'code'>, definition: RoleDefinition, written: { by: string; at: Date }): Promise<number> {
  const text = JSON.stringify(definition)
  const [changed] = await tx.query<{ version: number }>(
    `UPDATE proxy_role SET definition = $3::jsonb, drafted_by = $4 WHERE namespace = $1 AND code = $2 AND state = 'draft' RETURNING version`,
    [namespace, code, text, written.by],
  )
  if (changed) return changed.version
  const [added] = await tx.query<{ version: number }>(
    `INSERT INTO proxy_role (namespace, code, version, state, definition, created_at, drafted_by)
     SELECT $1, $2, coalesce(max(version), 0) + 1, 'draft', $3::jsonb, $4, $5 FROM proxy_role WHERE namespace = $1 AND code = $2 RETURNING version`,
    [namespace, code, text, written.at, written.by],
  )
  if (!added) throw new Error('a draft was not saved')
  return added.version
}

/** The draft of a role, locked until the transaction ends. */
export async function lockDraft(tx: Sql, { namespace, code }: Pick<Power, 'namespace' | 'code'>): Promise<Role | undefined> {
  const [row] = await tx.query<RoleRow>(`SELECT ${COLUMNS} FROM proxy_role WHERE namespace = $1 AND code = $2 AND state = 'draft' FOR UPDATE`, [namespace, code])
  return row && toRole(row)
}

/** Nobody has seen a draft, so that it can go; its version, if there was one. */
export async function deleteDraft(tx: Sql, { namespace, code }: Pick<Power, 'namespace' | 'code'>): Promise<number | undefined> {
  const [row] = await tx.query<{ version: number }>(`DELETE FROM proxy_role WHERE namespace = $1 AND code = $2 AND state = 'draft' RETURNING version`, [namespace, code])
  return row?.version
}

/** Every version of a role, the newest first, with how many open mandates rest on it. */
export async function listVersions(sql: Sql, { namespace, code }: Pick<Power, 'namespace' | 'code'>): Promise<{ role: Role; mandates: number }[]> {
  const rows = await sql.query<RoleRow & { mandates: number }>(
    `SELECT ${COLUMNS}, (SELECT count(*)::int FROM mandate_power w JOIN mandate m ON m.id = w.mandate_id AND m.ended_at IS NULL
       WHERE w.namespace = q.namespace AND w.code = q.code AND w.version = q.version) AS mandates
     FROM proxy_role q WHERE namespace = $1 AND code = $2 ORDER BY version DESC`,
    [namespace, code],
  )
  return rows.map((row) => ({ role: toRole(row), mandates: row.mandates }))
}

/** The draft becomes the published version and the one before it retires; undefined when there is no draft. */
export async function publishDraft(tx: Sql, { namespace, code }: Pick<Power, 'namespace' | 'code'>, now: Date): Promise<number | undefined> {
  const draft = await lockDraft(tx, { namespace, code })
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

import type { Sql } from '../../platform/db.ts'

/** An API of a relying party, for which access tokens can be asked (RFC 8707). */
export interface Resource {
  readonly indicator: string
  readonly name: string
  readonly scopes: readonly string[]
  readonly tokenFormat: 'opaque' | 'jwt'
  readonly tokenSeconds: number
  /** The client that may introspect tokens for it. */
  readonly ownerClientId: string | undefined
  /** Powers of which one bears a scope when a token is exchanged for it; a scope that is not named is not given. */
  readonly scopePowers: Readonly<Record<string, readonly string[]>>
}

interface Row {
  readonly indicator: string
  readonly name: string
  readonly scopes: string[]
  readonly token_format: 'opaque' | 'jwt'
  readonly token_ttl: number
  readonly owner_client_id: string | null
  readonly scope_powers: Record<string, string[]>
}

const COLUMNS = 'indicator, name, scopes, token_format, token_ttl, owner_client_id, scope_powers'

export async function findResource(sql: Sql, indicator: string): Promise<Resource | undefined> {
  const [row] = await sql.query<Row>(`SELECT ${COLUMNS} FROM oidc_resource WHERE indicator = $1 AND disabled_at IS NULL`, [indicator])
  return row && toResource(row)
}

export async function listResources(sql: Sql): Promise<Resource[]> {
  return (await sql.query<Row>(`SELECT ${COLUMNS} FROM oidc_resource WHERE disabled_at IS NULL ORDER BY indicator`)).map(toResource)
}

export async function putResource(sql: Sql, resource: Resource, now: Date): Promise<void> {
  const text = `INSERT INTO oidc_resource (indicator, name, scopes, token_format, token_ttl, owner_client_id, created_at, scope_powers) VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb)
    ON CONFLICT (indicator) DO UPDATE SET name = EXCLUDED.name, scopes = EXCLUDED.scopes, token_format = EXCLUDED.token_format,
      token_ttl = EXCLUDED.token_ttl, owner_client_id = EXCLUDED.owner_client_id,
      scope_powers = EXCLUDED.scope_powers, disabled_at = NULL`
  const { indicator, name, scopes, tokenFormat, tokenSeconds, ownerClientId, scopePowers } = resource
  await sql.execute(text, [indicator, name, [...scopes], tokenFormat, tokenSeconds, ownerClientId ?? null, now, JSON.stringify(scopePowers)])
}

function toResource(row: Row): Resource {
  return {
    indicator: row.indicator,
    name: row.name,
    scopes: row.scopes,
    tokenFormat: row.token_format,
    tokenSeconds: row.token_ttl,
    ownerClientId: row.owner_client_id ?? undefined,
    scopePowers: row.scope_powers,
  }
}

import type { Sql } from '../../platform/db.ts'
import { type ClientMetadata, type ClientPolicy, type ClientRecord, clientMetadataSchema, clientPolicySchema } from './client.ts'

interface Row {
  readonly id: string
  readonly metadata: unknown
  readonly secret: Buffer | null
  readonly policy: unknown
  readonly created_at: Date
  readonly updated_at: Date
  readonly disabled_at: Date | null
}

const COLUMNS = 'id, metadata, secret, policy, created_at, updated_at, disabled_at'

export async function findClient(sql: Sql, id: string): Promise<ClientRecord | undefined> {
  const [row] = await sql.query<Row>(`SELECT ${COLUMNS} FROM oidc_client WHERE id = $1`, [id])
  return row && toRecord(row)
}

export async function listClients(sql: Sql): Promise<ClientRecord[]> {
  return (await sql.query<Row>(`SELECT ${COLUMNS} FROM oidc_client ORDER BY id`)).map(toRecord)
}

export interface NewClient {
  readonly id: string
  readonly metadata: ClientMetadata
  readonly policy: ClientPolicy
  readonly secretHash: Buffer | undefined
  readonly now: Date
}

/** False when the id is taken. */
export async function insertClient(sql: Sql, client: NewClient): Promise<boolean> {
  const { id, metadata, policy, secretHash, now } = client
  const text = `INSERT INTO oidc_client (id, metadata, secret, policy, created_at, updated_at)
    VALUES ($1, $2::jsonb, $3, $4::jsonb, $5, $5) ON CONFLICT (id) DO NOTHING`
  return (await sql.execute(text, [id, JSON.stringify(metadata), secretHash ?? null, JSON.stringify(policy), now])) === 1
}

export async function updateClient(sql: Sql, client: NewClient): Promise<boolean> {
  const { id, metadata, policy, secretHash, now } = client
  const text = 'UPDATE oidc_client SET metadata = $2::jsonb, secret = $3, policy = $4::jsonb, updated_at = $5 WHERE id = $1'
  return (await sql.execute(text, [id, JSON.stringify(metadata), secretHash ?? null, JSON.stringify(policy), now])) === 1
}

export async function setClientDisabled(sql: Sql, id: string, disabledAt: Date | undefined, now: Date): Promise<boolean> {
  return (await sql.execute('UPDATE oidc_client SET disabled_at = $2, updated_at = $3 WHERE id = $1', [id, disabledAt ?? null, now])) === 1
}

function toRecord(row: Row): ClientRecord {
  return {
    id: row.id,
    metadata: clientMetadataSchema.parse(row.metadata),
    policy: clientPolicySchema.parse(row.policy),
    secretHash: row.secret ?? undefined,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    disabledAt: row.disabled_at ?? undefined,
  }
}

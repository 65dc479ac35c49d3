import { highestOf } from '../../audit/index.ts'
import type { Sql } from '../../platform/db.ts'
import type { AccountId } from '../account.ts'

declare const waysBrand: unique symbol

/** A transaction at whose end an account's ways in are sealed anew: the only one that the stores take to change them. */
export type WaysTx = Sql & { readonly [waysBrand]: true }

/** What opens an account, with the seal that stands over it. */
export interface StoredWays {
  readonly version: number
  /** The highest number that the audit record gives under `key`, of the same moment as the rest; 0 when it gives none. */
  readonly recorded: number
  readonly key: string
  /** Whose account it is. */
  readonly cpf: string
  /** All of it in one text, made by the database in one way only. */
  readonly text: string
  readonly seal: Buffer | null
}

/** Under which the audit record numbers the sealed states of a person's ways. */
export type KeyOf = (cpf: string) => string

export const SEALED = 'accounts/ways-sealed'

export interface WaysRow {
  ways_version: number
  ways_recorded: number | null
  ways_cpf: string
  ways: string
  ways_seal: Buffer | null
}

const micros = (column: string) => `(extract(epoch FROM ${column}) * 1000000)::bigint`
const all = (item: string, from: string) => `(SELECT coalesce(jsonb_agg(${item} ORDER BY ${item}), '[]') FROM ${from})`

/**
 * Columns of the account `a`: everything that decides who gets in and as whom, and the seal over it.
 *
 * Codes, keys and secrets as they are stored, so that nothing can be put in another's place; what only counts uses is left out.
 */
const SEALED_COLUMNS = `a.ways_version, a.ways_seal, (SELECT w.cpf FROM person w WHERE w.id = a.person_id) AS ways_cpf, jsonb_build_array(a.id, a.person_id,
  (SELECT jsonb_build_array(w.cpf, w.name, w.social_name, w.birth_date) FROM person w WHERE w.id = a.person_id), a.ways_version, a.status, a.status_reason, a.password_hash,
  ${micros('a.password_changed_at')}, ${micros('a.recovered_at')},
  ${all(`jsonb_build_array(w.id, encode(sha256(w.secret), 'hex'))`, 'totp_factor w WHERE w.account_id = a.id AND w.confirmed_at IS NOT NULL AND w.removed_at IS NULL')},
  ${all(`jsonb_build_array(w.id, encode(sha256(w.credential_id), 'hex'), encode(sha256(w.public_key), 'hex'))`, 'passkey w WHERE w.account_id = a.id AND w.removed_at IS NULL')},
  ${all(`jsonb_build_array(w.id, encode(w.fingerprint, 'hex'), w.in_hardware)`, 'certificate_factor w WHERE w.account_id = a.id AND w.removed_at IS NULL')},
  ${all(`to_jsonb(encode(w.code_hash, 'hex'))`, 'recovery_code w WHERE w.account_id = a.id AND w.used_at IS NULL AND w.removed_at IS NULL')},
  ${all('jsonb_build_array(w.kind, w.is_primary, w.value)', 'contact w WHERE w.account_id = a.id AND w.verified_at IS NOT NULL AND w.removed_at IS NULL')})::text AS ways`

/**
 * The same with what the record says under the key that is the parameter `key`.
 *
 * In one statement, because it is one moment: a change that comes between two of them would look like rows that were put back.
 */
export const waysColumns = (key: string) => `${SEALED_COLUMNS}, ${highestOf({ subject: key, type: `'${SEALED}'`, field: `'version'` })} AS ways_recorded`

export function toWays(row: WaysRow, key: string): StoredWays {
  return { version: row.ways_version, recorded: row.ways_recorded ?? 0, key, cpf: row.ways_cpf, text: row.ways, seal: row.ways_seal }
}

const CPF_OF = 'SELECT p.cpf FROM account a JOIN person p ON p.id = a.person_id WHERE a.id = $1'

/** Under which key the record numbers an account's ways; whoever judges them asks whether it is that of the CPF that stands there. */
export async function findWaysKey(sql: Sql, id: AccountId, keyOf: KeyOf, lock: 'FOR UPDATE OF a' | '' = ''): Promise<string | undefined> {
  const [row] = await sql.query<{ cpf: string }>(`${CPF_OF} ${lock}`, [id])
  return row && keyOf(row.cpf)
}

async function findWaysUnder(sql: Sql, id: AccountId, key: string | undefined): Promise<StoredWays | undefined> {
  if (key === undefined) return undefined
  const [row] = await sql.query<WaysRow>(`SELECT ${waysColumns('$2')} FROM account a WHERE a.id = $1`, [id, key])
  return row && toWays(row, key)
}

export async function findWays(sql: Sql, id: AccountId, keyOf: KeyOf): Promise<StoredWays | undefined> {
  return findWaysUnder(sql, id, await findWaysKey(sql, id, keyOf))
}

/** The ways as they are now, locked first: a statement that waited for a lock would read the rest as it was before. */
export async function lockWays(tx: Sql, id: AccountId, keyOf: KeyOf): Promise<StoredWays | undefined> {
  return findWaysUnder(tx, id, await findWaysKey(tx, id, keyOf, 'FOR UPDATE OF a'))
}

/** Counts one change, beyond `above`; the ways as they are after it. */
export async function advanceWays(tx: Sql, id: AccountId, above: number, keyOf: KeyOf): Promise<StoredWays> {
  await tx.execute('UPDATE account SET ways_version = greatest(ways_version, $2) + 1 WHERE id = $1', [id, above])
  const ways = await findWays(tx, id, keyOf)
  if (ways === undefined) throw new Error('the account whose ways in changed is not there')
  return ways
}

export async function setWaysSeal(tx: Sql, id: AccountId, seal: Buffer): Promise<void> {
  await tx.execute('UPDATE account SET ways_seal = $2 WHERE id = $1', [id, seal])
}

/** Locks the next accounts that were never changed and never sealed; what is read of them after this is what is sealed. */
async function lockUnsealed(tx: Sql, limit: number): Promise<AccountId[]> {
  const rows = await tx.query<{ id: AccountId }>('SELECT id FROM account WHERE ways_seal IS NULL AND ways_version = 0 ORDER BY id LIMIT $1 FOR UPDATE', [limit])
  return rows.map(({ id }) => id)
}

/** Gives the next accounts without a seal the one that `sealOf` makes; how many that were. */
export async function sealUnsealed(tx: Sql, limit: number, sealOf: (ways: Pick<StoredWays, 'text'>) => Buffer): Promise<number> {
  const rows = await tx.query<{ id: AccountId; ways: string }>(`SELECT a.id, ${SEALED_COLUMNS} FROM account a WHERE a.id = ANY($1::uuid[])`, [await lockUnsealed(tx, limit)])
  const seals = rows.map(({ ways }) => sealOf({ text: ways }).toString('hex'))
  return tx.execute(`UPDATE account a SET ways_seal = decode(s.seal, 'hex') FROM unnest($1::uuid[], $2::text[]) AS s(id, seal) WHERE a.id = s.id`, [rows.map(({ id }) => id), seals])
}

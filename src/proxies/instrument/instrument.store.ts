import type { Sql } from '../../platform/db.ts'
import type { MandateId } from '../mandate/mandate.ts'

export interface StoredInstrument {
  readonly mandateId: MandateId
  readonly codeHash: Buffer
  readonly codeSealed: Buffer
  readonly sealed: Buffer
  readonly digest: Buffer
  readonly createdAt: Date
}

interface InstrumentRow {
  mandate_id: string
  code_hash: Buffer
  code_sealed: Buffer
  sealed: Buffer
  digest: Buffer
  created_at: Date
}

const SELECT = 'SELECT mandate_id, code_hash, code_sealed, sealed, digest, created_at FROM mandate_instrument'

const toInstrument = (row: InstrumentRow): StoredInstrument => ({
  mandateId: row.mandate_id as MandateId, codeHash: row.code_hash, codeSealed: row.code_sealed, sealed: row.sealed, digest: row.digest, createdAt: row.created_at,
})

/** False when the mandate has one already: there is one text of it. */
export async function insertInstrument(tx: Sql, made: StoredInstrument): Promise<boolean> {
  const added = await tx.execute(
    `INSERT INTO mandate_instrument (mandate_id, code_hash, code_sealed, sealed, digest, created_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (mandate_id) DO NOTHING`,
    [made.mandateId, made.codeHash, made.codeSealed, made.sealed, made.digest, made.createdAt],
  )
  return added === 1
}

export async function findInstrument(sql: Sql, mandateId: MandateId): Promise<StoredInstrument | undefined> {
  const [row] = await sql.query<InstrumentRow>(`${SELECT} WHERE mandate_id = $1`, [mandateId])
  return row && toInstrument(row)
}

export async function findByCode(sql: Sql, codeHash: Buffer): Promise<StoredInstrument | undefined> {
  const [row] = await sql.query<InstrumentRow>(`${SELECT} WHERE code_hash = $1`, [codeHash])
  return row && toInstrument(row)
}

import type { Sql } from '../../../platform/db.ts'

export interface ExportPerson {
  readonly id: string
  readonly cpf: string
  readonly ledger_id: string
}

/** People who have standing images, in the order of their ids. */
export function selectExportPeople(sql: Sql, after: string | null, limit: number): Promise<ExportPerson[]> {
  return sql.query<ExportPerson>(
    `SELECT p.id, p.cpf, coalesce(a.id, p.id) AS ledger_id FROM person p LEFT JOIN account a ON a.person_id = p.id
      WHERE ($1::uuid IS NULL OR p.id > $1) AND p.data_key IS NOT NULL
        AND EXISTS (SELECT 1 FROM stored_image i WHERE i.person_id = p.id AND i.withdrawn_at IS NULL AND i.erased_at IS NULL)
      ORDER BY p.id LIMIT $2`,
    [after, limit],
  )
}

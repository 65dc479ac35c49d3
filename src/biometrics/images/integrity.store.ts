import type { Sql } from '../../platform/db.ts'

/** Ids of people who have or had images, in order. */
export async function selectPeople(sql: Sql, after: string | null, limit: number): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `SELECT p.id FROM person p WHERE ($1::uuid IS NULL OR p.id > $1) AND EXISTS (SELECT 1 FROM stored_image i WHERE i.person_id = p.id) ORDER BY p.id LIMIT $2`,
    [after, limit],
  )
  return rows.map(({ id }) => id)
}

/** People who have rows from before tags. */
export async function selectLegacyPeople(sql: Sql, after: string | null, limit: number): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `SELECT DISTINCT i.person_id AS id FROM stored_image i JOIN person p ON p.id = i.person_id
      WHERE i.seal_version = 1 AND i.erased_at IS NULL AND p.data_key IS NOT NULL AND ($1::uuid IS NULL OR i.person_id > $1) ORDER BY 1 LIMIT $2`,
    [after, limit],
  )
  return rows.map(({ id }) => id)
}

export interface Contradiction {
  readonly personId: string
  readonly imageId: string
  readonly says: 'stored' | 'withdrawn' | 'erased'
}

interface ContradictionRow {
  person_id: string
  image_id: string
  says: Contradiction['says']
}

/**
 * Images of which the audit record says something else than the table: stored and not there, withdrawn and standing, erased and there.
 *
 * The record is chained and signed, so a state of the tables that was put back whole is found by it.
 */
export async function selectContradictions(sql: Sql): Promise<Contradiction[]> {
  const rows = await sql.query<ContradictionRow>(
    `SELECT e.data->>'personId' AS person_id, e.data->>'imageId' AS image_id, 'stored' AS says FROM audit_event e
       WHERE e.type = 'biometrics/image-stored' AND NOT EXISTS (SELECT 1 FROM stored_image i WHERE i.id = (e.data->>'imageId')::uuid)
     UNION ALL
     SELECT e.data->>'personId', gone.id, 'withdrawn' FROM audit_event e CROSS JOIN LATERAL jsonb_array_elements_text(e.data->'imageIds') AS gone(id)
       JOIN stored_image i ON i.id = gone.id::uuid WHERE e.type = 'biometrics/images-withdrawn' AND i.withdrawn_at IS NULL AND i.erased_at IS NULL
       AND NOT EXISTS (SELECT 1 FROM audit_event b WHERE b.type = 'biometrics/images-restored' AND b.id > e.id AND b.data->'imageIds' ? gone.id)
     UNION ALL
     SELECT e.data->>'personId', gone.id, 'erased' FROM audit_event e CROSS JOIN LATERAL jsonb_array_elements_text(e.data->'imageIds') AS gone(id)
       JOIN stored_image i ON i.id = gone.id::uuid WHERE e.type = 'biometrics/images-removed' AND i.erased_at IS NULL
     UNION ALL
     SELECT e.data->>'personId', i.id::text, 'erased' FROM audit_event e JOIN stored_image i ON i.person_id = (e.data->>'personId')::uuid
       WHERE e.type = 'biometrics/images-erased' AND i.created_at < e.at AND i.erased_at IS NULL`,
  )
  return rows.map((row) => ({ personId: row.person_id, imageId: row.image_id, says: row.says }))
}

import { randomUUID } from 'node:crypto'
import type { AccountId } from '../../accounts/index.ts'
import type { Sql } from '../../platform/db.ts'
import type { Keyring } from '../../platform/keyring.ts'
import { type MandateId, parseMandateId } from '../../proxies/index.ts'

export interface SignedHelp {
  readonly attendanceId: string
  readonly mandateId: MandateId
  readonly attendantId: AccountId
  /** The words that were read, and the picture of the signature under them. */
  readonly text: { readonly words: string; readonly digest: Buffer }
  readonly signature: { readonly bytes: Uint8Array; readonly digest: Buffer }
  readonly signedAt: Date
}

const textContext = (id: string) => `counter-help-text:${id}`
const signatureContext = (id: string) => `counter-help-signature:${id}`

export async function insertHelp(tx: Sql, keyring: Pick<Keyring, 'seal'>, { attendanceId, mandateId, attendantId, text, signature, signedAt }: SignedHelp): Promise<void> {
  const id = randomUUID()
  await tx.execute(
    `INSERT INTO counter_help (id, attendance_id, mandate_id, attendant_id, text_sealed, text_digest, signature_sealed, signature_digest, signed_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      id, attendanceId, mandateId, attendantId, keyring.seal(text.words, textContext(id)), text.digest, keyring.seal(signature.bytes, signatureContext(id)), signature.digest,
      signedAt,
    ],
  )
}

/** Mandates of help that were signed in a case, the last first. */
export async function listHelps(sql: Sql, attendanceId: string): Promise<{ mandateId: MandateId; signedAt: Date }[]> {
  const rows = await sql.query<{ mandate_id: string; signed_at: Date }>('SELECT mandate_id, signed_at FROM counter_help WHERE attendance_id = $1 ORDER BY signed_at DESC', [attendanceId])
  return rows.flatMap(({ mandate_id, signed_at: signedAt }) => {
    const mandateId = parseMandateId(mandate_id)
    return mandateId === undefined ? [] : [{ mandateId, signedAt }]
  })
}

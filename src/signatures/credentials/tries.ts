import type { Sql } from '../../platform/db.ts'
import { equalSecrets } from '../../platform/keyring.ts'
import type { SigningCore } from '../activation/core.ts'

const WRONG = 'signatures/wrong-password'
const CLEARED = 'signatures/tries-cleared'
const LINES = 200

type Recording = Pick<SigningCore, 'audit' | 'keyring'>

/**
 * Wrong passwords since the last right one or the last release, by the audit record: setting a row's counter back gives nobody more tries.
 *
 * The lines lie under the credential's own id, apart from its citizen's ledger. One that says "cleared" counts with our seal only.
 */
export async function countWrong({ audit, keyring }: Recording, credentialId: string): Promise<number> {
  const lines = await audit.ledger(credentialId, { limit: LINES })
  const totals = (type: string, isGood: (total: number, data: Readonly<Record<string, unknown>>) => boolean) =>
    lines.filter((line) => line.type === type).map(({ data }) => ({ total: Number(data['total']), data })).filter(({ total, data }) => isGood(total, data)).map(({ total }) => total)
  const wrong = Math.max(0, ...totals(WRONG, Number.isSafeInteger))
  const cleared = Math.max(0, ...totals(CLEARED, (total, data) => equalSecrets(Buffer.from(String(data['seal']), 'base64url'), clearedSeal(keyring, credentialId, total))))
  return Math.max(0, wrong - cleared)
}

export async function noteWrong({ audit }: Recording, sql: Sql, credentialId: string): Promise<void> {
  const total = ((await audit.highest(sql, { type: WRONG, subject: credentialId, field: 'total' })) ?? 0) + 1
  await audit.record(sql, { type: WRONG, actor: { kind: 'system' }, subject: credentialId, data: { total } })
}

/** What was wrong before counts no more. */
export async function clearWrong({ audit, keyring }: Recording, sql: Sql, credentialId: string): Promise<void> {
  const total = await audit.highest(sql, { type: WRONG, subject: credentialId, field: 'total' })
  if (total === undefined) return
  const seal = clearedSeal(keyring, credentialId, total).toString('base64url')
  await audit.record(sql, { type: CLEARED, actor: { kind: 'system' }, subject: credentialId, data: { total, seal } })
}

function clearedSeal({ hash }: Recording['keyring'], credentialId: string, total: number): Buffer {
  return hash(`${credentialId}|${total}`, 'signing-tries-cleared')
}

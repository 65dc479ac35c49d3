import type { Assurance } from '../assurance/index.ts'
import type { Audit, AuditActor } from '../audit/index.ts'
import type { Clock } from '../platform/clock.ts'
import type { Database, Sql } from '../platform/db.ts'
import type { Keyring } from '../platform/keyring.ts'
import type { Companies } from './party/companies.ts'
import type { Party } from './party/party.ts'
import { listAccountsOf } from './party/party.store.ts'
import type { ProxiesPorts, ProxyNotice } from './ports.ts'

/** What every part of the room is built over. */
export interface Core {
  readonly platform: { readonly db: Database; readonly clock: Clock; readonly keyring: Keyring }
  readonly audit: Audit
  readonly assurance: Pick<Assurance, 'findStanding' | 'levelOf'>
  readonly ports: ProxiesPorts
  readonly companies: Companies
}

/** An event in the ledger of everybody whom it concerns, and in the record where nobody of them has an account. */
export async function recordFor(
  core: Core,
  tx: Sql,
  event: { type: string; actor: AuditActor; parties: readonly Pick<Party, 'id'>[]; clientId?: string | undefined; data: Readonly<Record<string, unknown>> },
): Promise<string[]> {
  const { type, actor, clientId, data } = event
  const accounts = new Set<string>()
  for (const { id } of event.parties) for (const account of await listAccountsOf(tx, id)) accounts.add(account)
  for (const subject of accounts.size > 0 ? accounts : [undefined]) await core.audit.record(tx, { type, actor, subject, clientId, data })
  return [...accounts]
}

/** Tells a person, or a company's administrators. */
export async function tellParty(
  core: Core,
  tx: Sql,
  party: Pick<Party, 'id'>,
  told: { notice: ProxyNotice; everywhere: boolean; params: Readonly<Record<string, string>> },
): Promise<void> {
  for (const accountId of await listAccountsOf(tx, party.id)) await core.ports.notify(tx, { accountId, ...told })
}

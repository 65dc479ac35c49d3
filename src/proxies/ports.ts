import type { BaseRegister } from '../accounts/index.ts'
import type { Sql } from '../platform/db.ts'
import type { CompanyRegister } from './party/company-register.ts'
import type { MandateId } from './mandate/mandate.ts'

/** What people are told; texts are `proxies.notice.<name>` in `views/messages`. */
export const PROXY_NOTICES = [
  'granted', 'to-accept', 'to-sign', 'accepted', 'refused', 'revoked', 'renounced', 'suspended', 'resumed', 'lifted', 'to-join', 'ended', 'broad', 'requested', 'used', 'to-approve', 'act-ready', 'act-refused', 'passed-on', 'servant-named',
  'servant-ended',
] as const
export type ProxyNotice = (typeof PROXY_NOTICES)[number]

/** Tells an account's owner, in the transaction of what happened; `everywhere` = on every confirmed address. */
export type Notify = (tx: Sql, told: { accountId: string; notice: ProxyNotice; everywhere: boolean; params: Readonly<Record<string, string>> }) => Promise<void>

/**
 * Makes every token in representation under this mandate worthless; called in the transaction that ends or stops it, for each mandate of
 * the tree, and for a servant whom an agency no longer lets sign. What it must do outside of the database it queues in the transaction.
 */
export type EndRepresentationTokens = (tx: Sql, mandateId: MandateId) => Promise<void>

/** Seals the PDF of an instrument electronically; without a signatures room the PDF stays as it is. */
export type SealInstrument = (pdf: Uint8Array) => Promise<Uint8Array>

/** What `app.ts` hands in from other rooms and from outside. */
export interface ProxiesPorts {
  readonly register: BaseRegister
  readonly companies: CompanyRegister
  readonly notify: Notify
  readonly endRepresentationTokens: EndRepresentationTokens
  readonly sealInstrument?: SealInstrument | undefined
}

/**
 * Evidence of what happened: typed, append-only, hash-chained; and each person's ledger of the uses of their identity.
 *
 * Terminology: **event** = one row of `audit_event`, written in the transaction of what it tells; ids only, never personal data.
 * **seal** = the event's place in the chain: SHA-256(previous seal ‖ SHA-256 of the event); made within a second by any process.
 * **checkpoint** = a signed seal, also logged; **head** = the newest seal, noted in a file outside the database.
 *
 * Triggers refuse changes. Whoever can switch them off (the database's owner) can rewrite rows but not signatures, heads and logs that
 * left the database: `verify` names the first row that was changed, deleted, swapped or cut off. What it cannot see: a row changed in the
 * second before its seal, and a tail that was cut before any process noted its head. An operator can give the application's role INSERT and
 * SELECT only on the three tables.
 */
export type { Audit, AuditActor, AuditDependencies, AuditEvent, LedgerEntry, LedgerPage } from './audit.ts'
export { createAudit } from './audit.ts'
export { eventInsertion, highestOf } from './audit.store.ts'
export type { EventCatalog } from './catalog.ts'
export { defineEvents } from './catalog.ts'
export type { HeadFile } from './head.ts'
export { headFile } from './head.ts'
export type { FirstBad, Verdict } from './verification.ts'

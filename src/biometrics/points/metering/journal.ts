import type { Audit, AuditActor } from '../../../audit/index.ts'
import type { Clock } from '../../../platform/clock.ts'
import type { Sql } from '../../../platform/db.ts'
import { insertEntry } from './journal.store.ts'
import { monthOf } from './month.ts'

/** A process that is captured, as it is counted. */
export interface CapturedProcess {
  readonly processId: string
  readonly pointId: string
  readonly contract: string
  readonly clientId: string
  readonly offline: boolean
  /** In whose ledger it stands. */
  readonly ledgerId: string
}

/**
 * Counts captured processes: once each, for ever, in the month in which the service accepted them, by its own clock.
 *
 * Row and audit event are written by one transaction and say the same, so that whoever edits one of them is found by the other; the
 * event's own place in the record is held by the hash chain.
 */
export interface Journal {
  count(tx: Sql, process: CapturedProcess): Promise<void>
}

export function createJournal({ clock, audit }: { clock: Clock; audit: Pick<Audit, 'record'> }): Journal {
  return {
    async count(tx, { processId, pointId, contract, clientId, offline, ledgerId }) {
      const countedAt = clock.now()
      const month = monthOf(countedAt)
      await insertEntry(tx, { processId, pointId, contract, month, offline, countedAt })
      const actor: AuditActor = { kind: 'client', id: clientId }
      await audit.record(tx, { type: 'biometrics/process-captured', actor, clientId, subject: ledgerId, data: { processId, pointId, contract, month, offline } })
    },
  }
}
